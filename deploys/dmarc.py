"""On edges: what they counted of a domain's mail goes to whom it names (RFC 7489 7.2).

Each edge reports what it has seen: one that did it for all would be one whose loss ends them.
"""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service

_NAME = "danhba-dmarc-reports"
_UNITS = "/etc/systemd/system"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    if not directory.dmarc_reports:
        return Part(name="dmarc")
    timer = f"{_UNITS}/{_NAME}.timer"
    return Part(
        name="dmarc",
        packages=("rspamd",),
        files=(
            File(f"{_UNITS}/{_NAME}.service", render("dmarc/unit.service")),
            File(timer, render("dmarc/unit.timer"), effect="restart"),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"{_UNITS}/timers.target.wants/{_NAME}.timer": timer},
        services=(Service(f"{_NAME}.timer"),),
    )
