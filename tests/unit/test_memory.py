"""A memory gives back what it was given, or nothing; it never stands in the way."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

import pytest

import danhba.days
from danhba.memory import KEPT, Days, Memory, code, digest

VALUE = {"a": [1, "Điều 5.3", None]}
ZONE = "Asia/Ho_Chi_Minh"
DAY = date(2026, 11, 25)


def set_clock(monkeypatch: pytest.MonkeyPatch, instant: datetime) -> None:
    """For every clock of danhba that knows the province's days."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Stopped:
            return cls.fromtimestamp(instant.timestamp(), tz)

    monkeypatch.setattr(danhba.days, "datetime", Stopped)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "new" / "folder", "thing")


def test_gives_back_what_it_was_given(memory: Memory) -> None:
    assert memory.recall("k") is None
    memory.remember("k", VALUE)
    assert memory.recall("k") == VALUE
    assert memory.recall("other") is None
    assert Memory(memory.folder, "other").recall("k") is None
    memory.remember("k", "again")
    assert memory.recall("k") == "again"


@pytest.mark.parametrize(
    ("hour", "day", "holds"),
    [(16, 24, False), (17, 24, True), (0, 25, True), (16, 26, True), (17, 26, False)],
)
def test_holds_from_the_first_to_the_last_day_of_its_time_zone(
    memory: Memory, monkeypatch: pytest.MonkeyPatch, hour: int, day: int, holds: bool
) -> None:
    """Midnight in Việt Nam is 17:00 UTC of the day before."""
    memory.remember("k", VALUE, Days(ZONE, DAY, date(2026, 11, 26)))
    set_clock(monkeypatch, datetime(2026, 11, day, hour, 30, tzinfo=UTC))
    assert (memory.recall("k") == VALUE) is holds


@pytest.mark.parametrize("zone", ["Asia/Nowhere", "../../etc/passwd", "Asia", ""])
def test_a_time_zone_that_is_gone_is_no_memory(memory: Memory, zone: str) -> None:
    memory.remember("k", VALUE, Days(zone, date.min, date.max))
    assert memory.recall("k") is None


def file_of(memory: Memory) -> Path:
    [path] = memory.folder.iterdir()
    return path


def test_a_file_that_is_not_as_it_was_written_is_no_memory(memory: Memory) -> None:
    memory.remember("k", VALUE)
    path = file_of(memory)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place])
        assert memory.recall("k") is None, place
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert memory.recall("k") is None, place
    path.write_bytes(whole)
    assert memory.recall("k") == VALUE


@pytest.mark.parametrize("junk", [b"", b"\n", b"null", b"\xff\n\xff", b"[" * 100_000, b"{}\n{}"])
def test_junk_is_no_memory(memory: Memory, junk: bytes) -> None:
    memory.remember("k", VALUE)
    file_of(memory).write_bytes(junk)
    assert memory.recall("k") is None


def test_what_is_no_file_is_no_memory_and_no_error(memory: Memory) -> None:
    memory.remember("k", VALUE)
    path = file_of(memory)
    path.unlink()
    path.mkdir()
    assert memory.recall("k") is None
    memory.remember("k", VALUE)
    assert [each.name for each in memory.folder.iterdir()] == [path.name]


def closed_folders(tmp_path: Path) -> list[Path]:
    """Where not even root may write, as tests may run as root."""
    (tmp_path / "file").write_text("x")
    return [tmp_path / "file", tmp_path / "file" / "below", Path("/proc/danhba"), Path("/proc")]


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path: Path) -> None:
    for folder in closed_folders(tmp_path):
        memory = Memory(folder, "thing")
        memory.remember("k", VALUE)
        assert memory.recall("k") is None
    assert (tmp_path / "file").read_text() == "x"


def test_the_last_ones_of_a_kind_are_kept(memory: Memory) -> None:
    other = Memory(memory.folder, "other")
    other.remember("k", VALUE)
    for number in range(KEPT + 2):
        memory.remember(f"k{number}", number)
        os.utime(memory.folder / f"thing-k{number}.json", (number, number))
    memory.remember("last", VALUE)
    kept = {number for number in range(KEPT + 2) if memory.recall(f"k{number}") == number}
    assert kept == set(range(3, KEPT + 2))
    assert memory.recall("last") == VALUE
    assert len(list(memory.folder.iterdir())) == KEPT + 1
    memory.forget()
    assert memory.recall("last") is None
    assert other.recall("k") == VALUE


def test_a_digest_knows_where_a_part_ends_and_takes_any_file_name() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab") != digest("ab", "")
    assert digest("đ") == digest("đ".encode())
    assert digest("\udcff") != digest("\udcfe")


def test_code_is_the_names_and_contents_of_the_files(tmp_path: Path) -> None:
    patterns = ("p/**/*.py", "pins.txt")
    seen = [code(tmp_path, patterns)]
    for path, text in (
        ("p/a.py", "1"), ("p/q/b.py", "1"), ("p/a.py", "2"), ("p/q/a.py", "1"), ("pins.txt", "x")
    ):  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
        seen.append(code(tmp_path, patterns))
    (tmp_path / "p/q").rename(tmp_path / "p/r")
    seen.append(code(tmp_path, patterns))
    assert len(set(seen)) == len(seen)
    (tmp_path / "p/notes.txt").write_text("no code")
    (tmp_path / "p/gone.py").symlink_to("nowhere")
    assert code(tmp_path, patterns) == seen[-1]
