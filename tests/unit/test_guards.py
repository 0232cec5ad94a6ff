"""A change that disturbs many, or whom nobody may disturb, needs an approval that names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from drafts import DAY, directory, edited
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lives import PROVINCE, Moment, Step, lives, steps, taken

from danhba import guards
from danhba.check_guards import check_guards, guard
from danhba.compile import compile_directory
from danhba.compiled import Guard
from danhba.edit.agencies import Ending, end_agency, rename_agency
from danhba.edit.people import Basis, lock, reinstate, rename, transfer, unlock, withdraw
from danhba.generate import generate
from danhba.guards import Disturbed, Excess, Limits, entry, excesses, on_host
from danhba.load import load_text
from danhba.model import Directory, Status

LATER = DAY + timedelta(days=40)
LAST = DAY + timedelta(days=400)
DECIDED = Basis(DAY, decision="7/QĐ")
LIMITS = Limits(5, 30, 40, {"soyte": 10, "ty": 3})


def withheld(text: str, *people: str, first: date = DAY) -> str:
    for who in people:
        text = edited(text, withdraw, who, first, "nghỉ hưu", DECIDED)
    return text


def approved(text: str, *entries: str) -> str:
    """With decisions, each of which names what an entry says."""
    rows = "".join(f"  {number}/NQ: {entry}\n" for number, entry in enumerate(entries, 1))
    return text.replace("reserved:", f"approve:\n{rows}reserved:")


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert text.count(old) == 1, (text.count(old), old)
        text = text.replace(old, new)
    return text


def said(old: str, new: str) -> list[str]:
    """What is refused."""
    before, after = (load_text(text.encode(), "x")[0] for text in (old, new))
    assert before is not None and after is not None
    return [finding.message for finding in check_guards(before, after)]


def of(people: int, agency: str = "") -> Disturbed:
    return Disturbed({f"p{number}": agency for number in range(people)})


def found(disturbed: Disturbed, new: Mapping[str, Any] | None = None) -> list[str]:
    return [entry([each])[1:-1] for each in excesses(disturbed, LIMITS, {}, new or {})]


# The figures


def test_up_to_five_percent_of_all_need_no_approval() -> None:
    assert found(of(2)) == []
    assert found(of(3)) == ["people: 3"]


def test_up_to_thirty_percent_of_an_agency_need_no_approval() -> None:
    limits = Limits(100, 30, 40, {"soyte": 10})
    assert excesses(of(3, "soyte"), limits, {}, {}) == []
    [excess] = excesses(of(4, "soyte"), limits, {}, {})
    assert str(excess) == (
        "4 of 10 people of soyte are withdrawn, locked or sent elsewhere, more than 30%; "
        "approve: DECISION: {agencies: {soyte: 4}}"
    )


def test_one_person_alone_is_never_too_many() -> None:
    for people in range(1, 5):
        limits = Limits(1, 1, people, {"ty": people})
        assert excesses(of(1, "ty"), limits, {}, {}) == []
        assert [each.number for each in excesses(of(2, "ty"), limits, {}, {})] == [2, 2]


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 100))
def test_more_than_the_percent_of_all_is_too_many(count: int, more: int, percent: int) -> None:
    there = count + more
    limits = Limits(percent, 100, there, {})
    many = count > 1 and Fraction(count, there) > Fraction(percent, 100)
    assert bool(excesses(of(count), limits, {}, {})) is many


def test_an_agency_that_is_left_without_anybody_always_is() -> None:
    limits = Limits(100, 100, 40, {"ty": 1, "soyte": 2})
    alone = Disturbed({"p": "ty"}, {"ty": 1})
    moved = Disturbed({}, {"soyte": 2})
    assert [entry([each])[1:-1] for each in excesses(alone, limits, {}, {})] == [
        "agencies: {ty: 1}"
    ]
    assert [entry([each])[1:-1] for each in excesses(moved, limits, {}, {})] == [
        "agencies: {soyte: 2}"
    ]


# The approval


MANY = Disturbed(dict.fromkeys("abcd", "soyte"), {}, frozenset({"postmaster", "abuse"}))
NOTHING: dict[str, Any] = {"people": 0, "agencies": {}, "protected": []}
WHOLE = {"people": 4, "agencies": {"soyte": 4}, "protected": ["abuse", "postmaster"]}


def test_an_approval_names_the_numbers() -> None:
    assert found(MANY) == [
        "people: 4", "agencies: {soyte: 4}", "protected: [abuse]", "protected: [postmaster]",
    ]  # fmt: skip
    assert found(MANY, {"1/NQ": WHOLE}) == []


def test_several_decisions_may_share_it() -> None:
    shares = {f"{key}/NQ": NOTHING | {key: value} for key, value in WHOLE.items()}
    assert found(MANY, shares) == []


@pytest.mark.parametrize(
    ("wrong", "left"),
    [
        ({"people": 3}, "people: 4"),
        ({"people": 5}, "people: 4"),
        ({"people": 40}, "people: 4"),
        ({"agencies": {"soyte": 5}}, "agencies: {soyte: 4}"),
        ({"agencies": {"ty": 4}}, "agencies: {soyte: 4}"),
        ({"protected": ["abuse"]}, "protected: [postmaster]"),
    ],
)
def test_an_approval_of_something_else_is_none(wrong: dict[str, object], left: str) -> None:
    assert found(MANY, {"1/NQ": {**WHOLE, **wrong}}) == [left]


def test_a_decision_that_was_there_is_used_up_whatever_it_names_now() -> None:
    for before in (WHOLE, NOTHING | {"people": 9}):
        assert len(excesses(MANY, LIMITS, {"1/NQ": before}, {"1/NQ": WHOLE})) == 4
        again = {"1/NQ": before, "2/NQ": WHOLE}
        assert excesses(MANY, LIMITS, {"1/NQ": before}, again) == []


# Several changes at once, on a host


def together(disturbed: Disturbed, *named: int, limits: Limits = LIMITS) -> list[Excess]:
    """People that are disturbed, and how many each of several new decisions names."""
    new = {f"{n}/NQ": NOTHING | {"people": people} for n, people in enumerate(named)}
    return excesses(disturbed, limits, {}, new, together=True)


def test_approvals_of_several_changes_add_up_and_the_rest_is_measured() -> None:
    """Of 40 people 2 need no approval."""
    assert together(of(7), 3, 4) == together(of(9), 3, 4) == []
    [excess] = together(of(10), 3, 4)
    assert (excess.number, excess.free) == (10, 2)
    assert len(together(of(6), 3)) == 1
    assert together(of(5), 3) == together(of(4), 40) == []
    assert len(excesses(of(7), LIMITS, {}, {"1/NQ": NOTHING | {"people": 5}})) == 1


def test_of_an_agency_they_add_up_too() -> None:
    limits = Limits(100, 30, 40, {"soyte": 10})
    new = {f"{n}/NQ": NOTHING | {"agencies": {"soyte": n}} for n in (1, 4)}
    assert excesses(of(8, "soyte"), limits, {}, new, together=True) == []
    [excess] = excesses(of(9, "soyte"), limits, {}, new, together=True)
    assert (excess.key, excess.number, excess.free) == ("agencies", 9, 3)


def test_of_who_is_left_without_anybody_nothing_is_free() -> None:
    empty = Disturbed({}, {"soyte": 10})
    for named, refused in (((4, 5), True), ((4, 6), False), ((10, 1), False), ((11,), False)):
        new = {f"{n}/NQ": NOTHING | {"agencies": {"soyte": n}} for n in named}
        assert bool(excesses(empty, LIMITS, {}, new, together=True)) is refused
    assert excesses(empty, LIMITS, {}, {}, together=True)[0].free == 0


def test_those_that_were_there_add_nothing() -> None:
    used = {"1/NQ": NOTHING | {"people": 9}}
    new = {**used, "2/NQ": NOTHING | {"people": 3}}
    assert len(excesses(of(6), LIMITS, used, new, together=True)) == 1
    assert excesses(of(5), LIMITS, used, new, together=True) == []


def test_a_protected_address_is_named_by_one_of_them() -> None:
    new = {"1/NQ": NOTHING, "2/NQ": NOTHING | {"protected": ["abuse"]}}
    touched = Disturbed(protected=frozenset({"abuse", "postmaster"}))
    assert [each.name for each in excesses(touched, LIMITS, {}, new, together=True)] == [
        "postmaster"
    ]


@given(st.integers(0, 60), st.lists(st.integers(0, 30), max_size=4))
def test_who_is_not_named_is_as_few_as_need_no_approval(count: int, named: list[int]) -> None:
    free = count - sum(named) <= 2 or count in named
    assert bool(together(of(count), *named)) is not free


# A change of the directory


BOTH = ("pvbao", "cut")  # of 9 people


def test_a_change_that_withdraws_many_is_refused_until_it_says_how_many() -> None:
    new = withheld(PROVINCE, *BOTH)
    people = "2 of 9 people are withdrawn, locked or sent elsewhere, more than 5%"
    empty = "sonoivu is left without anybody"
    assert said(PROVINCE, new) == [people, empty]
    assert said(PROVINCE, approved(new, "{people: 2, agencies: {sonoivu: 1}}")) == []
    assert said(PROVINCE, approved(new, "{people: 3}", "{agencies: {sonoivu: 1}}")) == [people]


def test_a_finding_says_where_and_which_entry_to_add() -> None:
    new = directory(withheld(PROVINCE, *BOTH))
    many, empty = check_guards(directory(PROVINCE), new)
    assert [each.line for each in (many, empty)] == [
        next(each.line for each in new.people if each.status),
        next(each.line for each in new.agencies if each.address == "sonoivu"),
    ]
    assert {(each.severity, each.clause) for each in (many, empty)} == {("error", "Điều 6.3")}
    whole = "add `DECISION: {people: 2, agencies: {sonoivu: 1}}` under approve"
    assert many.remedy.startswith(whole) and empty.remedy.startswith(whole)


def test_it_counts_when_it_is_written_whatever_day_it_begins_on() -> None:
    for first in (DAY - timedelta(days=9), DAY, LATER):
        assert len(said(PROVINCE, withheld(PROVINCE, "vttu", "ttkngan", first=first))) == 1


def test_who_is_withdrawn_earlier_than_he_was_to_be_counts_again_and_leaves_once() -> None:
    old = withheld(PROVINCE, "ttkngan", "cut", first=LATER)
    new = withheld(old, "ttkngan", "cut", first=LATER - timedelta(days=1))
    assert said(old, new)[0].startswith("2 of 7 people are withdrawn, locked")
    assert len(said(old, new)) == 1
    assert said(new, old) == []
    assert [each.key for each in on_a_host(directory(old), directory(new))] == ["people"]


def test_locks_count_like_withdrawals() -> None:
    new = PROVINCE
    for who in ("ttkngan", "pvbao"):
        assert said(PROVINCE, new) == []
        new = edited(new, lock, who, DAY, "lộ mật khẩu", LAST)
    assert said(PROVINCE, new)[0].startswith("2 of 9 people are withdrawn, locked")
    assert said(new, edited(new, unlock, "pvbao")) == []


def test_who_is_locked_and_then_withdrawn_loses_his_mail_and_counts_again() -> None:
    old = PROVINCE
    for who in ("ttkngan", "pvbao"):
        old = edited(old, lock, who, DAY, "lộ mật khẩu", LAST)
    new = withheld(old, "ttkngan", "pvbao")
    assert said(old, new)[0].startswith("2 of 9 people are withdrawn, locked")
    assert said(new, new) == []


def test_a_withdrawal_that_comes_sooner_counts_again_and_one_that_is_put_off_does_not() -> None:
    old = withheld(PROVINCE, "ttkngan", "pvbao", first=LATER)
    sooner = old.replace(f"from: {LATER}", f"from: {LATER - timedelta(days=1)}")
    [message] = said(old, sooner)
    assert message.startswith("2 of 7 people are withdrawn, locked")  # two are none of them by now
    assert said(sooner, old) == []
    assert said(old, old.replace("nghỉ hưu", "thôi việc")) == []


def test_a_guard_names_state_agency_and_first_day() -> None:
    new = edited(withheld(PROVINCE, "pvbao", first=LATER), lock, "cut", DAY, "lộ mật khẩu", LAST)
    new = edited(new, rename_agency, "soyte", "Sở Sức khỏe", "", "3/NQ", LAST)
    assert guard(directory(new)).withheld == {
        "pvbao": f"withdrawn soyte {LATER}", "cut": f"locked sonoivu {DAY}",
    }  # fmt: skip


@pytest.mark.parametrize(("before", "after", "counts"), [
    ("", "locked soyte 2026-11-25", True), ("", "withdrawn soyte 2027-01-04", True),
    ("locked soyte 2026-11-25", "withdrawn soyte 2027-01-04", True),
    ("locked soyte 2026-11-25", "locked soyte 2026-11-24", True),
    ("withdrawn soyte 2027-01-04", "withdrawn soyte 2027-01-03", True),
    ("withdrawn soyte 2027-01-04", "withdrawn soyte 2027-01-04", False),
    ("withdrawn soyte 2027-01-04", "withdrawn sonoivu 2027-01-05", False),
    ("withdrawn soyte 2027-01-04", "locked soyte 2026-11-25", False),
    ("withdrawn soyte 2027-01-04", "", False),
])  # fmt: skip
def test_more_is_withheld_by_a_stronger_state_or_an_earlier_day(
    before: str, after: str, counts: bool
) -> None:
    old, new = ({"p": row} if row else {} for row in (before, after))
    assert guards.withheld(old, new) == ({"p": "soyte"} if counts else {})


def test_who_comes_back_is_not_disturbed_and_may_be_withdrawn_anew() -> None:
    old = withheld(PROVINCE, "ttkngan", "pvbao")
    new = old
    for who in ("ttkngan", "pvbao"):
        new = edited(new, reinstate, who, Basis(DAY, decision="8/QĐ"))
    assert said(old, new) == []
    assert len(said(new, withheld(new, "ttkngan", "pvbao"))) == 1


def test_the_only_one_of_an_agency_can_be_locked_at_once() -> None:
    new = edited(PROVINCE, lock, "cut", DAY, "lộ mật khẩu", LAST)
    assert said(PROVINCE, new) == []
    assert said(new, withheld(new, "cut")) == ["sonoivu is left without anybody"]


def test_a_new_name_and_a_new_agency_disturb_nobody() -> None:
    new = edited(PROVINCE, rename, "lvloc", "Lê Cư", "", DECIDED, LAST, False)
    new = edited(new, rename, "pvbao", "Phan Cư", "", DECIDED, LAST, False)
    for who in ("lcu", "pcu", "ttkngan"):
        new = edited(new, transfer, who, "chomoi", DECIDED)
    new = edited(new, rename_agency, "soyte", "Sở Sức khỏe", "", "3/NQ", LAST)
    assert said(PROVINCE, new) == []


def test_who_leaves_an_agency_alone_empties_it() -> None:
    new = edited(PROVINCE, transfer, "cut", "soyte", DECIDED)
    assert said(PROVINCE, new) == ["sonoivu is left without anybody"]
    swapped = edited(new, transfer, "pvbao", "sonoivu", DECIDED)
    assert said(PROVINCE, swapped) == []


def test_a_merger_empties_what_it_closes_whatever_that_is_called_by_now() -> None:
    ending = Ending(LATER, "3/NQ", ("sonoivu",), LAST)
    new = edited(PROVINCE, end_agency, "soyte", ending, DAY)
    assert said(PROVINCE, new) == ["soyte is left without anybody"]
    assert said(PROVINCE, approved(new, "{agencies: {soyte: 2}}")) == []
    old = edited(PROVINCE, rename_agency, "soyte", "Sở Sức khỏe", "", "3/NQ", LAST)
    new = edited(old, end_agency, "sosuckhoe", ending, DAY)
    for name in ("soyte", "sosuckhoe"):
        assert said(old, approved(new, f"{{agencies: {{{name}: 2}}}}")) == []


def test_whoever_leaves_the_file_or_loses_the_address_counts() -> None:
    rows = [row for row in PROVINCE.splitlines() if "C-pvbao" in row or "C-ttkngan" in row]
    gone = replaced(PROVINCE, *((f"{row}\n", "") for row in rows))
    assert said(PROVINCE, gone)[0].startswith("2 of 9 people")
    handed = replaced(PROVINCE, ('"C-pvbao"', '"X1"'), ('"C-ttkngan"', '"X2"'))
    assert said(PROVINCE, handed)[0].startswith("2 of 9 people")


def test_who_is_transferred_and_withdrawn_counts_where_he_was() -> None:
    new = edited(PROVINCE, transfer, "nvan02", "soyte", DECIDED)
    new = withheld(edited(new, transfer, "ttkngan", "soyte", DECIDED), "nvan02", "ttkngan", "lvloc")
    assert [each.split(", ")[0] for each in said(PROVINCE, new)] == [
        "3 of 9 people are withdrawn",
        "2 of 3 people of sotaichinh are withdrawn",
    ]


# What might get around it


def test_a_policy_that_allows_more_is_one_for_the_next_change() -> None:
    free = replaced(PROVINCE, ("message_mb: 30", "message_mb: 30, guard_people_percent: 100"))
    new = withheld(PROVINCE, "ttkngan", "pvbao")
    freed = withheld(free, "ttkngan", "pvbao")
    assert said(PROVINCE, freed) == said(PROVINCE, new)
    assert said(free, freed) == []
    assert len(said(free, new)) == 1


def test_what_is_protected_no_longer_is_touched() -> None:
    free = replaced(PROVINCE, (", protected: [nvan]", ""))
    assert said(PROVINCE, free) == ["the protected address nvan is touched"]
    gone = withheld(free, "nvan")
    assert said(PROVINCE, gone) == ["the protected address nvan is touched"]
    assert said(PROVINCE, approved(free, "{protected: [nvan]}")) == []
    assert said(free, PROVINCE) == []


def test_an_approval_of_an_earlier_change_is_none() -> None:
    old = approved(PROVINCE, "{people: 2}")
    assert said(PROVINCE, old) == []
    new = withheld(old, "ttkngan", "pvbao")
    assert len(said(old, new)) == 1
    assert len(said(old.replace("people: 2", "people: 7"), new)) == 1
    assert said(old, new.replace("reserved:", "  2/NQ: {people: 2}\nreserved:")) == []


def test_new_people_in_the_same_change_make_it_no_smaller() -> None:
    rows = "".join(
        f'      - {{id: "X{n}", name: Ngô Bé, address: nbe{n:02}, since: {DAY}, decision: 1/QĐ}}\n'
        for n in range(2, 99)
    )
    new = withheld(PROVINCE, "ttkngan", "pvbao").replace("    staff:\n", f"    staff:\n{rows}", 1)
    assert said(PROVINCE, new)[0].startswith("2 of 9 people")


# Protected addresses


@pytest.mark.parametrize("who", ["sotaichinh", "taichinh", "postmaster"])
def test_postmaster_is_protected_and_so_is_who_gets_its_mail(who: str) -> None:
    named = replaced(PROVINCE, ("protected: [nvan]", f"protected: [{who}]"))
    ended = named.replace("  taichinh: {to: sotaichinh}", "  taichinh: {to: soyte}")
    touched = {"postmaster", who} - {"sotaichinh"}
    assert said(named, ended) == [
        f"the protected address {each} is touched" for each in sorted(touched)
    ]


def test_a_protected_official_is_neither_withdrawn_nor_locked_nor_renamed_unawares() -> None:
    touched = ["the protected address nvan is touched"]
    assert said(PROVINCE, withheld(PROVINCE, "nvan")) == touched
    assert said(PROVINCE, edited(PROVINCE, lock, "nvan", DAY, "lộ", LAST)) == touched
    renamed = edited(PROVINCE, rename, "nvan", "Lê Cư", "", DECIDED, LAST, False)
    assert said(PROVINCE, renamed) == touched  # its address receives up to a day
    assert said(PROVINCE, edited(PROVINCE, transfer, "nvan", "soyte", DECIDED)) == []
    assert said(renamed, withheld(renamed, "lcu")) == []
    followed = renamed.replace("protected: [nvan]", "protected: [lcu]")
    assert said(renamed, followed) == []
    assert said(followed, withheld(followed, "lcu")) == ["the protected address lcu is touched"]


def test_a_protected_name_of_somebody_is_touched_with_him() -> None:
    named = replaced(PROVINCE, ("{to: taichinh}", "{to: nvan}"))
    assert said(named, withheld(named, "nvan"))[1] == "the protected address postmaster is touched"


def test_a_protected_agency_that_closes_is_touched_whoever_gets_its_mail() -> None:
    ending = Ending(LATER, "3/NQ", ("sonoivu",), LAST)
    new = edited(PROVINCE, end_agency, "sotaichinh", ending, DAY)
    assert "  taichinh: {to: sonoivu}" in new
    assert "the protected address postmaster is touched" in said(PROVINCE, new)
    kept = new.replace("  taichinh: {to: sonoivu}", "  taichinh: {to: sotaichinh}")
    assert "the protected address postmaster is touched" in said(PROVINCE, kept)


def test_a_protected_name_that_comes_is_not_touched() -> None:
    new = replaced(PROVINCE, ("aliases:\n", "aliases:\n  abuse: {to: soyte}\n"))
    assert said(PROVINCE, new) == []
    assert said(new, replaced(new, ("{to: soyte}", "{to: chomoi}"))) == [
        "the protected address abuse is touched"
    ]


# On a host


def host(of: Guard) -> dict[str, Any]:
    """As deploys.base writes it; the sizes are not among it."""
    sizes = ("people", "agencies")
    return {key: value for key, value in vars(of).items() if key not in sizes}


def on_a_host(old: Directory, new: Directory) -> list[Excess]:
    was, now = guard(old), guard(new)
    return on_host(host(was), host(now), now.people, now.agencies)


@settings(max_examples=150, deadline=None)
@given(lives(), st.integers(-30, 900))
def test_no_day_that_comes_disturbs_anybody(life: list[Moment], days: int) -> None:
    """Else an apply would be refused on a day on which nobody changes anything."""
    found = life[-1].directory
    day = DAY + timedelta(days=days)
    assert compile_directory(found, day).guard == guard(found)
    assert on_a_host(found, found) == []


@settings(max_examples=150, deadline=None)
@given(lives())
def test_a_host_refuses_what_the_check_refuses_but_for_whole_agencies_that_move(
    life: list[Moment],
) -> None:
    for before, after in pairwise(each.directory for each in life):
        checked = {each.message for each in check_guards(before, after)}
        asked = {each.what for each in on_a_host(before, after)}
        assert asked <= checked
        assert all("without anybody" in each for each in checked - asked)


def test_a_host_does_not_know_who_went_elsewhere_before_the_last_one_left() -> None:
    """One number is enough for the check and for the host: that of all who were there."""
    old = directory(PROVINCE)
    new = edited(withheld(PROVINCE, "vttu"), transfer, "pvbao", "sonoivu", DECIDED)
    assert [each.number for each in on_a_host(old, directory(new))] == [1]
    whole = approved(new, "{agencies: {soyte: 2}}")
    assert said(PROVINCE, whole) == []
    assert on_a_host(old, directory(whole)) == []


def test_who_was_locked_already_is_one_of_those_who_were_there() -> None:
    old = edited(PROVINCE, lock, "vttu", DAY, "lộ mật khẩu", LAST)
    new = edited(withheld(old, "vttu"), transfer, "ttkngan", "soyte", DECIDED)
    assert on_a_host(directory(old), directory(new)) == []


def test_an_old_approval_is_used_up_on_a_host_too() -> None:
    old = directory(PROVINCE)
    new = directory(approved(withheld(PROVINCE, "ttkngan", "pvbao"), "{people: 2}"))
    assert on_a_host(old, new) == []
    again = directory(approved(PROVINCE, "{people: 2}"))
    assert [each.key for each in on_a_host(again, new)] == ["people"]


def test_several_changes_reach_a_host_at_once_each_with_its_approval() -> None:
    first = approved(withheld(PROVINCE, "ttkngan", "pvbao"), "{people: 2}")
    gone = withheld(first, "ty", "vttu")  # the last of two agencies
    assert [each.number for each in on_a_host(directory(PROVINCE), directory(gone))] == [4, 1, 2]
    row = "  2/NQ: {people: 2, agencies: {noivu.chomoi: 1, soyte: 1}}\nreserved:"
    second = gone.replace("reserved:", row)
    assert said(PROVINCE, first) == said(first, second) == []
    both = on_a_host(directory(PROVINCE), directory(second))
    assert [(each.key, each.name, each.number) for each in both] == [("agencies", "soyte", 2)]


def test_a_withdrawal_that_comes_sooner_counts_on_a_host() -> None:
    late = withheld(PROVINCE, "ttkngan", "pvbao", first=LATER)
    soon = late.replace(f"from: {LATER}", f"from: {DAY}")
    assert [each.number for each in on_a_host(directory(late), directory(soon))] == [2]
    assert on_a_host(directory(soon), directory(late)) == []


# Every change


QUIET = ("add", "found", "keep", "reinstate", "unlock", "rename", "transfer", "another name")


def peopled(of: Directory) -> set[str]:
    """Agencies that have somebody, by account."""
    return {account for account, count in guard(of).agencies.items() if count}


@settings(max_examples=150, deadline=None)
@given(lives(), steps(*QUIET))
def test_a_change_that_disturbs_nobody_needs_no_approval(life: list[Moment], step: Step) -> None:
    old = life[-1]
    new = Moment(old.day, taken(old.text, step, old.day + timedelta(days=3)))
    assume(peopled(old.directory) <= peopled(new.directory))  # else the last one has left
    protected = guard(old.directory).protected
    assume(protected == guard(new.directory).protected)  # else the name of one got an end
    assert said(old.text, new.text) == []


@settings(max_examples=100, deadline=None)
@given(lives())
def test_the_entry_that_findings_tell_to_add_is_what_is_missing(life: list[Moment]) -> None:
    old, new = life[0], life[-1]
    found = list(check_guards(old.directory, new.directory))
    remedies = {each.remedy.partition("DECISION: ")[2].partition("`")[0] for each in found}
    assert len(remedies) == bool(found)
    assert said(old.text, approved(new.text, *remedies) if found else new.text) == []


LARGE = directory(generate(400, 2009))
GONE = Status("withdrawn", DAY, "nghỉ hưu", None)


def without(leaving: set[str]) -> Directory:
    """LARGE, of which these have left."""
    agencies = [
        replace(each, staff=tuple(
            replace(one, status=GONE) if one.id in leaving else one for one in each.staff
        ))
        for each in LARGE.agencies
    ]  # fmt: skip
    return replace(LARGE, agencies=tuple(agencies))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 30), st.randoms(use_true_random=False))
def test_of_a_province_a_twentieth_may_leave_at_once(count: int, chance: Random) -> None:
    """One each of agencies with more than one."""
    large = [each.staff[-1].id for each in LARGE.agencies if len(each.staff) > 1]
    leaving = set(chance.sample(large, count))
    found = [each.message for each in check_guards(LARGE, without(leaving))]
    assert bool(found) is (count > 20)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from([person.id for person in LARGE.people]), max_size=60))
def test_what_is_refused_is_just_what_is_too_many(leaving: set[str]) -> None:
    expected = {"people": len(leaving)} if len(leaving) > 20 else {}
    for agency in LARGE.agencies:
        gone = len([person for person in agency.staff if person.id in leaving])
        if gone and (gone == len(agency.staff) or (gone > 1 and gone > len(agency.staff) * 0.3)):
            expected[agency.address] = gone
    disturbed = on_a_host(LARGE, without(leaving))
    numbers = {each.name or each.key: each.number for each in disturbed if each.number}
    assert numbers == expected
