"""Keys for DKIM on edges (danhba/signing), and that all which leaves is signed with them."""

from __future__ import annotations

import danhba.signing
from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import addresses
from deploys.program import HOME, as_json, program

PLACE = "/var/lib/danhba-signing"
CONFIG = "/etc/danhba/signing.json"
PROGRAM = ("env", f"PYTHONPATH={HOME}", "python3", "-B", "-m", "signing", CONFIG)
"""The command that danhba/signing is on an edge, up to its word."""
_UNIT = "danhba-signing.service"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    """What asks for the signatures is in rspamd's own files (deploys/rspamd.py)."""
    path = f"/etc/systemd/system/{_UNIT}"
    config = {"place": PLACE, "host": host.name, "domain": directory.domain, "user": "_rspamd"}
    unit = render("signing/unit.service", program=" ".join(PROGRAM[1:]), place=PLACE)
    return Part(
        name="signing",
        packages=("rspamd", "python3", "python3-dnspython"),
        files=(
            *program(danhba.signing),
            File(CONFIG, as_json(config), effect="restart"),
            File(path, unit, effect="restart"),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"/etc/systemd/system/multi-user.target.wants/{_UNIT}": path},
        services=(Service(_UNIT),),
        health=((*PROGRAM, "health"),),
    )


def rules(directory: Compiled, env: Environment) -> tuple[File, ...]:
    """What rspamd reads."""
    lua = render("rspamd/signing.lua", place=PLACE, domain=directory.domain, writers=writers(env))
    return (File("/etc/rspamd/lua.local.d/signing.lua", lua, effect="reload"),)


def writers(env: Environment) -> list[str]:
    """Where vacation replies and bounces come from: stores, and this edge itself."""
    return ["127.0.0.1", "::1", *addresses(env.having("store"))]
