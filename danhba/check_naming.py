"""Does every address follow the naming rule of Điều 5.3? Recomputed for all, whenever one looks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from danhba import naming
from danhba.findings import Finding, shown
from danhba.model import Agency, Directory

AGENCIES = "Điều 5.3.a"
PEOPLE = "Điều 5.3.b"

_NUMBER = re.compile(r"[0-9]{2,}")


def check_naming(directory: Directory) -> Iterator[Finding]:
    """A finding for every address that deviates without an exception (a decision, a reason)."""
    yield from _agencies(directory)
    yield from _people(directory)


def expected_agencies(directory: Directory) -> dict[str, str | None]:
    """What the rule gives each agency, by the address that it has.

    None where the rule prescribes nothing: other units (Điều 5.3.a, end), and communes of one kind
    in one district whose names differ by marks only.
    """
    by_address = {agency.address: agency for agency in directory.agencies}
    expected = {
        each.address: naming.agency(each.kind, each.name, _district(each, by_address))
        for each in directory.agencies
    }
    communes = [each for each in directory.agencies if _form(each) == "commune"]
    units = [naming.Commune(each.kind, each.name, _district(each, by_address)) for each in communes]
    districts = [naming.plain_name(each.kind, each.name) for each in _districts(directory)]
    found = naming.communes(units, districts)
    return expected | {each.address: part for each, part in zip(communes, found, strict=True)}


def _agencies(directory: Directory) -> Iterator[Finding]:
    expected = expected_agencies(directory)
    held = holders(directory)
    for agency in directory.agencies:
        right = expected[agency.address]
        if agency.exception or right == agency.address:
            continue
        if right is not None:
            message = f"{agency.name} has the address {shown(agency.address)}, not {shown(right)}"
            yield _finding(directory, agency.line, message, _remedy(right, held), AGENCIES)
        elif _form(agency) == "commune":
            message = (
                f"the rule does not say which of the communes of one name {agency.name} is "
                f"(address {shown(agency.address)})"
            )
            yield _finding(directory, agency.line, message, _DECIDE, AGENCIES)


_DECIDE = "add `exception: {decision: ..., reason: ...}` with the number of DoIC's decision"


def _remedy(right: str, held: Mapping[str, tuple[str, int]]) -> str:
    if right not in held:
        return f"write {right}, or {_DECIDE}"
    name, line = held[right]
    return f"{right} is held by {name} on line {line}: {_DECIDE}, for one of the two"


def _people(directory: Directory) -> Iterator[Finding]:
    """The number of an address is the order of registration and is not recomputed (Điều 5.3.b)."""
    given = holders(directory)
    for person in directory.people:
        base = naming.person(person.name, person.given_name)
        if person.exception or _is_numbered(person.address, base):
            continue
        free = naming.numbered(base, naming.free_number(base, given))
        message = f"{person.name} has the address {shown(person.address)}, not {shown(base)}"
        message += " or that with a number of two digits"
        yield _finding(directory, person.line, message, f"write {free}, or {_DECIDE}", PEOPLE)


def _is_numbered(address: str, base: str) -> bool:
    """Is it base, or base with 02, 03, ... 100?"""
    number = address.removeprefix(base)
    if address == base:
        return True
    known = _NUMBER.fullmatch(number) is not None and address.startswith(base)
    return known and address == naming.numbered(base, int(number)) and int(number) > 1


def holders(directory: Directory) -> dict[str, tuple[str, int]]:
    """Name and line of whoever holds each address of the one name space."""
    found: dict[str, tuple[str, int]] = {}
    for agency in directory.agencies:
        found[agency.address] = (agency.name, agency.line)
        found |= {person.address: (person.name, person.line) for person in agency.staff}
    found |= {alias.address: ("an alias", alias.line) for alias in directory.aliases}
    found |= {name.address: (f"{name.was}, retired", name.line) for name in directory.retired}
    return found | {name.address: ("the operator", name.line) for name in directory.reserved}


def _form(agency: Agency) -> str:
    return naming.KINDS[agency.kind].form


def _districts(directory: Directory) -> list[Agency]:
    return [agency for agency in directory.agencies if _form(agency) == "place"]


def _district(agency: Agency, by_address: Mapping[str, Agency]) -> str:
    """The name, without kind word, of the district that the agency belongs to; "" for none."""
    above = by_address.get(agency.parent)
    seen = {agency.address}
    while above is not None and above.address not in seen:
        if _form(above) == "place":
            return naming.plain_name(above.kind, above.name)
        seen.add(above.address)
        above = by_address.get(above.parent)
    return ""


def _finding(directory: Directory, line: int, message: str, remedy: str, clause: str) -> Finding:
    return Finding(directory.file, line, "error", clause, message, remedy)
