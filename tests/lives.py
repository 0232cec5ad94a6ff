"""A small province, and lives of it: one change after the other, as the commands make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

from drafts import DAY
from hypothesis import strategies as st

from danhba.check import check_text
from danhba.compiled import Compiled
from danhba.edit.agencies import Ending, Founding, end_agency, found_agency, rename_agency
from danhba.edit.draft import Draft, EditError
from danhba.edit.people import (
    Basis,
    Newcomer,
    add_people,
    lock,
    reinstate,
    rename,
    set_keepers,
    transfer,
    unlock,
    withdraw,
)
from danhba.load import load_text
from danhba.model import Agency, Directory, Person

PEOPLE = (
    ("sotaichinh", "Nguyễn Văn An", "nvan"), ("sotaichinh", "Trần Thị Kim Ngân", "ttkngan"),
    ("sotaichinh", "Lê Văn Lộc", "lvloc"), ("soyte", "Võ Thị Tư", "vttu"),
    ("soyte", "Phan Văn Bảo", "pvbao"), ("sonoivu", "Châu Út", "cut"),
    ("chomoi", "Đặng Đức Đạt", "dddat"), ("chomoi", "Ngô Văn An", "nvan02"),
    ("noivu.chomoi", "Thạch Ý", "ty"),
)  # fmt: skip
AGENCIES = (
    ("sotaichinh", "so", "Sở Tài chính", ""), ("soyte", "so", "Sở Y tế", ""),
    ("sonoivu", "so", "Sở Nội vụ", ""), ("chomoi", "huyen", "Huyện Chợ Mới", ""),
    ("noivu.chomoi", "phong", "Phòng Nội vụ", "chomoi"),
)  # fmt: skip
NAMES = ("Nguyễn Văn Bình", "Lê An", "Ngô Vĩnh An", "Trần Thị Kim Ngọc", "Phan Bảo")


def _province() -> str:
    rows = [
        "province: {name: An Giang, domain: angiang.gov.vn, timezone: Asia/Ho_Chi_Minh}",
        "legal_basis: [50/2009/QĐ-UBND]",
        "policy: {quota_gb: 2, agency_quota_gb: 10, message_mb: 30, protected: [nvan]}",
        "requests: {}", "agencies:",
    ]  # fmt: skip
    for address, kind, name, parent in AGENCIES:
        staff = [(full, one) for agency, full, one in PEOPLE if agency == address]
        rows += [f"  {address}:", f"    kind: {kind}", f"    name: {name}"]
        rows += [f"    parent: {parent}"] * bool(parent)
        rows += [f"    keepers: [{staff[0][1]}]", "    staff:"]
        for full, one in staff:
            entry = f'id: "C-{one}", name: {full}, address: {one}, since: 2026-11-05'
            rows.append(f"      - {{{entry}, decision: 1/QĐ}}")
    rows += ["aliases:", "  postmaster: {to: taichinh}", "  taichinh: {to: sotaichinh}"]
    return "\n".join([*rows, "reserved: [hotro]", ""])


PROVINCE = _province()


@dataclass(frozen=True)
class Step:
    """event: of EVENTS. one, other: who or what, as numbers. days: until it begins or ends."""

    event: str
    one: int
    other: int
    days: int


Event: TypeAlias = Callable[[Draft, Step, date], object]


def _somebody(draft: Draft, number: int) -> Person:
    people = draft.directory.people
    return people[number % len(people)]


def _agency(draft: Draft, number: int) -> Agency:
    agencies = draft.directory.agencies
    return agencies[number % len(agencies)]


def _rests(step: Step, day: date) -> Basis:
    return Basis(day, decision=f"{step.one}-{step.other}-{day}/QĐ")


def _withdraw(draft: Draft, step: Step, day: date) -> None:
    who, first = _somebody(draft, step.one).address, day + timedelta(days=step.days)
    withdraw(draft, who, first, "nghỉ hưu", _rests(step, day))


def _reinstate(draft: Draft, step: Step, day: date) -> None:
    reinstate(draft, _somebody(draft, step.one).id, _rests(step, day))


def _lock(draft: Draft, step: Step, day: date) -> None:
    lock(draft, _somebody(draft, step.one).address, day, "lộ mật khẩu", day + timedelta(days=400))


def _unlock(draft: Draft, step: Step, day: date) -> None:
    unlock(draft, _somebody(draft, step.one).id)


def _rename(draft: Draft, step: Step, day: date) -> None:
    name, until = NAMES[step.other % len(NAMES)], day + timedelta(days=step.days)
    who = _somebody(draft, step.one).address
    rename(draft, who, name, "", _rests(step, day), until, keep=False)


def _transfer(draft: Draft, step: Step, day: date) -> None:
    goal = _agency(draft, step.other).address
    transfer(draft, _somebody(draft, step.one).id, goal, _rests(step, day))


def _keep(draft: Draft, step: Step, day: date) -> None:
    agency = _agency(draft, step.one)
    staff = [each.address for each in agency.staff if each.state(day) == "active"]
    set_keepers(draft, agency.address, staff[: step.other % 3])


def _add(draft: Draft, step: Step, day: date) -> None:
    name, code = NAMES[step.other % len(NAMES)], f"N-{step.one}-{step.other}-{day}"
    new = Newcomer(code, name, "", day, decision=_rests(step, day).decision)
    add_people(draft, _agency(draft, step.one).address, [new])


def _found(draft: Draft, step: Step, day: date) -> None:
    found_agency(draft, Founding("khac", f"Trung tâm {NAMES[step.one % len(NAMES)]}"))


def _another_name(draft: Draft, step: Step, day: date) -> None:
    agency, until = _agency(draft, step.one), day + timedelta(days=step.days)
    name, address = f"{agency.name} {step.other}", f"a{step.one}-{step.other}"
    rename_agency(draft, agency.address, name, address, _rests(step, day).decision, until)


def _end(draft: Draft, step: Step, day: date) -> None:
    heir, first = _agency(draft, step.other), day + timedelta(days=step.days)
    until = first + timedelta(days=step.other)
    ending = Ending(first, _rests(step, day).decision, (heir.address,), until)
    end_agency(draft, _agency(draft, step.one).address, ending, day)


def _close(draft: Draft, step: Step, day: date) -> None:
    ending = Ending(day + timedelta(days=step.days), _rests(step, day).decision)
    end_agency(draft, _agency(draft, step.one).address, ending, day)


EVENTS: dict[str, Event] = {
    "withdraw": _withdraw, "reinstate": _reinstate, "lock": _lock, "unlock": _unlock,
    "rename": _rename, "transfer": _transfer, "keep": _keep, "add": _add, "found": _found,
    "another name": _another_name, "end": _end, "close": _close,
}  # fmt: skip


def steps(*events: str) -> st.SearchStrategy[Step]:
    """Of these events, or of all."""
    number = st.integers(0, 40)
    days = st.sampled_from((0, 1, 10, 60, 365))
    return st.builds(Step, st.sampled_from(events or list(EVENTS)), number, number, days)


def taken(text: str, step: Step, day: date) -> str:
    """The text after a step that is taken on a day; as it was, where danhba would write nothing."""
    before, findings = load_text(text.encode(), "x")
    assert before is not None, findings
    draft = Draft(text, before)
    try:
        EVENTS[step.event](draft, step, day)
    except EditError:
        return text
    found = check_text(draft.text().encode(), "x", day)[1]
    return text if any(each.severity == "error" for each in found) else draft.text()


@dataclass(frozen=True)
class Moment:
    """The directory as it is from a day on."""

    day: date
    text: str

    @property
    def directory(self) -> Directory:
        found, findings = load_text(self.text.encode(), "x")
        assert found is not None, findings
        return found


def lives(most: int = 12) -> st.SearchStrategy[list[Moment]]:
    return st.lists(steps(), min_size=3, max_size=most).map(lived)


def lived(taking: Sequence[Step]) -> list[Moment]:
    """What the directory was from the first day to the last, with a step on every third of them."""
    moments = [Moment(DAY, PROVINCE)]
    for number, step in enumerate(taking, 1):
        day = DAY + timedelta(days=3 * number)
        text = taken(moments[-1].text, step, day)
        if text != moments[-1].text:
            moments.append(Moment(day, text))
    return moments


# The mail system, as its tables have it


def reached(compiled: Compiled, address: str) -> str:
    """The account that mail for an address ends at; "" when it is refused or unknown."""
    if address in {each.address for each in compiled.refused}:
        return ""
    names = {name.address: name.account for name in compiled.names}
    seen = {address}
    while (further := names.get(address)) is not None and further not in seen:
        seen.add(further)
        address = further
    return address if address in {box.account for box in compiled.mailboxes} else ""


def enters(compiled: Compiled, typed: str) -> str:
    """The account whose mailbox somebody with the right password gets into; "" when he stays out.

    As an edge and a store ask: blocked, then logins, then routes; then grants.
    """
    if typed in compiled.blocked:
        return ""
    mailbox, star, keeper = dict(compiled.logins).get(typed, typed).partition("*")
    boxes = {box.account: box for box in compiled.mailboxes}
    if mailbox not in boxes:
        return ""
    if star:
        grants = {(grant.agency, grant.keeper) for grant in compiled.grants}
        return mailbox if (mailbox, keeper) in grants else ""
    return mailbox if boxes[mailbox].state not in ("locked", "withdrawn") else ""
