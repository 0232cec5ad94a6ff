"""A month of use: the working days, and who was there in which of the four slots (Điều 10.1)."""

from __future__ import annotations

import csv
import json
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from drafts import CANONICAL, directory

from danhba.commands import main, usage
from danhba.errors import DanhbaError
from danhba.model import Directory
from danhba.usage.collect import Slots
from danhba.usage.month import Use, month_of, uses, working_days
from danhba.usage.month_text import FORMATS, Month

EARLY = {"mx1": date(2000, 1, 1), "store1": date(2000, 1, 1)}
OLD = CANONICAL.replace("since: 2026-11-05", "since: 2020-01-01").replace(
    "date: 2026-11-02", "date: 2019-12-01"
)
FIRST, END = date(2026, 11, 1), date(2026, 12, 1)


def policy(extra: str = "") -> str:
    return OLD.replace("message_mb: 30", f"message_mb: 30\n{extra}")


def test_a_month_ends_before_the_next() -> None:
    assert month_of("2026-11") == (FIRST, END)
    assert month_of("2026-12") == (date(2026, 12, 1), date(2027, 1, 1))
    assert month_of("2028-02") == (date(2028, 2, 1), date(2028, 3, 1))
    for bad in ("2026-13", "11/2026", "2026", "2026-11-01"):
        with pytest.raises(DanhbaError, match="no month"):
            month_of(bad)


def test_weekends_and_holidays_are_no_working_days_and_swapped_saturdays_are() -> None:
    text = policy("  holidays: [2026-11-20, 2026-11-22]\n  working_days: [2026-11-28]\n")
    days = working_days(directory(text).policy, FIRST, END)
    assert len(days) == 21  # November 2026 has 21 from Monday to Friday
    assert date(2026, 11, 20) not in days
    assert date(2026, 11, 28) in days
    assert date(2026, 11, 22) not in days


def month(bits: dict[str, dict[int, int]], text: str = OLD, end: date = END) -> dict[str, Use]:
    """bits: account to day of the month to slots."""
    count = (end - FIRST).days
    days = {
        account: tuple(each.get(day, 0) for day in range(1, count + 1))
        for account, each in bits.items()
    }
    return {use.address: use for use in uses(directory(text), Slots(EARLY, FIRST, days), end)}


def test_days_are_counted_slot_by_slot() -> None:
    found = month({"nvan": {2: 0b1111, 3: 0b0001, 4: 0b1001, 7: 0b1111}})
    assert found["nvan"] == Use("nvan", "Nguyễn Văn An", "sotaichinh", 21, (3, 1, 1, 2), 1)
    assert found["ttkngan"].slots == (0, 0, 0, 0)


def test_the_mailbox_of_an_agency_has_a_row() -> None:
    assert month({"sotaichinh": {2: 0b0011}})["sotaichinh"].slots == (1, 1, 0, 0)


def test_nobody_is_counted_before_he_came_or_after_he_left() -> None:
    gone = "decision: 9/QĐ-STC, status: withdrawn, from: 2026-11-10, reason: x}"
    text = OLD.replace("request: 12/CV-STC}", f"request: 12/CV-STC, {gone}", 1)
    found = month({"nvan": {9: 1, 10: 1}, "nvan02": {5: 1, 6: 1}}, text)
    assert (found["nvan"].working, found["nvan"].slots[0]) == (6, 1)
    assert (found["nvan02"].working, found["nvan02"].slots[0]) == (17, 1)  # since 6 November


def test_a_month_that_is_not_over_counts_up_to_today() -> None:
    assert month({}, end=date(2026, 11, 4))["nvan"].working == 2


def test_days_before_all_records_begin_are_left_out() -> None:
    late = Slots(EARLY | {"store2": date(2026, 11, 16)}, FIRST, {"nvan": (1,) * 30})
    [use] = [each for each in uses(directory(OLD), late, END) if each.address == "nvan"]
    assert (use.working, use.slots[0]) == (10, 10)
    [use] = [each for each in uses(directory(OLD), late, END, ["store2"]) if each.address == "nvan"]
    assert (use.working, use.slots[0]) == (21, 21)


# What is said


def report(begun: dict[str, date] = EARLY, name: str = "Nguyễn Văn An") -> Month:
    use = Use("nvan", name, "sotaichinh", 21, (21, 20, 9, 8), 7)
    names = {"sotaichinh": "Sở Tài chính"}
    return Month([use], names, begun, FIRST, date(2026, 11, 30), "angiang.gov.vn")


def test_what_an_engineer_reads() -> None:
    assert FORMATS["text"](report(EARLY | {"mx2": date(2026, 11, 2)})) == (
        "days with an access, 2026-11-01 to 2026-11-30\n"
        "records of mx2 begin on 2026-11-02: days up to then are left out\n"
        "\n"
        "Sở Tài chính (sotaichinh)\n"
        "        07-09 09-11 13-15 15-17  all  of\n"
        "  nvan     21    20     9     8    7  21  Nguyễn Văn An\n"
    )


def test_what_officials_open_in_excel() -> None:
    said = FORMATS["csv"](report())
    assert said.startswith("\ufeff")
    head, row = csv.reader(StringIO(said.removeprefix("\ufeff")))
    assert head == [
        "Cơ quan", "Họ và tên", "Địa chỉ", "Số ngày làm việc", "07–09 giờ", "09–11 giờ",
        "13–15 giờ", "15–17 giờ", "Đủ 4 lần trong ngày",
    ]  # fmt: skip
    assert row == ["Sở Tài chính", "Nguyễn Văn An", "nvan@angiang.gov.vn", "21", "21", "20", "9",
                   "8", "7"]  # fmt: skip
    assert "'=1+1" in FORMATS["csv"](report(name="=1+1"))


def test_what_a_program_reads_is_counts_and_nothing_else() -> None:
    said = json.loads(FORMATS["json"](report()))
    assert said["slots"] == [[7, 9], [9, 11], [13, 15], [15, 17]]
    assert said["mailboxes"] == [
        {"address": "nvan", "name": "Nguyễn Văn An", "agency": "sotaichinh", "working": 21,
         "slots": [21, 20, 9, 8], "all": 7}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--month", "11/2026"), "write it like 2026-11"),
        (("--month", "2099-01"), "no day of 2099-01 is over yet"),
        (("--month", "2026-11", "--agency", "sokhac"), "there is no agency sokhac"),
        (("--month", "2026-11", "--new", "mx9"), "staging has no host mx9"),
    ],
)
def test_what_is_refused(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(OLD, encoding="utf-8")
    done = CliRunner().invoke(main, ["--directory", str(file), "usage", "staging", *options])
    assert (done.exit_code, said in done.output) == (1, True), done.output


@pytest.mark.parametrize("day", [date(2026, 11, 25), FIRST])
def test_a_day_that_is_not_over_is_no_working_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, day: date
) -> None:
    """In the morning nobody can have been there in the afternoon."""
    file = tmp_path / "directory.yaml"
    file.write_text(OLD, encoding="utf-8")
    asked: list[date] = []

    def slots(env: object, timezone: str, first: date, end: date) -> Slots:
        asked.append(end)
        return Slots(EARLY, first, {})

    monkeypatch.setattr(usage, "slots", slots)
    monkeypatch.setattr(Directory, "today", lambda _: day)
    run = ["--directory", str(file), "usage", "staging", "--month", "2026-11"]
    done = CliRunner().invoke(main, run)
    assert (done.exit_code, asked) == ((1, []) if day == FIRST else (0, [day])), done.output


def test_one_agency_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(OLD, encoding="utf-8")
    monkeypatch.setattr(usage, "slots", lambda *_: Slots(EARLY, FIRST, {}))
    argv = [
        "--directory",
        str(file),
        "usage",
        "staging",
        "--month",
        "2026-11",
        "--agency",
        "chomoi",
    ]
    said = CliRunner().invoke(main, [*argv, "--format", "json"]).output
    assert {row["agency"] for row in json.loads(said)["mailboxes"]} == {"chomoi"}
