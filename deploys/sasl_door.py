"""Between an edge's Postfix and its Dovecot: what cannot be asked is no wrong password
(danhba/sasl_door.py)."""

from __future__ import annotations

from pathlib import Path

from danhba import sasl_door
from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import SASL_SOCKET
from deploys.instance import edge

_UNIT = "danhba-sasl-door.service"
_PROGRAM = "/usr/local/lib/danhba/sasl_door.py"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    path = f"/etc/systemd/system/{_UNIT}"
    unit = render(
        "sasl_door/unit.service", program=_PROGRAM, socket=SASL_SOCKET, dovecot=edge(host).sasl
    )
    return Part(
        name="sasl_door",
        packages=("python3",),
        files=(
            File(_PROGRAM, Path(sasl_door.__file__).read_bytes(), effect="restart"),
            File(path, unit, effect="restart"),
            File("/etc/sysusers.d/danhba-sasl-door.conf", render("sasl_door/sysusers.conf")),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"/etc/systemd/system/multi-user.target.wants/{_UNIT}": path},
        services=(Service(_UNIT),),
    )
