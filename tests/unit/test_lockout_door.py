"""What Dovecot, other hosts and an engineer are told, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from danhba.lockout.control import Control
from danhba.lockout.door import Door, aliases, key_at, marks
from danhba.lockout.figures import Figures
from danhba.lockout.incidents import Incidents
from danhba.lockout.peers import Peers, contexts
from danhba.lockout.rules import Rules, opened

FIGURES = Figures(guesses=10, minutes=15, accounts=20, account_guesses=50, known_days=60)
ASKED = {
    "login": "nvan@x", "remote": "203.0.113.9", "pwhash": "aa", "protocol": "imap",
    "fail_type": "", "device_id": "", "session_id": "s", "tls": True,
}  # fmt: skip


@pytest.fixture
def rules() -> Rules:
    return Rules(opened(":memory:"), FIGURES)


@pytest.fixture
def door(rules: Rules) -> Door:
    return Door(rules, marks(b"key"), aliases(None, "x"))


def guess(door: Door, count: int, **told: Any) -> list[int]:
    statuses = []
    for n in range(count):
        asked = {**ASKED, "pwhash": f"wrong {n}", **told}
        statuses.append(door.answer("allow", asked)["status"])
        if statuses[-1] == 0:
            failed = {"success": False, "policy_reject": False, "fail_type": "credentials", **told}
            door.answer("report", {**asked, **failed})
    return statuses


def test_a_guesser_is_refused_and_is_not_told_why(door: Door) -> None:
    assert guess(door, 12) == [0] * 10 + [-1] * 2
    assert door.answer("allow", ASKED) == {"status": -1, "msg": ""}


@pytest.mark.parametrize("fail_type", ["internal", "disabled", "expired", "policy", ""])
def test_what_is_no_wrong_password_is_not_counted(door: Door, rules: Rules, fail_type: str) -> None:
    guess(door, 40, fail_type=fail_type)
    assert rules.standing() == []


def test_who_asks_on_the_host_itself_is_never_refused(door: Door, rules: Rules) -> None:
    assert guess(door, 40, remote="") == [0] * 40
    assert rules.standing() == []


def test_an_old_name_and_a_new_one_in_any_case_are_one_account(
    rules: Rules, tmp_path: Path
) -> None:
    table = tmp_path / "logins"
    table.write_text("moi:::::::user=nvan@x\n")
    door = Door(rules, marks(b"key"), aliases(table, "x"))
    guess(door, 5, login="Moi@X")
    assert guess(door, 12, login="nvan@x", pwhash="other").count(0) == 12  # one password
    table.write_text("moi2:::::::user=nvan@x\nmoi:::::::user=nvan@x\n")
    guess(door, 20, login="moi2@x")
    assert [row["account"] for row in rules.standing()] == ["nvan@x"]


def test_marks_say_nothing_and_are_other_ones_on_another_host(tmp_path: Path) -> None:
    key = key_at(tmp_path / "key")
    assert key_at(tmp_path / "key") == key != key_at(tmp_path / "other")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert marks(key)("aa") == marks(key)("aa") != marks(key)("ab")
    assert marks(key)("aa") != marks(b"other")("aa")


async def _http(port: int, question: bytes) -> bytes:
    """All that is answered until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(question)
    writer.write_eof()
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while more := await reader.read(65536):
            said += more
    writer.close()
    return said


def _post(told: object) -> bytes:
    body = json.dumps(told)
    head = f"POST /?command=allow HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def test_dovecot_is_answered_over_http_and_nobody_else(door: Door) -> None:
    async def talk() -> None:
        server = await asyncio.start_server(door.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        said = await _http(port, _post(ASKED) * 2)  # a connection is used again
        assert said.startswith(b"HTTP/1.1 200 OK\r\n")
        assert said.count(b'\r\n\r\n{"status": 0, "msg": ""}') == 2
        for other in ({}, [], "text", {"login": "nvan@x"}):
            assert await _http(port, _post(other)) == b""
        for other in (b"", b"x" * 200_000, b"GET / HTTP/1.1\r\n\r\n", b"\r\n\r\n"):
            assert await _http(port, other) == b""
        server.close()

    asyncio.run(talk())


def test_an_engineer_sees_and_lifts(door: Door, rules: Rules, tmp_path: Path) -> None:
    control = Control(rules, Peers(rules, {}, 0, ()), Incidents(rules, tmp_path / "i", "mx1"), None)
    guess(door, 10)
    (row,) = control.answer({"do": "list"})["refusals"]
    assert (row["account"], row["source"]) == ("nvan@x", "203.0.113.9")
    lift = {"do": "lift", "account": "", "source": "203.0.113.9"}
    assert control.answer(lift) == {"lifted": 1}
    assert control.answer({"do": "list"})["refusals"] == []
    assert door.answer("allow", ASKED)["status"] == 0


# Between hosts


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an authority: for one.x, two.x and stranger.y."""
    home = tmp_path_factory.mktemp("certificates")

    def openssl(*argv: str) -> None:
        subprocess.run(["openssl", *argv], cwd=home, check=True, capture_output=True)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    usage = ("-addext", "keyUsage=critical,keyCertSign")
    openssl("req", "-x509", *new, "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.pem", *usage)
    for name in ("one.x", "two.x", "stranger.y"):
        openssl("req", "-x509", *new, "-CA", "ca.pem", "-CAkey", "ca.key", "-subj", f"/CN={name}",
                "-addext", f"subjectAltName=DNS:{name}", "-addext", "basicConstraints=CA:FALSE",
                "-keyout", f"{name}.key", "-out", f"{name}.pem")  # fmt: skip
    return home


def _peers(home: Path, name: str, others: dict[str, str], port: int) -> tuple[Rules, Peers]:
    rules = Rules(opened(":memory:"), FIGURES)
    files = (str(home / f"{name}.pem"), str(home / f"{name}.key"), str(home / "ca.pem"))
    return rules, Peers(rules, others, port, contexts(*files))


async def _until(met: Callable[[], bool]) -> None:
    async def look() -> None:
        while not met():
            await asyncio.sleep(0.01)

    await asyncio.wait_for(look(), 20)


def _together(talk: Callable[[], Awaitable[None]], *daemons: Peers) -> None:
    async def run() -> None:
        tasks = [asyncio.create_task(daemon.run()) for daemon in daemons]
        await talk()
        for task in tasks:
            task.cancel()

    asyncio.run(run())


def test_one_host_hears_what_another_sees_at_once_and_what_it_has_missed(
    certificates: Path, unused_port: int
) -> None:
    one, tells = _peers(certificates, "one.x", {"two.x": "127.0.0.1"}, unused_port)
    two, hears = _peers(certificates, "two.x", {"one.x": "127.0.0.1"}, unused_port)
    one.failed("nvan@x", "203.0.113.9", "before")

    async def talk() -> None:
        listening = asyncio.create_task(hears._hear("one.x"))
        await _until(lambda: two._guesses("nvan@x", "203.0.113.9") == 1)
        assert hears.states == {"one.x": ""}
        for n in range(9):
            one.failed("nvan@x", "203.0.113.9", f"g{n}")
        await _until(lambda: bool(two.standing()))
        listening.cancel()

    # On one machine only one can have the port: the other one only hears.
    _together(talk, tells)


def test_a_host_that_is_not_of_the_province_hears_nothing(
    certificates: Path, unused_port: int
) -> None:
    one, tells = _peers(certificates, "one.x", {"two.x": "127.0.0.1"}, unused_port)
    one.failed("nvan@x", "203.0.113.9", "g")
    spy, hears = _peers(certificates, "stranger.y", {"one.x": "127.0.0.1"}, unused_port)
    none, false = _peers(certificates, "two.x", {"one.y": "127.0.0.1"}, unused_port)

    async def talk() -> None:
        listening = [asyncio.create_task(hears._hear("one.x")),
                     asyncio.create_task(false._hear("one.y"))]  # fmt: skip
        await _until(lambda: "closed" in hears.states["one.x"])
        await _until(lambda: "one.y" in false.states["one.y"])  # another name in its certificate
        assert spy._guesses("nvan@x", "203.0.113.9") == none._guesses("nvan@x", "203.0.113.9") == 0
        for task in listening:
            task.cancel()

    _together(talk, tells)


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
