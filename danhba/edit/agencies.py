"""What happens to an agency: it is founded, renamed, closed, becomes part of others (Điều 5.3, 9).

An address that is given up stays in the file: an alias of the new one, or a closed agency whose
mail its successor gets. Mail that is there stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from danhba import naming
from danhba.check_naming import district_name, expected_agencies, holders
from danhba.edit.draft import Draft, EditError
from danhba.edit.people import drop_roles, give_up, move
from danhba.fmt import word
from danhba.model import Agency, Directory, Person
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
    coming = Agency("", "", new.kind, new.name, new.parent, (), "", "", None, None, (), 0)
    by_address = {each.address: each for each in [*others, coming]}
    if _form(coming) == "office" and not district_name(coming, by_address):
        raise EditError(f"{new.name} needs the --parent that it is an office of")
    beside = replace(draft.directory, agencies=(*others, coming))
    proposed = naming.proposal(new.name) if _form(coming) == "free" else ""
    return expected_agencies(beside)[""] or proposed


def found_agency(draft: Draft, new: Founding) -> str:
    """A new agency without staff and keepers, below all others; its address. Raises EditError."""
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
    lines = [f"  {word(address)}:", f"    kind: {new.kind}", f"    name: {word(new.name)}"]
    if new.parent:
        lines.append(f"    parent: {word(draft.agency(new.parent).address)}")
    lines.append("    keepers: []")
    if new.decision:
        lines.append(f"    decision: {word(new.decision)}")
    if address != right and naming.KINDS[new.kind].form != "free":
        if not new.decision:
            raise EditError(f"the rule gives {right or 'none'}, not {address}: give the --decision")
        lines.append(f"    exception: {_exception(new.decision, 'địa chỉ theo quyết định')}")
    draft.add_agency([*lines, "    staff: []"])
    return address


def _chosen(new: Founding, right: str) -> str:
    """Raises EditError."""
    if not (new.address or right):
        raise EditError(f"the rule does not say which {new.name} is: give --address and --decision")
    return new.address or right


def rename_agency(
    draft: Draft, agency: str, name: str, address: str, decision: str, until: date
) -> str:
    """Another name, and by it another address; the old one receives until the end of a day.

    address: "" for the one of the rule. The address of now. Raises EditError.
    """
    old = draft.agency(agency)
    _refuse_closed(old)
    free = _form(old) == "free"
    to = Founding(old.kind, name, old.parent, address or (old.address if free else ""))
    right = right_address(draft, to, instead=old)
    new = _chosen(to, right)
    draft.set_agency(old, "name", word(name))
    draft.set_agency(old, "decision", word(decision))
    deviates = new != right and not free
    exception = _exception(decision, "địa chỉ theo quyết định") if deviates else None
    draft.set_agency(old, "exception", exception)
    if new == old.address:
        return new
    held = holders(draft.directory)
    if new in held or new in RESERVED:
        by = f"{held[new][0]} on line {held[new][1]}" if new in held else "the mail system"
        raise EditError(f"{new} is held by {by}: give another --address (Điều 5.3)")
    draft.set_agency(old, "account", word(old.account or old.address))
    head = draft.row(old.line)
    if head.count(f"  {word(old.address)}:") != 1:
        raise EditError(f"{agency} is not written on line {old.line} alone: run danhba fmt")
    draft.change(old.line, head.replace(f"{word(old.address)}:", f"{word(new)}:", 1))
    for below in draft.directory.agencies:
        if below.parent == old.address:
            draft.set_agency(below, "parent", word(new))
        if below.closed and old.address in below.closed.successors:
            heirs = [new if each == old.address else each for each in below.closed.successors]
            draft.set_closed(below, {"successors": f"[{', '.join(map(word, heirs))}]"})
    give_up(draft, old.address, new, until)
    return new


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
        draft.set_person(person, {"decision": ending.decision, "changed": str(day)})
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

    Not offices and communes: their addresses say what they belong to, and stay.
    """
    for alias in draft.directory.aliases:
        if alias.to == old.address and alias.until is None and alias.address != old.account:
            draft.set_entry(alias.line, {"to": heir.address}, "alias")
    above = {heir.address, *_above(draft.directory, heir)}
    for below in draft.directory.agencies:
        named_by_it = _form(below) in ("office", "commune")
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


def _form(agency: Agency) -> str:
    return naming.KINDS[agency.kind].form


def _exception(decision: str, reason: str) -> str:
    return f"{{decision: {word(decision)}, reason: {word(reason)}}}"
