"""What is not wrong for sure is a warning, and so is what a day brings: no apply waits for it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from drafts import CANONICAL, DAY, GOOD, edited, found, person, row_of, with_letter
from hypothesis import given, settings
from hypothesis import strategies as st
from lives import Moment, lives

from danhba.edit.agencies import Ending, Founding, end_agency, found_agency, rename_agency
from danhba.edit.people import Basis, Newcomer, add_people, lock, rename, set_keepers, withdraw
from danhba.findings import Finding

LATER = DAY + timedelta(days=30)
DECIDED = Basis(DAY, decision="7/QĐ-STC")
ENDS = Ending(LATER, "3/NQ-HĐND", ("chomoi",), LATER + timedelta(days=300))


def new(text: str, day: date = DAY) -> list[Finding]:
    """What was not found in the good file, which lacks two IT officers."""
    return [each for each in found(text, day) if "names no IT officer" not in each.message]


def said(text: str, day: date = DAY) -> list[tuple[str, str]]:
    return [(each.severity, each.message) for each in new(text, day)]


def test_a_lock_is_overdue_the_day_after_the_last() -> None:
    text = edited(GOOD, lock, "20002", DAY, "lộ mật khẩu", LATER).replace("[nvan02]", "[]")
    assert [each for each in said(text, LATER) if "confirmed" in each[1]] == []
    late = "the lock of Ngô Vĩnh An was to be confirmed by 2026-12-25"
    assert ("warning", late) in said(text, LATER + timedelta(days=1))


@pytest.mark.parametrize("days", [-1, 0, 9])
def test_a_keeper_who_leaves_is_a_warning_before_his_day_and_after(days: int) -> None:
    text = edited(GOOD, withdraw, "nvan", LATER, "nghỉ hưu", DECIDED)
    [finding] = new(text, LATER + timedelta(days=days))
    assert (finding.severity, finding.clause, finding.line) == ("warning", "Điều 9.2.c", 8)
    assert finding.message == "nvan keeps the mailbox sotaichinh and is withdrawn from 2026-12-25"
    assert finding.remedy == "danhba keeper sotaichinh --remove nvan --add ADDRESS"


def test_a_locked_keeper_is_a_warning() -> None:
    text = edited(GOOD, lock, "nvan", DAY, "lộ mật khẩu", LATER)
    message = "nvan keeps the mailbox sotaichinh and is locked from 2026-11-25"
    assert said(text) == [("warning", message)]


def test_a_mailbox_without_keeper_is_a_warning() -> None:
    text = edited(GOOD, set_keepers, "sotaichinh", [])
    assert said(text) == [("warning", "nobody keeps the mailbox sotaichinh")]


def test_an_it_officer_who_left_is_a_warning() -> None:
    text = edited(GOOD, withdraw, "ttkngan", LATER, "nghỉ hưu", DECIDED)
    message = "the IT officer ttkngan of sotaichinh is withdrawn from 2026-12-25"
    assert said(text) == said(text, LATER) == [("warning", message)]


def test_namesakes_of_one_agency_are_a_warning_unless_a_decision_says_that_they_are_two() -> None:
    twin = [Newcomer("N1", "Nguyễn Văn AN", "12/CV-STC", DAY)]
    text = edited(GOOD, add_people, "sotaichinh", twin)
    [finding] = new(text)
    assert (finding.severity, finding.line) == ("warning", 15)
    assert "is in sotaichinh already, nvan on line 14" in finding.message
    line = row_of(text, "nvan03")
    assert said(text.replace(line, line.replace("}", ", decision: 5/QĐ-STC}"))) == []
    elsewhere = with_letter(GOOD, "9/CV-CM", "chomoi")
    twin = [Newcomer("N1", "Nguyễn Văn An", "9/CV-CM", DAY)]
    assert said(edited(elsewhere, add_people, "chomoi", twin)) == []


def test_a_namesake_who_left_is_no_namesake() -> None:
    text = edited(GOOD, withdraw, "nvan", DAY, "nghỉ hưu", DECIDED)
    twin = [Newcomer("N1", "Nguyễn Văn An", "12/CV-STC", DAY)]
    text = edited(text, add_people, "sotaichinh", twin)
    assert said(text) == [("warning", "nobody keeps the mailbox sotaichinh")]


def test_a_permanent_alias_of_who_left_is_a_warning_and_an_old_name_is_none() -> None:
    text = edited(CANONICAL, rename, "ttkngan", "Trần Thị Bé", "", DECIDED, LATER, False)
    text = text.replace("  taichinh:", "  ketoan: {to: ttbe}\n  taichinh:")
    assert said(text) == []
    gone = edited(text, withdraw, "ttbe", DAY, "nghỉ hưu", DECIDED)
    [finding] = [
        each for each in new(gone) if "alias" in each.message or "mail for" in each.message
    ]
    assert finding.message == "mail for ketoan goes to ttbe, which receives no more"
    assert (finding.severity, finding.clause) == ("warning", "Điều 6.3")


def test_staff_that_is_left_is_a_warning_before_the_agency_ends_and_after() -> None:
    line = "    exception: {decision: 7/QĐ-STTTT, reason: tên cũ}"
    text = GOOD.replace(line, f"    closed: {{from: {LATER}, decision: 3/NQ-HĐND}}\n{line}")
    left = "still has 1 of staff, the first is nvan02 on line 30"
    for day in (DAY, LATER, LATER + timedelta(days=9)):
        [finding] = [each for each in new(text, day) if left in each.message]
        assert (finding.severity, finding.clause, finding.line) == ("warning", "Điều 9.2.a", 22)
        assert finding.remedy == "danhba transfer or withdraw each, or danhba agency merge"


def test_who_is_locked_in_an_agency_that_has_ended_is_left_too() -> None:
    line = "    exception: {decision: 7/QĐ-STTTT, reason: tên cũ}"
    text = GOOD.replace(line, f"    closed: {{from: {LATER}, decision: 3/NQ-HĐND}}\n{line}")
    text = edited(text, lock, "nvan02", DAY, "lộ mật khẩu", LATER)
    left = [each.severity for each in new(text, LATER) if "still has 1 of staff" in each.message]
    assert left == ["warning"]


def test_a_lock_before_a_withdrawal_is_overdue_and_is_no_day_out_of_order() -> None:
    text = edited(GOOD, withdraw, "ttkngan", LATER, "nghỉ hưu", DECIDED)
    by = LATER - timedelta(days=9)
    text = edited(text, lock, "ttkngan", DAY, "lộ mật khẩu", by)
    late = ("warning", f"the lock of Trần Thị Kim Ngân was to be confirmed by {by}")
    assert late not in said(text, by)
    assert late in said(text, by + timedelta(days=1))
    early = text.replace(f"locked: {DAY}", "locked: 2026-11-04")
    message = "Trần Thị Kim Ngân: 2026-11-04 lies before since, the registration of 2026-11-05"
    assert ("error", message) in said(early)
    soon = text.replace(f"confirm_by: {by}", f"confirm_by: {DAY - timedelta(days=1)}")
    message = f"Trần Thị Kim Ngân is locked from {DAY}, to be confirmed by 2026-11-24"
    assert ("error", message) in said(soon)


@settings(max_examples=100, deadline=None)
@given(lives(), st.integers(0, 900))
def test_a_day_that_comes_makes_no_error(life: list[Moment], days: int) -> None:
    then = life[-1].day + timedelta(days=days)
    assert [each for each in found(life[-1].text, then) if each.severity == "error"] == []


def test_who_leaves_before_the_end_is_not_left() -> None:
    line = "    exception: {decision: 7/QĐ-STTTT, reason: tên cũ}"
    text = GOOD.replace(line, f"    closed: {{from: {LATER}, decision: 3/NQ-HĐND}}\n{line}")
    text = edited(text, withdraw, "nvan02", LATER, "nghỉ hưu", DECIDED)
    for day in (DAY, LATER):
        assert not any("of staff" in each.message for each in new(text, day))


def test_who_left_after_the_end_is_left_no_more() -> None:
    line = "    exception: {decision: 7/QĐ-STTTT, reason: tên cũ}"
    text = GOOD.replace(line, f"    closed: {{from: 2026-11-20, decision: 3/NQ-HĐND}}\n{line}")
    left = row_of(text, "nvan02")
    gone = left.replace("}", f", status: withdrawn, from: {DAY}, reason: nghỉ hưu}}")
    assert not any("of staff" in each.message for each in new(text.replace(left, gone)))


def test_an_heir_that_ends_without_one_is_a_warning() -> None:
    text = edited(CANONICAL, found_agency, Founding("so", "Sở Nội vụ"))
    text = edited(text, end_agency, "sonoivu", ENDS, DAY)
    text = edited(text, withdraw, "dddat", DAY, "nghỉ hưu", DECIDED)
    text = edited(text, end_agency, "chomoi", Ending(LATER, "3/NQ-HĐND"), DAY)
    assert ("warning", "the successor chomoi of sonoivu is closed itself") in said(text)


def test_an_agency_that_has_ended_needs_no_keeper_and_no_it_officer() -> None:
    text = edited(CANONICAL, found_agency, Founding("so", "Sở Nội vụ"))
    text = edited(text, end_agency, "sonoivu", ENDS, DAY)
    assert any("sonoivu" in each.message for each in found(text))
    assert not any("sonoivu" in each.message for each in found(text, LATER))


def test_letters_of_the_agencies_above_and_before_are_good() -> None:
    above = with_letter(CANONICAL, "9/CV-CM", "chomoi")
    new_one = [Newcomer("N1", "Phan Văn Bảo", "9/CV-CM", DAY)]
    assert person(edited(above, add_people, "noivu.chomoi", new_one), "pvbao")
    renamed = edited(above, rename_agency, "chomoi", "Huyện Chợ mới", "chomoi2", "3/NQ", LATER)
    assert person(edited(renamed, add_people, "chomoi2", new_one), "pvbao")


def test_a_letter_of_two_levels_above_is_good() -> None:
    text = with_letter(CANONICAL, "9/CV-CM", "chomoi")
    text = edited(text, found_agency, Founding("khac", "Tổ giúp việc", "noivu.chomoi"))
    new_one = [Newcomer("N1", "Phan Văn Bảo", "9/CV-CM", DAY)]
    assert person(edited(text, add_people, "tgv", new_one), "pvbao").agency == "tgv"


def test_a_later_status_hides_no_day_out_of_order() -> None:
    text = edited(GOOD, lock, "ttkngan", DAY, "lộ mật khẩu", LATER)
    text = text.replace(
        "request: 12/CV-STC, title", "request: 12/CV-STC, changed: 2026-11-03, title"
    )
    assert ("error", "Trần Thị Kim Ngân: 2026-11-03 lies before since, the registration of "
            "2026-11-05") in said(text)  # fmt: skip


def test_policy_and_approvals_may_name_an_old_name() -> None:
    text = CANONICAL.replace("message_mb: 30\n", "message_mb: 30\n  protected: [nvan, taichinh]\n")
    text = edited(text, rename, "nvan", "Lê Văn Cư", "", DECIDED, LATER, False)
    assert "protected: [nvan, taichinh]" in text and said(text) == []
