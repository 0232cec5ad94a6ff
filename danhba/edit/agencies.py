"""What happens to an agency: it is founded, renamed, closed, becomes part of others (Điều 5.3, 9).

An address that is given up stays in the file: an alias of the new one, or a closed agency whose
mail its successor gets. Mail that is there stays where it is.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from danhba import naming
from danhba.check_naming import (
    expected_agencies,
    follow_the_rule,
    form,
    holders,
    is_named_by_place,
)
from danhba.edit.draft import Draft, EditError
from danhba.edit.people import both_decisions, drop_roles, give_up, move
from danhba.fmt import word
from danhba.model import Agency, Closure, Directory, Exemption, Person
from danhba.names import RESERVED


@dataclass(frozen=True)
class Founding:
    """An agency to come. address: "" for the one that the rule gives. parent, decision may be "";
    an address that the rule does not give needs a decision."""

    kind: str
    name: str
    parent: str = ""
    address: str = ""
    decision: str = ""


@dataclass(frozen=True)
class Ending:
    """How an agency ends: from which day, by which decision, who goes on, until when the first of
    them gets its mail. staff: which of them gets whom, by address; the first one gets the rest."""

    first: date
    decision: str
    successors: Sequence[str] = ()
    until: date | None = None
    staff: Mapping[str, str] = field(default_factory=dict)


def right_address(draft: Draft, new: Founding, instead: Agency | None = None) -> str:
    """The address that the rule gives to a new agency beside those that are not closed, or what is
    proposed where the rule leaves it free. instead: which of them it is now.

    "" for a commune that the rule does not tell from another one. Raises EditError.
    """
    others = [each for each in draft.directory.agencies if each is not instead]
    coming = to_come(new.kind, new.name, new.parent, "")
    right = expected_agencies(replace(draft.directory, agencies=(*others, coming)))[""]
    if right is None and form(coming) == "office":
        raise EditError(
            f"{new.name} needs the --parent that it is an office of: a district or a commune "
            "(Điều 5.3.a); one of another agency is --kind khac"
        )
    return right or (naming.proposal(new.name) if form(coming) == "free" else "")


def to_come(kind: str, name: str, parent: str, address: str) -> Agency:
    """An agency as it will be, for the rule to look at."""
    return Agency(address, "", kind, name, parent, (), "", "", None, None, None, (), 0)


def found_agency(draft: Draft, new: Founding) -> str:
    """A new agency without staff and keepers, below all others; its address. Raises EditError.

    Namesakes keep their addresses, as exceptions by the decision.
    """
    right = right_address(draft, new)
    address = _chosen(new, right)
    held = holders(draft.directory)
    if address in held:
        name, line = held[address]
        raise EditError(
            f"{address} is held by {name} on line {line}: an address is never given again "
            f"(Điều 5.3); give {new.name} another --address and the --decision"
        )
    if address in RESERVED:
        raise EditError(f"{address} is a name of the mail system: give another --address")
    if new.parent:
        draft.agency(new.parent)
    exempt = _exempt(new, address, right)
    write_agency(draft, replace(new, address=address), exempt)
    coming = replace(to_come(new.kind, new.name, new.parent, address), exception=exempt)
    after = replace(draft.directory, agencies=(*draft.directory.agencies, coming))
    keep_addresses(draft, follow_the_rule(draft.directory), after, new.decision)
    return address


def write_agency(draft: Draft, new: Founding, exempt: Exemption | None) -> None:
    """A new agency with its address, as it is: nothing is asked."""
    lines = [f"  {word(new.address)}:", f"    kind: {new.kind}", f"    name: {word(new.name)}"]
    if new.parent:
        lines.append(f"    parent: {word(new.parent)}")
    lines.append("    keepers: []")
    if new.decision:
        lines.append(f"    decision: {word(new.decision)}")
    if exempt:
        lines.append(f"    exception: {_exception(exempt)}")
    draft.add_agency([*lines, "    staff: []"])


def _chosen(new: Founding, right: str) -> str:
    """Raises EditError."""
    if not (new.address or right):
        raise EditError(f"the rule does not say which {new.name} is: give --address and --decision")
    return new.address or right


def _exempt(new: Founding, address: str, right: str) -> Exemption | None:
    """Why an address is not that of the rule. Raises EditError."""
    if address == right or naming.KINDS[new.kind].form == "free":
        return None
    if not new.decision:
        raise EditError(f"the rule gives {right or 'none'}, not {address}: give the --decision")
    return exemption(new.decision)


def exemption(decision: str) -> Exemption:
    """For an address that was decided on, against the rule."""
    return Exemption(decision, "địa chỉ theo quyết định", 0)


def keep_addresses(draft: Draft, followed: Container[str], after: Directory, decision: str) -> None:
    """Whose address was right and would not be after a change beside it keeps it, for an address is
    given once (Điều 5.3); an exception says why. followed: whose was right. Raises EditError."""
    right = expected_agencies(after)
    for agency in after.agencies:
        own = agency.address
        if own not in followed or agency.exception or right.get(own, own) == own:
            continue
        if not decision:
            raise EditError(f"{agency.name} would keep {own} by an exception: give the --decision")
        exempt = Exemption(decision, "giữ địa chỉ đã cấp", 0)
        draft.set_agency(draft.agency(own), "exception", _exception(exempt))


def rename_agency(
    draft: Draft, agency: str, name: str, address: str, decision: str, until: date, kind: str = ""
) -> str:
    """Another name, and by it another address; the old one receives until the end of a day.

    address: "" for the one of the rule. kind: "" for the one that the name tells. What says in its
    address where it belongs keeps it, as an exception. The address of now. Raises EditError.
    """
    old = draft.agency(agency)
    _refuse_closed(old)
    to = Founding(kind or naming.kind_of(name, old.kind), name, old.parent, address, decision)
    if naming.KINDS[to.kind].form == "free" and not address:
        to = replace(to, address=old.address)
    right = right_address(draft, to, instead=old)
    new = _chosen(to, right)
    exempt = _exempt(to, new, right)
    if new != old.address:
        _refuse_held(draft, new)
    retitle(draft, old, to, exempt)
    after = _with_renamed(draft.directory, old, replace(to, address=new), exempt)
    keep_addresses(draft, follow_the_rule(draft.directory) - {old.address}, after, decision)
    if new != old.address:
        readdress(draft, old, new, until)
    return new


def _refuse_held(draft: Draft, address: str) -> None:
    held = holders(draft.directory)
    if address in held or address in RESERVED:
        name, line = held.get(address, ("", 0))
        by = f"{name} on line {line}" if line else "the mail system"
        raise EditError(f"{address} is held by {by}: give another --address (Điều 5.3)")


def _with_renamed(
    directory: Directory, old: Agency, to: Founding, exempt: Exemption | None
) -> Directory:
    """As it is after the change."""
    agencies = []
    for each in directory.agencies:
        if each is old:
            each = replace(old, address=to.address, kind=to.kind, name=to.name, exception=exempt)
        elif each.parent == old.address:
            each = replace(each, parent=to.address)
        agencies.append(each)
    return replace(directory, agencies=tuple(agencies))


def retitle(draft: Draft, agency: Agency, to: Founding, exempt: Exemption | None) -> None:
    """Another kind and name, by a decision. Raises EditError."""
    draft.set_agency(agency, "kind", to.kind)
    draft.set_agency(agency, "name", word(to.name))
    draft.set_agency(agency, "decision", word(to.decision))
    draft.set_agency(agency, "exception", _exception(exempt) if exempt else None)


def readdress(draft: Draft, agency: Agency, new: str, until: date) -> None:
    """Another address; the old one becomes an alias, what names it follows. Raises EditError."""
    old = agency.address
    draft.set_agency(agency, "account", word(agency.account or old))
    head = draft.row(agency.line)
    if head.count(f"  {word(old)}:") != 1:
        raise EditError(f"{old} is not written on line {agency.line} alone: run danhba fmt")
    draft.change(agency.line, head.replace(f"{word(old)}:", f"{word(new)}:", 1))
    for below in draft.directory.agencies:
        if below.parent == old:
            draft.set_agency(below, "parent", word(new))
        if below.closed and old in below.closed.successors:
            heirs = [new if each == old else each for each in below.closed.successors]
            draft.set_closed(below, {"successors": f"[{', '.join(map(word, heirs))}]"})
    give_up(draft, old, new, until)


def end_agencies(
    draft: Draft, agencies: Sequence[str], ending: Ending, day: date
) -> dict[str, list[str]]:
    """Several agencies end in one way; by address the roles that others have lost by it.

    Namesakes of a commune keep their addresses, as exceptions by the decision. Raises EditError.
    """
    followed = follow_the_rule(draft.directory)
    lost = {each: end_agency(draft, each, ending, day) for each in agencies}
    end = Closure(ending.first, ending.decision, tuple(ending.successors), ending.until, 0)
    after = replace(draft.directory, agencies=tuple(
        replace(each, closed=end) if each.address in lost else each
        for each in draft.directory.agencies
    ))  # fmt: skip
    keep_addresses(draft, followed, after, ending.decision)
    closed = {each.address for each in after.agencies if each.closed}
    return {each: of_the_living(roles, closed) for each, roles in lost.items()}


def of_the_living(roles: Iterable[str], closed: Container[str]) -> list[str]:
    """Of lost roles, in words, those in agencies that go on: a closed one needs nobody."""
    return [role for role in roles if role.partition(" of ")[2].partition(":")[0] not in closed]


def end_agency(draft: Draft, agency: str, ending: Ending, day: date) -> list[str]:
    """Close an agency, hand its staff and mail to its successors; the lost roles, in words.

    Without successor its staff must have been withdrawn or transferred before. day: of the change.
    Raises EditError.
    """
    old = draft.agency(agency)
    _refuse_closed(old)
    active = going(old, ending, day)
    if not ending.successors and active:
        raise EditError(
            f"{agency} still has {len(active)} of staff, {active[0].name} first: transfer or "
            "withdraw them, or name successors (danhba agency merge)"
        )
    heirs = {each: draft.agency(each) for each in ending.successors}
    for heir in heirs.values():
        if heir is old:
            raise EditError(f"{agency} cannot succeed itself")
        _refuse_closed(heir)
    _refuse_strangers(ending, old, heirs)
    lost = drop_roles(draft, old.staff)
    for person in active:
        decision = both_decisions(person, ending.decision)
        draft.set_person(person, {"decision": decision, "changed": str(day)})
        move(draft, person, heirs[ending.staff.get(person.address, ending.successors[0])])
    draft.set_agency(old, "closed", _closed(ending))
    if ending.successors:
        _hand_on(draft, old, heirs[ending.successors[0]])
    return lost


def going(agency: Agency, ending: Ending, day: date) -> list[Person]:
    """Who of its staff is not withdrawn when an agency has ended and the change is made."""
    by = max(ending.first, day)
    return [person for person in agency.staff if person.state(by) != "withdrawn"]


def _hand_on(draft: Draft, old: Agency, heir: Agency) -> None:
    """What leads to an agency for good goes on to its heir: postmaster, and what belongs to it.

    Not offices, hội and communes: their addresses say what they belong to, and stay.
    """
    for alias in draft.directory.aliases:
        if alias.to == old.address and alias.until is None and alias.address != old.account:
            draft.set_entry(alias.line, {"to": heir.address}, "alias")
    above = {heir.address, *_above(draft.directory, heir)}
    for below in draft.directory.agencies:
        named_by_it = is_named_by_place(below)
        if below.parent == old.address and not named_by_it and below.address not in above:
            draft.set_agency(below, "parent", word(heir.address))


def _above(directory: Directory, agency: Agency) -> list[str]:
    """Addresses of the agencies above, the next one first."""
    parents = {each.address: each.parent for each in directory.agencies}
    found: list[str] = []
    at = agency.address
    while (at := parents.get(at, "")) and at not in found:
        found.append(at)
    return found


def _closed(ending: Ending) -> str:
    parts = [f"from: {ending.first}", f"decision: {word(ending.decision)}"]
    if ending.successors:
        parts.append(f"successors: [{', '.join(map(word, ending.successors))}]")
    if ending.until:
        parts.append(f"until: {ending.until}")
    return "{" + ", ".join(parts) + "}"


def _refuse_closed(agency: Agency) -> None:
    if agency.closed:
        raise EditError(f"{agency.address} is closed from {agency.closed.since} already")


def _refuse_strangers(ending: Ending, old: Agency, heirs: Mapping[str, Agency]) -> None:
    own = {person.address for person in old.staff}
    for address, heir in ending.staff.items():
        if address not in own:
            raise EditError(f"{address} is not of the staff of {old.address}")
        if heir not in heirs:
            raise EditError(f"{heir} is no successor of {old.address}")


def _exception(exempt: Exemption) -> str:
    return f"{{decision: {word(exempt.decision)}, reason: {word(exempt.reason)}}}"
