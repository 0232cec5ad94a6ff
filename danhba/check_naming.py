"""Does every address follow the naming rule of Điều 5.3? Recomputed for all, whenever one looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from danhba import naming
from danhba.findings import Finding, shown
from danhba.model import Agency, Directory

AGENCIES = "Điều 5.3.a"
PEOPLE = "Điều 5.3.b"


def check_naming(directory: Directory) -> Iterator[Finding]:
    """A finding for every address that deviates without an exception (a decision, a reason)."""
    yield from _agencies(directory)
    yield from _people(directory)


def expected_agencies(directory: Directory) -> dict[str, str | None]:
    """What the rule gives each agency that is not closed, by the address that it has.

    None where the rule prescribes nothing: other units (Điều 5.3.a, end), and communes of one kind
    in one district whose names differ by marks only. A commune is told from those beside it: from
    the closed ones too when its own district is closed, for then it was named among them.
    """
    by_address = {agency.address: agency for agency in directory.agencies}
    living = [agency for agency in directory.agencies if not agency.closed]
    expected = _expected(living, by_address)
    if len(living) < len(directory.agencies):
        before = _expected(directory.agencies, by_address)
        for agency in living:
            district = _district(agency, by_address)
            if district is not None and district.closed:
                expected[agency.address] = before[agency.address]
    return expected


def _expected(
    agencies: Sequence[Agency], by_address: Mapping[str, Agency]
) -> dict[str, str | None]:
    """By the rule, as if there were no others."""
    expected = {
        each.address: naming.agency(each.kind, each.name, district_name(each, by_address))
        for each in agencies
    }
    communes = [each for each in agencies if _form(each) == "commune"]
    units = [
        naming.Commune(each.kind, each.name, district_name(each, by_address)) for each in communes
    ]
    districts = [
        naming.plain_name(each.kind, each.name) for each in agencies if _form(each) == "place"
    ]
    found = naming.communes(units, districts)
    return expected | {each.address: part for each, part in zip(communes, found, strict=True)}


def _agencies(directory: Directory) -> Iterator[Finding]:
    expected = expected_agencies(directory)
    held = holders(directory)
    for agency in directory.agencies:
        right = expected.get(agency.address, agency.address)
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
        if person.exception or naming.is_numbered(person.address, base):
            continue
        free = naming.numbered(base, naming.free_number(base, given))
        message = f"{person.name} has the address {shown(person.address)}, not {shown(base)}"
        message += " or that with a number of two digits"
        yield _finding(directory, person.line, message, f"write {free}, or {_DECIDE}", PEOPLE)


def holders(directory: Directory) -> dict[str, tuple[str, int]]:
    """Name and line of whoever holds each address of the one name space."""
    found: dict[str, tuple[str, int]] = {}
    for agency in directory.agencies:
        end = f", closed from {agency.closed.since}" if agency.closed else ""
        found[agency.address] = (f"{agency.name}{end}", agency.line)
        found |= {person.address: (person.name, person.line) for person in agency.staff}
    found |= {alias.address: (f"an alias of {alias.to}", alias.line) for alias in directory.aliases}
    found |= {name.address: (f"{name.was}, retired", name.line) for name in directory.retired}
    return found | {name.address: ("the operator", name.line) for name in directory.reserved}


def _form(agency: Agency) -> str:
    return naming.KINDS[agency.kind].form


def _district(agency: Agency, by_address: Mapping[str, Agency]) -> Agency | None:
    """The district that the agency belongs to."""
    above = by_address.get(agency.parent)
    seen = {agency.address}
    while above is not None and above.address not in seen:
        if _form(above) == "place":
            return above
        seen.add(above.address)
        above = by_address.get(above.parent)
    return None


def district_name(agency: Agency, by_address: Mapping[str, Agency]) -> str:
    """Its name without kind word, "" when there is none."""
    district = _district(agency, by_address)
    return naming.plain_name(district.kind, district.name) if district else ""


def _finding(directory: Directory, line: int, message: str, remedy: str, clause: str) -> Finding:
    return Finding(directory.file, line, "error", clause, message, remedy)
