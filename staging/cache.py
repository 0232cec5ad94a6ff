"""The package cache on the bridge: the hosts' only way to packages, and nothing downloads twice.

apt-cacher-ng with a configuration of our own: Debian's rewrites addresses to mirrors that a
closed network may not reach.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

from staging import mirrors
from staging.config import CACHE_ADDRESS, CACHE_PORT, LAB
from staging.shell import LabError, run, write

_HOME = Path(LAB) / "cache"
_CONF = _HOME / "conf"
_PID = _HOME / "pid"

_CONFIGURATION = """\
BindAddress: {address}
Port: {port}
CacheDir: {home}/packages
LogDir: {home}/log
SupportDir: /usr/lib/apt-cacher-ng
SocketPath: {home}/socket
PidFile: {home}/pid
ReportPage:
ExThreshold: 30
PassThroughPattern: ^$
VerboseLog: 0
ForceManaged: 1
{origins}{proxy}"""
"""ForceManaged: what is not one of the origins is refused, or it would be a way to anywhere."""


def start(found: mirrors.Mirrors) -> None:
    """Start the cache for these mirrors unless it runs. The bridge must be up."""
    text, path = _configuration(found), _CONF / "acng.conf"
    if answers() and path.exists() and path.read_text() == text:
        return
    stop()
    for name in ("packages", "log"):
        (_HOME / name).mkdir(parents=True, exist_ok=True)
    write(path, text)
    run(["setsid", "apt-cacher-ng", "-c", str(_CONF)])
    limit = time.monotonic() + 10
    while not answers():
        if time.monotonic() > limit:
            raise LabError(f"the package cache does not start; see {_HOME}/log")
        time.sleep(0.05)


def _configuration(found: mirrors.Mirrors) -> str:
    upstream = mirrors.upstream_proxy()
    uris = [uri.rstrip("/") for uri in (found.main, found.security) if uri]
    origins = [
        f"Remap-origin{number}: {mirrors.cached(uri)}/ ; {uri}/\n"
        for number, uri in enumerate(uris, 1)
    ]
    return _CONFIGURATION.format(
        address=CACHE_ADDRESS,
        port=CACHE_PORT,
        home=_HOME,
        origins="".join(origins),
        proxy=f"Proxy: {upstream}\n" if upstream else "",
    )


def stop() -> None:
    """Stop the cache, whether it answers or not."""
    pid = int(_PID.read_text().strip() or 0) if _PID.exists() else 0
    if pid and _is_ours(pid):
        os.kill(pid, signal.SIGTERM)
        limit = time.monotonic() + 5
        while _is_ours(pid) and time.monotonic() < limit:
            time.sleep(0.05)
        if _is_ours(pid):
            os.kill(pid, signal.SIGKILL)
    _PID.unlink(missing_ok=True)


def answers() -> bool:
    try:
        with socket.create_connection((CACHE_ADDRESS, CACHE_PORT), timeout=1):
            return True
    except OSError:
        return False


def _is_ours(pid: int) -> bool:
    """A process id outlives its process: only one that was given our configuration is ours."""
    try:
        return str(_CONF).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
