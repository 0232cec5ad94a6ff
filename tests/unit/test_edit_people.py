"""People are registered, move, leave, come back, are locked, change their name: one line each."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import date, timedelta

import pytest
from drafts import (
    CANONICAL,
    DAY,
    GOOD,
    agency,
    directory,
    edit,
    edited,
    found,
    is_canonical,
    person,
    row_of,
    with_letter,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from danhba.edit.draft import Draft, EditError
from danhba.edit.people import (
    Basis,
    Newcomer,
    add_people,
    confirm_lock,
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
from danhba.names import LOCAL_PART, MAX_OCTETS

FAMILY = ("Nguyễn", "Trần", "Lê", "Đặng", "Châu", "Thạch", "Néang")
MIDDLE = ("Văn", "Thị", "Vĩnh", "Kim", "Đức", "Út")
GIVEN = ("An", "Ân", "Ấn", "Đạt", "Ngân", "Hòa", "Hoà", "Ý")
NAMES = st.lists(
    st.tuples(st.sampled_from(FAMILY), st.sampled_from(MIDDLE), st.sampled_from(GIVEN)),
    min_size=1, max_size=12,
)  # fmt: skip

LISTS = with_letter(CANONICAL, "9/CV-CM", "chomoi")
"""With a list of chomoi too."""
NUMBER = {"sotaichinh": "12/CV-STC", "chomoi": "9/CV-CM"}

DECIDED = Basis(DAY, decision="7/QĐ-STC")
WRITTEN = Basis(DAY, request="12/CV-STC")
LATER = DAY + timedelta(days=40)
UNTIL = date(2027, 11, 25)


def newcomers(names: list[tuple[str, ...]], request: str = "12/CV-STC") -> list[Newcomer]:
    return [Newcomer(f"N{n}", " ".join(name), request, DAY) for n, name in enumerate(names)]


def newcomer(
    name: str, request: str = "12/CV-STC", code: str = "N1", **more: str
) -> list[Newcomer]:
    return [Newcomer(code, name, request, DAY, **more)]


def held(known: Directory) -> dict[str, str]:
    return {each.id: each.address for each in known.people}


# Registration


@settings(max_examples=60)
@given(NAMES, st.sampled_from(["sotaichinh", "chomoi"]))
def test_addresses_are_valid_unique_and_leave_all_others_alone(
    names: list[tuple[str, ...]], where: str
) -> None:
    before = directory(LISTS)
    text, addresses = edit(LISTS, add_people, where, newcomers(names, NUMBER[where]))
    after = directory(text)
    assert all(LOCAL_PART.fullmatch(each) and len(each) <= MAX_OCTETS for each in addresses)
    assert len({*addresses, *held(before).values()}) == len(names) + len(before.people)
    assert held(before).items() <= held(after).items()
    assert [held(after)[f"N{n}"] for n in range(len(names))] == addresses
    assert set(LISTS.splitlines()) <= set(text.splitlines())
    assert is_canonical(text)


@settings(max_examples=40)
@given(NAMES, st.randoms(use_true_random=False))
def test_the_order_of_others_in_the_file_does_not_matter(names, chance) -> None:  # type: ignore[no-untyped-def]
    text = edited(LISTS, add_people, "sotaichinh", newcomers(names))
    head, mark, rest = text.partition("    staff:\n")
    staff, tail = rest.split("  chomoi:\n    kind", 1)
    rows = staff.splitlines(keepends=True)
    chance.shuffle(rows)
    shuffled = f"{head}{mark}{''.join(rows)}  chomoi:\n    kind{tail}"
    more = newcomer("Nguyễn Văn An", "9/CV-CM", "M1")
    _, one = edit(text, add_people, "chomoi", more)
    _, other = edit(shuffled, add_people, "chomoi", more)
    assert one == other


def test_composed_and_decomposed_names_are_one() -> None:
    for form in ("NFC", "NFD"):
        new = newcomer(unicodedata.normalize(form, "Nguyễn Vĩnh Ấn"))
        _, [address] = edit(GOOD, add_people, "sotaichinh", new)
        assert address == "nvan03"  # nvan and nvan02 are taken


def test_a_retired_name_is_never_given_again() -> None:
    text = GOOD.replace(
        "reserved:",
        "retired:\n  nvan03: {was: Nguyễn Vũ An, since: 2026-11-20}\n"
        "  nvan04: {was: Ngô Văn An, since: 2026-11-20}\nreserved:",
    )
    assert edit(text, add_people, "sotaichinh", newcomer("Nguyễn Văn Ân"))[1] == ["nvan05"]


def test_a_name_that_was_given_up_is_never_given_again() -> None:
    text = edited(GOOD, rename, "nvan", "Nguyễn Văn Bình", "", WRITTEN, UNTIL, False)
    assert edit(text, add_people, "sotaichinh", newcomer("Nguyễn Văn Ân"))[1] == ["nvan03"]


def test_a_name_of_the_mail_system_counts_as_taken() -> None:
    _, [address] = edit(GOOD, add_people, "sotaichinh", newcomer("Noc"))
    assert address == "noc02"


def test_nobody_gets_a_second_address() -> None:
    new = newcomer("Nguyễn Văn An", code="10234")
    with pytest.raises(EditError, match="10234 is Nguyễn Văn An, nvan, on line 14"):
        edit(GOOD, add_people, "chomoi", new)


def test_the_first_of_an_agency() -> None:
    text = LISTS.replace(f"    staff:\n{row_of(LISTS, 'dddat')}\n", "    staff: []\n")
    text = text.replace("[dddat]", "[]")
    new = [
        *newcomer("Trần Thị Bé", "9/CV-CM", "N2", given_name="Bé"),
        *newcomer("Lê An", "9/CV-CM", "N1", title="Trưởng phòng"),
    ]
    added, addresses = edit(text, add_people, "chomoi", new)
    assert addresses == ["ttbe", "lan"]
    assert [each.address for each in agency(added, "chomoi").staff] == ["lan", "ttbe"]
    assert is_canonical(added)


def test_nobody_is_registered_in_an_agency_that_ends() -> None:
    end = f"    closed: {{from: {UNTIL}, decision: 3/NQ-HĐND}}\n    staff:"
    text = CANONICAL.replace("    keepers: [dddat]\n    staff:", f"    keepers: [dddat]\n{end}")
    with pytest.raises(EditError, match="chomoi is closed from 2027-11-25: nobody comes to it"):
        edit(text, add_people, "chomoi", newcomer("Lê Thị Bé", decision="5/QĐ"))


def test_a_decision_may_stand_for_a_list() -> None:
    new = newcomer("Lê Thị Bé", "", decision="5/QĐ-UBND")
    text = edited(GOOD, add_people, "chomoi", new)
    assert (person(text, "ltbe").request, person(text, "ltbe").decision) == ("", "5/QĐ-UBND")


def test_a_staff_code_of_a_strangers_list_is_nothing_but_text() -> None:
    code = '7", address: "root'
    text = edited(GOOD, add_people, "sotaichinh", newcomer("Phan Văn Bảo", code=code))
    assert held(directory(text))[code] == "pvbao"


def test_a_staff_code_does_not_hide_an_address() -> None:
    text = edited(GOOD, add_people, "sotaichinh", newcomer("Phan Văn Bảo", code="nvan02"))
    assert Draft(text, directory(text)).person("nvan02").name == "Ngô Vĩnh An"
    assert Draft(text, directory(text)).person("10377").name == "Trần Thị Kim Ngân"


# Transfer


def test_a_transfer_moves_one_line_and_drops_and_names_the_roles() -> None:
    line = row_of(LISTS, "nvan")
    text = LISTS.replace(line, f"{line} # đang học")
    text = text.replace("it_officer: ttkngan", "it_officer: nvan")
    moved, lost = edit(text, transfer, "nvan", "chomoi", Basis(DAY, request="9/CV-CM"))
    assert lost == ["keeper of sotaichinh: nvan", "IT officer of sotaichinh: nvan"]
    after, before = person(moved, "nvan"), person(text, "nvan")
    assert after == replace(before, agency="chomoi", request="9/CV-CM", changed=DAY)
    assert (agency(moved, "sotaichinh").keepers, agency(moved, "sotaichinh").it_officer) == ((), "")
    assert row_of(moved, "nvan").endswith("} # đang học")
    gone = set(text.splitlines()) - set(moved.splitlines())
    roles = {"    keepers: [nvan]", "    it_officer: nvan"}
    assert gone == roles | {f"{line} # đang học"}
    assert is_canonical(moved)


def test_a_transfer_cites_the_letter_and_goes_where_it_belongs() -> None:
    moved, lost = edit(LISTS, transfer, "10377", "chomoi", Basis(DAY, request="9/CV-CM"))
    assert lost == ["IT officer of sotaichinh: ttkngan"]
    assert [each.address for each in agency(moved, "chomoi").staff] == ["dddat", "ttkngan"]
    assert "request: 9/CV-CM, changed: 2026-11-25, title: Chuyên viên}" in row_of(moved, "ttkngan")


def test_a_transfer_by_decision_leaves_no_letter_of_the_old_agency() -> None:
    moved = person(edited(GOOD, transfer, "nvan", "chomoi", DECIDED), "nvan")
    assert (moved.request, moved.decision) == ("", "7/QĐ-STC")


def test_the_last_one_leaves_an_empty_list_behind() -> None:
    moved = edited(CANONICAL, transfer, "dddat", "sotaichinh", WRITTEN)
    assert agency(moved, "chomoi").staff == ()
    assert is_canonical(moved)


def test_one_comes_and_one_goes_in_one_change() -> None:
    draft = Draft(LISTS, directory(LISTS))
    transfer(draft, "dddat", "sotaichinh", WRITTEN)
    transfer(draft, "nvan", "chomoi", Basis(DAY, request="9/CV-CM"))
    text = draft.text()
    assert [each.address for each in agency(text, "chomoi").staff] == ["nvan"]
    assert [each.address for each in agency(text, "sotaichinh").staff] == ["dddat", "ttkngan"]
    assert is_canonical(text)


def test_a_locked_one_stays_locked_where_he_goes() -> None:
    text = edited(GOOD, lock, "nvan", DAY, "lộ mật khẩu", LATER)
    status = person(text, "nvan").status
    assert person(edited(text, transfer, "nvan", "chomoi", DECIDED), "nvan").status == status


@pytest.mark.parametrize(("who", "where", "message"), [
    ("nvan", "sotaichinh", "is in sotaichinh already"), ("nvan", "sonoivu", "no agency sonoivu"),
    ("nobody", "chomoi", "nobody with the address or staff code nobody"),
])  # fmt: skip
def test_a_transfer_that_cannot_be(who: str, where: str, message: str) -> None:
    with pytest.raises(EditError, match=message):
        edit(GOOD, transfer, who, where, WRITTEN)


def test_a_withdrawn_one_is_reinstated_before_he_is_transferred() -> None:
    text = edited(GOOD, withdraw, "nvan", DAY, "nghỉ hưu", DECIDED)
    with pytest.raises(EditError, match="reinstate him"):
        edit(text, transfer, "nvan", "chomoi", DECIDED)
    text = edited(GOOD, withdraw, "nvan", LATER, "nghỉ hưu", DECIDED)
    moved = person(edited(text, transfer, "nvan", "chomoi", DECIDED), "nvan")
    assert moved.agency == "chomoi" and moved.status is not None  # he retires from there


# Withdrawal


def test_who_is_withdrawn_keeps_all_but_his_roles() -> None:
    text, lost = edit(CANONICAL, withdraw, "nvan", DAY, "nghỉ hưu", DECIDED)
    assert lost == ["keeper of sotaichinh: nvan"]
    ended = Status("withdrawn", DAY, "nghỉ hưu", None)
    assert person(text, "nvan") == replace(person(GOOD, "nvan"), status=ended, decision="7/QĐ-STC")
    assert set(CANONICAL.splitlines()) - set(text.splitlines()) == {
        "    keepers: [nvan]", row_of(GOOD, "nvan"),
    }  # fmt: skip
    assert is_canonical(text)


def test_a_withdrawal_ahead_leaves_the_roles_until_the_day_and_warns() -> None:
    text, lost = edit(GOOD, withdraw, "nvan", LATER, "nghỉ hưu", DECIDED)
    assert (lost, agency(text, "sotaichinh").keepers) == ([], ("nvan",))
    assert person(text, "nvan").state(DAY) == "active"
    assert person(text, "nvan").state(LATER) == "withdrawn"
    keeper = "nvan keeps the mailbox sotaichinh and is withdrawn from"
    for day in (DAY, LATER):
        assert [each.severity for each in found(text, day) if keeper in each.message] == ["warning"]


def test_a_letter_takes_the_place_of_the_list_and_a_decision_stands_beside_it() -> None:
    letter = with_letter(GOOD, "20/CV-STC", "sotaichinh")
    text = edited(letter, withdraw, "nvan", DAY, "xin thôi", Basis(DAY, request="20/CV-STC"))
    one = person(text, "nvan")
    assert (one.request, one.decision, one.changed) == ("20/CV-STC", "", DAY)
    other = person(edited(GOOD, withdraw, "nvan", DAY, "nghỉ hưu", DECIDED), "nvan")
    assert (other.request, other.decision, other.changed) == ("12/CV-STC", "7/QĐ-STC", None)


def test_what_registered_somebody_does_not_withdraw_him() -> None:
    with pytest.raises(EditError, match="the line of Nguyễn Văn An rests on 12/CV-STC already"):
        edit(GOOD, withdraw, "nvan", DAY, "nghỉ hưu", WRITTEN)


def test_a_letter_leaves_no_decision_of_before() -> None:
    letter = with_letter(GOOD, "9/CV-CM", "chomoi")
    text = edited(letter, withdraw, "dddat", DAY, "nghỉ hưu", Basis(DAY, request="9/CV-CM"))
    assert (person(text, "dddat").request, person(text, "dddat").decision) == ("9/CV-CM", "")


def test_two_keepers_leave_in_one_change() -> None:
    text = GOOD.replace("keepers: [nvan]", "keepers: [nvan, ttkngan]")
    draft = Draft(text, directory(text))
    withdraw(draft, "nvan", DAY, "nghỉ hưu", DECIDED)
    withdraw(draft, "ttkngan", DAY, "nghỉ hưu", DECIDED)
    assert agency(draft.text(), "sotaichinh").keepers == ()


def test_a_lock_ends_in_a_withdrawal() -> None:
    text = edited(GOOD, lock, "nvan", DAY, "lộ mật khẩu", LATER)
    status = person(edited(text, withdraw, "nvan", DAY, "thôi việc", DECIDED), "nvan").status
    assert status == Status("withdrawn", DAY, "thôi việc", None)


def test_nobody_is_withdrawn_twice_but_the_day_may_change_before() -> None:
    text = edited(GOOD, withdraw, "nvan", LATER, "nghỉ hưu", DECIDED)
    text = edited(text, withdraw, "nvan", DAY, "nghỉ hưu sớm", DECIDED)
    assert person(text, "nvan").status == Status("withdrawn", DAY, "nghỉ hưu sớm", None)
    with pytest.raises(EditError, match="is withdrawn from 2026-11-25 already"):
        edit(text, withdraw, "nvan", LATER, "nghỉ hưu", DECIDED)


@pytest.mark.parametrize("who", ["ttkngan", "nvan02"])
@pytest.mark.parametrize("first", [DAY, LATER])
@pytest.mark.parametrize("back", [Basis(DAY, decision="8/QĐ-STTTT")])
def test_withdrawal_and_return_leave_all_as_it_was_but_the_paper(
    who: str, first: date, back: Basis
) -> None:
    text = CANONICAL.replace("it_officer: ttkngan", "it_officer: nvan").replace("[nvan02]", "[]")
    gone = edited(text, withdraw, who, first, "biệt phái", DECIDED)
    there = edited(gone, reinstate, who, back)
    paper = replace(person(text, who), request="", decision=back.decision, changed=DAY)
    assert person(there, who) == paper
    assert there.replace(row_of(there, who), row_of(text, who)) == text


def test_roles_do_not_come_back() -> None:
    gone = edited(GOOD, withdraw, "nvan", DAY, "biệt phái", DECIDED)
    back = edited(gone, reinstate, "nvan", Basis(DAY, decision="8/QĐ-STTTT"))
    assert agency(back, "sotaichinh").keepers == ()


@pytest.mark.parametrize("paper", [WRITTEN, DECIDED], ids=["registration", "withdrawal"])
def test_who_is_back_is_asked_for_by_a_paper_of_its_own(paper: Basis) -> None:
    gone = edited(GOOD, withdraw, "nvan", DAY, "biệt phái", DECIDED)
    with pytest.raises(EditError, match="already: cite the new paper"):
        edit(gone, reinstate, "nvan", paper)


def test_a_transfer_leaves_what_a_withdrawal_ahead_rests_on() -> None:
    ahead = edited(GOOD, withdraw, "nvan", date(2027, 2, 1), "nghỉ hưu", DECIDED)
    moved = edited(ahead, transfer, "nvan", "chomoi", Basis(DAY, decision="2/QĐ"))
    assert person(moved, "nvan").decision == f"{DECIDED.decision}; 2/QĐ"


def test_somebody_is_found_by_his_whole_address() -> None:
    assert edited(GOOD, withdraw, "NVAN@angiang.gov.vn", DAY, "nghỉ hưu", DECIDED) != GOOD


def test_only_who_is_withdrawn_comes_back() -> None:
    with pytest.raises(EditError, match="is not withdrawn"):
        edit(GOOD, reinstate, "nvan", DECIDED)
    locked = edited(GOOD, lock, "nvan", DAY, "lộ mật khẩu", LATER)
    with pytest.raises(EditError, match="is not withdrawn"):
        edit(locked, reinstate, "nvan", DECIDED)


# Locks


def test_a_lock_needs_no_paper_but_a_day_for_it() -> None:
    text = edited(CANONICAL, lock, "nvan", DAY, "lộ mật khẩu", LATER)
    status = Status("locked", DAY, "lộ mật khẩu", LATER)
    assert person(text, "nvan") == replace(person(GOOD, "nvan"), status=status)
    assert text.replace(row_of(text, "nvan"), row_of(GOOD, "nvan")) == CANONICAL
    assert is_canonical(text)


def test_a_lock_and_its_end_leave_all_as_it_was() -> None:
    for who in ("nvan", "ttkngan", "dddat"):
        text = edited(CANONICAL, lock, who, DAY, "lộ mật khẩu", LATER)
        assert edited(text, unlock, who) == CANONICAL


@pytest.mark.parametrize("basis", [DECIDED, Basis(DAY, request="20/CV-STC")])
def test_a_lock_that_is_confirmed_is_never_overdue(basis: Basis) -> None:
    letter = with_letter(CANONICAL, "20/CV-STC", "sotaichinh")
    text = edited(letter, lock, "nvan", DAY, "lộ mật khẩu", LATER)
    late = LATER + timedelta(days=1)
    assert any("was to be confirmed by" in each.message for each in found(text, late))
    confirmed = edited(text, confirm_lock, "nvan", basis)
    assert not any("was to be confirmed by" in each.message for each in found(confirmed, late))
    one = person(confirmed, "nvan")
    assert one.status == Status("locked", DAY, "lộ mật khẩu", None)
    assert (one.request, one.decision) == (basis.request or "12/CV-STC", basis.decision)
    free = person(edited(confirmed, unlock, "nvan"), "nvan")
    assert replace(free, request="12/CV-STC", decision="", changed=None) == person(GOOD, "nvan")


def test_locks_that_cannot_be() -> None:
    locked = edited(GOOD, lock, "nvan", DAY, "lộ mật khẩu", LATER)
    with pytest.raises(EditError, match="is locked from 2026-11-25 already"):
        edit(locked, lock, "nvan", DAY, "lộ mật khẩu", LATER)
    gone = edited(GOOD, withdraw, "nvan", DAY, "nghỉ hưu", DECIDED)
    with pytest.raises(EditError, match="is withdrawn from 2026-11-25 already"):
        edit(gone, lock, "nvan", DAY, "lộ mật khẩu", LATER)
    with pytest.raises(EditError, match="is locked from 2026-11-25 already"):
        edit(LEAVING, lock, "ttkngan", DAY + timedelta(days=1), "lộ mật khẩu", LATER)
    for text in (GOOD, gone, edited(GOOD, withdraw, "nvan", LATER, "nghỉ hưu", DECIDED)):
        with pytest.raises(EditError, match="is not locked"):
            edit(text, unlock, "nvan")
        with pytest.raises(EditError, match="is not locked"):
            edit(text, confirm_lock, "nvan", DECIDED)


# A lock before a withdrawal


LEAVES = edited(CANONICAL, withdraw, "ttkngan", LATER, "nghỉ hưu", DECIDED)
SOON = DAY + timedelta(days=7)
LEAVING = edited(LEAVES, lock, "ttkngan", DAY, "lộ mật khẩu", SOON)
BOTH = Status("withdrawn", LATER, "nghỉ hưu", SOON, DAY)
ONE = timedelta(days=1)


def test_who_is_to_be_withdrawn_is_locked_up_to_that_day() -> None:
    leaving = person(LEAVING, "ttkngan")
    assert leaving == replace(person(LEAVES, "ttkngan"), status=BOTH)
    days = [DAY - ONE, DAY, LATER - ONE, LATER, LATER + ONE]
    states = [leaving.state(day) for day in days]
    assert states == ["active", "locked", "locked", "withdrawn", "withdrawn"]
    assert (BOTH.first, replace(BOTH, locked=None).first) == (DAY, LATER)
    assert is_canonical(LEAVING)


def test_who_is_locked_and_to_be_withdrawn_stays_locked_up_to_that_day() -> None:
    text = edited(CANONICAL, lock, "ttkngan", DAY, "lộ mật khẩu", SOON)
    assert edited(text, withdraw, "ttkngan", LATER, "nghỉ hưu", DECIDED) == LEAVING
    confirmed = edited(text, confirm_lock, "ttkngan", Basis(DAY, decision="6/QĐ"))
    gone = person(edited(confirmed, withdraw, "ttkngan", LATER, "nghỉ hưu", DECIDED), "ttkngan")
    assert gone.status == replace(BOTH, confirm_by=None)


@pytest.mark.parametrize("days", [-1, 0, 1, 60])
def test_another_day_of_the_withdrawal_keeps_a_lock_that_comes_before(days: int) -> None:
    first, again = DAY + timedelta(days=days), Basis(DAY, decision="8/QĐ")
    text = edited(LEAVING, withdraw, "ttkngan", first, "nghỉ hưu", again)
    lasts = days > 0
    assert person(text, "ttkngan").status == Status(
        "withdrawn", first, "nghỉ hưu", SOON if lasts else None, DAY if lasts else None
    )


def test_to_unlock_leaves_the_withdrawal() -> None:
    assert edited(LEAVING, unlock, "ttkngan") == LEAVES


def test_a_lock_before_a_withdrawal_is_confirmed_and_the_paper_is_that_of_the_withdrawal() -> None:
    before, after = (
        person(text, "ttkngan")
        for text in (
            LEAVING, edited(LEAVING, confirm_lock, "ttkngan", Basis(DAY, decision="8/QĐ")),
        )
    )  # fmt: skip
    assert after == replace(before, status=replace(BOTH, confirm_by=None))


def test_who_is_locked_as_well_is_unlocked_before_he_is_reinstated() -> None:
    again = Basis(DAY, decision="8/QĐ")
    with pytest.raises(EditError, match="is locked as well: danhba unlock first"):
        edit(LEAVING, reinstate, "ttkngan", again)
    free = edited(edited(LEAVING, unlock, "ttkngan"), reinstate, "ttkngan", again)
    assert person(free, "ttkngan").status is None


# A new name

NEW = ("Nguyễn Văn Bình", "", WRITTEN, UNTIL, False)


def test_a_new_name_gives_a_new_address_and_keeps_the_old_one_for_a_time() -> None:
    text, address = edit(CANONICAL, rename, "nvan", *NEW)
    assert address == "nvbinh"
    assert person(text, "nvbinh") == replace(
        person(GOOD, "nvan"),
        name="Nguyễn Văn Bình", address="nvbinh", account="nvan", changed=DAY,
    )  # fmt: skip
    [old] = [each for each in directory(text).aliases if each.address == "nvan"]
    assert (old.to, old.until) == ("nvbinh", UNTIL)
    assert is_canonical(text)
    assert set(CANONICAL.splitlines()) - set(text.splitlines()) == {
        "    keepers: [nvan]", row_of(GOOD, "nvan"),
    }  # fmt: skip


def test_keepers_and_it_officers_follow_the_new_address() -> None:
    text = GOOD.replace("it_officer: ttkngan", "it_officer: nvan")
    text = text.replace("keepers: [dddat]\n", "keepers: [dddat]\n    it_officer: nvan # tạm\n")
    renamed = edited(text, rename, "nvan", *NEW)
    assert agency(renamed, "sotaichinh").keepers == ("nvbinh",)
    assert agency(renamed, "sotaichinh").it_officer == "nvbinh"
    assert "    it_officer: nvbinh # tạm\n" in renamed


def test_the_line_goes_where_the_new_address_belongs_with_its_comments() -> None:
    line = row_of(CANONICAL, "nvan")
    text = CANONICAL.replace(line, f"      # đang học\n{line} # đến 1/3")
    rows = edited(text, rename, "nvan", "Trần Văn Út", "", WRITTEN, UNTIL, False).splitlines()
    at = rows.index("      # đang học")
    assert "address: ttkngan" in rows[at - 1]
    assert "address: tvut" in rows[at + 1] and rows[at + 1].endswith("} # đến 1/3")


@pytest.mark.parametrize("name", ["Ngô Vũ Ân", "Nguyễn Vĩnh An"])
def test_an_address_that_the_new_name_gives_as_well_stays(name: str) -> None:
    for who, number in (("nvan", ""), ("nvan02", "02")):
        text, address = edit(CANONICAL, rename, who, name, "", DECIDED, UNTIL, False)
        assert address == f"nvan{number}"
        assert person(text, who) == replace(
            person(GOOD, who), name=name, request="", decision="7/QĐ-STC", changed=DAY
        )
        assert directory(text).aliases == directory(CANONICAL).aliases
        assert is_canonical(text)


def test_an_address_that_stays_against_the_rule_needs_a_decision() -> None:
    with pytest.raises(EditError, match="give a --decision"):
        edit(GOOD, rename, "nvan", "Nguyễn Văn Bình", "", WRITTEN, UNTIL, True)
    text, address = edit(CANONICAL, rename, "nvan", "Nguyễn Văn Bình", "", DECIDED, UNTIL, True)
    one = person(text, "nvan")
    assert (address, one.name, one.account) == ("nvan", "Nguyễn Văn Bình", "")
    assert one.exception is not None and one.exception.decision == "7/QĐ-STC"
    assert is_canonical(text)


def test_the_exception_ends_with_the_address_it_was_for() -> None:
    kept = edited(GOOD, rename, "nvan", "Nguyễn Văn Bình", "", DECIDED, UNTIL, True)
    text, address = edit(kept, rename, "nvan", "Lê Văn Cư", "", DECIDED, UNTIL, False)
    assert (address, person(text, "lvcu").exception) == ("lvcu", None)


def test_a_given_name_that_is_not_the_last_word() -> None:
    text, address = edit(
        GOOD, rename, "nvan", "Fatimah Binti Ali", "Fatimah", WRITTEN, UNTIL, False
    )
    assert address == "bafatimah"
    text, address = edit(text, rename, "bafatimah", "Fatimah Thị Lan", "", WRITTEN, UNTIL, False)
    assert (address, person(text, "ftlan").given_name) == ("ftlan", "")


def test_two_new_names_lead_both_old_addresses_to_the_newest() -> None:
    once = edited(CANONICAL, rename, "nvan", *NEW)
    text, address = edit(once, rename, "10234", "Lê Văn Cư", "", DECIDED, LATER, False)
    assert (address, person(text, "lvcu").account) == ("lvcu", "nvan")
    aliases = {each.address: (each.to, each.until) for each in directory(text).aliases}
    assert (aliases["nvan"], aliases["nvbinh"]) == (("lvcu", UNTIL), ("lvcu", LATER))
    assert is_canonical(text)


def test_a_permanent_alias_follows_the_new_address() -> None:
    text = CANONICAL.replace("  taichinh:", "  ketoantruong: {to: nvan}\n  taichinh:")
    text = formatted(text.encode(), "x")
    renamed = edited(text, rename, "nvan", *NEW)
    aliases = {each.address: (each.to, each.until) for each in directory(renamed).aliases}
    assert aliases["ketoantruong"] == ("nvbinh", None)


def test_an_old_name_finds_the_next_number() -> None:
    text, address = edit(GOOD, rename, "dddat", "Ngô Vĩnh Ân", "", DECIDED, UNTIL, False)
    assert address == "nvan03"
    assert agency(text, "chomoi").keepers == ("nvan03",)


# Keepers


@pytest.mark.parametrize("text", [LEAVES, LEAVING, edited(GOOD, lock, "ttkngan", DAY, "lộ", UNTIL)])
def test_nobody_begins_to_keep_a_mailbox_who_is_locked_or_leaves(text: str) -> None:
    with pytest.raises(EditError, match=r"Trần Thị Kim Ngân is (withdrawn|locked) from 202"):
        edit(text, set_keepers, "sotaichinh", ["nvan", "ttkngan"])
    assert agency(edited(text, set_keepers, "sotaichinh", []), "sotaichinh").keepers == ()


def test_who_keeps_a_mailbox_goes_on_until_his_day_beside_others_and_under_a_new_name() -> None:
    text = edited(GOOD, withdraw, "nvan", LATER, "nghỉ hưu", DECIDED)
    more = edited(text, set_keepers, "sotaichinh", ["nvan", "ttkngan"])
    assert agency(more, "sotaichinh").keepers == ("nvan", "ttkngan")
    assert agency(edited(more, rename, "nvan", *NEW), "sotaichinh").keepers == ("nvbinh", "ttkngan")


def test_keepers_change_in_their_line() -> None:
    text = GOOD.replace("keepers: [nvan]", "keepers: [nvan] # theo giấy ngày 2/11 [bản sao")
    changed = edited(text, set_keepers, "sotaichinh", ["ttkngan", "nvan"])
    assert "    keepers: [ttkngan, nvan] # theo giấy ngày 2/11 [bản sao\n" in changed
    assert changed.replace("[ttkngan, nvan]", "[nvan]") == text
