"""On edges: what somebody submits under another's name is refused (danhba/senders)."""

from __future__ import annotations

import json
from pathlib import Path

import danhba.senders
from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import SENDERS_SOCKET
from deploys.instance import edge

_UNIT = "danhba-senders.service"
_HOME = "/usr/local/lib/danhba"
_CONFIG = "/etc/danhba/senders.json"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    path = f"/etc/systemd/system/{_UNIT}"
    unit = render("senders/unit.service", config=_CONFIG, home=_HOME, socket=SENDERS_SOCKET)
    # The text from which Postfix's own table is built: the daemon sees by itself when it changes.
    config = {"socket": SENDERS_SOCKET, "table": f"{edge(host).tables}/senders"}
    return Part(
        name="senders",
        packages=("python3", "python3-milter"),
        files=(
            *_program(),
            File(_CONFIG, (json.dumps(config, indent=1) + "\n").encode(), effect="restart"),
            File(path, unit, effect="restart"),
            File("/etc/sysusers.d/danhba-senders.conf", render("senders/sysusers.conf")),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"/etc/systemd/system/multi-user.target.wants/{_UNIT}": path},
        services=(Service(_UNIT),),
    )


def _program() -> tuple[File, ...]:
    """The daemon's own source: Debian's python3 runs it as it is."""
    sources = sorted(Path(danhba.senders.__file__).parent.glob("*.py"))
    return tuple(
        File(f"{_HOME}/senders/{source.name}", source.read_bytes(), effect="restart")
        for source in sources
    )
