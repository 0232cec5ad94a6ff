"""Latency on a host's cable where the kernel has no netem: a relay that holds frames back.

The cable is taken out of the bridge and joined to it again through a second pair of interfaces
and this program, which copies frames between them. Offloading headers travel along
(PACKET_VNET_HDR), so large segments and unfinished checksums pass as through a plain cable.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from staging.config import BRIDGE, CHECKOUT
from staging.shell import run

_SOL_PACKET, _PACKET_VNET_HDR = 263, 15
_ETH_P_ALL = 3
_OUTGOING = 4
_FRAME = 1 << 17


def install(cable: str, milliseconds: int) -> None:
    """Put the relay between a cable and the bridge."""
    upper, lower = _pair(cable)
    run(["ip", "link", "add", upper, "type", "veth", "peer", "name", lower])
    for name in (cable, lower):
        # these ends belong to the relay: the machine itself must not answer there
        Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
        run(["ip", "link", "set", name, "nomaster", "arp", "off", "promisc", "on", "up"])
    run(["ip", "link", "set", upper, "master", BRIDGE, "up"])
    argv = [sys.executable, "-m", "staging.delay", cable, str(milliseconds)]
    subprocess.Popen(
        argv,
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def remove(cable: str) -> None:
    """Join the cable to the bridge directly again; nothing happens when there is no relay."""
    upper, _ = _pair(cable)
    for pid in _relays(cable):
        os.kill(pid, signal.SIGKILL)
    if not Path("/sys/class/net", upper).exists():
        return
    run(["ip", "link", "delete", upper])
    if Path("/sys/class/net", cable).exists():
        run(["ip", "link", "set", cable, "arp", "on", "promisc", "off", "master", BRIDGE])


def _pair(cable: str) -> tuple[str, str]:
    host = cable.partition("-")[2]
    return f"dl1-{host}", f"dl2-{host}"


def _relays(cable: str) -> Iterator[int]:
    wanted = f"-m\0staging.delay\0{cable}\0".encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if wanted in path.read_bytes():
                yield int(path.parent.name)
        except OSError:
            continue  # it has just ended


def relay(cable: str, seconds: float) -> None:
    """Copy frames until the cable is gone: those to the host late, those from it at once."""
    host, bridge = _listen(cable), _listen(_pair(cable)[1])
    late: deque[tuple[float, bytes]] = deque()
    while Path("/sys/class/net", cable).exists():
        for source in select.select([host, bridge], [], [], _rest(late))[0]:
            frame = _receive(source)
            if frame and source is host:
                _send(bridge, frame)
            elif frame:
                late.append((time.monotonic() + seconds, frame))
        while late and late[0][0] <= time.monotonic():
            _send(host, late.popleft()[1])


def _rest(late: deque[tuple[float, bytes]]) -> float:
    return max(0.0, late[0][0] - time.monotonic()) if late else 1.0


def _listen(interface: str) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    made.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
    made.bind((interface, _ETH_P_ALL))
    made.setblocking(False)
    return made


def _receive(source: socket.socket) -> bytes:
    """A frame; nothing when it was our own, or the interface is down for now."""
    try:
        frame, address = source.recvfrom(_FRAME)
    except OSError:
        return b""
    return b"" if address[2] == _OUTGOING else frame


def _send(target: socket.socket, frame: bytes) -> None:
    try:
        target.send(frame)
    except OSError:
        return  # a cable that is cut loses frames


if __name__ == "__main__":
    relay(sys.argv[1], int(sys.argv[2]) / 1000)
