"""On edges: who publishes keys in signed DNS is held to those, and no MTA-STS policy of his counts
(RFC 8461 2). Postfix takes the first policy that it is told, and postfix-mta-sts-resolver knows of
no DANE: a wrong key would pass with a certificate that the world trusts (seen)."""

from __future__ import annotations

import danhba.dane
from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import DANE_SOCKET
from deploys.program import HOME, program

_UNIT = "danhba-dane.service"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    path = f"/etc/systemd/system/{_UNIT}"
    unit = render("dane/unit.service", home=HOME, socket=DANE_SOCKET)
    return Part(
        name="dane",
        packages=("python3", "python3-dnspython"),
        files=(
            *program(danhba.dane),
            File(path, unit, effect="restart"),
            File("/etc/sysusers.d/danhba-dane.conf", render("dane/sysusers.conf")),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"/etc/systemd/system/multi-user.target.wants/{_UNIT}": path},
        services=(Service(_UNIT),),
    )
