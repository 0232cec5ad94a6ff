"""Does every address follow the naming rule of Điều 5.3? Recomputed for all, whenever one looks."""

from __future__ import annotations

from collections import Counter
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

    None where the rule prescribes nothing: other units (Điều 5.3.a, end), offices of nothing that
    has a name in the rule, and communes of one kind in one district whose names differ by marks
    only. A commune is told from those beside it: from the closed ones too when its own district is
    closed, for then it was named among them.
    """
    by_address = {agency.address: agency for agency in directory.agencies}
    living = [agency for agency in directory.agencies if not agency.closed]
    expected = _expected(living, by_address)
    if len(living) < len(directory.agencies):
        before = _expected(directory.agencies, by_address)
        for agency in living:
            district = _above(agency, by_address, ("place",))
            if district is not None and district.closed:
                expected[agency.address] = before[agency.address]
    return expected


def _expected(
    agencies: Sequence[Agency], by_address: Mapping[str, Agency]
) -> dict[str, str | None]:
    """By the rule, as if there were no others but districts: those count when closed, too."""
    places = _Places(by_address)
    expected = {
        each.address: naming.agency(each.kind, each.name, places.of_office(each))
        for each in agencies
    }
    expected |= {each: part for each, part in places.right().items() if each in expected}
    communes = [each for each in agencies if form(each) == "commune"]
    units = [naming.Commune(each.kind, each.name, places.of_commune(each)) for each in communes]
    districts = [
        naming.plain_name(each.kind, each.name) for each in agencies if form(each) == "place"
    ]
    found = naming.communes(units, districts)
    return expected | {each.address: part for each, part in zip(communes, found, strict=True)}


class _Places:
    """What the addresses of offices and communes say about where they belong."""

    def __init__(self, by_address: Mapping[str, Agency]) -> None:
        self.by_address = by_address
        self.districts = [each for each in by_address.values() if form(each) == "place"]
        names = {each.address: naming.plain_name(each.kind, each.name) for each in self.districts}
        count = Counter(map(naming.fold, names.values()))
        # Two districts of one name are told apart by their addresses.
        self.names = {
            address: name if count[naming.fold(name)] == 1 else address
            for address, name in names.items()
        }

    def right(self) -> dict[str, str | None]:
        """What the rule gives the districts themselves."""
        found = naming.districts([(each.kind, each.name) for each in self.districts])
        return {each.address: part for each, part in zip(self.districts, found, strict=True)}

    def of_commune(self, agency: Agency) -> str:
        """Its district, "" when there is none."""
        district = _above(agency, self.by_address, ("place",))
        return self.names[district.address] if district else ""

    def of_office(self, agency: Agency) -> str:
        """The district that it belongs to, or the address of a commune: that tells namesakes apart.
        "" when there is neither."""
        place = _above(agency, self.by_address, ("place", "commune"))
        return self.names.get(place.address, place.address) if place else ""


def _agencies(directory: Directory) -> Iterator[Finding]:
    expected = expected_agencies(directory)
    held = holders(directory)
    for agency in directory.agencies:
        right = expected.get(agency.address, agency.address)
        kind = naming.kind_of(agency.name, agency.kind)
        if kind != agency.kind and not agency.closed:
            message = f"{agency.name} is of the kind {agency.kind}, and its name of {kind}"
            remedy = f"write kind: {kind}, or correct the name"
            yield _finding(directory, agency.line, message, remedy, AGENCIES)
        elif agency.exception or right == agency.address:
            continue
        elif right is not None:
            message = f"{agency.name} has the address {shown(agency.address)}, not {shown(right)}"
            yield _finding(directory, agency.line, message, _remedy(right, held), AGENCIES)
        elif form(agency) == "office":
            message = f"{agency.name} is an office of no district and no commune"
            remedy = "write its parent, or kind: khac"
            yield _finding(directory, agency.line, message, remedy, AGENCIES)
        elif form(agency) != "free":
            message = (
                f"the rule does not say which of the {_units(agency)} of one name {agency.name} is "
                f"(address {shown(agency.address)})"
            )
            yield _finding(directory, agency.line, message, _DECIDE, AGENCIES)


def _units(agency: Agency) -> str:
    return "communes" if form(agency) == "commune" else "districts"


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
        words = map(naming.fold, person.name.split())
        if person.given_name and naming.fold(person.given_name) not in words:
            message = f"{shown(person.given_name)} is no word of the name {person.name}"
            remedy = "write as given_name the word that is the given name, or leave it out"
            yield _finding(directory, person.line, message, remedy, PEOPLE)
            continue
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


def form(agency: Agency) -> str:
    """How the rule names agencies of its kind."""
    return naming.KINDS[agency.kind].form


def _above(agency: Agency, by_address: Mapping[str, Agency], forms: Sequence[str]) -> Agency | None:
    """The next agency above of one of the forms."""
    above = by_address.get(agency.parent)
    seen = {agency.address}
    while above is not None and above.address not in seen:
        if form(above) in forms:
            return above
        seen.add(above.address)
        above = by_address.get(above.parent)
    return None


def is_named_by_place(agency: Agency) -> bool:
    """Does its address say what it belongs to: an office, a hội of a district, a commune?"""
    return form(agency) in ("office", "commune") or agency.kind == "hoi"


def follow_the_rule(directory: Directory) -> set[str]:
    """The addresses of agencies that are what the rule gives them."""
    return {own for own, right in expected_agencies(directory).items() if own == right}


def _finding(directory: Directory, line: int, message: str, remedy: str, clause: str) -> Finding:
    return Finding(directory.file, line, "error", clause, message, remedy)
