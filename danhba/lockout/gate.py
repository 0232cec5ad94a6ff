"""Where LDAP clients from outside come in: the same rules as at every other door.

They look up addresses and change their own passwords (RFC 3062), and log in for it; slapd itself
has no way to refuse who guesses without refusing the owner as well. It also compares the old
password of a change before it asks who may change it, and says so: whoever is logged in could try
other people's passwords. So nothing else is changed through this door. Every other message passes
as it is.
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
_SUCCESS, _NOT_SUPPORTED, _INVALID_CREDENTIALS, _NO_RIGHTS = 0, 7, 49, 50
"""RFC 4511 4.1.1, 4.1.9, 4.2."""
_EXTENDED, _NAME, _VALUE = 0x77, 0x80, 0x81
_REFUSED = {0x66: 0x67, 0x68: 0x69, 0x4A: 0x6B, 0x6C: 0x6D, _EXTENDED: 0x78}
"""Requests that change something (modify, add, delete, rename), and their answers; RFC 4511 4.6 to
4.9, 4.12."""
_CHANGE_PASSWORD = b"1.3.6.1.4.1.4203.1.11.1"
_IDENTITY, _OLD, _NEW = 0x80, 0x81, 0x82
"""RFC 3062 2."""


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
        # Only this spelling: in another one a name would be another account to the rules. Without
        # re.A, U+017F would be an s and U+212A a k here, as they are to slapd.
        self._dn = re.compile(
            rf"uid=([a-z0-9._-]+), *ou=people, *{re.escape(slapd.suffix)}", re.I | re.A
        )

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

    def account(self, name: str) -> str:
        """Whose name that is; "" when nobody can have it."""
        found = self._dn.fullmatch(name)
        return f"{found[1].lower()}@{self._slapd.domain}" if found else ""

    def mark(self, account: str, password: bytes) -> str:
        """Of an attempt."""
        return self._marks(hashlib.sha256(account.encode() + b"\0" + password).hexdigest())

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
    account: str = ""
    """Who is logged in."""

    async def inward(self) -> None:
        """From the client to slapd; while a bind goes on nothing else does (RFC 4511 4.2.1)."""
        while message := await asyncio.wait_for(_message(self.client), _IDLE):
            operation = _operation(message)
            if operation == _BIND:
                await self._bind(message)
            elif operation in _REFUSED and not self._changes_own_password(message):
                await self._refuse(message, _REFUSED[operation], _NO_RIGHTS)
            else:
                await _send(self.to_slapd, message)

    async def outward(self) -> None:
        while message := await _message(self.slapd):
            if self.bound is not None and _operation(message) == _BOUND:
                self.bound.set_result(_result(message))
                self.bound = None
            await _send(self.to_client, message)

    def _changes_own_password(self, message: bytes) -> bool:
        """True as well for an extended operation that changes no password."""
        operation, content = _parts(_parts(message)[0][1])[1]
        if operation != _EXTENDED:
            return False
        (_, name), *rest = _parts(content)
        if name != _CHANGE_PASSWORD:
            return True
        values = [value for tag, value in rest if tag == _VALUE]
        return not values or self._is_own(_parts(_parts(values[0])[0][1]))

    def _is_own(self, change: list[tuple[int, bytes]]) -> bool:
        """In no other order, and none of them twice: slapd could take the other one."""
        tags = [tag for tag, _ in change]
        if tags != [tag for tag in (_IDENTITY, _OLD, _NEW) if tag in tags]:
            return False
        whose = dict(change).get(_IDENTITY, b"").decode("utf-8", "replace")
        return not whose or self.gate.account(whose) == self.account != ""

    async def _bind(self, message: bytes) -> None:
        name, simple = _bind_of(message)
        self.account = ""
        if simple is None:  # SASL: nobody of the people logs in with it
            await self._refuse(message, _BOUND, _NOT_SUPPORTED)
        elif not name or not simple:  # anonymous
            await self._pass(message)
        else:
            await self._try(message, self.gate.account(name), simple)

    async def _try(self, message: bytes, account: str, password: bytes) -> None:
        rules, mark = self.gate.rules, self.gate.mark(account, password)
        if not account or rules.refuses(account, self.source, mark):
            await asyncio.sleep(_HELD)
            await self._refuse(message, _BOUND, _INVALID_CREDENTIALS)
            return
        result = await self._pass(message)
        if result == _SUCCESS:
            self.account = account
            rules.succeeded(account, self.source, mark)
        elif result == _INVALID_CREDENTIALS:
            rules.failed(account, self.source, mark)

    async def _pass(self, message: bytes) -> int:
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.bound = answer
        await _send(self.to_slapd, message)
        return await answer

    async def _refuse(self, message: bytes, tag: int, code: int) -> None:
        """As slapd does it, with the number of the client's message."""
        content = bytes((_ENUMERATED, 1, code, _OCTETS, 0, _OCTETS, 0))
        number = _parts(_parts(message)[0][1])[0][1]
        inner = bytes((_INTEGER, len(number))) + number + bytes((tag, len(content))) + content
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
