"""Where LDAP clients from outside come in: the same rules as at every other door.

They look up addresses and change their passwords (RFC 3062), and log in for it; slapd itself has no
way to refuse who guesses without refusing the owner as well. Every other message passes as it is.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from .rules import Rules
from .sources import source_of

_MOST = 1 << 20
"""Bytes of a message; an address book's have some hundred."""
_IDLE = 900
"""Seconds."""
_MOST_VISITS, _MOST_OF_A_SOURCE = 1000, 100
"""At one time: who opens more of them is not to keep Dovecot from asking."""
_HELD = 2
"""Seconds that a refusal takes, as at Dovecot's doors."""
_SEQUENCE, _INTEGER, _OCTETS, _ENUMERATED = 0x30, 0x02, 0x04, 0x0A
_BIND, _BOUND, _UNBIND, _SIMPLE = 0x60, 0x61, 0x42, 0x80
_SUCCESS, _NOT_SUPPORTED, _INVALID_CREDENTIALS = 0, 7, 49
"""RFC 4511 4.1.1, 4.1.9, 4.2."""


@dataclass(frozen=True)
class Slapd:
    """Where it answers on this host, under which name; suffix: of the tree."""

    port: int
    name: str
    suffix: str
    domain: str


class Gate:
    """marks: as of the door for Dovecot. tls: towards clients, and towards slapd."""

    def __init__(
        self,
        rules: Rules,
        marks: Callable[[str], str],
        slapd: Slapd,
        tls: tuple[ssl.SSLContext, ssl.SSLContext],
    ) -> None:
        self._rules, self._marks, self._slapd = rules, marks, slapd
        self.server_tls, self._client_tls = tls
        self._visits: Counter[str] = Counter()
        # Only this spelling: in another one a name would be another account to the rules.
        self._dn = re.compile(rf"uid=([a-z0-9._-]+), *ou=people, *{re.escape(slapd.suffix)}", re.I)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection, to the end."""
        source = source_of(writer.get_extra_info("peername")[0])
        visits = self._visits
        if visits.total() >= _MOST_VISITS or visits[source] >= _MOST_OF_A_SOURCE:
            writer.close()
            return
        visits[source] += 1
        try:
            await self._serve(source, reader, writer)
        finally:
            visits.subtract((source,))
            if not visits[source]:
                del visits[source]

    async def _serve(
        self, source: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            inside, outward = await asyncio.open_connection(
                "127.0.0.1", self._slapd.port,
                ssl=self._client_tls, server_hostname=self._slapd.name,
            )  # fmt: skip
        except OSError:
            writer.close()
            return
        visit = _Visit(self, source, reader, writer, inside, outward)
        ways = [asyncio.create_task(way) for way in (visit.inward(), visit.outward())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            outward.close()
            writer.close()

    def attempt(self, name: str, password: bytes) -> tuple[str, str] | None:
        """Account and mark of an attempt; None when nobody can have that name."""
        found = self._dn.fullmatch(name)
        if found is None:
            return None
        account = f"{found[1].lower()}@{self._slapd.domain}"
        hashed = hashlib.sha256(account.encode() + b"\0" + password).hexdigest()
        return account, self._marks(hashed)

    @property
    def rules(self) -> Rules:
        return self._rules


@dataclass
class _Visit:
    gate: Gate
    source: str
    client: asyncio.StreamReader
    to_client: asyncio.StreamWriter
    slapd: asyncio.StreamReader
    to_slapd: asyncio.StreamWriter
    bound: asyncio.Future[int] | None = None
    """The result of a bind that slapd has not answered yet."""

    async def inward(self) -> None:
        """From the client to slapd; while a bind goes on nothing else does (RFC 4511 4.2.1)."""
        while message := await asyncio.wait_for(_message(self.client), _IDLE):
            if _operation(message) == _BIND:
                await self._bind(message)
            else:
                await _send(self.to_slapd, message)

    async def outward(self) -> None:
        while message := await _message(self.slapd):
            if self.bound is not None and _operation(message) == _BOUND:
                self.bound.set_result(_result(message))
                self.bound = None
            await _send(self.to_client, message)

    async def _bind(self, message: bytes) -> None:
        name, simple = _bind_of(message)
        if simple is None:  # SASL: nobody of the people logs in with it
            await self._refuse(message, _NOT_SUPPORTED)
        elif not name or not simple:  # anonymous
            await self._pass(message)
        else:
            await self._try(message, self.gate.attempt(name, simple))

    async def _try(self, message: bytes, attempt: tuple[str, str] | None) -> None:
        rules = self.gate.rules
        if attempt is None or rules.refuses(attempt[0], self.source, attempt[1]):
            await asyncio.sleep(_HELD)
            await self._refuse(message, _INVALID_CREDENTIALS)
            return
        account, mark = attempt
        result = await self._pass(message)
        if result == _SUCCESS:
            rules.succeeded(account, self.source, mark)
        elif result == _INVALID_CREDENTIALS:
            rules.failed(account, self.source, mark)

    async def _pass(self, message: bytes) -> int:
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.bound = answer
        await _send(self.to_slapd, message)
        return await answer

    async def _refuse(self, message: bytes, code: int) -> None:
        """As slapd does it, with the number of the client's message."""
        content = bytes((_ENUMERATED, 1, code, _OCTETS, 0, _OCTETS, 0))
        number = _parts(_parts(message)[0][1])[0][1]
        inner = bytes((_INTEGER, len(number))) + number + bytes((_BOUND, len(content))) + content
        await _send(self.to_client, bytes((_SEQUENCE, len(inner))) + inner)


async def _send(writer: asyncio.StreamWriter, message: bytes) -> None:
    writer.write(message)
    await writer.drain()


def contexts(certificate: str, key: str, authority: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Towards clients, who show no certificate, and towards slapd. TLS 1.2 and up (RFC 8996)."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate, key)
    server.minimum_version = ssl.TLSVersion.TLSv1_2
    return server, ssl.create_default_context(cafile=authority)


# Basic encoding rules, as LDAP has them (RFC 4511 5.1)


async def _message(reader: asyncio.StreamReader) -> bytes:
    """The next message, whole; b"" at the end. Raises ValueError for what is none."""
    try:
        head = await reader.readexactly(2)
    except asyncio.IncompleteReadError:
        return b""
    if head[0] != _SEQUENCE:
        raise ValueError("no LDAP")
    if head[1] & 0x80:
        head += await reader.readexactly(head[1] & 0x7F)
    length = _length(head, 1)[0]
    if length > _MOST:
        raise ValueError("too long")
    return head + await reader.readexactly(length)


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A length, and where what it measures begins."""
    first = data[at]
    if first < 0x80:
        return first, at + 1
    count = first & 0x7F
    if not 1 <= count <= 4:
        raise ValueError("no length")
    return int.from_bytes(data[at + 1 : at + 1 + count], "big"), at + 1 + count


def _parts(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of the elements one after another. Raises ValueError, IndexError."""
    found, at = [], 0
    while at < len(data):
        length, begin = _length(data, at + 1)
        if begin + length > len(data):
            raise ValueError("cut off")
        found.append((data[at], data[begin : begin + length]))
        at = begin + length
    return found


def _operation(message: bytes) -> int:
    return _parts(_parts(message)[0][1])[1][0]


def _bind_of(message: bytes) -> tuple[str, bytes | None]:
    """Name and password; None for another way than a password."""
    _, (_, name), (choice, credentials) = _parts(_parts(_parts(message)[0][1])[1][1])[:3]
    return name.decode("utf-8", "replace"), credentials if choice == _SIMPLE else None


def _result(message: bytes) -> int:
    return int.from_bytes(_parts(_parts(_parts(message)[0][1])[1][1])[0][1], "big")
