"""Asks the daemon that counts (danhba/lockout/desk.py) whether a filter may answer."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence

_PATIENCE = 5
"""Seconds."""


class Desk:
    """place: path of its socket."""

    def __init__(self, place: str) -> None:
        self._place = place

    def answer(self, account: str, outside: Sequence[str]) -> str:
        """ "go"; "later", for it has answered so many; or "suspended". outside: whom it would
        answer. Raises OSError, ValueError and LookupError when there is no word."""
        told = {"do": "answer", "account": account, "outside": list(outside)}
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_PATIENCE)
            line.connect(self._place)
            line.sendall(json.dumps(told).encode() + b"\n")
            said = json.loads(b"".join(iter(lambda: line.recv(65536), b"")))
        return str(said["answer"])
