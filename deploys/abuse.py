"""On edges: how much officials may send (danhba/abuse; Điều 8.7)."""

from __future__ import annotations

import danhba.abuse
from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import ABUSE_SOCKET, DESK_SOCKET, SCORE_HEADER
from deploys.program import HOME, as_json, program

_UNIT = "danhba-abuse.service"
_CONFIG = "/etc/danhba/abuse.json"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    path = f"/etc/systemd/system/{_UNIT}"
    unit = render("abuse/unit.service", config=_CONFIG, home=HOME, socket=ABUSE_SOCKET)
    config = {
        "socket": ABUSE_SOCKET,
        "desk": DESK_SOCKET,
        "domain": directory.domain,
        "header": SCORE_HEADER,
    }
    return Part(
        name="abuse",
        packages=("python3", "python3-milter"),
        files=(
            *program(danhba.abuse),
            File(_CONFIG, as_json(config), effect="restart"),
            File(path, unit, effect="restart"),
            File("/etc/sysusers.d/danhba-abuse.conf", render("abuse/sysusers.conf")),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"/etc/systemd/system/multi-user.target.wants/{_UNIT}": path},
        services=(Service(_UNIT),),
    )
