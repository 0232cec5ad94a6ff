"""Where edges bring mail: SMTP, behind a tunnel that knows their certificates.

A message is answered with 250 when the disk has confirmed its entry, and many share one
confirmation. Whatever goes wrong is answered so that the edge keeps the message and comes again.
"""

from __future__ import annotations

import asyncio
import errno
import shutil
import sqlite3
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from . import chain
from .chain import Archive, Item
from .ids import carried, journal_id, message_id
from .seal import sealed
from .tag import untagged

_LONGEST = 64 << 20
"""Bytes of a line, and so of a message that is one: whatever an edge has accepted has an entry."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FULL = "452 4.3.1 The disk of the vault is full: the message is kept where it is"
MISSING = "452 4.3.0 The disk of the archive is missing: the message is kept where it is"
LATER = "451 4.3.0 The journal could not be written: the message is kept where it is"


@dataclass
class Committer:
    """Appends together what comes while the disk is busy with what came before."""

    archive: Archive
    _waiting: list[tuple[Item, asyncio.Future[int]]] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def commit(self, item: Item) -> int:
        """Number of the entry, 0 when it has one from before. Raises OSError."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._wake.set()
        return await future

    async def run(self) -> None:
        """For ever. Raises JournalError when the end of the chain is unknown: a start mends it."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as writer:
            while True:
                await self._wake.wait()
                self._wake.clear()
                batch, self._waiting = self._waiting, []
                try:
                    items = [item for item, _ in batch]
                    numbers = await loop.run_in_executor(writer, self.archive.append, items)
                except (OSError, ValueError, KeyError, sqlite3.Error) as error:
                    print(f"not written: {error}", file=sys.stderr, flush=True)
                    _tell(batch, error)
                else:
                    for (_, future), number in zip(batch, numbers, strict=True):
                        if not future.done():  # its client may be gone
                            future.set_result(number)


def _tell(batch: list[tuple[Item, asyncio.Future[int]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)


@dataclass
class Door:
    """What aiosmtpd asks. edges: fqdn to name. public: key that contents are sealed for. floor:
    bytes that stay free on the disk."""

    committer: Committer
    edges: dict[str, str]
    public: bytes
    floor: int
    _sealers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2))

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if shutil.disk_usage(self.committer.archive.root).free < self.floor:
            return FULL
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        try:
            envelope.rcpt_tos.append(untagged(address))
        except ValueError as error:
            return f"550 5.1.3 {error}"
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        waited, message = carried(content, self.edges)
        identity = journal_id(message, self.edges) or waited
        if not identity:
            return "550 5.7.1 The message has passed no edge"
        given = envelope.mail_from or ""
        sender = "" if given == "<>" else given  # aiosmtpd's way to say that there is none
        loop = asyncio.get_running_loop()
        packed = await loop.run_in_executor(self._sealers, sealed, message, self.public)
        item = chain.message(
            identity, sender, envelope.rcpt_tos, message_id(message),
            message, packed,
        )  # fmt: skip
        try:
            number = await self.committer.commit(item)
        except OSError as error:
            return FULL if error.errno in _FULL else LATER
        except (ValueError, KeyError, sqlite3.Error):
            return LATER
        return f"250 2.0.0 {f'Entry {number}' if number else 'It has an entry'}"


class Closed:
    """What aiosmtpd asks when there is nothing to write to."""

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        return MISSING


class Server(SMTP):
    """Takes whatever an edge has taken: lines and addresses as long as they are."""

    line_length_limit = _LONGEST
    command_size_limit = 4096

    def __init__(self, door: Door | Closed, **options: Any) -> None:
        super().__init__(
            door, data_size_limit=0, enable_SMTPUTF8=True, hostname="vault", ident="danhba-journal",
            timeout=300, **options,
        )  # fmt: skip
        self.command_size_limits = defaultdict(lambda: self.command_size_limit)


async def serve(door: Door | Closed, port: int) -> None:
    """On loopback, for ever. Raises JournalError, OSError."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(door, loop=loop), "127.0.0.1", port)
    async with server:
        await server.serve_forever()
