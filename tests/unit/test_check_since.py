"""What a change may not do: hand an address on, give somebody another mailbox, turn a status back
without paper."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from drafts import DAY, directory, edited, row_of, with_letter
from hypothesis import given, settings
from lives import PROVINCE, Moment, lives

from danhba.check_since import check_since
from danhba.edit.agencies import Ending, end_agency, rename_agency
from danhba.edit.people import (
    Basis,
    confirm_lock,
    lock,
    reinstate,
    rename,
    transfer,
    unlock,
    withdraw,
)
from danhba.findings import Finding
from danhba.load import load_text

LAST = DAY + timedelta(days=365)
ONE = timedelta(days=1)
DECIDED = Basis(DAY, decision="7/QĐ")
AGAIN = Basis(DAY + ONE, decision="8/QĐ")

RENAMED = edited(PROVINCE, rename, "lvloc", "Lê Cư", "", DECIDED, LAST, False)
TWICE = edited(RENAMED, rename, "lcu", "Phan Cư", "", AGAIN, LAST, False)
WITHDRAWN = edited(PROVINCE, withdraw, "lvloc", DAY, "nghỉ hưu", DECIDED)
LOCKED = edited(PROVINCE, lock, "lvloc", DAY, "lộ mật khẩu", LAST)
AGENCY = edited(PROVINCE, rename_agency, "soyte", "Sở Sức khỏe", "", "3/NQ", LAST)
ENDING = Ending(DAY, "3/NQ", ("sonoivu",), LAST)
CLOSED = edited(PROVINCE, end_agency, "soyte", ENDING, DAY)


def findings(old: str, new: str) -> list[Finding]:
    """But for guards, which have their own tests."""
    before, after = (load_text(text.encode(), "x")[0] for text in (old, new))
    assert before is not None and after is not None
    return [each for each in check_since(before, after) if "under approve" not in each.remedy]


def said(old: str, new: str) -> list[str]:
    return [each.message for each in findings(old, new)]


def but(text: str, *pairs: tuple[str, str]) -> str:
    """The text with something else in it, once each."""
    for old, new in pairs:
        assert text.count(old) == 1, (text.count(old), old)
        text = text.replace(old, new)
    return text


# Who has an address


def test_a_new_name_keeps_all_old_ones_for_the_same_hands() -> None:
    assert said(PROVINCE, RENAMED) == said(RENAMED, TWICE) == said(PROVINCE, TWICE) == []
    assert said(PROVINCE, AGENCY) == said(PROVINCE, CLOSED) == said(AGENCY, AGENCY) == []


@pytest.mark.parametrize("name", ["lvloc", "lcu"])
def test_an_old_name_is_never_led_to_somebody_else(name: str) -> None:
    new = but(TWICE, (f"  {name}: {{to: pcu,", f"  {name}: {{to: cut,"))
    [finding] = findings(TWICE, new)
    assert finding.message == (
        f"Châu Út has the address '{name}', which is Phan Cư's (staff code C-lvloc)"
    )
    assert finding.clause == "Điều 5.3"
    assert row_of(new, "cut") == new.splitlines()[finding.line - 1]


def test_an_old_name_is_never_given_to_somebody_new() -> None:
    row = f'      - {{id: "X", name: Lê Cừ, address: lcu, since: {DAY}, decision: 1/QĐ}}\n'
    cut = '      - {id: "C-cut"'
    new = but(TWICE, (f"  lcu: {{to: pcu, until: {LAST}}}\n", ""), (cut, f"{row}{cut}"))
    assert said(TWICE, new) == [
        "Lê Cừ has the address 'lcu', which is Phan Cư's (staff code C-lvloc)"
    ]


def test_an_address_does_not_become_somebody_elses_old_name() -> None:
    new = but(PROVINCE, (f"{row_of(PROVINCE, 'lvloc')}\n", ""),
              ("aliases:\n", f"aliases:\n  lvloc: {{to: cut, until: {LAST}}}\n"))  # fmt: skip
    assert said(PROVINCE, new) == [
        "Châu Út has the address 'lvloc', which is Lê Văn Lộc's (staff code C-lvloc)"
    ]


@pytest.mark.parametrize("end", ["", f", until: {LAST}"])
def test_the_address_of_an_agency_becomes_nobodys_second_name(end: str) -> None:
    block = PROVINCE[PROVINCE.index("  sonoivu:\n") : PROVINCE.index("  chomoi:\n")]
    staff = row_of(PROVINCE, "cut")
    new = but(PROVINCE, (block, ""), ("    staff:\n      - {id: \"C-vttu\"",
              f"    staff:\n{staff}\n      - {{id: \"C-vttu\""))  # fmt: skip
    new = but(new, ("aliases:\n", f"aliases:\n  sonoivu: {{to: cut{end}}}\n"))
    assert said(PROVINCE, new) == ["Châu Út has the address 'sonoivu', which is Sở Nội vụ's"]


def test_who_exchange_their_addresses_are_both_named() -> None:
    new = but(PROVINCE, ("address: cut,", "address: xx,"), ("address: lvloc,", "address: cut,"))
    new = but(new, ("address: xx,", "address: lvloc,"))
    assert len(said(PROVINCE, new)) == 4  # two addresses in other hands, two other mailboxes


def test_an_alias_without_an_end_may_be_led_elsewhere_and_not_become_a_mailbox() -> None:
    old = but(PROVINCE, ("aliases:\n", "aliases:\n  vanthu: {to: vttu}\n"))
    assert said(old, but(old, ("vanthu: {to: vttu}", "vanthu: {to: soyte}"))) == []
    assert said(old, but(old, ("vanthu: {to: vttu}", f"vanthu: {{to: vttu, until: {LAST}}}"))) == []
    new = but(old, ("  vanthu: {to: vttu}\n", ""), ("address: cut,", "address: vanthu,"),
              ("[cut]", "[vanthu]"))  # fmt: skip
    assert "Châu Út has the address 'vanthu', which is Võ Thị Tư's (staff code C-vttu)" in said(
        old, new
    )


def test_an_old_name_of_an_agency_stays_its_own() -> None:
    new = but(AGENCY, ("  soyte: {to: sosuckhoe,", "  soyte: {to: sonoivu,"))
    assert "Sở Nội vụ has the address 'soyte', which is Sở Sức khỏe's" in said(AGENCY, new)


# Mailboxes


def test_a_new_address_does_not_bring_another_mailbox() -> None:
    new = but(RENAMED, ("account: lvloc, ", ""))
    for old in (PROVINCE, RENAMED):
        [finding] = findings(old, new)
        assert finding.message == "Lê Cư would get another mailbox"
        assert finding.remedy == "write `account: lvloc`, or danhba rename"


def test_an_agency_keeps_its_mailbox_whatever_its_name() -> None:
    new = but(AGENCY, ("    account: soyte\n", ""))
    message = "'soyte' was Sở Y tế, and leads to another mailbox now"
    assert said(PROVINCE, new) == [message]
    assert "'sosuckhoe' was Sở Sức khỏe, and leads to another mailbox now" in said(AGENCY, new)
    swapped = but(AGENCY, ("  soyte: {to: sosuckhoe,", "  soyte: {to: sonoivu,"))
    assert message in said(PROVINCE, swapped)


# Statuses


def test_who_is_withdrawn_comes_back_by_a_new_paper_only() -> None:
    assert said(PROVINCE, WITHDRAWN) == []
    assert said(WITHDRAWN, edited(WITHDRAWN, reinstate, "lvloc", AGAIN)) == []
    status = f"status: withdrawn, from: {DAY}, reason: nghỉ hưu"
    for new in (but(WITHDRAWN, (f", {status}", "")), PROVINCE):
        [finding] = findings(WITHDRAWN, new)
        assert finding.message == "Lê Văn Lộc is active again, and no new list asks for it"
        assert finding.clause == "Điều 6.4"
        assert finding.remedy == "danhba reinstate lvloc --request NUMBER"


def test_to_take_a_withdrawal_back_is_not_to_reinstate() -> None:
    """It would bring the paper of before, whatever that was."""
    lists = with_letter(PROVINCE, "1/CV", "sotaichinh", DAY - ONE)
    lists = with_letter(lists, "2/CV", "sotaichinh", DAY + ONE)
    old = edited(lists, withdraw, "lvloc", DAY, "nghỉ hưu", Basis(DAY, request="1/CV"))
    again = edited(old, reinstate, "lvloc", Basis(DAY + ONE, request="2/CV"))
    assert said(old, again) == []
    assert len(said(old, again.replace("request: 2/CV", "request: 1/CV"))) == 1
    assert len(said(old, lists)) == 1


def test_who_was_withdrawn_by_mistake_is_reinstated_on_the_same_day() -> None:
    lists = with_letter(PROVINCE, "1/CV", "sotaichinh", DAY)
    old = edited(lists, withdraw, "lvloc", DAY, "nghỉ hưu", Basis(DAY, request="1/CV"))
    assert said(old, edited(old, reinstate, "lvloc", Basis(DAY, decision="8/QĐ"))) == []


@pytest.mark.parametrize("days", [-9, -1, 0, 1, 9])
def test_a_withdrawal_is_put_off_by_a_new_paper_only(days: int) -> None:
    first = DAY + timedelta(days=days)
    old = edited(PROVINCE, withdraw, "lvloc", DAY + 5 * ONE, "nghỉ hưu", DECIDED)
    moved = but(old, (f"from: {DAY + 5 * ONE}", f"from: {first}"))
    later = f"Lê Văn Lộc was withdrawn from {DAY + 5 * ONE}, now from {first}, and no new list "
    assert said(old, moved) == ([f"{later}asks for it"] if days > 5 else [])
    assert said(old, edited(old, withdraw, "lvloc", first, "nghỉ hưu", AGAIN)) == []


def test_who_is_withdrawn_is_not_made_locked() -> None:
    new = but(WITHDRAWN, ("status: withdrawn,", "status: locked,"))
    assert said(WITHDRAWN, new) == ["Lê Văn Lộc was withdrawn and is only locked now"]
    assert said(LOCKED, edited(LOCKED, withdraw, "lvloc", DAY, "nghỉ hưu", DECIDED)) == []


def test_a_keeper_who_leaves_keeps_on_and_nobody_who_leaves_begins_to_keep() -> None:
    old = edited(PROVINCE, withdraw, "nvan", LAST, "nghỉ hưu", DECIDED)
    assert said(PROVINCE, old) == []
    named = edited(old, rename, "nvan", "Lê Cư", "", AGAIN, LAST, False)
    assert said(old, named) == said(PROVINCE, named) == []
    new = but(WITHDRAWN, ("keepers: [nvan]", "keepers: [nvan, lvloc]"))
    assert said(WITHDRAWN, new) == [f"lvloc is to keep sotaichinh and is withdrawn from {DAY}"]


def test_a_lock_is_confirmed_and_ends_as_one_likes() -> None:
    confirmed = edited(LOCKED, confirm_lock, "lvloc", DECIDED)
    for old in (PROVINCE, LOCKED, confirmed):
        for new in (LOCKED, confirmed, edited(LOCKED, unlock, "lvloc")):
            assert said(old, new) == []


def test_who_is_withdrawn_elsewhere_stays_withdrawn() -> None:
    """Neither a transfer nor another name turns it back."""
    new = edited(WITHDRAWN, rename, "lvloc", "Lê Cư", "", AGAIN, LAST, False)
    assert said(WITHDRAWN, new) == []


@pytest.mark.parametrize("by_hand", [
    ", status: withdrawn, from: 2026-11-25, reason: nghỉ hưu}", None,
])  # fmt: skip
def test_a_change_by_hand_rests_on_paper_of_its_own(by_hand: str | None) -> None:
    """Paper of an earlier change says nothing of this one."""
    before = edited(PROVINCE, transfer, "lvloc", "sonoivu", DECIDED)
    row = row_of(before, "lvloc")
    if by_hand:
        after = before.replace(row, row.replace("}", by_hand))
        wrong = "is withdrawn, and neither a new letter nor a decision says so"
    else:
        after = edited(before, transfer, "lvloc", "soyte", AGAIN).replace("8/QĐ", "7/QĐ")
        wrong = "is in soyte now, and nobody has asked for it"
    assert [each.partition(" ")[2] for each in said(before, after)] == [f"Văn Lộc {wrong}"]
    assert said(before, after.replace("7/QĐ", "9/QĐ")) == []


def test_a_withdrawal_by_hand_needs_a_new_paper() -> None:
    row = row_of(PROVINCE, "lvloc")
    status = f", status: withdrawn, from: {DAY}, reason: nghỉ hưu"
    new = but(PROVINCE, (row, row.replace("}", f"{status}}}")))
    [finding] = findings(PROVINCE, new)
    wrong = "Lê Văn Lộc is withdrawn, and neither a new letter nor a decision says so"
    assert (finding.message, finding.clause) == (wrong, "Điều 6.3")
    assert row_of(new, "lvloc") == new.splitlines()[finding.line - 1]
    for paper in ("decision: 7/QĐ", "request: 1/CV, decision: 1/QĐ"):
        cited = but(PROVINCE, (row, row.replace("decision: 1/QĐ}", f"{paper}{status}}}")))
        assert said(PROVINCE, cited) == []


def test_who_is_locked_is_not_withdrawn_without_paper_either() -> None:
    new = but(LOCKED, (f"status: locked, from: {DAY}, reason: lộ mật khẩu, confirm_by: {LAST}",
                       f"status: withdrawn, from: {DAY}, reason: nghỉ hưu"))  # fmt: skip
    assert said(LOCKED, new) == [
        "Lê Văn Lộc is withdrawn, and neither a new letter nor a decision says so"
    ]


@pytest.mark.parametrize(("name", "wrong"), [
    ("Lê Văn LỘC", False), ("Lê Vân Lốc", False), ("Le Van Loc", False),
    ("Lê Văn Lộ", True), ("Phan Văn Lộc", True),
])  # fmt: skip
def test_another_name_needs_a_new_paper_and_another_spelling_none(name: str, wrong: bool) -> None:
    new = but(PROVINCE, ("name: Lê Văn Lộc", f"name: {name}"))
    message = f"Lê Văn Lộc is called {name} now, and nobody has asked for it"
    assert [(each.message, each.clause) for each in findings(PROVINCE, new)] == (
        [(message, "Điều 5.3.b")] if wrong else []
    )
    row = row_of(new, "lvloc")
    assert said(PROVINCE, but(new, (row, row.replace("1/QĐ", "7/QĐ")))) == []


def test_a_transfer_by_hand_needs_a_new_paper() -> None:
    moved = edited(PROVINCE, transfer, "lvloc", "soyte", DECIDED)
    assert said(PROVINCE, moved) == []
    [finding] = findings(PROVINCE, but(moved, ("decision: 7/QĐ", "decision: 1/QĐ")))
    assert finding.message == "Lê Văn Lộc is in soyte now, and nobody has asked for it"
    assert finding.clause == "Điều 6.2"


def test_the_day_of_registration_stays() -> None:
    row = row_of(PROVINCE, "lvloc")
    for other in (row.replace("11-05", "11-04"), row.replace("11-05", "11-06").replace("1/", "7/")):
        [finding] = findings(PROVINCE, but(PROVINCE, (row, other)))
        assert finding.message.startswith("Lê Văn Lộc was registered on 2026-11-05, now on 2026-11")
        assert (finding.clause, finding.remedy) == ("Điều 5.3", "write since: 2026-11-05")


def test_the_domain_stays() -> None:
    [finding] = findings(PROVINCE, but(PROVINCE, ("angiang.gov.vn", "agg.gov.vn")))
    assert finding.message == "the domain was angiang.gov.vn: every address would be another one"
    assert (finding.severity, finding.line) == ("error", 1)
    assert finding.remedy == "write domain: angiang.gov.vn"


def test_who_is_locked_does_not_log_in_again_until_he_is_withdrawn() -> None:
    first = DAY + 9 * ONE
    new = edited(LOCKED, withdraw, "lvloc", first, "nghỉ hưu", DECIDED)
    assert said(LOCKED, new) == []
    open_again = but(new, (f", locked: {DAY}, confirm_by: {LAST}", ""))
    [finding] = findings(LOCKED, open_again)
    assert finding.message == "Lê Văn Lộc was locked, and could log in until the withdrawal"
    assert (finding.clause, finding.remedy) == (
        "Điều 10.2.a", f"write `locked: {DAY}`, or danhba unlock before",
    )  # fmt: skip
    later = but(new, (f"locked: {DAY}", f"locked: {DAY + ONE}"))
    assert said(LOCKED, later) == [finding.message]
    unlocked = edited(LOCKED, unlock, "lvloc")
    assert said(LOCKED, unlocked) == said(unlocked, open_again) == []


def test_a_lock_before_a_withdrawal_comes_and_goes() -> None:
    old = edited(PROVINCE, withdraw, "lvloc", DAY + 9 * ONE, "nghỉ hưu", DECIDED)
    both = edited(old, lock, "lvloc", DAY, "lộ mật khẩu", LAST)
    confirmed = edited(both, confirm_lock, "lvloc", AGAIN)
    assert said(old, both) == said(both, confirmed) == said(both, old) == said(confirmed, old) == []


# Keepers


@pytest.mark.parametrize(("text", "kind"), [(WITHDRAWN, "withdrawn"), (LOCKED, "locked"), (
    edited(PROVINCE, withdraw, "lvloc", LAST, "nghỉ hưu", DECIDED), "withdrawn",
)])  # fmt: skip
def test_nobody_begins_to_keep_a_mailbox_who_has_a_status(text: str, kind: str) -> None:
    new = but(text, ("    keepers: [nvan]", "    keepers: [nvan, lvloc]"))
    for old in (PROVINCE, text):
        [finding] = findings(old, new)
        assert finding.message.startswith(f"lvloc is to keep sotaichinh and is {kind} from 202")
        assert (finding.severity, finding.clause) == ("error", "Điều 9.2.c")
        assert finding.remedy == "danhba keeper sotaichinh --remove lvloc"
    assert new.splitlines()[finding.line - 1] == "  sotaichinh:"


def test_who_keeps_a_mailbox_may_get_a_status_and_goes_on_under_every_name() -> None:
    """A day that comes, or a lock that must be at once, waits for no other keeper."""
    locked = edited(PROVINCE, lock, "nvan", DAY, "lộ mật khẩu", LAST)
    leaves = edited(PROVINCE, withdraw, "nvan", LAST, "nghỉ hưu", DECIDED)
    for new in (locked, leaves):
        assert "keepers: [nvan]" in new and said(PROVINCE, new) == said(new, new) == []
        renamed = edited(new, rename, "nvan", "Lê Cư", "", AGAIN, LAST, False)
        assert "keepers: [lcu]" in renamed and said(new, renamed) == []
        agency = edited(new, rename_agency, "sotaichinh", "Sở Thuế", "", "3/NQ", LAST)
        assert said(new, agency) == []


# Last days


def sooner(text: str) -> str:
    return but(text, (f"until: {LAST}", f"until: {LAST - ONE}"))


@pytest.mark.parametrize(("text", "address"), [
    (RENAMED, "lvloc"), (AGENCY, "soyte"), (CLOSED, "soyte"),
])  # fmt: skip
def test_an_old_address_receives_as_long_as_was_said(text: str, address: str) -> None:
    [finding] = findings(text, sooner(text))
    assert finding.message == f"{address} was to receive until {LAST}, now until {LAST - ONE}"
    assert finding.remedy == f"write until: {LAST}, or a later day"
    assert sooner(text).splitlines()[finding.line - 1].startswith(f"  {address}:")
    assert said(sooner(text), text) == said(text, text) == []


def test_an_old_name_that_never_ends_receives_long_enough() -> None:
    assert said(RENAMED, but(RENAMED, (f", until: {LAST}}}", "}"))) == []


# Approvals


def approved(*entries: str) -> str:
    rows = "".join(f"  {entry}\n" for entry in entries)
    return but(PROVINCE, ("reserved:", f"approve:\n{rows}reserved:"))


YES = "3/NQ: {people: 3, agencies: {soyte: 2}, protected: [nvan]}"


@pytest.mark.parametrize("other", [
    "4/NQ: {people: 3, agencies: {soyte: 2}, protected: [nvan]}",
    "3/NQ: {people: 4, agencies: {soyte: 2}, protected: [nvan]}",
    "3/NQ: {people: 3, agencies: {soyte: 1}, protected: [nvan]}",
    "3/NQ: {people: 3, agencies: {sonoivu: 2}, protected: [nvan]}",
    "3/NQ: {people: 3, agencies: {soyte: 2}}",
])  # fmt: skip
def test_an_approval_stays_and_says_what_it_said(other: str) -> None:
    old = approved(YES)
    [finding] = findings(old, approved(other))
    assert finding.message == "the approval '3/NQ' is gone, or says something else"
    number = 1 + old.splitlines().index(f"  {YES}")
    assert f"put it back as on line {number}" in finding.remedy
    assert said(old, approved(YES, "5/NQ: {people: 9}")) == []


def test_no_approval_goes_with_all_the_others() -> None:
    old = approved(YES, "5/NQ: {people: 9}")
    assert said(old, PROVINCE) == [
        f"the approval '{each}' is gone, or says something else" for each in ("3/NQ", "5/NQ")
    ]
    assert said(PROVINCE, old) == []


# Agencies


def test_a_closed_agency_stays_closed() -> None:
    closed = next(row for row in CLOSED.splitlines() if row.startswith("    closed:"))
    assert "closed" not in PROVINCE
    message = f"Sở Y tế was closed from {DAY} and is open again"
    for end in (PROVINCE, but(CLOSED, (f"{closed}\n", ""))):
        assert message in said(CLOSED, end)
    for first, decision, wrong in (
        (DAY - ONE, "3/NQ", []), (DAY + ONE, "3/NQ", [message]), (DAY + ONE, "4/NQ", []),
    ):  # fmt: skip
        other = closed.replace(f"from: {DAY}", f"from: {first}").replace("3/NQ", decision)
        assert said(CLOSED, but(CLOSED, (closed, other))) == wrong


def test_an_agency_that_got_a_name_and_was_closed_stays_closed() -> None:
    old = edited(AGENCY, end_agency, "sosuckhoe", ENDING, DAY)
    assert said(AGENCY, old) == said(PROVINCE, old) == []
    assert f"Sở Sức khỏe was closed from {DAY} and is open again" in said(old, AGENCY)


# What commands do


def test_a_letter_confirms_withdraws_and_reinstates() -> None:
    lists = PROVINCE
    for number, day in (("1/CV", DAY), ("2/CV", DAY + ONE), ("3/CV", DAY + 2 * ONE)):
        lists = with_letter(lists, number, "sotaichinh", day)
    steps = [lists, edited(lists, lock, "lvloc", DAY, "lộ mật khẩu", LAST)]
    steps.append(edited(steps[-1], confirm_lock, "lvloc", Basis(DAY, request="1/CV")))
    letter = Basis(DAY + ONE, request="2/CV")
    steps.append(edited(steps[-1], withdraw, "lvloc", LAST, "nghỉ hưu", letter))
    steps.append(edited(steps[-1], unlock, "lvloc"))
    steps.append(edited(steps[-1], reinstate, "lvloc", Basis(DAY + 2 * ONE, request="3/CV")))
    assert [said(old, new) for old, new in pairwise(steps)] == [[]] * 5


# Every life


@settings(max_examples=100, deadline=None)
@given(lives())
def test_what_commands_do_is_right(life: list[Moment]) -> None:
    assert [said(old.text, new.text) for old, new in pairwise(life)] == [[]] * (len(life) - 1)


@settings(max_examples=100, deadline=None)
@given(lives())
def test_no_life_is_undone(life: list[Moment]) -> None:
    """Who got a name, an address or an end does not go back to before; nor is anybody forgotten."""
    old, new = (each.directory for each in (life[0], life[-1]))
    back = list(check_since(new, old))
    grown = {each.id for each in new.people} - {each.id for each in old.people}
    grown |= {alias.address for alias in new.aliases} - {alias.address for alias in old.aliases}
    closed = [agency for agency in new.agencies if agency.closed]
    assert back or not (grown or closed)


def test_an_agency_is_not_closed_over_the_heads_of_its_staff() -> None:
    """Its mail would go to others, and no guard counts agencies."""
    head = "    name: Sở Y tế\n"
    closed = f"    closed: {{from: {DAY}, decision: 3/NQ, successors: [sonoivu], until: {LAST}}}\n"
    staff = "    staff:"
    at = PROVINCE.index(staff, PROVINCE.index(head))
    [message] = said(PROVINCE, PROVINCE[:at] + closed + PROVINCE[at:])
    assert message.startswith("soyte is closed with ")
    assert said(PROVINCE, CLOSED) == []


def test_the_heir_of_a_closed_agency_changes_by_a_decision_only() -> None:
    other = but(CLOSED, ("successors: [sonoivu]", "successors: [sotaichinh]"))
    assert said(CLOSED, other) == [
        "the mail of soyte goes to another agency, and no decision says so"
    ]
    assert said(CLOSED, other.replace("decision: 3/NQ, succ", "decision: 4/NQ, succ")) == []


def test_an_agency_has_another_name_by_a_decision_only() -> None:
    other = but(PROVINCE, ("name: Sở Y tế\n", "name: Sở Y dược\n"))
    assert "Sở Y tế is called Sở Y dược now, and no decision says so" in said(PROVINCE, other)
    assert said(PROVINCE, AGENCY) == []


def test_a_lock_is_confirmed_by_a_letter_of_its_own() -> None:
    waits = f", confirm_by: {LAST}"
    message = "Lê Văn Lộc is locked, and no new letter confirms it"
    row = row_of(LOCKED, "lvloc")
    bare = row.replace(waits, "").replace("request:", "decision: 1/QĐ, request:")
    was = LOCKED.replace(row, row.replace("request:", "decision: 1/QĐ, request:"))
    assert waits in row
    assert said(was, LOCKED.replace(row, bare)) == [message]
    assert said(LOCKED, edited(LOCKED, confirm_lock, "lvloc", AGAIN)) == []


def test_a_withdrawal_of_long_ago_is_entered_with_a_warning() -> None:
    """Of one that was there before nobody has to hear again."""
    gone = edited(PROVINCE, withdraw, "lvloc", DAY, "nghỉ hưu", DECIDED)
    old, new = directory(PROVINCE), directory(gone)
    time = new.keeping(next(each for each in new.people if each.address == "lvloc"))
    assert time is not None
    assert list(check_since(old, new, time.archived - ONE)) == []
    [late] = check_since(old, new, time.archived)
    assert (late.severity, late.clause) == ("warning", "Điều 6.3")
    assert late.line == next(each.line for each in new.people if each.address == "lvloc")
    removed = time.archived + timedelta(days=30)
    assert f"archives the mailbox at once, and one from {removed} on removes it" in late.message
    assert list(check_since(new, new, time.archived)) == []


def test_who_is_active_is_not_retired() -> None:
    line = row_of(PROVINCE, "lvloc")
    row = "retired:\n  lvloc: {was: Lê Văn Lộc, since: 2026-11-25}\nreserved:"
    gone = but(PROVINCE, (f"{line}\n", ""), ("reserved:", row))
    assert said(PROVINCE, gone) == ["Lê Văn Lộc has an active mailbox, and his address is retired"]


def test_who_is_withdrawn_is_retired_when_the_mailbox_is_removed_and_not_before() -> None:
    line = row_of(WITHDRAWN, "lvloc")
    row = "retired:\n  lvloc: {was: Lê Văn Lộc, since: 2028-02-01}\nreserved:"
    old, new = (
        directory(text)
        for text in (WITHDRAWN, but(WITHDRAWN, (f"{line}\n", ""), ("reserved:", row)))
    )
    time = old.keeping(next(each for each in old.people if each.address == "lvloc"))
    assert time is not None
    [early] = check_since(old, new, time.removed - timedelta(days=1))
    assert (early.clause, early.severity) == ("Điều 6.3", "error")
    assert f"is kept until it is archived and, {time.removed}, removed" in early.message
    assert list(check_since(old, new, time.removed)) == []
