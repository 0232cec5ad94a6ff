"""What a diff says of a life: who leaves and comes back, and what becomes of his mail."""

from __future__ import annotations

import random
from dataclasses import Field, fields, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from drafts import DAY, directory, edited, with_letter
from hypothesis import given, settings
from lives import PROVINCE, Moment, lives

from danhba import diff as told_by
from danhba import model
from danhba.backup.figures import Backup
from danhba.diff import REFUSED, Change
from danhba.edit.agencies import Ending, Founding, end_agency, found_agency, rename_agency
from danhba.edit.people import (
    Basis,
    Newcomer,
    add_people,
    confirm_lock,
    end_leave,
    leave,
    lock,
    reinstate,
    rename,
    set_keepers,
    transfer,
    unlock,
    withdraw,
)
from danhba.fmt import formatted
from danhba.model import Directory, Status

FIRST, LAST = date(2027, 1, 1), date(2027, 12, 31)
DECIDED = Basis(DAY, decision="7/QĐ")
AGAIN = Basis(DAY, decision="8/QĐ")
LOC = "Lê Văn Lộc <lvloc>"


def compare(old: Directory, new: Directory) -> list[Change]:
    return told_by.compare(old, new, DAY)


def diff(old: str, new: str) -> list[Change]:
    return compare(directory(old), directory(new))


def one(old: str, new: str) -> Change:
    [change] = diff(old, new)
    return change


def told(old: str, new: str) -> list[tuple[str, str, str]]:
    return [(each.kind, each.who, each.detail) for each in diff(old, new)]


WITHDRAWN = edited(PROVINCE, withdraw, "lvloc", FIRST, "nghỉ hưu", DECIDED)
LOCKED = edited(PROVINCE, lock, "lvloc", DAY, "lộ mật khẩu", LAST)
RENAMED = edited(PROVINCE, rename, "lvloc", "Lê Cư", "", DECIDED, LAST, False)


# People


def test_withdrawn() -> None:
    assert one(PROVINCE, WITHDRAWN) == Change(
        "sotaichinh", "withdrawn", LOC, "from 2027-01-01: nghỉ hưu",
        "mail for lvloc is refused from 2027-01-01; mailbox kept", "7/QĐ", "Điều 6.3",
    )  # fmt: skip


def test_withdrawn_from_another_day() -> None:
    later = edited(WITHDRAWN, withdraw, "lvloc", LAST, "nghỉ hưu", AGAIN)
    change = one(WITHDRAWN, later)
    assert (change.kind, change.detail) == ("withdrawn", "from 2027-12-31: nghỉ hưu")
    assert (change.mail, change.request) == (
        "mail for lvloc is refused from 2027-12-31; mailbox kept", "8/QĐ",
    )  # fmt: skip


def test_reinstated() -> None:
    gone = WITHDRAWN.replace("2027-01-01", "2026-11-21")
    assert one(gone, edited(gone, reinstate, "lvloc", AGAIN)) == Change(
        "sotaichinh", "reinstated", LOC, "was withdrawn from 2026-11-21",
        "logs in and sends again, receives; same address and mailbox", "8/QĐ", "Điều 6.4",
    )  # fmt: skip
    assert one(WITHDRAWN, edited(WITHDRAWN, reinstate, "lvloc", AGAIN)).mail == (
        "goes on logging in, sending and receiving; same address and mailbox"
    )


def test_who_gets_in_again_until_a_later_day_is_told() -> None:
    """The lock gives way to a withdrawal that lies ahead."""
    status = f"status: withdrawn, from: {FIRST}, reason: nghỉ hưu, changed: {DAY}"
    row = next(row for row in LOCKED.splitlines() if "address: lvloc," in row)
    was = row[row.index("status:") : -1]
    again = one(LOCKED, LOCKED.replace(was, status)).mail
    assert again == (
        "logs in and sends again until 2026-12-31; "
        "mail for lvloc is refused from 2027-01-01; mailbox kept"
    )
    kept = one(LOCKED, LOCKED.replace(was, f"{status}, locked: {DAY}")).mail
    assert "again" not in kept and f"locked from {DAY}" in kept
    gone = WITHDRAWN.replace("2027-01-01", "2026-11-21")
    later = one(gone, WITHDRAWN.replace("7/QĐ", "8/QĐ")).mail
    assert later.startswith("logs in and sends again, receives until 2026-12-31; mail for lvloc")
    locked = one(LOCKED, LOCKED.replace(f"from: {DAY}", f"from: {FIRST}")).mail
    assert locked.startswith("logs in and sends again until 2026-12-31; then neither")


def test_a_transfer_does_not_cite_the_paper_of_a_withdrawal() -> None:
    old = with_letter(PROVINCE, "9/CV", "sotaichinh")
    new = edited(old, transfer, "pvbao", "sotaichinh", Basis(DAY, request="9/CV"))
    row = next(row for row in new.splitlines() if "address: pvbao," in row)
    for paper, of_transfer in (("request: 9/CV, decision: 5/QĐ", "9/CV"), ("decision: 5/QĐ", "")):
        both = row.replace("request: 9/CV", paper)[:-1]
        both += f", status: withdrawn, from: {FIRST}, reason: nghỉ hưu}}"
        found = {each.kind: each for each in diff(old, new.replace(row, both))}
        assert (found["transferred"].request, found["transferred"].clause) == (
            of_transfer, "Điều 6",
        )  # fmt: skip
        assert found["withdrawn"].request == "5/QĐ"


def test_locked_confirmed_and_unlocked() -> None:
    mail, clause = "neither logs in nor sends; mail still arrives", "Điều 10.2.a"
    detail = "from 2026-11-25: lộ mật khẩu"
    assert one(PROVINCE, LOCKED) == Change(
        "sotaichinh", "locked", LOC, f"{detail}, to be confirmed by 2027-12-31", mail, "", clause
    )
    confirmed = edited(LOCKED, confirm_lock, "lvloc", DECIDED)
    assert one(LOCKED, confirmed) == Change(
        "sotaichinh", "locked", LOC, f"{detail}, confirmed", mail, "7/QĐ", clause
    )
    assert one(LOCKED, edited(LOCKED, unlock, "lvloc")) == Change(
        "sotaichinh", "unlocked", LOC, "was locked from 2026-11-25",
        "logs in and sends again; same address and mailbox", "", clause,
    )  # fmt: skip


def test_a_change_names_the_paper_that_it_brings_and_no_older_one() -> None:
    old = with_letter(PROVINCE, "9/CV", "sotaichinh")
    letter = Basis(DAY, request="9/CV")
    assert one(old, edited(old, withdraw, "lvloc", FIRST, "nghỉ hưu", letter)).request == "9/CV"
    moved = edited(old, transfer, "pvbao", "sotaichinh", letter)
    assert one(old, moved).request == "9/CV"
    locked = edited(old, lock, "lvloc", DAY, "lộ mật khẩu", LAST)
    assert one(locked, edited(locked, confirm_lock, "lvloc", letter)).request == "9/CV"


def test_another_paper_alone_is_told_as_what_it_is() -> None:
    old = with_letter(with_letter(PROVINCE, "9/CV", "sotaichinh"), "10/CV", "sotaichinh")
    old = old.replace("since: 2026-11-05, decision: 1/QĐ}", "since: 2026-11-20, decision: 1/QĐ}")
    both = old.replace("decision: 1/QĐ}", "request: 9/CV, decision: 1/QĐ}", 1)
    assert told(old, both)[0][::2] == ("request", "none -> 9/CV")
    other = both.replace("request: 9/CV", "request: 10/CV")
    assert told(both, other)[0][::2] == ("request", "9/CV -> 10/CV")
    assert told(both, old)[0][::2] == ("request", "9/CV -> none")
    alone = both.replace("request: 9/CV, decision: 1/QĐ", "request: 9/CV", 1)
    assert told(both, alone)[0][::2] == ("decision", "1/QĐ -> none")


def test_renamed_is_one_person_with_two_addresses_and_one_mailbox() -> None:
    address, name = diff(PROVINCE, RENAMED)
    assert (address.kind, address.who, address.detail) == (
        "new address", "Lê Cư <lcu>", "lvloc -> lcu",
    )  # fmt: skip
    assert (name.kind, name.who, name.detail) == ("renamed", "Lê Cư <lcu>", "was Lê Văn Lộc")
    assert address.mail == (
        "mail for lvloc still arrives until 2027-12-31, nobody logs in or sends as it; "
        "mailbox stays"
    )
    assert {name.request, address.request} == {"7/QĐ"}
    assert {name.clause, address.clause} == {"Điều 5.3.b"}


def test_renamed_twice_says_so_of_each() -> None:
    twice = edited(RENAMED, rename, "lcu", "Phan Cư", "", AGAIN, LAST, False)
    assert told(RENAMED, twice)[0] == ("new address", "Phan Cư <pcu>", "lcu -> pcu")
    assert len(diff(RENAMED, twice)) == 2  # that lvloc leads to pcu now is no news
    assert told(PROVINCE, twice)[0] == ("new address", "Phan Cư <pcu>", "lvloc -> pcu")
    [alias] = [each for each in diff(PROVINCE, twice) if each.kind == "alias"]
    assert (alias.who, alias.agency) == ("lcu", "sotaichinh")


def test_renamed_and_withdrawn_receives_under_neither_name() -> None:
    both = edited(RENAMED, withdraw, "lcu", FIRST, "nghỉ hưu", AGAIN)
    address, _, gone = diff(PROVINCE, both)
    assert address.mail.startswith("mail for lvloc goes the way of lcu until 2027-12-31, nobody")
    assert gone.mail == "mail for lcu is refused from 2027-01-01; mailbox kept"


def test_a_keeper_and_an_it_officer_of_another_name_are_who_they_were() -> None:
    old = PROVINCE.replace("keepers: [nvan]", "keepers: [nvan]\n    it_officer: lvloc")
    new = edited(old, rename, "lvloc", "Lê Cư", "", DECIDED, LAST, False)
    new = edited(new, rename, "nvan", "Phan Cư", "", DECIDED, LAST, False)
    assert {each.kind for each in diff(old, new)} == {"new address", "renamed"}


def test_a_keeper_who_comes_and_one_who_goes() -> None:
    new = edited(PROVINCE, set_keepers, "sotaichinh", ["lvloc"])
    come, gone = diff(PROVINCE, new)
    assert come == Change("sotaichinh", "keeper", "lvloc", "new",
                          "lvloc opens sotaichinh and sends as it", "", "Điều 9.2.c")  # fmt: skip
    assert gone == Change("sotaichinh", "keeper", "nvan", "no longer",
                          "nvan opens sotaichinh no longer", "", "Điều 9.2.c")  # fmt: skip


def test_another_mailbox_is_told_and_refused() -> None:
    new = RENAMED.replace(", account: lvloc", "")
    before, after = directory(RENAMED), as_it_is(new)
    [change] = compare(before, after)
    assert (change.kind, change.detail, change.mail) == ("another mailbox", "lvloc -> lcu", REFUSED)
    assert compare(directory(PROVINCE), after)[0].mail == REFUSED
    named = edited(PROVINCE, rename_agency, "soyte", "Sở Sức khỏe", "", "3/NQ", LAST)
    [change] = compare(directory(named), as_it_is(named.replace("    account: soyte\n", "")))
    assert (change.kind, change.agency, change.mail) == ("another mailbox", "sosuckhoe", REFUSED)


def as_it_is(text: str) -> Directory:
    """Of right form; danhba check finds errors."""
    return Moment(DAY, text).directory


def test_somebody_new_is_told_with_all_that_is_not_as_usual() -> None:
    new = edited(PROVINCE, add_people, "soyte", [Newcomer("7", "Lê Bé", "", DAY, decision="1/QĐ")])
    assert one(PROVINCE, new).mail == "lbe@angiang.gov.vn receives"
    row = next(row for row in new.splitlines() if '"7"' in row)
    ended = f", status: withdrawn, from: {FIRST}, reason: thử"
    ended += ", exception: {decision: 2/QĐ, reason: x}}"
    odd = new.replace(row, row.removesuffix("}") + ended)
    assert [each.kind for each in diff(PROVINCE, odd)] == ["new", "withdrawn", "exception"]


def test_without_a_new_paper_a_withdrawal_names_the_one_that_is_there() -> None:
    bare = as_it_is(WITHDRAWN.replace("decision: 7/QĐ", "decision: 1/QĐ"))
    [change] = compare(directory(PROVINCE), bare)
    assert (change.kind, change.request) == ("withdrawn", "1/QĐ")


def test_who_gets_his_old_name_back_loses_no_alias() -> None:
    back = RENAMED.replace("address: lcu", "address: lvloc").replace(", account: lvloc", "")
    back = back.replace("  lvloc: {to: lcu,", "  lcu: {to: lvloc,")
    found = compare(directory(RENAMED), as_it_is(back))
    assert [(each.kind, each.detail) for each in found] == [("new address", "lcu -> lvloc")]


# Agencies


def test_founded_with_its_keepers() -> None:
    new = edited(PROVINCE, found_agency, Founding("so", "Sở Công Thương"))
    assert told(PROVINCE, new) == [("new agency", "Sở Công Thương", "socongthuong")]
    new = edited(new, transfer, "lvloc", "socongthuong", DECIDED)
    new = edited(new, set_keepers, "socongthuong", ["lvloc"])
    assert [(each.kind, each.agency) for each in diff(PROVINCE, new)] == [
        ("new agency", "socongthuong"), ("keeper", "socongthuong"), ("transferred", "socongthuong"),
    ]  # fmt: skip


def test_renamed_agency() -> None:
    new = edited(PROVINCE, rename_agency, "chomoi", "Huyện Chợ Lách", "", "3/NQ", LAST)
    found = compare(directory(PROVINCE), as_it_is(new))
    assert [(each.kind, each.detail) for each in found] == [
        ("new address", "chomoi -> cholach"),
        ("agency renamed", "was Huyện Chợ Mới"),
        ("decision", "none -> 3/NQ"),
        ("exception", "giữ địa chỉ đã cấp (decision 3/NQ)"),
    ]  # neither its staff nor the office below it, which keeps its address, is another's
    assert found[0].mail == (
        "mail for chomoi still arrives until 2027-12-31, nobody logs in or sends as it; "
        "mailbox stays"
    )


def test_its_letters_are_its_own_under_the_new_name() -> None:
    old = with_letter(PROVINCE, "9/CV", "soyte")
    new = edited(old, rename_agency, "soyte", "Sở Sức khỏe", "", "3/NQ", LAST)
    both = compare(directory(old), as_it_is(new.replace("{agency: soyte,", "{agency: sosuckhoe,")))
    assert "request corrected" not in {each.kind for each in both}


def test_a_decision_that_is_cited_no_longer_is_told() -> None:
    new = edited(PROVINCE, rename_agency, "soyte", "Sở Sức khỏe", "", "3/NQ", LAST)
    assert told(new, new.replace("    decision: 3/NQ\n", "")) == [
        ("decision", "Sở Sức khỏe", "3/NQ -> none")
    ]


def test_merged() -> None:
    ending = Ending(FIRST, "3/NQ", ("sonoivu",), LAST)
    new = edited(PROVINCE, end_agency, "soyte", ending, DAY)
    found = diff(PROVINCE, new)
    [closed] = [each for each in found if each.kind == "agency closed"]
    assert closed == Change(
        "soyte", "agency closed", "Sở Y tế", "from 2027-01-01, succeeded by sonoivu",
        "mail for soyte reaches sonoivu from 2027-01-01, is refused from 2028-01-01; mailbox kept, "
        "its successor's keepers read it", "3/NQ",
    )  # fmt: skip
    moved = [each for each in found if each.kind == "transferred"]
    assert {(each.agency, each.detail) for each in moved} == {("sonoivu", "from soyte")}
    assert len(moved) == 2


def test_several_that_go_on_as_one_are_told_in_one_line_of_that_one() -> None:
    ending = Ending(FIRST, "3/NQ", ("sonoivu",), LAST)
    one_ended = edited(PROVINCE, end_agency, "soyte", ending, DAY)
    assert "merger" not in {each.kind for each in diff(PROVINCE, one_ended)}
    new = edited(one_ended, end_agency, "sotaichinh", ending, DAY)
    [merger] = [each for each in diff(PROVINCE, new) if each.kind == "merger"]
    assert (merger.agency, merger.who, merger.detail) == (
        "sonoivu", "Sở Nội vụ", "Sở Tài chính + Sở Y tế -> Sở Nội vụ",
    )  # fmt: skip

    renamed = edited(new, rename_agency, "sonoivu", "Sở Nội vụ mới", "", "4/NQ", LAST)
    assert "merger" not in {each.kind for each in diff(new, renamed)}


def test_closed_without_an_heir() -> None:
    old = edited(PROVINCE, found_agency, Founding("so", "Sở Công Thương"))
    new = edited(old, end_agency, "socongthuong", Ending(FIRST, "3/NQ"), DAY)
    change = one(old, new)
    assert (change.kind, change.detail, change.mail) == (
        "agency closed", "from 2027-01-01",
        "mail for socongthuong is refused from 2027-01-01; mailbox kept",
    )  # fmt: skip
    assert one(new, old).kind == "agency reopened"


def test_an_heir_of_another_name_is_who_it_was() -> None:
    old = edited(PROVINCE, end_agency, "soyte", Ending(FIRST, "3/NQ", ("sonoivu",), LAST), DAY)
    new = edited(old, rename_agency, "sonoivu", "Sở Công Thương", "", "4/NQ", LAST)
    assert {each.agency for each in diff(old, new)} == {"socongthuong"}


def test_renamed_and_merged_goes_the_way_of_its_new_name() -> None:
    new = edited(PROVINCE, rename_agency, "soyte", "Sở Sức khỏe", "", "3/NQ", LAST)
    new = edited(new, end_agency, "sosuckhoe", Ending(FIRST, "4/NQ", ("sonoivu",), LAST), DAY)
    [address] = [each for each in diff(PROVINCE, new) if each.kind == "new address"]
    assert address.mail.startswith("mail for soyte goes the way of sosuckhoe until 2027-12-31")
    assert "agency closed" in {each.kind for each in diff(PROVINCE, new)}


def test_two_agencies_of_one_name_are_not_taken_for_one() -> None:
    old = PROVINCE.replace(
        "  noivu.chomoi:", "  noivu.cholach:\n    kind: phong\n    name: Phòng Nội vụ\n"
        "    parent: chomoi\n    keepers: []\n    staff: []\n  noivu.chomoi:",
    )  # fmt: skip
    new = old.replace("noivu.cholach", "a.cholach").replace("noivu.chomoi", "a.chomoi")
    found = compare(as_it_is(old), as_it_is(new))
    gone = {each.agency for each in found if each.kind == "agency gone"}
    assert gone == {"noivu.cholach", "noivu.chomoi"}


# Names


def test_an_alias_comes_ends_and_leads_elsewhere() -> None:
    new = PROVINCE.replace("aliases:\n", "aliases:\n  vanthu: {to: lvloc}\n")
    assert one(PROVINCE, new) == Change(
        "sotaichinh", "alias", "vanthu", "to lvloc, new", "mail for vanthu reaches lvloc"
    )
    ended = new.replace("{to: lvloc}", f"{{to: lvloc, until: {LAST}}}")
    assert told(new, ended) == [("alias", "vanthu", "until none -> 2027-12-31")]
    assert told(ended, new) == [("alias", "vanthu", "until 2027-12-31 -> none")]
    assert one(new, ended).mail == (
        "vanthu receives until 2027-12-31; refused from 2028-01-01, nobody sends as it"
    )
    assert one(ended, new).mail == "vanthu receives for good, and lvloc may send as it"
    past = ended.replace(str(LAST), str(DAY - timedelta(days=1)))
    for old in (PROVINCE, new, ended):
        assert one(old, past).mail == "mail for vanthu is refused"
    assert "refused from" in one(new, ended.replace(str(LAST), str(DAY))).mail
    behind = ended.replace("aliases:\n", "aliases:\n  tiep: {to: vanthu, until: 2027-01-01}\n")
    assert one(behind, behind.replace(", until: 2027-01-01", "")).mail == "tiep receives for good"
    assert one(PROVINCE, ended).mail == "mail for vanthu reaches lvloc until 2027-12-31"
    elsewhere = new.replace("{to: lvloc}", "{to: cut}")
    assert (one(new, elsewhere).agency, one(new, elsewhere).mail) == (
        "sonoivu", "mail for vanthu reaches cut",
    )  # fmt: skip
    assert one(new, PROVINCE).mail == REFUSED


def test_an_old_name_in_other_hands_is_told() -> None:
    new = RENAMED.replace("  lvloc: {to: lcu,", "  lvloc: {to: cut,")
    found = compare(directory(PROVINCE), as_it_is(new))
    assert [each.mail for each in found if each.kind == "alias"] == [
        "mail for lvloc reaches cut until 2027-12-31"
    ]
    [alias] = [each for each in found if each.kind == "alias"]
    assert alias.detail == f"to cut, new; it was the address of {LOC}"
    [address] = [each for each in found if each.kind == "new address"]
    assert address.mail.startswith("mail for lvloc reaches cut until 2027-12-31, nobody logs in")
    past = RENAMED.replace(f"until: {LAST}", f"until: {DAY - timedelta(days=1)}")
    assert diff(PROVINCE, past)[0].mail.startswith("mail for lvloc is refused, nobody logs in")


def test_an_alias_that_leads_the_same_way_in_one_step_is_no_change() -> None:
    assert told(PROVINCE, PROVINCE.replace("{to: taichinh}", "{to: sotaichinh}")) == []


# Approvals and policy


def test_an_approval_is_told_with_what_it_names() -> None:
    entry = "{people: 3, agencies: {soyte: 2, chomoi: 1}, protected: [postmaster, nvan]}"
    new = PROVINCE.replace("reserved:", f"approve:\n  5/NQ: {entry}\nreserved:")
    assert one(PROVINCE, new) == Change(
        "", "approval", "5/NQ", "3 people, 1 of chomoi, 2 of soyte, nvan, postmaster"
    )
    assert told(new, PROVINCE) == [("approval", "5/NQ", "no longer")]
    turned = new.replace("{soyte: 2, chomoi: 1}", "{chomoi: 1, soyte: 2}")
    assert told(new, turned.replace("[postmaster, nvan]", "[nvan, postmaster]")) == []
    more = told(new, new.replace("people: 3", "people: 30"))
    assert more[0][2].startswith("30 people, ")


def test_a_figure_of_policy_is_told_and_the_order_of_a_list_is_not() -> None:
    two = PROVINCE.replace("protected: [nvan]", "protected: [nvan, cut]")
    assert told(PROVINCE, two) == [("policy", "protected", "nvan -> cut, nvan")]
    assert told(two, PROVINCE.replace("protected: [nvan]", "protected: [cut, nvan]")) == []
    free = PROVINCE.replace(", protected: [nvan]", ", guard_people_percent: 50")
    assert told(PROVINCE, free) == [
        ("policy", "guard_people_percent", "5 -> 50"), ("policy", "protected", "nvan -> none"),
    ]  # fmt: skip


# Every field of every entry


WHOLE = directory(PROVINCE)
WHOLE = replace(
    WHOLE,
    requests=(model.Request("9/CV", "soyte", DAY, "Giám đốc", "", 0),),
    approve=(model.Approval("5/NQ", 3, (("soyte", 2),), ("nvan",), 0),),
    holds=(model.Hold("1/TTr", "Thanh tra", "5/CV", DAY, ("nvan",), FIRST, None, "", None, 0),),
    retired=(model.Retired("cu", "Sở Cũ", DAY, 0),),
)
ANOTHER: dict[str, Any] = {
    "str": "khác", "int": 77, "date": LAST, "date | None": LAST, "tuple[str, ...]": ("sonoivu",),
    "Status | None": Status("locked", DAY, "lộ", None), "State": "withdrawn",
    "Exemption | None": model.Exemption("2/QĐ", "x", 0),
    "Closure | None": model.Closure(FIRST, "3/NQ", ("sonoivu",), LAST, 0),
    "tuple[tuple[str, int], ...]": (("chomoi", 4),), "tuple[date, ...]": (LAST,),
    "Leave | None": model.Leave(LAST, "4/QĐ", 0), "Quota | None": model.Quota(77, "2/QĐ", 0),
    "Secrecy": model.Secrecy("Văn thư mật"), "Macros": "accepted",
    "Release | None": model.Release(LAST, "6/CV", 0),
    "FreeMail": model.FreeMail(("gmail.com",), "refused"), "Contact": model.Contact("khac"),
    "Archive": model.Archive(20, (("so", 30),)),
    "Backup": Backup(7, 4, 6),
}  # fmt: skip
INNER = {"staff", "agency"}
"""Of an agency: its people; of a person: where he stands."""


def entries(kind: type) -> list[Field[Any]]:
    return [each for each in fields(kind) if each.name not in ("line", *INNER)]


def changed(section: str, key: str, kind: str) -> Directory:
    entry, *rest = getattr(WHOLE, section)
    other: dict[str, Any] = {section: (replace(entry, **{key: ANOTHER[kind]}), *rest)}
    return replace(WHOLE, **other)


FIELDS = [
    (section, each.name, str(each.type))
    for section, kind in (
        ("requests", model.Request), ("agencies", model.Agency), ("aliases", model.Alias),
        ("approve", model.Approval), ("holds", model.Hold), ("retired", model.Retired),
        ("reserved", model.Reserved),
    )
    for each in entries(kind)
]  # fmt: skip


@pytest.mark.parametrize(("section", "key", "kind"), FIELDS)
def test_no_change_of_an_entry_is_passed_over(section: str, key: str, kind: str) -> None:
    assert compare(WHOLE, changed(section, key, kind)) != []


@pytest.mark.parametrize("section", ["province", "policy"])
def test_no_change_of_a_figure_is_passed_over(section: str) -> None:
    entry = getattr(WHOLE, section)
    for each in entries(type(entry)):
        other = replace(WHOLE, **{section: replace(entry, **{each.name: ANOTHER[str(each.type)]})})
        assert [change.who for change in compare(WHOLE, other)] == [each.name]


@pytest.mark.parametrize(("key", "kind"), [(each.name, str(each.type))
                                           for each in entries(model.Person)])  # fmt: skip
def test_no_change_of_a_person_is_passed_over(key: str, kind: str) -> None:
    agency, *rest = WHOLE.agencies
    person, *others = agency.staff
    staff = (replace(person, **{key: ANOTHER[kind]}), *others)
    other = replace(WHOLE, agencies=(replace(agency, staff=staff), *rest))
    found = compare(WHOLE, other)
    assert found and all(each.agency == agency.address for each in found)


def test_where_an_entry_stands_is_no_change() -> None:
    moved = replace(
        WHOLE,
        agencies=tuple(
            replace(each, line=9, staff=tuple(replace(one, line=9) for one in each.staff))
            for each in WHOLE.agencies
        ),
        aliases=tuple(replace(each, line=9) for each in WHOLE.aliases),
        policy=replace(WHOLE.policy, line=9),
    )
    assert compare(WHOLE, moved) == []


# Every life


def plain(of: Directory) -> dict[str, model.Person]:
    """Everybody by staff code, wherever he stands."""
    return {each.id: replace(each, line=0) for each in of.people}


@settings(max_examples=100, deadline=None)
@given(lives())
def test_whoever_is_not_as_he_was_is_named_and_nobody_else(life: list[Moment]) -> None:
    for old, new in pairwise(each.directory for each in life):
        found = compare(old, new)
        before, after = plain(old), plain(new)
        named = {each.who.partition(" <")[2].removesuffix(">") for each in found}
        now = {each.address: each.address for each in new.agencies}
        now |= {each.address: new.agencies[n].address for n, each in enumerate(old.agencies)}
        for code, person in after.items():
            was = before.get(code)
            same = was is not None and replace(was, agency=now[was.agency]) == person
            assert (person.address in named) is not same, (code, found)


@settings(max_examples=100, deadline=None)
@given(lives())
def test_a_life_is_told_and_its_form_is_not(life: list[Moment]) -> None:
    for old, new in pairwise(life):
        assert compare(old.directory, new.directory) != []
    for moment in life:
        other = formatted(moment.text.encode(), "x")
        assert compare(moment.directory, Moment(DAY, other).directory) == []


@settings(max_examples=100, deadline=None)
@given(lives())
def test_the_order_of_the_file_is_no_change(life: list[Moment]) -> None:
    found = life[-1].directory
    chance = random.Random(0)

    def turned(entries: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(chance.sample(entries, len(entries)))

    agencies = [replace(each, staff=turned(each.staff), keepers=turned(each.keepers))
                for each in turned(found.agencies)]  # fmt: skip
    other = replace(found, agencies=tuple(agencies), aliases=turned(found.aliases))
    assert compare(found, other) == compare(other, found) == []


@settings(max_examples=80, deadline=None)
@given(lives())
def test_what_is_refused_on_a_day_was_told_with_the_day(life: list[Moment]) -> None:
    """Of every life of one step: the day from which mail is refused stands in the diff."""
    for old, new in pairwise(life):
        found = compare(old.directory, new.directory)
        said = " ".join(each.mail for each in found)
        before = {each.id: each.status for each in old.directory.people}
        for person in new.directory.people:
            status = person.status
            if status and status != before.get(person.id) and status.kind == "withdrawn":
                assert f"mail for {person.address} is refused from {status.since}" in said
        closed = {each.account or each.address: each.closed for each in old.directory.agencies}
        for agency in new.directory.agencies:
            if agency.closed and not closed.get(agency.account or agency.address):
                until = agency.closed.until
                first = until + timedelta(days=1) if until else agency.closed.since
                assert f"is refused from {first}; mailbox kept" in said


def test_a_leave_begins_and_ends() -> None:
    away = edited(PROVINCE, leave, "lvloc", LAST, "12/QĐ-STC")
    assert one(PROVINCE, away) == Change(
        "sotaichinh", "leave", LOC, "until 2027-12-31", "", "12/QĐ-STC", "Điều 6.4"
    )
    assert told(away, edited(away, end_leave, "lvloc")) == [("leave", LOC, "no longer")]
    assert told(away, PROVINCE) == [("leave", LOC, "no longer")]
