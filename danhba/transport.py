"""TCP_NODELAY on the SSH connections of pyinfra."""

from __future__ import annotations

import socket

from pyinfra.api.host import Host


def without_delay(host: Host) -> None:
    """paramiko leaves Nagle's algorithm on: 44 ms of waiting with each remote command.

    pyinfra has no hook for socket options; the connection exists before a deploy is loaded, so it
    is enough to set the option before the first question. Other connectors have no such socket.
    """
    client = getattr(host.connector, "client", None)
    transport = client.get_transport() if client else None
    if transport is not None and isinstance(transport.sock, socket.socket):
        transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
