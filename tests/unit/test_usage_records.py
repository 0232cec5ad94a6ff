"""What a host makes of Dovecot's events: each access once, whatever is cut off or read again."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danhba.usage import records as program
from danhba.usage.records import Access, Records, answer, logged_in, understood

SLOTS = [[7, 9], [9, 11], [13, 15], [15, 17]]
DAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 16, 30).timestamp()


@pytest.fixture
def records(tmp_path: Path) -> Records:
    (tmp_path / "spool").mkdir()
    return Records(tmp_path / "lib/records.sqlite", tmp_path / "spool/events")


@pytest.fixture(autouse=True)
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What journalctl says of the host's boots: one, for ever."""
    boots = tmp_path / "boots"
    boots.write_text(json.dumps([{"first_entry": 0, "last_entry": 1e17}]))
    (tmp_path / "bin").mkdir()
    journalctl = tmp_path / "bin/journalctl"
    journalctl.write_text(f"#!/bin/sh\ncat {boots}\n")
    journalctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{journalctl.parent}:{os.environ['PATH']}")
    return boots


def at(clock: str, day: date = DAY) -> float:
    return datetime.fromisoformat(f"{day}T{clock}").timestamp()


def event(user: str, first: float, end: float) -> str:
    """As Dovecot 2.4.1 writes it."""
    row = {"start_time": first, "end_time": end, "fields": {"user": f"{user}@angiang.gov.vn"}}
    return json.dumps(row) + "\n"


def write(records: Records, *rows: str) -> None:
    with records.events.open("a") as file:
        file.write("".join(rows))


def slots(records: Records, account: str = "nvan", day: date = DAY) -> str:
    return records.days(day, day + timedelta(days=1), SLOTS).get(account, "0")


@pytest.mark.parametrize(
    ("first", "end", "digit"),
    [
        ("06:59:59", "06:59:59", "0"), ("07:00:00", "07:00:00", "1"), ("08:59:59", "08:59:59", "1"),
        ("09:00:00", "09:00:00", "2"), ("11:00:00", "12:59:59", "0"), ("13:00:00", "13:00:01", "4"),
        ("16:59:59", "17:30:00", "8"), ("17:00:00", "23:00:00", "0"), ("08:59:00", "09:01:00", "3"),
        ("06:00:00", "16:00:00", "f"), ("10:59:59", "13:00:00", "6"),
    ],
)  # fmt: skip
def test_a_session_counts_in_each_slot_it_lives_through(
    records: Records, first: str, end: str, digit: str
) -> None:
    write(records, event("nvan", at(first), at(end)))
    records.fold(at("23:59:59"), ())
    assert slots(records) == digit


def test_a_session_over_midnight_and_over_a_month_counts_on_each_day(records: Records) -> None:
    last, first = date(2026, 10, 31), date(2026, 11, 2)
    write(records, event("nvan", at("16:10:00", last), at("07:30:00", first)))
    records.fold(NOW, ())
    assert records.days(last, first + timedelta(days=1), SLOTS) == {"nvan": "8f1"}
    assert records.days(date(2026, 11, 1), first, SLOTS) == {"nvan": "f"}


def test_the_last_access_is_the_end_of_the_last_session(records: Records) -> None:
    write(records, event("nvan", at("08:00:00"), at("09:30:00")))
    write(records, event("nvan", at("08:30:00"), at("08:31:00")), event("ttkngan", 1.5, 2.5))
    records.fold(NOW, ())
    assert records.last() == {"nvan": int(at("09:30:00")), "ttkngan": 2}


def test_who_is_logged_in_counts_now_without_an_end(records: Records) -> None:
    """And not for ever: after a crash of the store nobody says that the session ended."""
    records.fold(at("08:58:00"), ["nvan@angiang.gov.vn"])
    records.fold(at("09:03:00"), ["nvan@angiang.gov.vn"])
    records.fold(at("15:00:00"), ())
    assert slots(records) == "3"
    assert records.last() == {"nvan": int(at("09:03:00"))}


def test_events_that_are_read_twice_change_nothing(records: Records) -> None:
    rows = [event("nvan", at("08:00:00"), at("08:01:00")), event("nvan", at("13:00:00"), NOW)]
    write(records, *rows)
    records.fold(NOW, ())
    before = (records.last(), slots(records))
    write(records, *rows)
    records.fold(NOW, ())
    assert (records.last(), slots(records)) == before


def test_a_line_that_is_being_written_is_read_when_it_is_whole(records: Records) -> None:
    row = event("nvan", at("08:00:00"), at("08:01:00"))
    write(records, row[:30])
    records.fold(NOW, ())
    assert records.last() == {}
    write(records, row[30:])
    records.fold(NOW, ())
    assert slots(records) == "1"


def test_what_is_no_event_is_passed_over(records: Records) -> None:
    write(records, "\0\0\0\n", "{}\n", "[1]\n", '{"fields": {}}\n', event("nvan", 1, 2))
    records.fold(NOW, ())
    assert records.last() == {"nvan": 2}
    assert understood(b"\xff\n") is None


def test_a_clock_that_was_ahead_makes_no_access_to_come(records: Records) -> None:
    write(records, event("nvan", NOW + 9_000_000, NOW + 9_000_001))
    records.fold(NOW, ())
    assert records.last() == {"nvan": int(NOW)}


def test_rotation_loses_nothing_not_even_what_an_old_process_still_writes(
    records: Records,
) -> None:
    write(records, event("nvan", at("08:00:00"), at("08:01:00")))
    old = records.events.open("a")  # the process that was there before Dovecot reloaded
    records.fold(NOW, ())
    assert records.set_aside(DAY)
    assert not records.set_aside(DAY), "once a day"
    write(records, event("nvan", at("09:00:00"), at("09:01:00")))
    old.write(event("nvan", at("13:00:00"), at("13:01:00")))
    old.close()
    records.fold(NOW, ())
    assert slots(records) == "7"
    assert records.set_aside(DAY + timedelta(days=8))
    assert [path.name for path in records.events.parent.iterdir()] == [
        f"events.{DAY + timedelta(days=8)}"
    ]


def test_a_cut_off_fold_is_done_again(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    write(records, event("nvan", at("08:00:00"), at("08:01:00")))

    def cut(*_: object) -> Iterator[str]:
        raise KeyboardInterrupt
        yield ""

    monkeypatch.setattr(Records, "_read", lambda *all: (_READ(*all), next(cut())))
    with pytest.raises(KeyboardInterrupt):
        records.fold(NOW, ())
    monkeypatch.undo()
    assert records.last() == {}
    records.fold(NOW, ())
    assert slots(records) == "1"


_READ = Records._read


def test_hours_of_long_ago_are_forgotten_and_the_last_access_is_not(records: Records) -> None:
    old, kept = date(2025, 10, 31), date(2025, 11, 1)
    for day in (old, kept):
        write(records, event("nvan", at("08:00:00", day), at("08:00:01", day)))
    write(records, event("xa", at("08:00:00", old), at("08:00:01", old)))
    records.fold(NOW, ())
    records.forget(DAY, 12)
    assert (slots(records, day=old), slots(records, day=kept)) == ("0", "1")
    assert "xa" in records.last()


def test_records_begin_when_the_tables_are_made(records: Records) -> None:
    records.fold(NOW, ())
    first = records.begun()
    records.fold(NOW, ())
    assert records.begun() == first
    assert abs(first - datetime.now().timestamp()) < 60


def test_records_begin_anew_when_they_were_not_made_for_more_than_a_day(records: Records) -> None:
    """A full disk, tables from a backup: who was there meanwhile is not known."""
    day = 86_400
    records.fold(NOW, ())
    first = records.begun()
    records.fold(NOW + day, ())
    assert records.begun() == first
    records.fold(NOW + 10 * day, ())
    anew = records.begun()
    assert anew == NOW + 10 * day
    records.fold(NOW + 10 * day + 300, ())
    assert records.begun() == anew


@pytest.mark.parametrize(
    ("boots", "anew"),
    [
        ([(-30, 0.01), (9.9, 10)], False),  # it was down
        ([(-30, 0.01), (3, 3.1), (9.9, 10)], False),  # somebody tried to start it meanwhile
        ([(-30, 5), (9.9, 10)], True),  # nothing was folded for five days, and then it was down
        ([(-30, 10)], True),
        ([(9, 10)], True),  # another machine
        ([], True),
    ],
)
def test_nobody_was_there_while_the_host_was_down(
    records: Records, journal: Path, boots: list[tuple[float, float]], anew: bool
) -> None:
    """A day's outage of one host is not to put off Điều 6.4 for everybody."""
    day = 86_400
    records.fold(NOW, ())
    first = records.begun()
    rows = [{"first_entry": (NOW + a * day) * 1e6, "last_entry": (NOW + b * day) * 1e6}
            for a, b in boots]  # fmt: skip
    journal.write_text(json.dumps(rows))
    records.fold(NOW + 10 * day, ())
    assert records.begun() == (NOW + 10 * day if anew else first)


def test_two_folds_at_once_set_one_file_aside(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second waits; with the first one's answer Dovecot has begun a new file by then."""
    write(records, event("nvan", at("08:00:00"), at("08:01:00")))
    begun, came = Event(), Event()

    def slow(path: Path, aside: Path) -> Path:
        begun.set()
        came.wait(10)
        return _RENAME(path, aside)

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        if begun.is_set():
            came.set()
        return _CONNECT(*arguments, **options)

    monkeypatch.setattr(Path, "rename", slow)
    monkeypatch.setattr(program.sqlite3, "connect", connect)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(records.set_aside, DAY)
        begun.wait(10)
        second = pool.submit(records.set_aside, DAY)
        assert (first.result(), second.result()) == (True, False)


_RENAME, _CONNECT = Path.rename, sqlite3.connect


@pytest.mark.parametrize(("content", "advice"), [(b"no database at all" * 99, True), (None, False)])
def test_only_damaged_tables_are_to_be_moved_away(
    tmp_path: Path, content: bytes | None, advice: bool
) -> None:
    tables = tmp_path / "records.sqlite"
    if content is None:
        tables.mkdir()
    else:
        tables.write_bytes(content)
    text = Path(program.__file__).read_text().replace(str(program.TABLES), str(tables))
    (tmp_path / "program").write_text(text)
    argv = [sys.executable, str(tmp_path / "program"), "fold", "12"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert ("move it away" in done.stderr) == advice, done.stderr


def test_only_root_and_its_group_read_the_tables(records: Records) -> None:
    before = os.umask(0o022)
    try:
        records.fold(NOW, ())
    finally:
        os.umask(before)
    assert records.tables.stat().st_mode & 0o777 == 0o640


def test_an_answer_has_counts_and_nothing_else(
    records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "asked"
    doveadm = tmp_path / "doveadm"
    doveadm.write_text(f'#!/bin/sh\necho "$*" >>{asked}\n')
    doveadm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(program, "CONFIGS", tmp_path)
    both = ("dovecot", "dovecot-edge")
    for each in both:
        (tmp_path / each).mkdir()
        (tmp_path / each / "dovecot.conf").touch()
    write(records, event("nvan", at("08:00:00"), at("08:00:01")))
    question = {"sessions": False, "first": "2026-11-25", "end": "2026-11-26", "slots": SLOTS}
    found = answer(records, question)
    assert found == {"begun": records.begun(), "days": {"nvan": "1"}}
    found = answer(records, {"sessions": False})
    assert found == {"begun": records.begun(), "last": {"nvan": int(at("08:00:01"))}}
    reopened = [f"-c {tmp_path}/{each}/dovecot.conf stats reopen" for each in both]
    assert asked.read_text().splitlines() == reopened, "once a day, when the file was set aside"


def test_sessions_that_are_alive_are_those_doveadm_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "username\t#\tservice\nnvan@a.vn\t2\timap\nstc@a.vn*nvan@a.vn\t1\timap\n"
    doveadm = tmp_path / "doveadm"
    doveadm.write_text("#!/bin/sh\ncat <<END\n" + rows + "END\n")
    doveadm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert list(logged_in()) == ["nvan@a.vn"]


SECONDS = st.integers(min_value=0, max_value=72 * 3600)


@given(st.lists(st.tuples(st.sampled_from("ab"), SECONDS, SECONDS), max_size=12), st.randoms())
def test_order_and_repetition_mean_nothing(
    rows: list[tuple[str, int, int]], chance: random.Random
) -> None:
    """Two stores, two edges, a file that is read again: the same comes out."""
    base = at("00:00:00")

    def learnt(each: list[tuple[str, int, int]]) -> Access:
        access = Access()
        for user, one, other in each:
            access.mark(user, base + min(one, other), base + max(one, other))
        return access

    mixed = rows + rows
    chance.shuffle(mixed)
    assert learnt(mixed) == learnt(rows)


@given(SECONDS, SECONDS)
def test_every_hour_that_a_session_touches_is_marked(one: int, other: int) -> None:
    base, (first, end) = at("00:00:00"), sorted((one, other))
    access = Access()
    access.mark("a", base + first, base + end)
    wanted = {hour for hour in range(73) if first < (hour + 1) * 3600 and hour * 3600 <= end}
    found = {
        (date.fromisoformat(day) - DAY).days * 24 + hour
        for (day, _), bits in access.hours.items()
        for hour in range(24)
        if bits >> hour & 1
    }
    assert found == wanted
