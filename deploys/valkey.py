"""valkey on edges: what rspamd remembers from one message to the next. All of it may be lost."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import VALKEY_SOCKET

_UNIT = "valkey-server.service"
_MEMORY_MB = 256


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    config = render("valkey/valkey.conf", socket=VALKEY_SOCKET, memory_mb=_MEMORY_MB)
    unit = render("valkey/unit.conf", memory_mb=2 * _MEMORY_MB)
    return Part(
        name="valkey",
        packages=("valkey-server",),
        files=(
            File("/etc/valkey/valkey.conf", config, effect="restart"),
            File(f"/etc/systemd/system/{_UNIT}.d/danhba.conf", unit, effect="restart"),
        ),
        services=(Service(_UNIT),),
    )
