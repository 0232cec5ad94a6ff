"""Mail to and from free-mail services: what an edge counts, and the report that is made of it."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from datetime import date
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from danhba.free_mail import records as program
from danhba.free_mail.records import Known, Records, answer
from danhba.free_mail.report import FORMATS, Report, Row

AN, HA, KHOA = (f"{name}@angiang.gov.vn" for name in ("nvan", "ltha", "tvkhoa"))
KNOWN = Known(
    ("postfix/qmgr", "postfix/smtp", "postfix/store/smtp"),
    frozenset(["gmail.com", "yahoo.com.vn"]),
    {AN: "sotaichinh", HA: "sotaichinh", KHOA: "soyte"},
)
NOON = 1_795_665_600  # 2026-11-26 12:00 in Vietnam
DAY = (date(2026, 11, 26), date(2026, 11, 27))


class Journal:
    """As journalctl shows it: entries in their order, each with a cursor."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, int]] = []
        self.vacuumed = 0

    def write(self, *lines: str, second: int = NOON) -> None:
        self.lines += [(line, second) for line in lines]

    def read(self, _: object, cursor: str) -> list[dict[str, object]]:
        first = max(int(cursor or 0), self.vacuumed)
        return [
            {"__CURSOR": str(n), "__REALTIME_TIMESTAMP": f"{second}000000", "MESSAGE": line}
            for n, (line, second) in enumerate(self.lines)
            if n >= first
        ]


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> Journal:
    monkeypatch.setenv("TZ", "Asia/Ho_Chi_Minh")
    found = Journal()
    monkeypatch.setattr(program, "journal", found.read)
    return found


@pytest.fixture
def counts(tmp_path: Path) -> Callable[[], dict[str, int]]:
    def asked() -> dict[str, int]:
        records = Records(tmp_path / "records.sqlite")
        records.fold(KNOWN)
        return {f"{agency} {way}": n for agency, way, n in records.counts(*DAY)}

    return asked


Counts = Callable[[], dict[str, int]]


def queued(message: str, sender: str) -> str:
    return f"{message}: from=<{sender}>, size=1201, nrcpt=2 (queue active)"


def sent(message: str, to: str, status: str = "sent") -> str:
    return (
        f"{message}: to=<{to}>, orig_to=<x@y>, relay=mx.test[192.0.2.1]:25, delay=0.04,"
        f" delays=0.03/0/0/0, dsn=2.0.0, status={status} (250 2.0.0 Ok: queued as 9E4466740AA)"
    )


def message(name: str, sender: str, *to: str) -> list[str]:
    return [queued(name, sender), *(sent(name, each) for each in to), f"{name}: removed"]


def test_each_message_counts_once_for_each_agency_and_way(journal: Journal, counts: Counts) -> None:
    journal.write(*message("A1", AN, "x@gmail.com", "y@gmail.com", "z@yahoo.com.vn"))
    journal.write(*message("A2", "X@Gmail.com", AN, HA, KHOA))
    journal.write(*message("A3", KHOA, "x@GMAIL.com"))
    assert counts() == {
        "sotaichinh received": 1, "sotaichinh sent": 1, "soyte received": 1, "soyte sent": 1,
    }  # fmt: skip


def test_other_mail_is_none(journal: Journal, counts: Counts) -> None:
    journal.write(*message("A1", AN, HA, "x@ngoaitinh.test", "x@mail.gmail.com", "gmail.com"))
    journal.write(*message("A2", "", AN, "x@gmail.com"))  # a bounce, an answer of a filter
    journal.write(*message("A3", "x@gmail.com", "y@gmail.com", "nobody@angiang.gov.vn"))
    journal.write(queued("A4", AN), sent("A4", "x@gmail.com", "deferred"))
    journal.write(queued("A5", AN), sent("A5", "x@gmail.com", "bounced"), "A5: removed")
    journal.write(sent("A6", "x@gmail.com"), "connect from may.test[192.0.2.1]", "warning: x")
    assert counts() == {}


def test_what_was_read_is_not_counted_again(journal: Journal, counts: Counts) -> None:
    journal.write(*message("A1", AN, "x@gmail.com"))
    assert counts() == counts() == counts() == {"sotaichinh sent": 1}
    journal.write(*message("A1", AN, "x@gmail.com"))  # the number is free again
    assert counts() == {"sotaichinh sent": 2}


def test_a_message_that_stays_in_the_queue_counts_once(journal: Journal, counts: Counts) -> None:
    journal.write(queued("A1", AN), sent("A1", "x@gmail.com"))
    assert counts() == {"sotaichinh sent": 1}
    journal.write(queued("A1", AN), sent("A1", "y@yahoo.com.vn"), "A1: removed")
    assert counts() == {"sotaichinh sent": 1}


def test_what_is_cut_off_is_done_again(
    journal: Journal, counts: Counts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.write(*message("A1", AN, "x@gmail.com"), *message("A2", KHOA, "x@gmail.com"))

    def dies(*_: object) -> list[dict[str, object]]:
        class Dying(list[dict[str, object]]):
            def __iter__(self):  # type: ignore[no-untyped-def]
                yield from journal.read(*_)[:4]
                raise OSError("the disk is full")

        return Dying()

    with monkeypatch.context() as cut:
        cut.setattr(program, "journal", dies)
        with pytest.raises(OSError, match="full"):
            Records(tmp_path / "records.sqlite").fold(KNOWN)
    assert counts() == {"sotaichinh sent": 1, "soyte sent": 1}


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_wherever_it_stops_the_counts_are_the_same(data: st.DataObject) -> None:
    senders, to = [AN, KHOA, "x@gmail.com", "x@else.test"], [AN, HA, KHOA, "x@gmail.com"]
    log = Journal()
    for n in range(data.draw(st.integers(1, 6))):
        recipients = data.draw(st.lists(st.sampled_from(to), min_size=1, max_size=3))
        log.write(*message(f"A{n % 3}", data.draw(st.sampled_from(senders)), *recipients))
    stops = sorted(data.draw(st.lists(st.integers(0, len(log.lines)), max_size=4)))
    assert _counted(log, [len(log.lines)]) == _counted(log, [*stops, len(log.lines)])


def _counted(log: Journal, stops: list[int]) -> list[tuple[str, str, int]]:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        records = Records(Path(folder) / "records.sqlite")
        for stop in stops:
            part = Journal()
            part.lines = log.lines[:stop]
            patch.setattr(program, "journal", part.read)
            records.fold(KNOWN)
        return records.counts(date(2026, 11, 1), date(2026, 12, 1))


def test_counts_begin_anew_where_the_journal_has_lost_lines(
    journal: Journal, counts: Counts, tmp_path: Path
) -> None:
    journal.write(*message("A1", AN, "x@gmail.com"))
    counts()
    records = Records(tmp_path / "records.sqlite")
    assert records.begun() == NOON
    journal.write(*message("A2", AN, "x@gmail.com"), second=NOON + 100)
    counts()
    assert records.begun() == NOON
    journal.write(*message("A3", AN, "x@gmail.com"), second=NOON + 200)
    journal.vacuumed = 6
    assert counts() == {"sotaichinh sent": 3}
    assert records.begun() == NOON + 200


def test_days_are_the_provinces_and_old_months_go(journal: Journal, tmp_path: Path) -> None:
    records = Records(tmp_path / "records.sqlite")
    for name, second in (("A1", NOON - 13 * 3600), ("A2", NOON), ("A3", NOON - 60 * 86400)):
        journal.write(*message(name, AN, "x@gmail.com"), second=second)
    records.fold(KNOWN)
    assert records.counts(*DAY) == [("sotaichinh", "sent", 1)]
    assert records.counts(date(2026, 1, 1), DAY[1]) == [("sotaichinh", "sent", 3)]
    records.forget(DAY[0], 1)
    assert records.counts(date(2026, 1, 1), DAY[1]) == [("sotaichinh", "sent", 2)]


def test_no_address_is_left_when_the_queue_is_empty(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    records = Records(path)
    journal.write(queued("A0", "ghost@gmail.com"), *message("A1", AN, "x@gmail.com"))
    records.fold(KNOWN)
    with records.transaction() as db:
        assert db.execute("SELECT sender FROM queue").fetchall() == [("ghost@gmail.com",)]
    # Its end was lost: it goes with time.
    journal.write(*message("A2", "x@gmail.com", HA), second=NOON + program.IN_QUEUE + 1)
    records.fold(KNOWN)
    with records.transaction() as db:
        for table in ("queue", "counted"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    assert b"gmail.com" not in path.read_bytes()


def test_an_answer_folds_first_and_names_nobody(journal: Journal, tmp_path: Path) -> None:
    journal.write(*message("A1", AN, "x@gmail.com"))
    question = {"first": "2026-11-01", "end": "2026-12-01"}
    told = answer(Records(tmp_path / "records.sqlite"), KNOWN, question)
    assert told == {"begun": NOON, "counts": [("sotaichinh", "sent", 1)]}
    assert "@" not in json.dumps(told)


def test_the_journal_is_read_by_journalctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "journalctl"
    said = '{"__CURSOR": "c", "MESSAGE": "m"}'
    fake.write_text(f"#!/bin/sh\necho '{said}'\nexit $FAIL\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("FAIL", "0")
    assert list(program.journal(["postfix/qmgr"], "")) == [{"__CURSOR": "c", "MESSAGE": "m"}]
    monkeypatch.setenv("FAIL", "1")
    with pytest.raises(program.subprocess.CalledProcessError):
        list(program.journal(["postfix/qmgr"], "x"))


REPORT = Report(
    [
        Row("sotaichinh", "Sở Tài chính", 12, 3),
        Row("soyte", "=Sở Y tế", 0, 0),
        Row("sonoivu", "Sở Nội vụ", 0, 40),
    ],
    {"mx1": date(2026, 11, 3), "mx2": None},
    date(2026, 11, 1),
    date(2026, 11, 30),
    ["gmail.com"],
)


def test_the_report_as_text() -> None:
    assert FORMATS["text"](REPORT) == (
        "messages to and from free-mail services, 2026-11-01 to 2026-11-30\n"
        "counts of mx1 begin on 2026-11-03\n"
        "counts of mx2 begin with its first message\n"
        "\n"
        "                sent received\n"
        "  sotaichinh      12        3  Sở Tài chính\n"
        "  sonoivu          0       40  Sở Nội vụ\n"
        "                  12       43  in all; none in 1 agencies\n"
    )


def test_the_report_for_officials() -> None:
    text = FORMATS["csv"](REPORT)
    assert text.startswith("\ufeff")
    rows = list(csv.reader(StringIO(text[1:])))
    assert rows[1:] == [
        ["Sở Tài chính", "sotaichinh", "12", "3"],
        ["'=Sở Y tế", "soyte", "0", "0"],
        ["Sở Nội vụ", "sonoivu", "0", "40"],
        ["Toàn tỉnh", "", "12", "43"],
    ]


def test_the_report_for_programs() -> None:
    found = json.loads(FORMATS["json"](REPORT))
    assert found["begun"] == {"mx1": "2026-11-03", "mx2": None}
    assert found["agencies"][0] == {
        "agency": "sotaichinh", "name": "Sở Tài chính", "sent": 12, "received": 3,
    }  # fmt: skip
