"""What an edge hands over is an entry when it is answered, and stays on the edge when it is not."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from journal_parts import PRIVATE, archive, chain_holds

from danhba.journal import desk, door, entry, lag
from danhba.journal.chain import Archive, JournalError, lines, stored
from danhba.journal.seal import opened, public_half
from danhba.journal.segment import segments
from danhba.journal.tag import untagged

EDGES = {"mx1.angiang.gov.vn": "mx1"}


def _message(queue: str, rest: bytes = b"Subject: x\r\n\r\n.\r\nThu\r\n") -> bytes:
    top = (
        f"Received: from a (a [1.2.3.4])\r\n\tby mx1.angiang.gov.vn (Postfix) with ESMTP id {queue}"
    )
    return _waited(queue) + top.encode() + b"; now\r\nMessage-ID: <1@x>\r\n" + rest


def _waited(queue: str) -> bytes:
    return (
        "Received: from mx1.angiang.gov.vn (localhost [127.0.0.1])\r\n"
        f"\tby mx1.angiang.gov.vn (danhba-journal) with ESMTP id w{queue}; now\r\n"
    ).encode()


@contextmanager
def _serving(writer: Archive, folder: Path, floor: int = 0) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    loop = asyncio.new_event_loop()

    async def run() -> None:
        committer = door.Committer(writer)
        entrance = door.Door(committer, EDGES, public_half(PRIVATE), floor)
        await asyncio.gather(
            committer.run(),
            door.serve(entrance, port),
            desk.serve(committer, str(folder / "desk")),
        )

    task = loop.create_task(run())
    thread = threading.Thread(target=lambda: loop.run_until_complete(_ended(task)))
    thread.start()
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()


async def _ended(task: asyncio.Task[None]) -> None:
    with suppress(asyncio.CancelledError):
        await task


def _client(port: int) -> smtplib.SMTP:
    for _ in range(200):
        try:
            return smtplib.SMTP("127.0.0.1", port, timeout=20)
        except ConnectionRefusedError:
            threading.Event().wait(0.02)
    raise AssertionError("the door does not open")


def _entries(root: Path) -> list[dict[str, Any]]:
    return [entry.parsed(line.raw) for line in lines(root)]


def test_an_envelope_and_a_message_arrive_as_they_are(tmp_path: Path) -> None:
    writer = archive(tmp_path)
    to = ["nvan=angiang.gov.vn@journal.invalid", '"b c=x.test"@journal.invalid']
    long = b"Subject: x\r\n\r\n" + b"a" * 300_000 + b"\r\n..\r\nb"
    with _serving(writer, tmp_path) as port, _client(port) as smtp:
        assert not smtp.sendmail("Lan@ngoaitinh.test", to, _message("4dAz1"))
        assert not smtp.sendmail("", to[:1], _message("4dBz1", long))
        assert not smtp.sendmail("", to[:1], _message("4dAz1"))  # its 250 was lost
    first, second = _entries(writer.root)
    assert (first["id"], first["from"]) == ("mx1/4dAz1", "Lan@ngoaitinh.test")
    assert first["to"] == ["nvan@angiang.gov.vn", '"b c"@x.test']
    assert (first["message_id"], second["from"]) == ("<1@x>", "")
    (segment,) = segments(writer.root)
    content = opened(stored(writer.root, segment, second), PRIVATE)
    expected = _message("4dBz1", long).removeprefix(_waited("4dBz1"))
    assert content == expected + b"\r\n"
    assert second["size"] == len(content)


def test_addresses_of_all_kinds_are_taken(tmp_path: Path) -> None:
    writer = archive(tmp_path)
    odd = ["a..b", "x+y", "o'brien", "a=b", "." + "l" * 64, "{x}|y", "thảo"]
    with _serving(writer, tmp_path) as port, _client(port) as smtp:
        smtp.ehlo()
        assert smtp.mail("thảo@ngoaitinh.test", ["SMTPUTF8"])[0] == 250
        for each in odd:
            code, said = smtp.docmd(
                f"RCPT TO:<{each}=ngoaitinh.test@journal.invalid>".encode().decode()
            )
            assert code == 250, (each, said)
        assert smtp.data(_message("4dCz1"))[0] == 250
    (found,) = _entries(writer.root)
    names = {each.replace('"', "") for each in found["to"]}
    assert names == {f"{each}@ngoaitinh.test" for each in odd}


def test_many_at_once_are_each_an_entry(tmp_path: Path) -> None:
    writer = archive(tmp_path)

    def some(number: int) -> None:
        with _client(port) as smtp:
            for each in range(20):
                to = ["nvan=angiang.gov.vn@journal.invalid"]
                smtp.sendmail("a@x.test", to, _message(f"4d{number}x{each}z1"))

    with _serving(writer, tmp_path) as port, ThreadPoolExecutor(8) as pool:
        list(pool.map(some, range(8)))
    assert chain_holds(writer.root) == 160
    assert len({found["id"] for found in _entries(writer.root)}) == 160


def test_without_room_it_stays_on_the_edge(tmp_path: Path) -> None:
    writer = archive(tmp_path)
    with _serving(writer, tmp_path, floor=1 << 60) as port, _client(port) as smtp:
        smtp.ehlo()
        assert smtp.mail("a@x.test") == (452, door.FULL[4:].encode())
    assert writer.n == 0


def test_what_cannot_be_written_stays_on_the_edge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = archive(tmp_path)
    to = ["nvan=angiang.gov.vn@journal.invalid"]
    with _serving(writer, tmp_path) as port, _client(port) as smtp:
        for error, code in ((OSError(28, "full"), 452), (OSError(5, "broken"), 451)):
            with monkeypatch.context() as broken:
                broken.setattr(writer, "_written", lambda *_, error=error: _raised(error))
                with pytest.raises(smtplib.SMTPDataError) as caught:
                    smtp.sendmail("a@x.test", to, _message("4dAz1"))
                assert caught.value.smtp_code == code
        assert not smtp.sendmail("a@x.test", to, _message("4dAz1"))
    assert chain_holds(writer.root) == 1


def _raised(error: Exception) -> None:
    raise error


def test_only_what_an_edge_passed_is_taken(tmp_path: Path) -> None:
    writer = archive(tmp_path)
    with _serving(writer, tmp_path) as port, _client(port) as smtp:
        smtp.ehlo()
        smtp.mail("a@x.test")
        assert smtp.rcpt("nvan@angiang.gov.vn")[0] == 550
        assert smtp.rcpt("nvan=angiang.gov.vn@journal.invalid")[0] == 250
        assert smtp.data(b"Subject: x\r\n\r\n")[0] == 550
    assert writer.n == 0


def test_the_desk_writes_what_is_no_message(tmp_path: Path) -> None:
    writer, path = archive(tmp_path), str(tmp_path / "desk")
    with _serving(writer, tmp_path) as port:
        _client(port).close()
        assert desk.noted(entry.READ, {"who": "an", "what": "search", "case": "1"}, path) == 1
        with pytest.raises(JournalError, match="says itself"):
            desk.noted(entry.READ, {"n": 7}, path)
        with pytest.raises(JournalError, match="kind is one of"):
            desk.noted(entry.MAIL, {}, path)
        assert Path(path).stat().st_mode & 0o777 == 0o600
    with pytest.raises(JournalError, match="journalctl"):
        desk.noted(entry.READ, {}, path)
    (found,) = _entries(writer.root)
    assert (found["kind"], found["who"], found["n"]) == ("read", "an", 1)


@pytest.mark.parametrize("address", ["a@journal.invalid", "a=b@x.test", "=b@journal.invalid", "x"])
def test_what_is_no_tag_names_nobody(address: str) -> None:
    with pytest.raises(ValueError):
        untagged(address)


def test_a_waiting_queue_is_counted_by_its_names(tmp_path: Path) -> None:
    assert lag.waiting(str(tmp_path)) == (0, 0.0)
    for folder, name in (("deferred/4", "4dHx7Y3T4qz1X"), ("active", "4dHx8Y3T4qz1X")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / name).touch()
    count, oldest = lag.waiting(str(tmp_path))
    assert count == 2 and oldest == lag.arrived("4dHx7Y") == lag.arrived("4dHx8Y") - 52


@pytest.mark.parametrize(
    ("count", "age", "said"),
    [
        (0, 0, "ok: the vault has all mail"),
        (3, 7, "ok: 3 messages wait for the vault, the oldest for 7 s"),
        (3, 7199, "3 messages wait for the vault, the oldest for 120 minutes"),
        (3, 3 * 3600, "3 messages wait for the vault, the oldest for 3 hours"),
        (3, 4 * 86400, "3 messages wait for the vault, the oldest for 4 days"),
        (3, 34 * 86400, "3 messages wait for the vault, the oldest for 34 days: none is lost"),
    ],
)
def test_lag_is_told_exactly(count: int, age: float, said: str) -> None:
    assert next(lag._told(count, age, "vault1")).startswith(said)
