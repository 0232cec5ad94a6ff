"""On stores: what an edge takes for spam goes to the folder for it, whatever its owner's own filter
says (Điều 8.6)."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import FOLDERS, JUNK_HEADER, NO_SIEVE

SCRIPT = "/etc/danhba/junk.sieve"
COMPILED = "/run/danhba-junk"
"""Folder of the compiled script: who delivers may not write beside the script."""

_UNIT = "danhba-junk.service"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    path = f"/etc/systemd/system/{_UNIT}"
    script = render("junk/junk.sieve", header=JUNK_HEADER, folder=FOLDERS["Junk"])
    unit = render("junk/unit.service", script=SCRIPT, folder=COMPILED, without=NO_SIEVE)
    return Part(
        name="junk",
        packages=("dovecot-sieve",),
        files=(
            File(SCRIPT, script, effect="restart"),
            File(path, unit, effect="restart"),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"/etc/systemd/system/multi-user.target.wants/{_UNIT}": path},
        services=(Service(_UNIT),),
    )
