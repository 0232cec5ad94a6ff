"""Records of when mailboxes are accessed (Điều 6.4, 10.1), made where sessions are.

Sessions for reading are seen on stores, those for sending on edges. Dovecot's part of it is
templates/usage/dovecot.conf, in the configuration of both.
"""

from __future__ import annotations

from pathlib import Path

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service, State
from danhba.usage import records

PROGRAM = "/etc/danhba/usage-records"
_UNITS = "/etc/systemd/system"
_SERVICE = f"{_UNITS}/danhba-usage.service"
_TIMER = f"{_UNITS}/danhba-usage.timer"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    """Nothing on hosts that nobody logs in to."""
    if not {"edge", "store"} & set(host.roles):
        return Part(name="usage")
    places = {"events": records.EVENTS.parent, "tables": records.TABLES.parent}
    service = render(
        "usage/fold.service",
        program=PROGRAM,
        months=directory.usage_months,
        sessions="store" in host.roles,
        **places,
    )
    return Part(
        name="usage",
        packages=("python3",),
        files=(
            File(PROGRAM, Path(records.__file__).read_bytes(), mode="0755"),
            File("/etc/tmpfiles.d/danhba-usage.conf", render("usage/tmpfiles.conf", **places)),
            File(_SERVICE, service),
            File(_TIMER, render("usage/fold.timer"), effect="restart"),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"{_UNITS}/timers.target.wants/danhba-usage.timer": _TIMER},
        services=(Service("danhba-usage.timer"),),
        # Where Dovecot may not write, everybody would look as if he had stayed away.
        states=(
            State(
                f"the mode of {places['events']}",
                ("stat", "-c", "%U:%G %a", str(places["events"])),
                "dovecot:root 750\n",
            ),
        ),
    )
