"""What stores do with messages that officials moved, until edges have them (danhba/learning)."""

from __future__ import annotations

import os
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from danhba.learning import beginning, spool
from danhba.learning.beginning import MARK, Beginning
from danhba.learning.limit import A_DAY, Limit
from danhba.learning.spool import KEPT, LATE, Said, Spool, said
from danhba.render import render

NOW = 1_800_000_000.0


def _any(account: str, now: float) -> bool:
    return True


@pytest.fixture
def place(tmp_path: Path) -> Spool:
    made = Spool(tmp_path, ("mx1", "mx2"))
    made.new.mkdir()
    made.prepare()
    return made


def _moved(place: Spool, name: str, word: str, message: str = "Subject: a\n\nb\n") -> None:
    path = place.new / name
    path.write_text(f"{word} nvan@angiang.gov.vn\n{message}")
    os.utime(path, (NOW, NOW))


def _names(place: Spool, edge: str) -> list[str]:
    return [path.name.partition(".")[2] for _, path in place.waiting(edge)]


def test_every_edge_gets_what_was_moved(place: Spool) -> None:
    _moved(place, "1.0", "spam")
    place.sort(NOW, _any)
    for edge in place.edges:
        [(since, path)] = place.waiting(edge)
        assert said(path.read_bytes()) == (
            Said("spam", "nvan@angiang.gov.vn"), b"Subject: a\n\nb\n",
        )  # fmt: skip
        assert since == NOW
    assert not list(place.new.iterdir())


def test_of_one_message_the_last_word_counts_and_goes_once(place: Spool) -> None:
    _moved(place, "1.0", "spam")
    place.sort(NOW, _any)
    _moved(place, "2.0", "ham")
    _moved(place, "3.0", "ham")
    place.sort(NOW, _any)
    assert _names(place, "mx1") == _names(place, "mx2") == ["ham"]


def test_what_one_edge_has_taken_still_waits_for_the_other(place: Spool) -> None:
    _moved(place, "1.0", "spam")
    place.sort(NOW, _any)
    place.waiting("mx1")[0][1].unlink()
    place.sort(NOW, _any)
    assert (_names(place, "mx1"), _names(place, "mx2")) == ([], ["spam"])


@pytest.mark.parametrize("text", ["", "spam\n", "spam a\n", "eggs a\nb", "spam a", "ham \nb"])
def test_what_is_no_message_that_was_moved_is_put_away(place: Spool, text: str) -> None:
    (place.new / "1.0").write_text(text)
    with pytest.raises(ValueError, match="moved"):
        said(text.encode())
    place.sort(NOW, _any)
    assert not list(place.new.iterdir()) and not place.waiting("mx1")


def test_what_is_being_written_is_left_alone_until_nobody_writes_it_any_more(place: Spool) -> None:
    _moved(place, ".1.0", "spam")
    place.sort(NOW + 60, _any)
    assert [path.name for path in place.new.iterdir()] == [".1.0"]
    place.sort(NOW + 4000, _any)
    assert not list(place.new.iterdir()) and not place.waiting("mx1")


def test_what_an_edge_did_not_take_in_two_weeks_is_given_up(place: Spool) -> None:
    _moved(place, "1.0", "spam")
    place.sort(NOW, _any)
    place.sort(NOW + KEPT - 1, _any)
    assert _names(place, "mx1") == ["spam"]
    place.sort(NOW + KEPT + 1, _any)
    assert _names(place, "mx1") == []


def test_while_too_much_waits_nothing_new_is_taken(
    place: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "MOST", 2)
    for each in range(3):
        _moved(place, f"{each}.0", "spam", f"Subject: {each}\n\n")
    place.sort(NOW, _any)
    assert (place.place / "full").exists()
    place.waiting("mx1")[0][1].unlink()
    place.waiting("mx2")[0][1].unlink()
    place.sort(NOW, _any)
    assert not (place.place / "full").exists()


def test_an_edge_that_is_gone_takes_its_folder_with_it(place: Spool) -> None:
    _moved(place, "1.0", "spam")
    place.sort(NOW, _any)
    Spool(place.place, ("mx2", "mx3")).prepare()
    assert sorted(os.listdir(place.place / "edges")) == ["mx2", "mx3"]
    assert _names(place, "mx2") == ["spam"]


def test_status_tells_what_waits_and_for_how_long(place: Spool) -> None:
    _moved(place, "1.0", "spam")
    place.sort(NOW, _any)
    place.waiting("mx2")[0][1].unlink()
    assert list(place.health(NOW + 1)) == [
        "ok: learning: 1 waiting for mx1", "ok: learning: 0 waiting for mx2",
    ]  # fmt: skip
    first, second = place.health(NOW + LATE + 60)
    assert first.startswith("learning: 1 messages wait for mx1, the oldest for 11 minutes")
    assert second.startswith("ok: ")


def test_status_tells_that_nobody_takes_it_up(place: Spool) -> None:
    _moved(place, "1.0", "spam")
    assert any("are not taken up" in row for row in place.health(NOW + LATE + 60))


def test_one_account_teaches_so_much_a_day_and_no_more(tmp_path: Path) -> None:
    limit = Limit(tmp_path / "today")
    assert [limit.allows("a", NOW) for _ in range(A_DAY + 1)] == [True] * A_DAY + [False]
    assert limit.allows("b", NOW)
    assert not Limit(tmp_path / "today").allows("a", NOW), "it has forgotten"
    assert Limit(tmp_path / "today").allows("a", NOW + 86400)


def test_what_is_above_the_limit_goes_nowhere(place: Spool) -> None:
    _moved(place, "1.0", "spam")
    place.sort(NOW, lambda account, now: False)
    assert not place.waiting("mx1") and not list(place.new.iterdir())


# The program that Dovecot calls


def _spooled(tmp_path: Path, message: bytes) -> int:
    script = tmp_path / "script"
    script.write_bytes(render("learning/spool", spool=tmp_path))
    argv = ["sh", str(script), "spam", "nvan@angiang.gov.vn"]
    return subprocess.run(argv, input=message, check=False, capture_output=True).returncode


def test_dovecots_program_leaves_whole_messages(tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.mkdir()
    for body in (b"a\r\n", b"b"):
        assert _spooled(tmp_path, b"Subject: a\r\n\r\n" + body) == 0
    found = sorted(path.read_bytes() for path in new.iterdir())
    head = b"spam nvan@angiang.gov.vn\nSubject: a\r\n\r\n"
    assert found == [head + b"a\r\n", head + b"b"]
    assert {path.stat().st_mode & 0o777 for path in new.iterdir()} == {0o660}


def test_dovecots_program_does_nothing_when_there_is_too_much_or_no_room(tmp_path: Path) -> None:
    assert _spooled(tmp_path, b"a") != 0  # no folder
    new = tmp_path / "new"
    new.mkdir()
    (tmp_path / "full").touch()
    assert _spooled(tmp_path, b"a") == 0
    assert not list(new.iterdir())


# A new edge


class _Valkey(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Answers as valkey does to what is asked of it."""

    daemon_threads = True

    def __init__(self, begun: bool) -> None:
        self.keys = {MARK: "yes"} if begun else {}
        self.asked: list[str] = []
        self.primary: tuple[str, str] | None = None
        self.links = True
        super().__init__(("127.0.0.1", 0), _Visit)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Visit(socketserver.StreamRequestHandler):
    server: _Valkey

    def handle(self) -> None:
        while line := self.rfile.readline():
            words = []
            for _ in range(int(line[1:])):
                self.rfile.readline()
                words.append(self.rfile.readline().decode().strip())
            self.wfile.write(self.answer(words).encode())

    def answer(self, words: list[str]) -> str:
        valkey = self.server
        valkey.asked.append(" ".join(words))
        match words:
            case ["GET", key]:
                value = valkey.keys.get(key)
                return "$-1\r\n" if value is None else f"${len(value)}\r\n{value}\r\n"
            case ["SET", key, value]:
                valkey.keys[key] = value
            case ["REPLICAOF", "NO", "ONE"]:
                valkey.primary = None
            case ["REPLICAOF", host, port]:
                valkey.primary = (host, port)
            case ["INFO", "replication"]:
                role = "slave\r\nmaster_link_status:up" if valkey.primary else "master"
                text = f"# Replication\r\nrole:{role}\r\n"
                return f"${len(text)}\r\n{text}\r\n"
            case _:
                return "-ERR what\r\n"
        return "+OK\r\n"


@pytest.fixture
def dead() -> Iterator[str]:
    """An address where nobody answers."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def test_a_new_edge_takes_what_another_knows_and_is_its_own_again() -> None:
    own, other = _Valkey(begun=False), _Valkey(begun=True)
    Beginning(own.address, {"mx2": other.address}).look()
    assert f"REPLICAOF 127.0.0.1 {other.server_address[1]}" in own.asked
    assert own.primary is None and own.keys[MARK] == "yes"


def test_an_edge_that_has_begun_asks_no_other(dead: str) -> None:
    own = _Valkey(begun=True)
    Beginning(own.address, {"mx2": dead}).look()
    assert not any(row.startswith("REPLICAOF") for row in own.asked)


def test_new_edges_of_a_new_province_and_an_edge_alone_begin_with_nothing() -> None:
    for peers in ({}, {"mx2": _Valkey(begun=False).address}):
        own = _Valkey(begun=False)
        Beginning(own.address, peers).look()
        assert own.keys[MARK] == "yes" and not any("REPLICAOF" in row for row in own.asked)


def test_a_new_edge_waits_for_one_that_may_know_something(dead: str) -> None:
    own = _Valkey(begun=False)
    with pytest.raises(OSError, match="mx2"):
        Beginning(own.address, {"mx2": dead, "mx3": _Valkey(begun=False).address}).look()
    assert MARK not in own.keys


def test_a_copy_that_was_cut_off_leaves_no_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    own, other = _Valkey(begun=True), _Valkey(begun=True)
    own.primary = ("127.0.0.1", "1")
    Beginning(own.address, {"mx2": other.address}).look()
    assert own.primary is None
    own = _Valkey(begun=False)
    monkeypatch.setattr(beginning, "_COPIED", -1.0)
    monkeypatch.setattr(_Visit, "answer", _never_up)
    with pytest.raises(OSError, match="does not end"):
        Beginning(own.address, {"mx2": other.address}).look()
    assert own.asked[-1] == "REPLICAOF NO ONE"


_answer = _Visit.answer


def _never_up(visit: _Visit, words: list[str]) -> str:
    said_ = _answer(visit, words)
    return said_.replace("status:up", "status:dn")
