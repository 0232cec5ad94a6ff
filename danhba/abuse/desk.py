"""Asks the daemon that counts (danhba/lockout/desk.py)."""

from __future__ import annotations

import json
import socket
from typing import Any

_PATIENCE = 5
"""Seconds; Postfix itself waits for ten."""


class Desk:
    """place: path of its socket."""

    def __init__(self, place: str) -> None:
        self._place = place

    def ask(self, do: str, **told: Any) -> dict[str, Any]:
        """Its answer. Raises OSError and ValueError when there is none."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_PATIENCE)
            line.connect(self._place)
            line.sendall(json.dumps({"do": do, **told}).encode() + b"\n")
            answer: dict[str, Any] = json.loads(b"".join(iter(lambda: line.recv(65536), b"")))
        return answer
