"""What happens to an official in his time (Điều 6, 9.2, 10.2.a), as changes of his one line.

The address stays in every case but a change of name, and then it stays his as an alias.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date

from danhba import naming
from danhba.check_naming import holders
from danhba.edit.draft import Draft, EditError
from danhba.fmt import quoted, word
from danhba.model import Agency, Directory, Person, Status
from danhba.names import RESERVED


@dataclass(frozen=True)
class Newcomer:
    """Somebody to be registered. given_name, title, decision may be "". since: day of
    registration."""

    id: str
    name: str
    request: str
    since: date
    title: str = ""
    given_name: str = ""
    decision: str = ""


@dataclass(frozen=True)
class Basis:
    """What a change rests on: the number of a letter that is in the file, or a decision; the other
    one is "". day: of the change."""

    day: date
    request: str = ""
    decision: str = ""

    def values(self) -> dict[str, str | None]:
        """Keys of a line that was changed by it: what it rested on before is in git."""
        return {
            "changed": str(self.day), "request": self.request or None,
            "decision": self.decision or None,
        }  # fmt: skip


def _held(directory: Directory) -> set[str]:
    """What anybody ever held, or nobody may."""
    return {*holders(directory), *RESERVED}


def _next_address(held: Container[str], name: str, given_name: str) -> str:
    """The access name of the next holder, in the order of registration (Điều 5.3.b)."""
    base = naming.person(name, given_name)
    return naming.numbered(base, naming.free_number(base, held))


def add_people(draft: Draft, agency: str, newcomers: Sequence[Newcomer]) -> list[str]:
    """A line for each newcomer; their addresses in the given order. Raises EditError."""
    found = _open(draft, agency)
    ids = {person.id: person for person in draft.directory.people}
    held = _held(draft.directory)
    addresses: list[str] = []
    for new in newcomers:
        if new.id in ids:
            there = ids[new.id]
            raise EditError(
                f"staff code {new.id} is {there.name}, {there.address}, on line {there.line}: "
                "nobody has two addresses (Điều 5.3)"
            )
        address = _next_address(held, new.name, new.given_name)
        held.add(address)
        addresses.append(address)
        draft.put_person(found, address, _row(new, address))
    return addresses


def _row(new: Newcomer, address: str) -> str:
    pairs = {
        "id": quoted(new.id), "name": word(new.name), "given_name": word(new.given_name),
        "address": word(address), "since": str(new.since), "request": word(new.request),
        "decision": word(new.decision), "title": word(new.title),
    }  # fmt: skip
    written = ", ".join(f"{key}: {value}" for key, value in pairs.items() if value != '""')
    return f"      - {{{written}}}\n"


def transfer(draft: Draft, who: str, agency: str, basis: Basis) -> list[str]:
    """Somebody goes to another agency; the roles that he loses, in words.

    who: address or staff code. Address, mail and day of registration stay. What he kept or looked
    after does not: a keeper belongs to his agency (Điều 9.2.c). Raises EditError.
    """
    person = draft.person(who)
    goal = _open(draft, agency)
    if person.agency == agency:
        raise EditError(f"{person.name} is in {agency} already")
    here = draft.agency(person.agency)
    if person.state(basis.day) == "withdrawn" and not here.closed:  # nobody is back in a closed one
        raise EditError(f"{person.name} is withdrawn: reinstate him, then transfer him")
    lost = drop_roles(draft, [person])
    draft.set_person(person, {**basis.values(), "decision": both_decisions(person, basis.decision)})
    move(draft, person, goal)
    return lost


def both_decisions(person: Person, decision: str) -> str | None:
    """What a status rests on stays beside what moves the person."""
    if person.status is None or not person.decision or person.decision == decision:
        return decision or None
    return f"{person.decision}; {decision}" if decision else person.decision


def _open(draft: Draft, agency: str) -> Agency:
    """An agency that goes on. Raises EditError."""
    found = draft.agency(agency)
    if found.closed:
        raise EditError(f"{agency} is closed from {found.closed.since}: nobody comes to it")
    return found


def move(draft: Draft, person: Person, goal: Agency) -> None:
    """The line of somebody, as it is by now, to another agency's staff."""
    draft.put_person(goal, person.address, draft.take_person(person))


def drop_roles(draft: Draft, people: Sequence[Person]) -> list[str]:
    """Nobody of them keeps a mailbox or looks after computers any more; what they did, in words."""
    leaving = {person.address for person in people}
    lost = []
    for agency in draft.directory.agencies:
        keepers = draft.keepers[agency.address]
        if gone := [keeper for keeper in keepers if keeper in leaving]:
            left = [keeper for keeper in keepers if keeper not in leaving]
            set_keepers(draft, agency.address, left)
            lost += [f"keeper of {agency.address}: {keeper}" for keeper in gone]
        if agency.it_officer in leaving:
            draft.set_agency(agency, "it_officer", None)
            lost.append(f"IT officer of {agency.address}: {agency.it_officer}")
    return lost


def set_keepers(draft: Draft, agency: str, keepers: Sequence[str]) -> None:
    """Who keeps an agency's mailbox (Điều 9.2.c); nobody begins to who is locked or leaves. Raises
    EditError."""
    begin = set(keepers) - set(draft.keepers[agency])
    for person in draft.agency(agency).staff:
        if person.status and person.address in begin:
            status = person.status
            raise EditError(f"{person.name} is {status.kind} from {status.since}: name another one")
    draft.set_agency(draft.agency(agency), "keepers", f"[{', '.join(map(word, keepers))}]")
    draft.keepers[agency] = tuple(keepers)


def withdraw(draft: Draft, who: str, first: date, reason: str, basis: Basis) -> list[str]:
    """From the day `first` somebody neither logs in nor receives (Điều 6.3); the mailbox is kept.

    Roles are dropped at once when that day has come; before, he keeps them and check warns. Who is
    locked stays so until then. Returns the roles that he lost, in words. Raises EditError.
    """
    person = draft.person(who)
    status = person.status
    if status and status.kind == "withdrawn" and status.since <= basis.day:
        raise EditError(f"{person.name} is withdrawn from {status.since} already")
    lost = drop_roles(draft, [person]) if first <= basis.day else []
    ended: dict[str, str | None] = {
        "status": "withdrawn", "from": str(first), "reason": reason, "locked": None,
    }  # fmt: skip
    if basis.request:  # a decision may end and move many at once
        _refuse_old_paper(person, basis)
    since = _locked_since(status)
    if since and since < first:  # until then nobody gets in again
        ended["locked"] = str(since)
    else:
        ended["confirm_by"] = None
    draft.set_person(person, ended)
    _cite(draft, person, basis)
    return lost


def _refuse_old_paper(person: Person, basis: Basis) -> None:
    """What the line rests on already says nothing of this change."""
    same = {basis.request, basis.decision} & {person.request, person.decision} - {""}
    if same and person.changed != basis.day:  # else a letter of today that moved him as well
        paper = same.pop()
        raise EditError(f"the line of {person.name} rests on {paper} already: cite the new paper")


def _cite(draft: Draft, person: Person, basis: Basis) -> None:
    """A letter takes the place of the list that registered him, from the day of the change on; a
    decision stands beside it."""
    if basis.request:
        draft.set_person(person, basis.values())
    else:
        draft.set_person(person, {"decision": basis.decision})


_UNLOCKED: dict[str, str | None] = dict.fromkeys(("locked", "confirm_by"))
_ACTIVE = {**dict.fromkeys(("status", "from", "reason")), **_UNLOCKED}


def _locked_since(status: Status | None) -> date | None:
    if status is None or status.kind == "locked":
        return status.since if status else None
    return status.locked


def reinstate(draft: Draft, who: str, basis: Basis) -> None:
    """Somebody who was withdrawn is active again, with address and mail (Điều 6.4)."""
    person = draft.person(who)
    if person.status is None or person.status.kind != "withdrawn":
        raise EditError(f"{person.name} is not withdrawn")
    if draft.agency(person.agency).closed:
        raise EditError(f"{person.agency} of {person.name} is closed: transfer him first")
    if person.status.locked:
        raise EditError(f"{person.name} is locked as well: danhba unlock first")
    _refuse_old_paper(person, basis)
    draft.set_person(person, {**_ACTIVE, **basis.values()})


def lock(draft: Draft, who: str, first: date, reason: str, confirm_by: date) -> None:
    """At once, without paper (Điều 10.2.a): no login, no sending; mail still comes."""
    person = draft.person(who)
    if (status := person.status) and status.first <= first:
        raise EditError(f"{person.name} is {status.on(first)} from {status.first} already")
    locked = {"locked": str(first)} if status and status.kind == "withdrawn" else {
        "status": "locked", "from": str(first), "reason": reason,
    }  # fmt: skip
    draft.set_person(person, {**locked, "confirm_by": str(confirm_by)})


def confirm_lock(draft: Draft, who: str, basis: Basis) -> None:
    """The agency has confirmed in writing (Điều 10.2.a)."""
    person = _locked(draft, who)
    _refuse_old_paper(person, basis)
    draft.set_person(person, {"confirm_by": None})
    if person.status and person.status.kind == "locked":  # else the withdrawal's paper stays
        _cite(draft, person, basis)


def unlock(draft: Draft, who: str) -> None:
    """Somebody who was locked is active again; a withdrawal that lies ahead stays."""
    person = _locked(draft, who)
    ends = person.status is not None and person.status.kind == "locked"
    draft.set_person(person, _ACTIVE if ends else _UNLOCKED)


def _locked(draft: Draft, who: str) -> Person:
    person = draft.person(who)
    if _locked_since(person.status) is None:
        raise EditError(f"{person.name} is not locked")
    return person


def leave(draft: Draft, who: str, until: date, decision: str) -> None:
    """A long leave until the end of a day, in the place of an earlier one. Raises EditError."""
    person = draft.person(who)
    if person.status and person.status.kind == "withdrawn":
        raise EditError(f"{person.name} is withdrawn: a leave changes nothing")
    draft.set_person(person, {"leave": f"{{until: {until}, decision: {word(decision)}}}"})


def end_leave(draft: Draft, who: str) -> None:
    """Somebody is back before the time. Raises EditError."""
    person = draft.person(who)
    if person.leave is None:
        raise EditError(f"{person.name} is not on leave")
    draft.set_person(person, {"leave": None})


def rename(
    draft: Draft, who: str, name: str, given_name: str, basis: Basis, until: date, keep: bool
) -> str:
    """Another name, and by it another address; the old one receives until the end of a day.

    keep: the address stays, as an exception by the decision of the basis. An address that the new
    name would give as well stays anyway. The address of now. Raises EditError.
    """
    person = draft.person(who)
    base = naming.person(name, given_name)
    values = {**basis.values(), "name": name, "given_name": given_name or None}
    if naming.is_numbered(person.address, base):
        draft.set_person(person, values)
        return person.address
    if keep:
        if not basis.decision:
            raise EditError("an address that stays deviates from the rule: give a --decision")
        exception = f"{{decision: {word(basis.decision)}, reason: đổi tên và giữ địa chỉ}}"
        draft.set_person(person, {**values, "exception": exception})
        return person.address
    address = _next_address(_held(draft.directory), name, given_name)
    moved = {"address": address, "account": person.kept_as, "exception": None}
    draft.set_person(person, {**values, **moved})
    give_up(draft, person.address, address, until)
    follow(draft, person.address, address)
    draft.put_person(draft.agency(person.agency), address, draft.take_person(person))
    return address


def give_up(draft: Draft, old: str, new: str, until: date) -> None:
    """The old address as an alias of the new one, and older ones with it."""
    for alias in draft.directory.aliases:
        if alias.to == old:
            draft.set_entry(alias.line, {"to": new}, "alias")
    draft.add_entry("aliases", old, {"to": new, "until": str(until)})


def follow(draft: Draft, old: str, new: str) -> None:
    """Agencies name their keepers and IT officers by address."""
    for agency in draft.directory.agencies:
        there = draft.keepers[agency.address]
        if old in there:
            keepers = [new if keeper == old else keeper for keeper in there]
            set_keepers(draft, agency.address, keepers)
        if agency.it_officer == old:
            draft.set_agency(agency, "it_officer", word(new))
