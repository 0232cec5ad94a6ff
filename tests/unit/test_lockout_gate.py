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
SUCCESS, INVALID, NOT_SUPPORTED, UNWILLING, NO_RIGHTS = 0, 49, 7, 53, 50
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
            # As ppolicy: an old password is compared before anybody asks whose it is.
            writer.write(answer(number, FOUND, SUCCESS if RIGHT in message else UNWILLING))
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
        long = element(0x30, element(2, b"\2"), element(SEARCH, RIGHT * 8_000))
        writer.write(long + element(0x30, element(2, b"\3"), element(SEARCH, RIGHT)))
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
    "uid=\u017fon,ou=people,dc=x", "uid=\u212aiet,ou=people,dc=x",
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


def change(number: int, *parts: bytes) -> bytes:
    """RFC 3062."""
    name = element(0x80, b"1.3.6.1.4.1.4203.1.11.1")
    value = element(0x81, element(0x30, *parts)) if parts else b""
    return element(0x30, element(2, bytes((number,))), element(0x77, name, value))


HA = AN.replace("nvan", "lttha").encode()


@pytest.mark.parametrize("tag, answered", [(0x66, 0x67), (0x68, 0x69), (0x4A, 0x6B), (0x6C, 0x6D)])
def test_a_change_tells_nobody_whether_a_guess_was_right(
    certificates: Path, rules: Rules, tag: int, answered: int
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ask(reader, writer, bind(1, AN, simple(RIGHT)))
        for guess in (RIGHT, b"wrong"):
            tried = element(
                0x30, element(2, b"\2"), element(tag, element(4, HA), element(4, guess))
            )
            assert await ask(reader, writer, tried) == answer(2, answered, NO_RIGHTS)

    visit(certificates, rules, talk)


@pytest.mark.parametrize("first", [
    [element(0x80, HA)], [element(0x80, b"lttha")], [element(0x80, AN.encode()), element(0x80, HA)],
    [element(0x80, b"uid=nvan+uid=lttha,ou=people,dc=x")],
])  # fmt: skip
def test_nobody_tries_anothers_password_by_changing_it(
    certificates: Path, rules: Rules, first: list[bytes]
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ask(reader, writer, bind(1, AN, simple(RIGHT)))
        for guess in (RIGHT, b"wrong"):
            for parts in ([*first, element(0x81, guess)], [element(0x81, guess), *first]):
                said = await ask(reader, writer, change(2, *parts, element(0x82, b"new")))
                assert said == answer(2, 0x78, NO_RIGHTS)

    visit(certificates, rules, talk)


def test_who_was_logged_in_and_is_no_more_changes_no_password_by_name(
    certificates: Path, rules: Rules
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = change(2, element(0x80, AN.encode()), element(0x81, RIGHT), element(0x82, b"new"))
        assert await ask(reader, writer, mine) == answer(2, 0x78, NO_RIGHTS)
        await ask(reader, writer, bind(1, AN, simple(RIGHT)))
        assert await ask(reader, writer, mine) == answer(2, FOUND, SUCCESS)
        await ask(reader, writer, bind(1, AN, simple(b"wrong")))
        assert await ask(reader, writer, mine) == answer(2, 0x78, NO_RIGHTS)

    visit(certificates, rules, talk)


def test_other_extended_operations_and_ones_own_change_pass(
    certificates: Path, rules: Rules
) -> None:
    who_am_i = element(
        0x30, element(2, b"\2"), element(0x77, element(0x80, b"1.3.6.1.4.1.4203.1.11.3"))
    )

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ask(reader, writer, bind(1, AN, simple(RIGHT)))
        capitals = element(0x80, AN.upper().encode())
        old = element(0x81, RIGHT)
        for passed in (change(2, old), change(2, capitals, old), change(2), who_am_i):
            assert (await ask(reader, writer, passed))[5] == FOUND

    visit(certificates, rules, talk)


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
