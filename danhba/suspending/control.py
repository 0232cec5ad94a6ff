"""Asks the daemon that keeps the record (danhba/lockout/control.py), and runs programs."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Sequence
from typing import Any

SOCKET = "/run/danhba-lockout/control"
_PATIENCE = 20
"""Seconds."""
_LONGEST = 120


def ask(request: dict[str, Any]) -> dict[str, Any]:
    """Its answer. Raises OSError and ValueError when there is none."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_PATIENCE)
        line.connect(SOCKET)
        line.sendall(json.dumps(request).encode() + b"\n")
        answer: dict[str, Any] = json.loads(b"".join(iter(lambda: line.recv(65536), b"")))
    return answer


def run(argv: Sequence[str], input: bytes = b"") -> bytes:
    """What a program says. Raises subprocess.SubprocessError when it fails, or takes too long."""
    done = subprocess.run(argv, input=input, stdout=subprocess.PIPE, check=True, timeout=_LONGEST)
    return done.stdout
