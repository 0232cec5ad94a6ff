"""Ask the daemon that locks out who guesses passwords (danhba/lockout/control.py)."""

from __future__ import annotations

import json
import socket
import time

from danhba.generations.host.common import Json, Refused
from danhba.generations.host.record import note

_SOCKET = "/run/danhba-lockout/control"
_PATIENCE = 20
"""Seconds."""


def lockout(request: Json) -> Json:
    """Its answer to {"do", ...}, with the ends of refusals in words. Raises Refused when it does
    not run."""
    by = request.pop("by", "")
    if request["do"] == "lift":
        note("lifted", who=by, account=request["account"], source=request["source"])
    answer = ask(request)
    for row in answer.get("refusals", ()):
        # By the host's clock, which is the province's.
        row["ends"] = time.strftime("%Y-%m-%d %H:%M", time.localtime(row["until"]))
    return answer


def ask(request: Json) -> Json:
    """Raises Refused."""
    try:
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(_PATIENCE)
            asked.connect(_SOCKET)
            asked.sendall(json.dumps(request).encode() + b"\n")
            answer: Json = json.loads(b"".join(iter(lambda: asked.recv(65536), b"")))
    except (OSError, ValueError) as error:
        raise Refused(f"the lock-out does not answer ({error}): danhba status") from None
    return answer
