"""On edges: what somebody submits under another's name is refused (danhba/senders)."""

from __future__ import annotations

import json

import danhba.senders
from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import SENDERS_SOCKET
from deploys.instance import edge
from deploys.program import HOME, program

_UNIT = "danhba-senders.service"
_CONFIG = "/etc/danhba/senders.json"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    path = f"/etc/systemd/system/{_UNIT}"
    unit = render("senders/unit.service", config=_CONFIG, home=HOME, socket=SENDERS_SOCKET)
    # The text from which Postfix's own table is built: the daemon sees by itself when it changes.
    config = {"socket": SENDERS_SOCKET, "table": f"{edge(host).tables}/senders"}
    return Part(
        name="senders",
        packages=("python3", "python3-milter"),
        files=(
            *program(danhba.senders),
            File(_CONFIG, (json.dumps(config, indent=1) + "\n").encode(), effect="restart"),
            File(path, unit, effect="restart"),
            File("/etc/sysusers.d/danhba-senders.conf", render("senders/sysusers.conf")),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"/etc/systemd/system/multi-user.target.wants/{_UNIT}": path},
        services=(Service(_UNIT),),
    )
