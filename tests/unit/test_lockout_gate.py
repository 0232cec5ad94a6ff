"""The gate before slapd, with a slapd that knows one password, over TLS."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_lockout_door import FIGURES, certificates

from danhba.lockout import gate as module
from danhba.lockout.door import marks
from danhba.lockout.gate import Gate, Slapd, contexts
from danhba.lockout.rules import Rules, opened

__all__ = ["certificates"]

AN = "uid=nvan,ou=people,dc=x"
RIGHT = b"right"
SUCCESS, INVALID, NOT_SUPPORTED = 0, 49, 7
SEARCH, FOUND = 0x63, 0x65
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def element(tag: int, *content: bytes) -> bytes:
    inner = b"".join(content)
    size = len(inner)
    head = bytes((size,)) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes((tag,)) + head + inner


def bind(number: int, name: str, choice: bytes) -> bytes:
    whole = element(0x60, element(2, b"\3"), element(4, name.encode()), choice)
    return element(0x30, element(2, bytes((number,))), whole)


def simple(password: bytes) -> bytes:
    return element(0x80, password)


def answer(number: int, tag: int, code: int) -> bytes:
    whole = element(tag, bytes((0x0A, 1, code, 4, 0, 4, 0)))
    return element(0x30, element(2, bytes((number,))), whole)


async def slapd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says to every bind whether the password is right, and to all else that it is done."""
    while message := await module._message(reader):
        number = message[4]
        if module._operation(message) == 0x60:
            name, password = module._bind_of(message)
            right = password in (RIGHT, b"") or not name
            writer.write(answer(number, 0x61, SUCCESS if right else INVALID))
        else:
            writer.write(answer(number, FOUND, SUCCESS))
    writer.close()


def visit(home: Path, rules: Rules, talk: Talk) -> None:
    files = (str(home / "one.x.pem"), str(home / "one.x.key"), str(home / "ca.pem"))
    trust = ssl.create_default_context(cafile=files[2])

    async def run() -> None:
        tls = contexts(*files)
        inside = await asyncio.start_server(slapd, "127.0.0.1", 0, ssl=tls[0])
        behind = Slapd(inside.sockets[0].getsockname()[1], "one.x", "dc=x", "x")
        outside = await asyncio.start_server(
            Gate(rules, marks(b"key"), behind, tls).serve, "127.0.0.1", 0, ssl=tls[0]
        )
        port = outside.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=trust, server_hostname="one.x"
        )
        await asyncio.wait_for(talk(reader, writer), 30)
        writer.close()
        inside.close()
        outside.close()

    asyncio.run(run())


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes) -> bytes:
    writer.write(message)
    return await module._message(reader)


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> Rules:
    monkeypatch.setattr(module, "_HELD", 0)
    return Rules(opened(":memory:"), FIGURES)


def test_a_right_password_and_what_comes_after_it_pass(certificates: Path, rules: Rules) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await ask(reader, writer, bind(1, AN, simple(RIGHT))) == answer(1, 0x61, SUCCESS)
        long = element(0x30, element(2, b"\2"), element(SEARCH, b"x" * 40_000))
        writer.write(long + element(0x30, element(2, b"\3"), element(SEARCH)))
        assert await module._message(reader)
        assert await module._message(reader) == answer(3, FOUND, SUCCESS)

    visit(certificates, rules, talk)
    assert rules.knows("nvan@x", "127.0.0.1")


def test_ten_guesses_and_the_right_one_is_refused_as_a_wrong_one_is(
    certificates: Path, rules: Rules
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for n in range(10):
            tried = bind(n, AN, simple(b"g%d" % n))
            assert await ask(reader, writer, tried) == answer(n, 0x61, INVALID)
        assert await ask(reader, writer, bind(77, AN, simple(RIGHT))) == answer(77, 0x61, INVALID)
        other = bind(78, AN.replace("nvan", "lttha"), simple(RIGHT))
        assert await ask(reader, writer, other) == answer(78, 0x61, SUCCESS)

    visit(certificates, rules, talk)
    assert [row["account"] for row in rules.standing()] == ["nvan@x"]


@pytest.mark.parametrize("name", [
    "0.9.2342.19200300.100.1.1=nvan,ou=people,dc=x", "uid=\\6evan,ou=people,dc=x",
    "uid=nvan+cn=x,ou=people,dc=x", "uid=nvan ,ou=people,dc=x", "ou=people,dc=x", "nvan",
    "uid=nvan,ou=people,dc=y", "uid=nvan;ou=people,dc=x", "uid=\u00ddvan,ou=people,dc=x",
])  # fmt: skip
def test_a_name_in_another_spelling_is_nobodys(certificates: Path, rules: Rules, name: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await ask(reader, writer, bind(1, name, simple(RIGHT))) == answer(1, 0x61, INVALID)

    visit(certificates, rules, talk)


def test_capitals_and_blanks_after_commas_are_one_account(certificates: Path, rules: Rules) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for n in range(10):
            await ask(reader, writer, bind(n, "UID=NVan, OU=People, DC=x", simple(b"g%d" % n)))

    visit(certificates, rules, talk)
    assert [row["account"] for row in rules.standing()] == ["nvan@x"]


def test_anonymous_passes_and_sasl_does_not(certificates: Path, rules: Rules) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await ask(reader, writer, bind(1, "", simple(b""))) == answer(1, 0x61, SUCCESS)
        sasl = bind(2, "", element(0xA3, element(4, b"PLAIN"), element(4, b"\0nvan\0right")))
        assert await ask(reader, writer, sasl) == answer(2, 0x61, NOT_SUPPORTED)

    visit(certificates, rules, talk)


def test_who_opens_many_connections_gets_no_more(
    certificates: Path, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_OF_A_SOURCE", 0)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            assert await ask(reader, writer, bind(1, AN, simple(RIGHT))) == b""

    visit(certificates, rules, talk)


@pytest.mark.parametrize("noise", [
    b"GET / HTTP/1.1\r\n\r\n", b"\x30\x84\xff\xff\xff\xff", b"\x30\x00", b"\x30\x80\x00\x00",
    b"\x30\x02\x02\x01", element(0x30, element(2, b"\1"), element(0x60, b"\x99")),
    element(0x30, element(2, b"\1"), element(0x60, element(2, b"\3"))),
])  # fmt: skip
def test_what_is_no_ldap_ends_the_connection(
    certificates: Path, rules: Rules, noise: bytes
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(noise)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""

    visit(certificates, rules, talk)


@given(st.binary(max_size=300))
def test_whatever_the_bytes_nothing_but_a_value_error_comes_of_them(data: bytes) -> None:
    with contextlib.suppress(ValueError, IndexError):
        module._parts(data)
    with contextlib.suppress(ValueError, IndexError):
        module._bind_of(data)
