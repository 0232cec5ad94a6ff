"""Socket options on the SSH connections of pyinfra, which has no hook for them."""

from __future__ import annotations

import socket

from pyinfra.api.host import Host

LOST_AFTER = 30
"""Seconds without an answer after which a connection counts as lost. A step may take minutes: the
host's kernel answers keep-alive packets all the same."""


def tune(host: Host) -> None:
    """TCP_NODELAY, and an end to waiting for a host that is gone.

    paramiko leaves Nagle's algorithm on: 44 ms of waiting with each remote command. The connection
    exists before a deploy is loaded, so it is enough to set the options before the first question.
    Connectors without SSH have no such socket.
    """
    client = getattr(host.connector, "client", None)
    transport = client.get_transport() if client else None
    if transport is None or not isinstance(transport.sock, socket.socket):
        return
    transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LOST_AFTER * 1000)
    transport.set_keepalive(LOST_AFTER // 3)
