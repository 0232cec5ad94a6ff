"""What becomes of people and agencies in their time becomes of their mail, on the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise, product

import pytest
from drafts import CANONICAL, DAY, directory, edited
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lives import PROVINCE, Moment, Step, enters, lived, lives, reached, taken

from danhba.check import check_text
from danhba.compile import compile_directory, next_change
from danhba.compiled import Compiled, Grant, Mailbox, Name
from danhba.edit.agencies import Ending, Founding, end_agency, found_agency, rename_agency
from danhba.edit.people import (
    Basis,
    lock,
    reinstate,
    rename,
    transfer,
    unlock,
    withdraw,
)
from deploys.postfix_edge import senders

FIRST = date(2027, 1, 1)
LAST = date(2027, 6, 30)
ONE = timedelta(days=1)
DECIDED = Basis(DAY, decision="7/QĐ-STC")
AGAIN = Basis(DAY + ONE, decision="8/QĐ-STC")
DOMAIN = "angiang.gov.vn"


def compiled(text: str, day: date = DAY) -> Compiled:
    """As of a day, of a directory that is good on the day of its last change."""
    return compile_directory(directory(text), day)


def box(text: str, account: str, day: date = DAY) -> Mailbox:
    [found] = [each for each in compiled(text, day).mailboxes if each.account == account]
    return found


def refused(text: str, day: date = DAY) -> dict[str, str]:
    return {each.address: each.instead for each in compiled(text, day).refused}


def grants(text: str, day: date = DAY) -> set[Grant]:
    return set(compiled(text, day).grants)


def names(text: str, day: date = DAY) -> set[Name]:
    return set(compiled(text, day).names)


def may_send_as(text: str, address: str, day: date = DAY) -> set[str]:
    owners = senders(compiled(text, day)).get(f"{address}@{DOMAIN}", "")
    return {owner.partition("@")[0] for owner in owners.split(",") if owner}


def merged(text: str, old: str, heir: str, first: date = FIRST, until: date = LAST) -> str:
    return edited(text, end_agency, old, Ending(first, "3/NQ-HĐND", (heir,), until), DAY)


def founded(*names: str, text: str = CANONICAL) -> str:
    for name in names:
        text = edited(text, found_agency, Founding("so", name))
    return text


WITHDRAWN = edited(PROVINCE, withdraw, "ttkngan", FIRST, "nghỉ hưu", DECIDED)
LOCKED = edited(PROVINCE, lock, "lvloc", DAY, "lộ mật khẩu", LAST)
RENAMED = edited(PROVINCE, rename, "nvan", "Nguyễn Văn Bình", "", DECIDED, LAST, False)
MERGED = merged(PROVINCE, "soyte", "sonoivu")


# Withdrawn


@pytest.mark.parametrize(
    ("day", "gone"), [(FIRST - ONE, False), (FIRST, True), (FIRST + ONE, True)]
)
def test_who_is_withdrawn_receives_and_logs_in_up_to_the_day_before(day: date, gone: bool) -> None:
    found = compiled(WITHDRAWN, day)
    assert reached(found, "ttkngan") == ("" if gone else "ttkngan")
    assert enters(found, "ttkngan") == ("" if gone else "ttkngan")
    assert box(WITHDRAWN, "ttkngan", day).state == ("withdrawn" if gone else "active")


def test_the_mailbox_of_who_is_withdrawn_is_kept_as_it_was() -> None:
    assert replace(box(WITHDRAWN, "ttkngan", FIRST), state="active") == box(PROVINCE, "ttkngan")


def test_who_writes_to_somebody_who_left_is_told_his_agency() -> None:
    assert refused(WITHDRAWN, FIRST) == {"ttkngan": "sotaichinh"}
    text = edited(WITHDRAWN, rename_agency, "sotaichinh", "Sở Tài chính", "stc", "3/NQ", LAST)
    assert refused(text, FIRST) == {"ttkngan": "stc"}


def test_all_names_of_who_left_are_refused() -> None:
    text = edited(RENAMED, withdraw, "nvbinh", FIRST, "nghỉ hưu", DECIDED)
    text = text.replace("aliases:\n", "aliases:\n  kt: {to: ketoan}\n  ketoan: {to: nvbinh}\n")
    assert refused(text, FIRST - ONE) == {}
    assert refused(text, FIRST) == dict.fromkeys(("nvbinh", "nvan", "kt", "ketoan"), "sotaichinh")
    expired = refused(text, LAST + ONE)
    assert expired == refused(text, FIRST)


def test_an_heir_is_named_for_who_left_an_agency_that_is_no_more() -> None:
    text = edited(PROVINCE, withdraw, "vttu", DAY, "nghỉ hưu", DECIDED)
    text = merged(text, "soyte", "sonoivu")
    assert refused(text, FIRST - ONE) == {"vttu": "soyte"}
    assert refused(text, FIRST) == {"vttu": "sonoivu"}


def test_who_comes_back_has_all_that_he_had() -> None:
    text = edited(WITHDRAWN, reinstate, "ttkngan", AGAIN)
    for day in (DAY, FIRST, LAST):
        back, before = compiled(text, day), compiled(PROVINCE, day)
        assert replace(back, guard=before.guard) == before


# Locked


def test_who_is_locked_receives_and_does_nothing_else() -> None:
    found = compiled(LOCKED)
    assert (reached(found, "lvloc"), enters(found, "lvloc")) == ("lvloc", "")
    assert found.refused == ()
    assert box(LOCKED, "lvloc").state == "locked"
    assert enters(compiled(LOCKED, DAY - ONE), "lvloc") == "lvloc"


def test_who_is_locked_before_he_leaves_is_kept_out_and_then_receives_no_more_either() -> None:
    leaving = edited(WITHDRAWN, lock, "ttkngan", DAY + ONE, "lộ mật khẩu", LAST)
    for day, state in (
        (DAY, "active"), (DAY + ONE, "locked"), (FIRST - ONE, "locked"), (FIRST, "withdrawn"),
    ):  # fmt: skip
        found = compiled(leaving, day)
        assert box(leaving, "ttkngan", day).state == state
        assert ("ttkngan" in found.blocked) is (state != "active")
        assert enters(found, "ttkngan") == ("ttkngan" if state == "active" else "")
        assert reached(found, "ttkngan") == ("" if state == "withdrawn" else "ttkngan")
    changes = [next_change(directory(leaving), day) for day in (DAY, DAY + ONE, FIRST)]
    assert changes[:2] == [DAY + ONE, FIRST]
    assert changes[2] == date(2028, 1, 2)  # the mailbox is archived
    for day in (DAY, DAY + ONE, FIRST):
        assert compiled(edited(leaving, unlock, "ttkngan"), day) == compiled(WITHDRAWN, day)


def test_a_keeper_who_is_locked_before_he_leaves_keeps_nothing_from_then_on() -> None:
    text = edited(PROVINCE, withdraw, "nvan", FIRST, "nghỉ hưu", DECIDED)
    text = edited(text, lock, "nvan", DAY + ONE, "lộ mật khẩu", LAST)
    kept = [Grant("sotaichinh", "nvan") in grants(text, day) for day in (DAY, DAY + ONE, FIRST)]
    assert kept == [True, False, False]


def test_a_keeper_who_is_locked_keeps_nothing_until_he_is_unlocked() -> None:
    text = edited(PROVINCE, lock, "nvan", DAY, "lộ mật khẩu", LAST)
    assert Grant("sotaichinh", "nvan") in grants(text, DAY - ONE)
    assert Grant("sotaichinh", "nvan") not in grants(text)
    assert may_send_as(text, "sotaichinh") == {"sotaichinh"}
    assert enters(compiled(text), "sotaichinh*nvan") == ""
    free = edited(text, unlock, "nvan")
    assert compiled(free) == compiled(PROVINCE)


def test_a_keeper_who_leaves_keeps_up_to_the_day_before() -> None:
    text = edited(PROVINCE, withdraw, "nvan", FIRST, "nghỉ hưu", DECIDED)
    for day, keeps in ((FIRST - ONE, True), (FIRST, False)):
        assert (Grant("sotaichinh", "nvan") in grants(text, day)) is keeps
        assert ("nvan" in may_send_as(text, "sotaichinh", day)) is keeps


# Renamed


def test_a_new_name_is_the_only_one_to_log_in_and_to_send_with() -> None:
    found = compiled(RENAMED)
    assert [enters(found, name) for name in ("nvbinh", "nvan")] == ["nvan", ""]
    assert (may_send_as(RENAMED, "nvbinh"), may_send_as(RENAMED, "nvan")) == ({"nvan"}, set())
    before, after = box(PROVINCE, "nvan"), box(RENAMED, "nvan")
    assert after == replace(before, address="nvbinh", name="Nguyễn Văn Bình")


@pytest.mark.parametrize(("day", "gone"), [(LAST - ONE, False), (LAST, False), (LAST + ONE, True)])
def test_the_old_name_receives_to_the_end_of_its_last_day(day: date, gone: bool) -> None:
    found = compiled(RENAMED, day)
    assert reached(found, "nvan") == ("" if gone else "nvan")
    assert refused(RENAMED, day) == ({"nvan": "nvbinh"} if gone else {})
    assert reached(found, "nvbinh") == "nvan"
    assert found.names == compiled(RENAMED).names


def test_of_two_old_names_each_has_its_own_last_day() -> None:
    text = edited(RENAMED, rename, "nvbinh", "Lê Cư", "", AGAIN, LAST + 9 * ONE, False)
    found = compiled(text)
    assert [reached(found, name) for name in ("lcu", "nvbinh", "nvan")] == ["nvan"] * 3
    assert [enters(found, name) for name in ("lcu", "nvbinh", "nvan")] == ["nvan", "", ""]
    assert refused(text, LAST + ONE) == {"nvan": "lcu"}
    assert refused(text, LAST + 10 * ONE) == {"nvan": "lcu", "nvbinh": "lcu"}
    assert may_send_as(text, "nvbinh") == set()


def test_a_keeper_of_another_name_opens_the_mailbox_with_his_new_name_only() -> None:
    found = compiled(RENAMED)
    typed = [enters(found, f"sotaichinh*{name}") for name in ("nvbinh", "nvan")]
    assert typed == ["sotaichinh", ""]
    assert may_send_as(RENAMED, "sotaichinh") == {"sotaichinh", "nvan"}


def test_who_is_locked_under_a_new_name_is_kept_out_under_both() -> None:
    text = edited(LOCKED, rename, "lvloc", "Lê Cư", "", DECIDED, LAST, False)
    found = compiled(text)
    assert {"lvloc", "lcu"} <= set(found.blocked)
    assert [enters(found, name) for name in ("lvloc", "lcu")] == ["", ""]
    assert [reached(found, name) for name in ("lvloc", "lcu")] == ["lvloc", "lvloc"]


def test_a_transfer_changes_no_address_and_no_mailbox() -> None:
    text = edited(PROVINCE, transfer, "ttkngan", "soyte", DECIDED)
    before, after = compiled(PROVINCE), compiled(text)
    assert replace(after, mailboxes=before.mailboxes, guard=before.guard) == before
    changed = {each.account for each in set(after.mailboxes) - set(before.mailboxes)}
    assert changed == {"ttkngan"}


# Agencies


def test_whoever_was_renamed_is_found_by_the_address_of_today_and_by_the_account() -> None:
    found = compiled(RENAMED)
    for name in ("nvbinh", "NVBinh", f"nvbinh@{found.domain}", "nvan"):
        assert found.account_of(name) == "nvan"
    assert found.account_of("khongco") is None


def test_a_renamed_agency_is_opened_and_sent_as_under_its_new_name() -> None:
    text = edited(PROVINCE, rename_agency, "soyte", "Sở Sức khỏe", "", "3/NQ", LAST)
    found = compiled(text)
    assert [reached(found, name) for name in ("sosuckhoe", "soyte")] == ["soyte", "soyte"]
    assert [enters(found, f"{name}*vttu") for name in ("sosuckhoe", "soyte")] == ["soyte", ""]
    assert [enters(found, name) for name in ("sosuckhoe", "soyte")] == ["soyte", ""]
    assert may_send_as(text, "sosuckhoe") == {"soyte", "vttu"}
    assert may_send_as(text, "soyte") == set()
    assert refused(text, LAST + ONE) == {"soyte": "sosuckhoe"}


@pytest.mark.parametrize(
    ("day", "account", "instead"),
    [
        (FIRST - ONE, "soyte", None),
        (FIRST, "sonoivu", None),
        (LAST, "sonoivu", None),
        (LAST + ONE, "", "sonoivu"),
    ],
)
def test_mail_of_a_closed_agency_goes_to_its_heir_and_then_to_nobody(
    day: date, account: str, instead: str | None
) -> None:
    assert reached(compiled(MERGED, day), "soyte") == account
    assert refused(MERGED, day).get("soyte") == instead


def test_nobody_sends_as_an_agency_that_is_no_more_nor_logs_in_as_it() -> None:
    assert may_send_as(MERGED, "soyte", FIRST - ONE) == {"soyte"}
    assert may_send_as(MERGED, "soyte", FIRST) == set()
    assert enters(compiled(MERGED, FIRST - ONE), "soyte") == "soyte"
    assert enters(compiled(MERGED, FIRST), "soyte") == ""


def test_the_mailbox_of_a_closed_agency_is_read_by_its_heirs_keepers() -> None:
    assert Grant("soyte", "cut") not in grants(MERGED, FIRST - ONE)
    for day in (FIRST, LAST, LAST + ONE):
        assert Grant("soyte", "cut") in grants(MERGED, day)
        assert enters(compiled(MERGED, day), "soyte*cut") == "soyte"


def test_a_keeper_of_another_name_reads_it_with_his_new_name_only() -> None:
    text = edited(MERGED, rename, "cut", "Lê Cư", "", DECIDED, LAST, False)
    found = compiled(text, FIRST)
    assert [enters(found, f"soyte*{name}") for name in ("lcu", "cut")] == ["soyte", ""]
    assert [enters(found, f"sonoivu*{name}") for name in ("lcu", "cut")] == ["sonoivu", ""]


def test_an_agency_that_was_renamed_and_then_merged_leads_on_under_all_its_names() -> None:
    text = edited(PROVINCE, rename_agency, "soyte", "Sở Sức khỏe", "", "3/NQ", LAST)
    text = merged(text, "sosuckhoe", "sonoivu", until=LAST + 30 * ONE)
    found = compiled(text, FIRST)
    assert [reached(found, name) for name in ("soyte", "sosuckhoe")] == ["sonoivu", "sonoivu"]
    assert [enters(found, f"{name}*cut") for name in ("sosuckhoe", "soyte")] == ["soyte", ""]
    assert may_send_as(text, "sosuckhoe", FIRST) == set()
    assert refused(text, LAST + ONE) == {"soyte": "sonoivu"}
    both = {"soyte": "sonoivu", "sosuckhoe": "sonoivu"}
    assert refused(text, LAST + 31 * ONE) == both


def test_an_heir_that_is_renamed_goes_on_as_heir() -> None:
    text = edited(MERGED, rename_agency, "sonoivu", "Sở Nội vụ mới", "", "3/NQ", LAST)
    found = compiled(text, FIRST)
    assert reached(found, "soyte") == "sonoivu"
    assert refused(text, LAST + ONE) == {"soyte": "sonvm", "sonoivu": "sonvm"}


CHAIN = merged(MERGED, "sonoivu", "sotaichinh", FIRST + 9 * ONE, LAST + 9 * ONE)
"""soyte becomes part of sonoivu, which becomes part of sotaichinh."""


@pytest.mark.parametrize(
    ("day", "soyte", "sonoivu"),
    [
        (FIRST - ONE, "soyte", "sonoivu"),
        (FIRST, "sonoivu", "sonoivu"),
        (FIRST + 8 * ONE, "sonoivu", "sonoivu"),
        (FIRST + 9 * ONE, "sotaichinh", "sotaichinh"),
        (LAST, "sotaichinh", "sotaichinh"),
        (LAST + ONE, "", "sotaichinh"),
        (LAST + 9 * ONE, "", "sotaichinh"),
        (LAST + 10 * ONE, "", ""),
    ],
)
def test_an_heir_of_an_heir_has_the_mail_of_both(day: date, soyte: str, sonoivu: str) -> None:
    found = compiled(CHAIN, day)
    assert (reached(found, "soyte"), reached(found, "sonoivu")) == (soyte, sonoivu)


def test_keepers_of_the_last_heir_read_the_mailboxes_of_all() -> None:
    keeper = {each.agency for each in grants(CHAIN, FIRST + 9 * ONE) if each.keeper == "nvan"}
    assert keeper == {"soyte", "sonoivu", "sotaichinh"}
    refusals = {"soyte": "sotaichinh", "sonoivu": "sotaichinh"}
    assert refused(CHAIN, LAST + 10 * ONE) == refusals


def test_when_the_heir_closes_without_one_nobody_has_the_mail_and_no_name_is_lost() -> None:
    text = founded("Sở Cũ", "Sở Mới")
    text = merged(text, "socu", "somoi")
    text = edited(text, end_agency, "somoi", Ending(FIRST + 9 * ONE, "4/NQ"), DAY)
    assert reached(compiled(text, FIRST + 8 * ONE), "socu") == "somoi"
    assert refused(text, FIRST + 9 * ONE) == {"socu": "", "somoi": ""}
    assert names(text, FIRST + 9 * ONE) == names(text, FIRST)
    assert grants(text, FIRST + 9 * ONE) == grants(CANONICAL)


def test_the_mailbox_of_an_agency_that_nobody_succeeds_is_read_by_nobody() -> None:
    row = "    kind: so\n    name: Sở Nội vụ\n"
    text = PROVINCE.replace(row, f"{row}    closed: {{from: {FIRST}, decision: 4/NQ}}\n")
    assert Grant("sonoivu", "cut") in grants(text, FIRST - ONE)
    assert Grant("sonoivu", "cut") not in grants(text, FIRST)


def test_a_permanent_alias_of_a_closed_agency_receives_and_sends_no_more() -> None:
    text = edited(founded("Sở Cũ"), end_agency, "socu", Ending(FIRST, "4/NQ"), DAY)
    text = text.replace("aliases:\n", "aliases:\n  cu: {to: socu}\n")
    assert may_send_as(text, "cu", FIRST - ONE) == {"socu"}
    assert may_send_as(text, "cu", FIRST) == set()
    assert refused(text, FIRST) == {"socu": "", "cu": ""}


# Days


def test_next_change_is_the_first_day_of_a_status_and_the_day_after_a_last_one() -> None:
    text = edited(WITHDRAWN, rename, "nvan", "Lê Cư", "", DECIDED, LAST, False)
    text = merged(text, "soyte", "sonoivu", FIRST + ONE, LAST + ONE)
    found = directory(text)
    archived, removed = date(2028, 1, 2), date(2028, 2, 1)
    changes = [FIRST, FIRST + ONE, LAST + ONE, LAST + 2 * ONE, archived, removed]
    days = [DAY - ONE, *changes]
    assert [next_change(found, day) for day in days] == [*changes, None]
    for change in changes:
        before, after = (compile_directory(found, each) for each in (change - ONE, change))
        assert before != after
        assert next_change(found, change - ONE) == change


def test_a_directory_in_which_nothing_begins_or_ends_never_changes() -> None:
    assert next_change(directory(PROVINCE), DAY) is None


# Every life


DAYS = st.integers(-2, 900).map(lambda days: DAY + timedelta(days=days))
FOUND = Step("found", 0, 0, 0)
HEIR_CLOSES = lived([FOUND, replace(FOUND, one=1), Step("end", 5, 6, 0), Step("close", 6, 0, 0)])
RENAMED_AND_CLOSED = lived([FOUND, Step("another name", 5, 0, 1), Step("close", 5, 0, 0)])


def known(found: Compiled) -> set[str]:
    """Every address that ever was somebody's."""
    boxes = {name for each in found.mailboxes for name in (each.address, each.account)}
    return boxes | {name.address for name in found.names}


def then(life: list[Moment], day: date) -> Compiled:
    """The last directory of a life on a day that is not before it."""
    return compile_directory(life[-1].directory, max(day, life[-1].day))


def today_of(found: Compiled) -> dict[str, str]:
    return {each.account: each.address for each in found.mailboxes}


@settings(max_examples=100, deadline=None)
@given(lives(), DAYS)
def test_every_address_leads_to_one_mailbox_that_is_read_or_is_refused(
    life: list[Moment], day: date
) -> None:
    found = then(life, day)
    gone = {each.address: each.instead for each in found.refused}
    assert len(gone) == len(found.refused)
    assert len({name.address for name in found.names}) == len(found.names)
    states = {each.account: each.state for each in found.mailboxes}
    for address in known(found):
        account = reached(found, address)
        assert (account == "") == (address in gone), address
        assert account == "" or states[account] in ("active", "locked"), address
    for instead in filter(None, gone.values()):
        assert reached(found, instead) != ""


@settings(max_examples=100, deadline=None)
@given(lives(), DAYS)
@example(RENAMED_AND_CLOSED, DAY)
def test_nobody_who_is_active_sends_as_an_address_that_does_not_receive(
    life: list[Moment], day: date
) -> None:
    found = then(life, day)
    states = {each.account: each.state for each in found.mailboxes}
    table = senders(found)
    for gone in found.refused:
        owners = table.get(f"{gone.address}@{DOMAIN}", "")
        assert all(
            states[owner.partition("@")[0]] == "withdrawn" for owner in owners.split(",") if owner
        ), gone
    for address, owners in table.items():
        for owner in owners.split(","):
            account = reached(found, address.partition("@")[0])
            of_agency = {grant.keeper for grant in found.grants if grant.agency == account}
            assert owner.partition("@")[0] in {account, *of_agency} or account == ""


@settings(max_examples=100, deadline=None)
@given(lives(), DAYS)
def test_one_logs_in_with_the_addresses_of_today_and_with_no_others(
    life: list[Moment], day: date
) -> None:
    found = then(life, day)
    today = today_of(found)
    right = {each.address: each.account for each in found.mailboxes if each.state == "active"}
    right |= {f"{today[each.agency]}*{today[each.keeper]}": each.agency for each in found.grants}
    tried = [*known(found), *("*".join(pair) for pair in product(known(found), repeat=2))]
    entered = {typed: account for typed in tried if (account := enters(found, typed))}
    assert entered == right


@settings(max_examples=100, deadline=None)
@given(lives(), DAYS)
def test_who_is_not_active_keeps_no_mailbox_and_closed_agencies_are_kept_by_their_heirs(
    life: list[Moment], day: date
) -> None:
    found = then(life, day)
    boxes = {each.account: each for each in found.mailboxes}
    agency = {each.address: each.account for each in found.mailboxes if each.kind == "agency"}
    for grant in found.grants:
        keeper = boxes[grant.keeper]
        assert (keeper.kind, keeper.state) == ("person", "active")
        if boxes[grant.agency].state == "active":
            assert agency[keeper.agency] == grant.agency
            assert grant.keeper in boxes[grant.agency].owners
    for each in found.mailboxes:
        keepers = {grant.keeper for grant in found.grants if grant.agency == each.account}
        if each.kind == "agency":
            owners = {each.account, *keepers} if each.state == "active" else set()
            assert set(each.owners) == owners


@settings(max_examples=100, deadline=None)
@given(lives(), st.integers(0, 400))
@example(HEIR_CLOSES, 0)
def test_no_account_and_no_name_is_ever_lost(life: list[Moment], days: int) -> None:
    """What every table of a host asks for, whenever one applies: else the plan is refused."""
    moments = [(each.directory, each.day) for each in life]
    moments.append((moments[-1][0], moments[-1][1] + timedelta(days=days)))
    seen = [compile_directory(found, day) for found, day in moments]
    for old, new in pairwise(seen):
        accounts = [{each.account: each.id for each in one.mailboxes} for one in (old, new)]
        lost = accounts[0].items() - accounts[1].items()
        assert {account for account, _ in lost} <= set(new.removed)
        names = [{each.address for each in one.names} for one in (old, new)]
        assert names[0] <= names[1] | set(new.removed)
        assert set(new.removed) <= {each.address for each in new.refused} | accounts[0].keys()


@settings(max_examples=100, deadline=None)
@given(lives(), DAYS, st.data())
def test_between_two_changes_every_day_is_the_same(
    life: list[Moment], day: date, data: st.DataObject
) -> None:
    found = life[-1].directory
    end = next_change(found, day) or day + timedelta(days=1000)
    other = data.draw(st.dates(day, end - ONE))
    assert compile_directory(found, other) == compile_directory(found, day)


@settings(max_examples=100, deadline=None)
@given(lives(), DAYS)
def test_no_day_that_comes_makes_a_good_directory_a_bad_one(life: list[Moment], day: date) -> None:
    """Else every apply would be refused from that day on, for what nobody did."""
    findings = check_text(life[-1].text.encode(), "x", max(day, life[-1].day))[1]
    assert [each for each in findings if each.severity == "error"] == []


@settings(max_examples=80, deadline=None)
@given(lives(), DAYS)
def test_the_order_of_the_file_says_nothing(life: list[Moment], day: date) -> None:
    found = life[-1].directory
    turned = replace(
        found,
        agencies=tuple(replace(each, staff=each.staff[::-1]) for each in found.agencies[::-1]),
        aliases=found.aliases[::-1],
    )
    assert compile_directory(turned, day) == compile_directory(found, day)


def test_lives_are_lived() -> None:
    """Each event of them does change something."""
    text = PROVINCE
    for number, step in enumerate((
        Step("rename", 0, 0, 10), Step("withdraw", 1, 0, 60), Step("reinstate", 1, 0, 0),
        Step("lock", 2, 0, 0), Step("unlock", 2, 0, 0), Step("transfer", 4, 0, 0),
        Step("keep", 1, 3, 0), Step("add", 1, 1, 0), Step("found", 0, 0, 0), Step("close", 5, 0, 0),
        Step("another name", 1, 1, 60), Step("end", 1, 2, 0),
    )):  # fmt: skip
        after = taken(text, step, DAY + timedelta(days=number))
        assert after != text, step
        text = after
