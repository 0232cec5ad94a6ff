"""rspamd on edges: what is spam, and through it what carries a virus (Điều 8.6)."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import (
    CLAMD_SOCKET,
    FILTER_SOCKET,
    JUNK_HEADER,
    SCAN_SECONDS,
    VALKEY_SOCKET,
)
from deploys.postfix_edge import size_filtered

_UNIT = "rspamd.service"
_CONFIG = "/etc/rspamd/rspamd.conf"
_AS_RSPAMD = ("setpriv", "--reuid", "_rspamd", "--regid", "_rspamd", "--clear-groups")
"""It compiles its rules, and keeps them for the daemon."""
_PROCESSES = 2
_MEMORY_MB = 2048


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    config = render(
        "rspamd/rspamd.conf",
        junk_score=directory.spam_junk_score,
        reject_score=directory.spam_reject_score,
        junk_header=JUNK_HEADER,
        socket=FILTER_SOCKET,
        valkey=VALKEY_SOCKET,
        message_bytes=size_filtered(directory.message_mb),
        scan_seconds=SCAN_SECONDS,
        task_seconds=SCAN_SECONDS + 10,
        processes=_PROCESSES,
    )
    scan = render("rspamd/viruses.lua", clamd=CLAMD_SOCKET, scan_seconds=SCAN_SECONDS)
    unit = render("rspamd/unit.conf", socket=FILTER_SOCKET, memory_mb=_MEMORY_MB)
    return Part(
        name="rspamd",
        packages=("rspamd",),
        files=(
            File(_CONFIG, config, effect="reload"),
            File("/etc/rspamd/lua.local.d/viruses.lua", scan, effect="reload"),
            File(f"/etc/systemd/system/{_UNIT}.d/danhba.conf", unit, effect="restart"),
        ),
        services=(Service(_UNIT),),
        validate=((*_AS_RSPAMD, "rspamadm", "configtest", "-q", "-c", _CONFIG),),
    )
