"""What was answered is in the chain, once, whatever happens to who writes it."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import journal_parts
import pytest
from journal_parts import PRIVATE, archive, chain_holds, mail

from danhba.journal import chain, entry
from danhba.journal.chain import Archive, Item, JournalError, lines, stored
from danhba.journal.seal import SealError, opened
from danhba.journal.segment import named, segments
from danhba.journal.verify import verify


def _entries(root: Path) -> list[dict[str, object]]:
    return [entry.parsed(line.raw) for line in lines(root)]


def test_an_entry_says_what_the_envelope_said(tmp_path: Path) -> None:
    writer = archive(tmp_path)
    to = ("ubndx@angiang.gov.vn", "Nvan@angiang.gov.vn", "b@khac.test")
    assert writer.append([mail(1, to, b"Subject: y\r\n\r\nThu\r\n"), mail(2)]) == [1, 2]
    first, second = _entries(writer.root)
    assert first["to"] == list(to) and first["from"] == "lan@ngoaitinh.test"
    assert first["agencies"] == ["sotaichinh", "ubndx"]
    assert (first["class"], second["class"]) == ("so", "so")
    assert first["prev"] == entry.FIRST and first["size"] == 19
    (segment,) = segments(writer.root)
    content = stored(writer.root, segment, first)
    assert opened(content, PRIVATE) == b"Subject: y\r\n\r\nThu\r\n"
    with pytest.raises(SealError):
        opened(content[:-1] + bytes([content[-1] ^ 1]), PRIVATE)
    assert chain_holds(writer.root) == 2


def test_what_comes_twice_has_one_entry(tmp_path: Path) -> None:
    writer = archive(tmp_path)
    assert writer.append([mail(1), mail(1)]) == [1, 0]
    assert writer.append([mail(1)]) == [0]
    writer.close()
    writer = archive(tmp_path)
    assert writer.append([mail(1, ("nvan@angiang.gov.vn", "b@khac.test"))]) == [2]
    assert _entries(writer.root)[1]["to"] == ["b@khac.test"]


def test_days_and_sizes_begin_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = entry.seconds("2026-11-26T16:59:59.000Z")
    writer = archive(tmp_path, lambda: moment, lambda: moment)
    writer.append([mail(1)])
    moment += 2  # midnight of the province
    writer.append([mail(2)])
    monkeypatch.setattr(chain, "MOST", 1)
    writer.append([mail(3)])
    assert [each.name for each in segments(writer.root)] == [
        "2026/11/26/0001", "2026/11/27/0001", "2026/11/27/0002",
    ]  # fmt: skip
    assert chain_holds(writer.root) == 3


def test_a_clock_that_is_set_is_told_and_the_order_stays(tmp_path: Path) -> None:
    moment = steady = entry.seconds("2026-11-26T05:00:00.000Z")
    writer = archive(tmp_path, lambda: moment, lambda: steady)
    writer.append([mail(1)])
    moment += 86400 * 2
    writer.append([mail(2)])
    moment -= 86400 * 3
    writer.append([mail(3)])
    writer.close()
    moment -= 3600
    writer = archive(tmp_path, lambda: moment, lambda: steady)
    writer.append([mail(4)])
    steady += 7200
    moment += 7201
    writer.append([mail(5)])
    leaps = [each["by"] for each in _entries(writer.root) if each["kind"] == entry.CLOCK]
    assert leaps == [2 * 86400, -3 * 86400, -3600]
    assert [each.name for each in segments(writer.root)] == ["2026/11/26/0001", "2026/11/28/0001"]
    assert chain_holds(writer.root) == 8
    assert len(writer.index.of_kind(entry.CLOCK)) == 3


def test_a_leap_is_told_by_the_next_entry_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = entry.seconds("2026-11-26T05:00:00.000Z")
    writer = archive(tmp_path, lambda: moment, lambda: 0.0)
    writer.append([mail(1)])
    moment += 3600
    assert writer.append([mail(1)]) == [0]  # it comes again

    def full(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(chain, "_write", full)
        with pytest.raises(OSError, match="is full"):
            writer.append([mail(2)])
    writer.append([mail(2)])
    writer.append([mail(3)])
    leaps = [each.get("by") for each in _entries(writer.root) if each["kind"] == entry.CLOCK]
    assert leaps == [3600]


def test_lines_whose_contents_are_away_keep_their_places(tmp_path: Path) -> None:
    """A rebuild brought the chain of tonight and the contents of the day before."""
    writer = archive(tmp_path)
    writer.append([mail(1)])
    writer.close()
    first = segments(writer.root)[0]
    contents = first.data(writer.root).read_bytes()
    first.data(writer.root).unlink()
    again = archive(tmp_path)
    assert again.append([mail(2)]) == [2]
    assert [each.name for each in segments(again.root)] == [
        first.name, first.after(first.day).name,
    ]  # fmt: skip
    assert not first.data(again.root).exists()
    first.data(again.root).write_bytes(contents)  # found elsewhere, later
    assert verify(again.root).findings == []


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_what_a_power_cut_left_half_done_is_cut_off(tmp_path: Path, cut: int) -> None:
    writer = archive(tmp_path)
    writer.append([mail(1), mail(2)])
    writer.close()
    segment = segments(writer.root)[0]
    whole = segment.chain(writer.root).read_bytes()
    segment.chain(writer.root).write_bytes(whole[:-cut])
    with segment.data(writer.root).open("ab") as file:
        file.write(b"half a message")
    again = archive(tmp_path)
    assert again.n == 1
    assert again.append([mail(2), mail(3)]) == [2, 3]
    assert chain_holds(again.root) == 3
    for found in _entries(again.root):
        assert opened(stored(again.root, segment, found), PRIVATE)
    assert segment.data(again.root).stat().st_size == found["at"] + found["length"]


def test_a_segment_that_was_only_begun_is_used(tmp_path: Path) -> None:
    writer = archive(tmp_path)
    writer.append([mail(1)])
    writer.close()
    after = segments(writer.root)[0].after(segments(writer.root)[0].day)
    after.chain(writer.root).touch()
    after.data(writer.root).write_bytes(b"half")
    again = archive(tmp_path)
    assert again.append([mail(2)]) == [2]
    assert chain_holds(again.root) == 2 and segments(again.root)[-1] == after
    assert opened(stored(again.root, after, _entries(again.root)[1]), PRIVATE)


def test_damage_is_left_as_it_is_and_mail_goes_on(tmp_path: Path) -> None:
    writer = archive(tmp_path)
    writer.append([mail(1), mail(2)])
    writer.close()
    path = segments(writer.root)[0].chain(writer.root)
    path.write_bytes(damaged := path.read_bytes()[:-9] + b"\x00" * 8 + b"\n")
    again = archive(tmp_path)
    assert again.append([mail(3)]) == [3]
    assert path.read_bytes() == damaged
    assert [each.number for each in segments(again.root)] == [1, 2]


def test_the_index_comes_back_from_the_chain(tmp_path: Path) -> None:
    writer = archive(tmp_path)
    writer.append([mail(number) for number in range(20)])
    rows = writer.index.db.execute("SELECT * FROM entries").fetchall()
    writer.close()
    for how in (
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"x" * 9000),
        lambda path: sqlite3.connect(path).execute("PRAGMA user_version = 7").close(),
    ):
        how(writer.root / "index.db")
        again = archive(tmp_path)
        assert again.index.db.execute("SELECT * FROM entries").fetchall() == rows
        assert again.append([mail(3)]) == [0]
        again.close()


def test_an_index_that_breaks_meanwhile_is_made_again_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = archive(tmp_path)
    writer.append([mail(1), mail(2)])

    def broken(_: str) -> set[str]:
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(writer.index, "recorded", broken)
    with pytest.raises(JournalError, match="a start makes it again"):
        writer.append([mail(3)])
    writer.index.db.execute("DELETE FROM parties")
    writer.close()
    again = archive(tmp_path)
    assert again.append([mail(2), mail(3)]) == [0, 3]
    assert chain_holds(again.root) == 3


def test_one_writer(tmp_path: Path) -> None:
    archive(tmp_path)
    with pytest.raises(JournalError, match="another process"):
        archive(tmp_path)


def test_a_segment_has_one_name() -> None:
    assert named("2026/11/26/0001").name == "2026/11/26/0001"
    with pytest.raises(ValueError):
        named("2026/11/26/../../x")


_WRITES = """
import sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
from journal_parts import archive, mail
writer = archive(Path({folder!r}))
number = writer.n
while True:
    items = [mail(number + each) for each in range(1, 4)]
    writer.append(items)
    number += 3
    print(number, flush=True)
"""


def test_killed_while_it_writes_nothing_is_lost_or_twice(tmp_path: Path) -> None:
    program = _WRITES.format(tests=str(Path(journal_parts.__file__).parent), folder=str(tmp_path))
    answered = 0
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as running:
            assert running.stdout is not None
            until = time.monotonic() + 0.3
            while time.monotonic() < until:
                answered = int(running.stdout.readline())
            os.kill(running.pid, signal.SIGKILL)
            answered = int((running.stdout.read().splitlines() or [b"%d" % answered])[-1])
        root = tmp_path / "journal"
        writer = archive(tmp_path)
        assert writer.n >= answered and chain_holds(root) == writer.n
        assert len({each["id"] for each in _entries(root)}) == writer.n
        for each in segments(root):
            for line in chain.lines_of(root, each):
                assert opened(stored(root, each, entry.parsed(line.raw)), PRIVATE)
        writer.close()
    assert answered > 5


def test_a_full_disk_refuses_and_then_goes_on(tmp_path: Path) -> None:
    writer = archive(tmp_path)
    writer.append([mail(1)])
    before = _sizes(writer)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (before[1] + 40, limits[1]))
    try:
        with pytest.raises(OSError):
            writer.append([mail(2)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert _sizes(writer) == before
    assert writer.append([mail(2)]) == [2]
    assert chain_holds(writer.root) == 2


def test_a_line_that_finds_no_room_takes_its_content_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = archive(tmp_path)
    writer.append([mail(1)])
    before, write = _sizes(writer), chain._write

    def half(file: int, content: bytes) -> None:
        if content.startswith(b"{"):
            os.write(file, content[:20])
            raise OSError(28, "No space left on device")
        write(file, content)

    monkeypatch.setattr(chain, "_write", half)
    with pytest.raises(OSError):
        writer.append([mail(2)])
    monkeypatch.undo()
    assert _sizes(writer) == before
    assert writer.append([mail(2), Item({"kind": entry.READ, "who": "x"})]) == [2, 3]


def _sizes(writer: Archive) -> list[int]:
    last = segments(writer.root)[-1]
    return [path.stat().st_size for path in (last.chain(writer.root), last.data(writer.root))]


def test_copied_while_it_is_written_it_is_a_journal(tmp_path: Path) -> None:
    """As the backup takes it: lines only ever name contents that are there."""
    writer = archive(tmp_path)
    for number in range(5):
        writer.append([mail(number)])
    shutil.copytree(writer.root, tmp_path / "b" / "journal")
    assert archive(tmp_path / "b").append([mail(2), mail(9)]) == [0, 6]
