"""Whatever happens to people and agencies, in whatever order: nothing gets lost, nobody else feels
it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Any, TypeAlias

from drafts import DAY, comments, directory, is_canonical
from hypothesis import given, settings
from hypothesis import strategies as st

from danhba import naming
from danhba.check import check_text
from danhba.check_naming import holders
from danhba.check_since import check_since
from danhba.edit.agencies import Ending, Founding, end_agency, found_agency, rename_agency
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
from danhba.edit.requests import add_request
from danhba.fmt import formatted
from danhba.model import Agency, Person, Request

FAMILY, MIDDLE, GIVEN = ("Nguyễn", "Ngô", "Lê"), ("Văn", "Thị", "Vĩnh"), ("An", "Ân", "Út")
NAMES = [f"{one} {two} {three}" for one in FAMILY for two in MIDDLE for three in GIVEN]
UNITS = [
    ("sotaichinh", "so", "Sở Tài chính", ""), ("sonoivu", "so", "Sở Nội vụ", ""),
    ("chomoi", "huyen", "Huyện Chợ Mới", ""), ("noivu.chomoi", "phong", "Phòng Nội vụ", "chomoi"),
    ("myan", "xa", "Xã Mỹ An", "chomoi"), ("tinhoc", "khac", "Trung tâm Tin học", "sotaichinh"),
]  # fmt: skip
KINDS = {"so": "Sở", "huyen": "Huyện", "phong": "Phòng", "xa": "Xã", "khac": "Trung tâm"}
PLACES = ("Tài chính", "Nội vụ", "Kinh tế", "Mỹ An", "Mỹ Ân", "Chợ Mới", "Khoa học và Công nghệ")
UNTIL = DAY + timedelta(days=365)

Pick: TypeAlias = Callable[[Sequence[Any]], Any]


@st.composite
def provinces(draw: st.DrawFn) -> str:
    """In canonical form, with comments that name what they are about."""
    held: set[str] = {address for address, *_ in UNITS}
    rows = []
    for address, kind, name, parent in UNITS:
        staff = []
        for full in draw(st.lists(st.sampled_from(NAMES), max_size=3)):
            base = naming.person(full)
            staff.append((naming.numbered(base, naming.free_number(base, held)), full))
            held.add(staff[-1][0])
        keepers = [one for one, _ in staff if draw(st.booleans())]
        rows += [f"  # ghi chú {address}"] * draw(st.integers(0, 1))
        rows += [f"  {address}:", f"    kind: {kind}", f"    name: {name}"]
        rows += [f"    parent: {parent}"] * bool(parent)
        rows.append(f"    keepers: [{', '.join(keepers)}] # ghi chú {address}")
        rows += [f"    it_officer: {one}" for one, _ in staff[: draw(st.integers(0, 1))]]
        rows.append("    staff:" if staff else "    staff: []")
        for one, full in staff:
            rows += [f"      # ghi chú {one}"] * draw(st.integers(0, 1))
            entry = (
                f'id: "C-{one}", name: {full}, address: {one}, since: 2026-11-05, decision: 1/QĐ'
            )
            rows.append(f"      - {{{entry}}}" + f" # ghi chú {one}" * draw(st.integers(0, 1)))
    text = "\n".join([
        "province: {name: An Giang, domain: angiang.gov.vn, timezone: Asia/Ho_Chi_Minh}",
        "legal_basis: [50/2009/QĐ-UBND]", "policy:", "  quota_gb: 2", "  agency_quota_gb: 10",
        "  message_mb: 30", "requests: {}", "agencies:", *rows, "aliases:",
        "  postmaster: {to: taichinh}", "  taichinh: {to: sotaichinh} # ghi chú taichinh",
        "# hết", "reserved: [hotro]", "",
    ])  # fmt: skip
    return formatted(text.encode(), "x")


# What may happen. Each returns the words that name what it is about; comments have the first
# name of it.


def basis(draft: Draft, agency: str, pick: Pick, step: int) -> Basis:
    """A decision, or a letter that comes into the file with the change."""
    if pick([True, False]):
        return Basis(DAY, decision=f"{step}/QĐ")
    letter = Request(f"{step}/CV", agency, DAY - timedelta(days=pick([0, 2])), "Giám đốc", "", 0)
    add_request(draft, letter)
    return Basis(DAY, request=letter.number)


def somebody(draft: Draft, pick: Pick, kind: str = "") -> Person:
    """Rather one with a status of the kind."""
    people = draft.directory.people
    fitting = [each for each in people if each.status and each.status.kind == kind]
    return pick(fitting or people)  # type: ignore[no-any-return]


def some_agency(draft: Draft, pick: Pick) -> Agency:
    return pick(draft.directory.agencies)  # type: ignore[no-any-return]


def join(draft: Draft, pick: Pick, step: int) -> set[str]:
    where = some_agency(draft, pick).address
    rests = basis(draft, where, pick, step)
    names = [pick(NAMES) for _ in range(pick([1, 2]))]
    add_people(draft, where, [
        Newcomer(f"N-{step}-{n}", name, rests.request, DAY, decision=rests.decision)
        for n, name in enumerate(names)
    ])  # fmt: skip
    return set()


def go(draft: Draft, pick: Pick, step: int) -> set[str]:
    person, goal = somebody(draft, pick), some_agency(draft, pick).address
    transfer(draft, person.id, goal, basis(draft, goal, pick, step))
    return {person.address, person.account}


def leave(draft: Draft, pick: Pick, step: int) -> set[str]:
    person = somebody(draft, pick)
    first = max(person.since, DAY + timedelta(days=pick([-2, 0, 5])))
    withdraw(draft, person.address, first, "thôi việc", basis(draft, person.agency, pick, step))
    return {person.address, person.account}


def leave_together(draft: Draft, pick: Pick, step: int) -> set[str]:
    agency = some_agency(draft, pick)
    rests = basis(draft, agency.address, pick, step)
    for person in agency.staff:
        withdraw(draft, person.address, DAY, "giải thể", rests)
    return {word for each in agency.staff for word in (each.address, each.account)}


def come_back(draft: Draft, pick: Pick, step: int) -> set[str]:
    person = somebody(draft, pick, "withdrawn")
    reinstate(draft, person.id, basis(draft, person.agency, pick, step))
    return {person.address, person.account}


def be_locked(draft: Draft, pick: Pick, step: int) -> set[str]:
    person = somebody(draft, pick)
    lock(draft, person.address, DAY, "lộ mật khẩu", DAY + timedelta(days=7))
    return {person.address, person.account}


def be_confirmed(draft: Draft, pick: Pick, step: int) -> set[str]:
    person = somebody(draft, pick, "locked")
    confirm_lock(draft, person.address, basis(draft, person.agency, pick, step))
    return {person.address, person.account}


def be_unlocked(draft: Draft, pick: Pick, step: int) -> set[str]:
    person = somebody(draft, pick, "locked")
    unlock(draft, person.address)
    return {person.address, person.account}


def be_renamed(draft: Draft, pick: Pick, step: int) -> set[str]:
    person = somebody(draft, pick)
    rests = basis(draft, person.agency, pick, step)
    rename(draft, person.address, pick(NAMES), "", rests, UNTIL, pick([True, False, False]))
    return {person.address, person.account, f"renamed {person.id}"}


def be_kept(draft: Draft, pick: Pick, step: int) -> set[str]:
    agency = some_agency(draft, pick)
    active = [each.address for each in agency.staff if each.state(DAY) != "withdrawn"]
    set_keepers(draft, agency.address, [one for one in active if pick([True, False])])
    return {agency.address, agency.account, *agency.keepers}


def be_founded(draft: Draft, pick: Pick, step: int) -> set[str]:
    kind = pick(list(KINDS))
    parent = pick(["", *(each.address for each in draft.directory.agencies)])
    found_agency(draft, Founding(kind, f"{KINDS[kind]} {pick(PLACES)}", parent, "", f"{step}/QĐ"))
    return set()


def get_another_name(draft: Draft, pick: Pick, step: int) -> set[str]:
    agency = some_agency(draft, pick)
    name = f"{KINDS[agency.kind]} {pick(PLACES)}"
    address = pick(["", "", f"moi{step}"])
    rename_agency(draft, agency.address, name, address, f"{step}/QĐ", UNTIL)
    exception = agency.exception.decision if agency.exception else ""
    return {agency.address, agency.account, agency.name, agency.decision, exception}


def end(draft: Draft, pick: Pick, step: int) -> set[str]:
    """Merged, split or closed."""
    old = some_agency(draft, pick)
    heirs = [some_agency(draft, pick).address for _ in range(pick([0, 1, 2]))]
    staff = {each.address: pick(heirs) for each in old.staff if heirs and pick([True, False])}
    first = DAY + timedelta(days=pick([0, 30]))
    until = UNTIL if heirs else None
    ending = Ending(first, f"{step}/NQ", list(dict.fromkeys(heirs)), until, staff)
    end_agency(draft, old.address, ending, DAY)
    mailboxes = (old, *old.staff)
    return {word for each in mailboxes for word in (each.address, each.account)}


EVENTS = [
    join, go, leave, leave_together, come_back, be_locked, be_confirmed, be_unlocked, be_renamed,
    be_kept, be_founded, get_another_name, end,
]  # fmt: skip
BESIDE = (be_founded, get_another_name, end)
"""May bring or take an agency beside which the rule names another one in another way."""
BARE = ("    staff:", "    staff: []", "    keepers: []", "requests: {}")


def rows_without(text: str, words: Iterable[str]) -> list[str]:
    known = "|".join(map(re.escape, filter(None, words)))
    about = re.compile(rf"(?<![\w.-])(?:{known})(?![\w.-])") if known else None
    rows = [row for row in text.splitlines() if row not in BARE]
    return [row for row in rows if not (about and about.search(row))]


def stand_in_order(rows: list[str], text: str) -> bool:
    left = iter(text.splitlines())
    return all(any(row == other for other in left) for row in rows)


@settings(max_examples=150, deadline=None)
@given(provinces(), st.data(), st.lists(st.sampled_from(EVENTS), min_size=1, max_size=12))
def test_nothing_is_lost_and_nobody_else_is_concerned(
    text: str, data: st.DataObject, events: list[Callable[[Draft, Pick, int], set[str]]]
) -> None:
    assert is_canonical(text)
    for step, event in enumerate(events, 100):
        before = directory(text)
        draft = Draft(text, before)
        if not before.people and event not in (join, be_kept, *BESIDE):
            continue
        try:
            words = event(draft, lambda options: data.draw(st.sampled_from(options)), step)
        except EditError:
            continue  # a refusal writes nothing
        after, findings = check_text(draft.text().encode(), "x", DAY)
        errors = [each for each in findings if each.severity == "error"]
        if event in BESIDE and {each.clause[:8] for each in errors} == {"Điều 5.3"}:
            continue  # nor does an error that the change would bring
        assert errors == [] and after is not None, (event, errors, draft.text())
        assert set(holders(before)) <= set(holders(after))
        gone = [each for each in check_since(before, after) if each.clause.startswith("Điều 5.3")]
        assert gone == []
        now = {person.id: person.address for person in after.people}
        for person in before.people:
            assert f"renamed {person.id}" in words or now[person.id] == person.address
        assert stand_in_order(rows_without(text, words), draft.text()), (event, draft.text())
        assert comments(draft.text()) == comments(text), event
        assert is_canonical(draft.text()), (event, draft.text())
        text = draft.text()


@settings(max_examples=60, deadline=None)
@given(provinces(), st.data(), st.dates(DAY, date(2027, 6, 1)))
def test_who_comes_back_is_who_he_was(text: str, data: st.DataObject, first: date) -> None:
    """Roles do not come back, so that only those are asked who have none."""
    known = directory(text)
    busy = {each for agency in known.agencies for each in (*agency.keepers, agency.it_officer)}
    free = [each for each in known.people if each.address not in busy]
    if not free:
        return
    person = data.draw(st.sampled_from(free))
    draft = Draft(text, known)
    withdraw(draft, person.address, first, "biệt phái", Basis(DAY, decision="7/QĐ"))
    gone = draft.text()
    draft = Draft(gone, directory(gone))
    reinstate(draft, person.address, Basis(DAY, decision="8/QĐ"))
    paper = ("decision: 8/QĐ, changed: 2026-11-25", "decision: 1/QĐ")
    assert draft.text().replace(*paper) == text


@settings(max_examples=60, deadline=None)
@given(provinces(), st.data())
def test_who_is_unlocked_is_who_he_was(text: str, data: st.DataObject) -> None:
    known = directory(text)
    if not known.people:
        return
    person = data.draw(st.sampled_from(known.people))
    draft = Draft(text, known)
    lock(draft, person.address, DAY, "lộ mật khẩu", UNTIL)
    locked = draft.text()
    assert locked != text
    draft = Draft(locked, directory(locked))
    unlock(draft, person.id)
    assert draft.text() == text
