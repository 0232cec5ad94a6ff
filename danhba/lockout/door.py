"""Where Dovecot asks before it looks at a password, and tells what became of it.

HTTP with JSON, Dovecot's auth policy protocol: POST ?command=allow, then ?command=report.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .rules import Rules
from .sources import source_of

_MOST = 65536
"""Bytes of a question; Dovecot's have some hundred."""
_COUNTED = ("credentials", "account")
"""Dovecot's words for a wrong password and for nobody's name. Not counted: directory servers that
do not answer, and accounts that no password opens for now."""


class Door:
    """marks: what turns Dovecot's hash of a password into a mark. aliases: what somebody types who
    was renamed, to his account."""

    def __init__(
        self, rules: Rules, marks: Callable[[str], str], aliases: Callable[[str], str]
    ) -> None:
        self._rules, self._marks, self._aliases = rules, marks, aliases

    def answer(self, command: str, told: Mapping[str, Any]) -> dict[str, Any]:
        """To one question; status -1 refuses. Raises KeyError for one that is not Dovecot's."""
        account = self._aliases(str(told["login"]).lower()[:320])
        source = source_of(str(told["remote"]))
        if not account or not source:  # asked on the host itself
            return {"status": -1 if self._rules.suspended(account) else 0, "msg": ""}
        mark = self._marks(str(told["pwhash"]))
        if command == "allow":
            why = self._rules.refuses(account, source, mark)
            return {"status": -1 if why else 0, "msg": ""}
        if told["success"]:
            self._rules.succeeded(account, source, mark)
        elif told.get("fail_type") in _COUNTED:
            self._rules.failed(account, source, mark)
        return {"status": 0, "msg": ""}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; Dovecot keeps it for many questions."""
        try:
            while question := await _question(reader):
                body = json.dumps(self.answer(*question)).encode()
                head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (OSError, EOFError, LookupError, TypeError, ValueError, asyncio.LimitOverrunError):
            pass  # it is gone, or was not Dovecot
        finally:
            writer.close()


async def _question(reader: asyncio.StreamReader) -> tuple[str, dict[str, Any]] | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    request, *lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
    length = int(headers.get("content-length", "0"))
    if length > _MOST:
        raise ValueError("too long")
    told: dict[str, Any] = json.loads(await reader.readexactly(length))
    return request.split()[1].rpartition("command=")[2], told


def marks(key: bytes) -> Callable[[str], str]:
    """Dovecot's hash of a password is as good as the password for who has a dictionary. What is
    kept and told to other hosts is this, and the key never is."""

    def mark(hashed: str) -> str:
        return hmac.digest(key, hashed.encode(), hashlib.sha256)[:8].hex()

    return mark


def key_at(path: Path) -> bytes:
    """A key of this host, in memory (/run) alone: it outlives the daemon, not a boot."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        path.touch(0o600)
        path.write_bytes(secrets.token_bytes(32))
        return path.read_bytes()


def aliases(path: Path | None, domain: str) -> Callable[[str], str]:
    """From Dovecot's own table of who was renamed (deploys/dovecot_edge.py)."""
    seen: tuple[int, int] = (0, 0)
    table: dict[str, str] = {}

    def account(login: str) -> str:
        nonlocal seen, table
        if path is None:
            return login
        facts = path.stat()
        if seen != (facts.st_mtime_ns, facts.st_ino):
            table = dict(_renamed(path.read_text(encoding="utf-8"), domain))
            seen = facts.st_mtime_ns, facts.st_ino
        return table.get(login, login)

    return account


def _renamed(text: str, domain: str) -> list[tuple[str, str]]:
    rows = (line.split(":") for line in text.splitlines())
    return [(f"{row[0]}@{domain}", row[-1].removeprefix("user=")) for row in rows if len(row) > 7]
