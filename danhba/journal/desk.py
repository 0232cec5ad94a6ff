"""Where root on the vault has an entry written that is no message: who read what, what expired,
which hold was set. A request is one line of JSON, and so is the answer."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sqlite3
from collections.abc import Mapping
from typing import Any

from . import entry
from .chain import Item, JournalError
from .door import Committer

SOCKET = "/run/danhba-journal/desk"
_KINDS = (entry.READ, entry.EXPIRED, entry.HOLD, entry.RESTORED)
_TIMEOUT = 60
_LONGEST = 16 << 20


def noted(kind: str, fields: Mapping[str, Any], path: str = SOCKET) -> int:
    """Number of the entry, which is on the disk. kind: one of READ, EXPIRED, HOLD,
    RESTORED. Raises JournalError: without an entry nobody reads and nothing is removed."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_TIMEOUT)
            line.connect(path)
            line.sendall(json.dumps({**fields, "kind": kind}).encode() + b"\n")
            with line.makefile("rb") as file:
                answer = json.loads(file.readline())
    except (OSError, ValueError) as error:
        raise JournalError(
            f"the journal takes no entry ({error}): see `journalctl -u danhba-journal`"
        ) from None
    if "n" not in answer:
        raise JournalError(f"the journal takes no entry: {answer.get('error')}")
    return int(answer["n"])


async def serve(committer: Committer, path: str) -> None:
    """For ever. Only root and the daemon's own user reach the socket."""

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answer = await _answer(committer, await reader.readline())
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError):  # it is gone, or sends without end
            pass
        finally:
            writer.close()

    before = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(visit, path, limit=_LONGEST)
    finally:
        os.umask(before)
    async with server:
        await server.serve_forever()


async def _answer(committer: Committer, line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
        if fields.get("kind") not in _KINDS:
            return {"error": f"kind is one of {', '.join(_KINDS)}"}
        own = {"n", "prev", "time", "at", "length", "sha256", "to"} & fields.keys()
        if own:
            return {"error": f"{', '.join(sorted(own))}: what the journal says itself"}
        return {"n": await committer.commit(Item(fields))}
    except (OSError, ValueError, KeyError, AttributeError, sqlite3.Error) as error:
        return {"error": str(error)}
