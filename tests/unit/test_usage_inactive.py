"""Who has been away for the months of Điều 6.4, and who only looks as if he had."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from drafts import CANONICAL, directory, is_canonical
from hypothesis import given
from hypothesis import strategies as st

from danhba.commands import inactive, main
from danhba.days import months_after
from danhba.engine import EngineError
from danhba.usage.collect import LastAccess
from danhba.usage.inactive import Idle, idle
from danhba.usage.inactive_text import FORMATS, List

EARLY = {"mx1": date(2000, 1, 1), "store1": date(2000, 1, 1)}
OLD = CANONICAL.replace("since: 2026-11-05", "since: 2020-01-01").replace(
    "date: 2026-11-02", "date: 2019-12-01"
)
"""Everybody was registered long ago, but Ngô Vĩnh An in noivu.chomoi."""


def found(
    text: str, last: dict[str, date], today: date, begun: dict[str, date] | None = None,
    months: int = 6, new: tuple[str, ...] = (),
) -> dict[str, Idle]:  # fmt: skip
    access = LastAccess(EARLY if begun is None else begun, last)
    return {row.address: row for row in idle(directory(text), access, months, today, new)}


def verdict(last: date, today: date, text: str = OLD) -> str | None:
    row = found(text, {"nvan": last}, today).get("nvan")
    return row.verdict if row else None


# Months of the calendar: the last day of the sixth month is still in time


@pytest.mark.parametrize(
    ("last", "over"),
    [
        ("2026-08-31", "2027-02-28"), ("2027-08-31", "2028-02-29"), ("2026-08-30", "2027-02-28"),
        ("2026-08-29", "2027-02-28"), ("2026-08-28", "2027-02-28"), ("2027-08-29", "2028-02-29"),
        ("2026-12-31", "2027-06-30"), ("2027-02-28", "2027-08-28"), ("2028-02-29", "2028-08-29"),
        ("2026-03-31", "2026-09-30"), ("2026-05-15", "2026-11-15"), ("2026-07-01", "2027-01-01"),
        ("2026-10-31", "2027-04-30"), ("2026-09-30", "2027-03-30"),
    ],
)  # fmt: skip
def test_six_months_end_on_that_day_and_the_mailbox_goes_after_it(last: str, over: str) -> None:
    day, end = date.fromisoformat(last), date.fromisoformat(over)
    assert verdict(day, end) == "warn"
    assert verdict(day, end + timedelta(days=1)) == "withdraw"


@pytest.mark.parametrize(
    ("last", "five"),
    [("2026-08-31", "2027-01-31"), ("2026-09-30", "2027-02-28"), ("2027-09-30", "2028-02-29"),
     ("2026-05-15", "2026-10-15"), ("2026-12-31", "2027-05-31")],
)  # fmt: skip
def test_five_months_warn_from_the_day_after(last: str, five: str) -> None:
    day, end = date.fromisoformat(last), date.fromisoformat(five)
    assert verdict(day, end) is None
    assert verdict(day, end + timedelta(days=1)) == "warn"


DAYS = st.dates(date(2021, 1, 1), date(2090, 1, 1))


@given(DAYS, st.integers(0, 500))
def test_nobody_goes_before_the_months_are_over(last: date, days: int) -> None:
    today = last + timedelta(days=days)
    assert (verdict(last, today) == "withdraw") == (today > months_after(last, 6))


@given(DAYS, DAYS)
def test_who_came_later_is_never_withdrawn_earlier(one: date, other: date) -> None:
    assert months_after(min(one, other), 6) <= months_after(max(one, other), 6)


# What counts from when

TODAY = date(2026, 11, 25)
LONG_AGO, LATELY = date(2026, 1, 5), date(2026, 11, 20)


def test_who_never_was_there_counts_from_the_registration() -> None:
    row = found(OLD, {}, TODAY)["nvan"]
    assert (row.verdict, row.since, row.last) == ("withdraw", date(2020, 1, 1), None)
    assert "nvan02" not in found(OLD, {}, TODAY), "registered this month"


def test_a_reinstatement_counts_like_an_access() -> None:
    again = OLD.replace("request: 12/CV-STC}", "request: 12/CV-STC, changed: 2026-11-20}", 1)
    assert again != OLD
    assert "nvan" not in found(again, {"nvan": LONG_AGO}, TODAY)


def test_the_account_stays_when_the_address_changes() -> None:
    renamed = OLD.replace("address: ttkngan,", "address: ttkngan, account: ngan,").replace(
        "aliases:\n", "aliases:\n  ngan: {to: ttkngan}\n"
    )
    assert "ttkngan" not in found(renamed, {"ngan": LATELY}, TODAY)
    assert "ttkngan" in found(renamed, {"ttkngan": LATELY}, TODAY)


def test_who_is_withdrawn_is_not_withdrawn_again() -> None:
    for day in ("2026-11-20", "2026-12-31"):
        gone = (
            f"request: 12/CV-STC, decision: 9/QĐ-STC, status: withdrawn, from: {day}, reason: x}}"
        )
        assert "nvan" not in found(OLD.replace("request: 12/CV-STC}", gone, 1), {}, TODAY)


LEAVE = "request: 12/CV-STC, leave: {{until: {}, decision: 12/QĐ-STC}}}}"


def test_nobody_is_withdrawn_on_leave_and_afterwards_the_months_begin_anew() -> None:
    away = OLD.replace("request: 12/CV-STC}", LEAVE.format("2026-11-25"), 1)
    row = found(away, {}, TODAY)["nvan"]
    assert (row.verdict, row.spared) == ("spared", "on leave until 2026-11-25")
    assert "nvan" not in found(away, {}, TODAY + timedelta(days=1))
    assert found(away, {}, date(2027, 5, 25))["nvan"].verdict == "warn"
    assert found(away, {}, date(2027, 5, 26))["nvan"].verdict == "withdraw"


def test_who_is_protected_or_locked_is_left_out_and_named() -> None:
    kept = OLD.replace("message_mb: 30", "message_mb: 30\n  protected: [ttkngan]").replace(
        "request: 12/CV-STC}",
        "request: 12/CV-STC, status: locked, from: 2026-11-20, reason: x, confirm_by: 2099-01-01}",
        1,
    )
    rows = found(kept, {}, TODAY)
    assert rows["ttkngan"].spared == "protected by policy"
    assert rows["nvan"].spared == "locked, and may not log in"
    assert {rows["nvan"].verdict, rows["ttkngan"].verdict} == {"spared"}


def test_the_mailbox_of_an_agency_is_escalated_and_closed_ones_are_not() -> None:
    rows = found(OLD, {"chomoi": LATELY}, TODAY)
    assert rows["sotaichinh"].verdict == "escalate"
    assert "chomoi" not in rows
    closed = OLD.replace("    kind: so\n", "    kind: so\n    closed: {from: 2026-11-01, "
                         "decision: 8/QĐ-UBND}\n")  # fmt: skip
    assert "sotaichinh" not in found(closed, {}, TODAY)


def test_an_agencys_mailbox_that_nobody_ever_opened_counts_from_the_first_records() -> None:
    """Also where all hosts were new then, so that their records hold back no person's months."""
    begun = {"mx1": date(2026, 5, 24), "store1": date(2026, 5, 26)}
    rows = found(OLD, {"chomoi": LATELY}, TODAY, begun, new=("mx1", "store1"))
    row = rows["sotaichinh"]
    assert (row.verdict, row.since, row.last) == ("escalate", date(2026, 5, 24), None)
    assert row.because == "records of mx1 begin"
    assert "chomoi" not in rows
    assert found(OLD, {}, TODAY, begun, new=("mx1",))["sotaichinh"].verdict == "warn"


# Records that do not reach back


def test_nobody_is_away_for_longer_than_the_records_of_every_host_reach_back() -> None:
    lost = EARLY | {"store2": date(2026, 11, 1)}
    assert found(OLD, {"nvan": LONG_AGO}, TODAY, lost) == {}
    row = found(OLD, {"nvan": LONG_AGO}, date(2027, 5, 2), lost)["nvan"]
    assert (row.verdict, row.because) == ("withdraw", "records of store2 begin")


def test_a_host_that_was_new_when_its_records_began_says_nothing_of_before() -> None:
    young = EARLY | {"mx2": date(2026, 11, 1)}
    row = found(OLD, {"nvan": LONG_AGO}, TODAY, young, new=("mx2",))["nvan"]
    assert (row.verdict, row.because, row.since) == ("withdraw", "last access", LONG_AGO)


# What is said


def listed(text: str, last: dict[str, date]) -> List:
    model = directory(text)
    rows = idle(model, LastAccess(EARLY, last), 6, TODAY)
    names = {each.address: each.name for each in model.agencies}
    return List(rows, names, EARLY, 6, TODAY, "angiang.gov.vn", "50/2009/QĐ-UBND")


def test_what_an_engineer_reads() -> None:
    said = FORMATS["text"](listed(OLD, {"nvan": LONG_AGO, "ttkngan": date(2026, 6, 20),
                                        "sotaichinh": LATELY, "chomoi": LATELY}))  # fmt: skip
    assert said == (
        "Sở Tài chính (sotaichinh)\n"
        "  to withdraw: Nguyễn Văn An <nvan>: last access 2026-01-05; the months were over on "
        "2026-07-05\n"
        "  to warn: Trần Thị Kim Ngân <ttkngan>: last access 2026-06-20; the months are over on "
        "2026-12-20\n"
        "Huyện Chợ Mới (chomoi)\n"
        "  to withdraw: Đặng Đức Đạt <dddat>: no access known, counted from 2020-01-01: "
        "registration; the months were over on 2020-07-01\n"
        "Phòng Nội vụ (noivu.chomoi)\n"
        "  to escalate: Phòng Nội vụ <noivu.chomoi>: no access known, counted from 2000-01-01: "
        "records of mx1 begin; the months were over on 2000-07-01\n"
        "2 to withdraw, 1 to warn, 1 to escalate, 0 left out\n"
        "records begin: mx1 2000-01-01, store1 2000-01-01\n"
    )


def test_what_an_agency_reads() -> None:
    said = FORMATS["markdown"](listed(OLD, {"nvan": LONG_AGO, "sotaichinh": LATELY}))
    rule = "Điều 6.4 Quy định ban hành kèm theo Quyết định số 50/2009/QĐ-UBND"
    assert f"Theo {rule}, tính đến ngày 25/11/2026" in said
    assert (
        "| Nguyễn Văn An | nvan@angiang.gov.vn | 05/01/2026 | 05/07/2026 | Thu hồi |\n"
        "| Trần Thị Kim Ngân | ttkngan@angiang.gov.vn | chưa ghi nhận | 01/07/2020 | Thu hồi |"
    ) in said


def test_what_a_program_reads() -> None:
    said = json.loads(FORMATS["json"](listed(OLD, {"nvan": LONG_AGO})))
    assert said["begun"] == {"mx1": "2000-01-01", "store1": "2000-01-01"}
    [row] = [row for row in said["mailboxes"] if row["address"] == "nvan"]
    assert row == {
        "address": "nvan", "name": "Nguyễn Văn An", "agency": "sotaichinh", "verdict": "withdraw",
        "last": "2026-01-05", "since": "2026-01-05", "because": "last access",
        "over": "2026-07-05", "spared": "",
    }  # fmt: skip


def test_names_break_no_table() -> None:
    found = listed(OLD, {})
    odd = replace(found, names={**found.names, "sotaichinh": "Sở <b>|"})
    assert "## Sở &lt;b&gt;\\|" in FORMATS["markdown"](odd)


# The command

Run = Callable[..., Result]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "directory.yaml"
    path.write_text(OLD, encoding="utf-8")
    return path


@pytest.fixture
def run(file: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    last = {"nvan": date(2020, 1, 5), "ttkngan": date.today()}
    monkeypatch.setattr(inactive, "last_access", lambda *_: LastAccess(EARLY, last))

    def command(*arguments: str) -> Result:
        argv = ["--directory", str(file), "inactive", "staging", *arguments]
        return CliRunner().invoke(main, argv)

    return command


def test_write_withdraws_whom_it_lists_and_nobody_else(run: Run, file: Path) -> None:
    done = run("--write", "--decision", "15/QĐ-STTTT")
    assert done.exit_code == 0, done.output
    text = file.read_text(encoding="utf-8")
    gone = {each.address: each for each in directory(text, date.today()).people if each.status}
    assert sorted(gone) == ["dddat", "nvan"]
    status = gone["nvan"].status
    assert status and (status.kind, status.reason) == ("withdrawn", "không truy xuất 6 tháng")
    assert gone["nvan"].decision == "15/QĐ-STTTT"
    assert is_canonical(text)
    assert "no longer keeper of sotaichinh: nvan" in done.output


def test_write_says_which_approval_the_change_needs(run: Run) -> None:
    said = run("--write", "--decision", "15/QĐ-STTTT").output
    assert said.count("the apply needs an approval: ") == 1
    assert "people: 2" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--write",), "give the --decision"),
        (("--write", "--decision", "1/QĐ", "--months", "5"), "nothing is withdrawn before 6"),
        (("--new", "mx9"), "staging has no host mx9"),
    ],
)  # fmt: skip
def test_what_is_refused(run: Run, file: Path, options: tuple[str, ...], said: str) -> None:
    done = run(*options)
    assert (done.exit_code, said in done.output) == (1, True), done.output
    assert file.read_text(encoding="utf-8") == OLD


def test_a_host_that_does_not_answer_ends_everything(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> LastAccess:
        raise EngineError("store2: connection lost")

    monkeypatch.setattr(inactive, "last_access", gone)
    done = run("--write", "--decision", "15/QĐ-STTTT")
    assert (done.exit_code, "store2: connection lost" in done.output) == (1, True)
    assert file.read_text(encoding="utf-8") == OLD


def test_nobody_to_withdraw_writes_nothing(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = {"store1": date.today()}
    monkeypatch.setattr(inactive, "last_access", lambda *_: LastAccess(fresh, {}))
    done = run("--write", "--decision", "15/QĐ-STTTT")
    assert (done.exit_code, "nothing was written" in done.output) == (0, True)
    assert file.read_text(encoding="utf-8") == OLD
