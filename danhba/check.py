"""What entries of the directory owe each other: one name space, references, one address each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from danhba.check_life import check_life
from danhba.check_naming import check_naming
from danhba.findings import Finding, shown
from danhba.garbage import no_garbage
from danhba.load import load, load_text
from danhba.model import Agency, Directory, Hold
from danhba.names import LOCAL_PART, MAX_OCTETS, RESERVED, SYSTEM

ONE_ADDRESS = "Điều 5.3"


@no_garbage()
def check_file(path: Path, day: date | None = None) -> tuple[Directory | None, list[Finding]]:
    """Load and check the file at path. The directory is None when its form is wrong; it may be
    used only when no finding is an error. day: as in check."""
    directory, findings = load(path)
    return directory, findings if directory is None else check(directory, day)


@no_garbage()
def check_text(
    data: bytes, file: str, day: date | None = None
) -> tuple[Directory | None, list[Finding]]:
    """As check_file, from the bytes of a file called `file`."""
    directory, findings = load_text(data, file)
    return directory, findings if directory is None else check(directory, day)


def check(directory: Directory, day: date | None = None) -> list[Finding]:
    """Every finding, by line. Without an error the directory may be compiled.

    day: on which it is looked at, the province's today by default: a status has a first day.
    """
    checks = (
        _syntax,
        _name_space,
        _reserved,
        _one_each,
        _references,
        _parents,
        _aliases,
        _holds,
        _reports,
    )
    found = [finding for run in checks for finding in run(directory)]
    found += check_life(directory, day or directory.today())
    # what is wrong already need not follow a rule
    known = {finding.line for finding in found if finding.severity == "error"}
    return sorted(found + [each for each in check_naming(directory) if each.line not in known])


def _error(directory: Directory, line: int, message: str, remedy: str, clause: str = "") -> Finding:
    return Finding(directory.file, line, "error", clause, message, remedy)


def _warning(directory: Directory, line: int, message: str, remedy: str, clause: str) -> Finding:
    return Finding(directory.file, line, "warning", clause, message, remedy)


def _mailboxes(directory: Directory) -> Iterator[tuple[str, int]]:
    """Address and line of every agency and person, in the order of the file."""
    for agency in directory.agencies:
        yield agency.address, agency.line
        for person in agency.staff:
            yield person.address, person.line


def _addresses(directory: Directory) -> Iterator[tuple[str, int]]:
    """Address and line of everything that takes a place in the one name space."""
    yield from _mailboxes(directory)
    for alias in directory.aliases:
        yield alias.address, alias.line
    for gone in directory.retired:
        yield gone.address, gone.line
    for name in directory.reserved:
        yield name.address, name.line


def _syntax(directory: Directory) -> Iterator[Finding]:
    for address, line in _addresses(directory):
        if not LOCAL_PART.fullmatch(address):
            message = f"{shown(address)} cannot be the part before @ of an address"
            remedy = "use a-z and 0-9, with single dots or hyphens between them"
            yield _error(directory, line, message, remedy, "Điều 5.3.a")
        elif len(address) > MAX_OCTETS:
            message = f"{shown(address)} is longer than {MAX_OCTETS} characters (RFC 5321)"
            yield _error(directory, line, message, "ask the agency for a shorter one")


def _name_space(directory: Directory) -> Iterator[Finding]:
    # Compared without case: that is how mail is delivered, whatever RFC 5321 allows.
    first: dict[str, int] = {}
    for address, line in _addresses(directory):
        key = address.lower()
        if key in first:
            message = f"the address {shown(address)} is taken, first on line {first[key]}"
            message += _parties(directory, first[key], line)
            remedy = f"give one of the lines {first[key]} and {line} another address"
            yield _error(directory, line, message, remedy, ONE_ADDRESS)
        first.setdefault(key, line)


def _parties(directory: Directory, *lines: int) -> str:
    """Who stands on the lines: a conflict has two sides."""
    names = {agency.line: agency.name for agency in directory.agencies}
    names |= {person.line: person.name for person in directory.people}
    found = [names[line] for line in lines if line in names]
    return f" ({' and '.join(found)})" if found else ""


def _reserved(directory: Directory) -> Iterator[Finding]:
    for alias in directory.aliases:
        if alias.address.lower() in SYSTEM:
            message = f"{shown(alias.address)} is a name of the mail system"
            yield _error(directory, alias.line, message, "take another name")
    for address, line in _mailboxes(directory):
        if address.lower() in RESERVED:
            message = f"{shown(address)} is a name of the mail system or of RFC 2142"
            remedy = f"take {shown(address + '02')} for a person, another name for an agency"
            yield _error(directory, line, message, remedy)


def _one_each(directory: Directory) -> Iterator[Finding]:
    ids: dict[str, int] = {}
    units: dict[tuple[str, str, str], int] = {}
    for agency in directory.agencies:
        unit = (agency.kind, agency.name, agency.parent)
        if unit in units and not agency.closed:
            message = f"{agency.name} has two addresses, the first on line {units[unit]}"
            yield _error(directory, agency.line, message, "keep one of the two", ONE_ADDRESS)
        if not agency.closed:
            units.setdefault(unit, agency.line)
        for person in agency.staff:
            if person.id in ids:
                message = f"staff code {shown(person.id)} has an address already, on line "
                remedy = "keep one of the two, or correct the staff code"
                line = ids[person.id]
                yield _error(directory, person.line, f"{message}{line}", remedy, ONE_ADDRESS)
            ids.setdefault(person.id, person.line)


def _references(directory: Directory) -> Iterator[Finding]:
    agencies = {agency.address for agency in directory.agencies}
    people = {person.address for agency in directory.agencies for person in agency.staff}
    for agency in directory.agencies:
        yield from _agency(directory, agency, agencies, people)


def _agency(
    directory: Directory, agency: Agency, agencies: set[str], people: set[str]
) -> Iterator[Finding]:
    person = "write the address of a person of this file"
    for keeper in agency.keepers:
        if keeper not in people:
            message = f"there is no person {shown(keeper)} to keep the mailbox {agency.address}"
            yield _error(directory, agency.line, message, person, "Điều 9.2.c")
        elif keeper not in {each.address for each in agency.staff}:
            message = f"{shown(keeper)} keeps the mailbox {agency.address} and is of another agency"
            yield _error(directory, agency.line, message, "name one of its staff", "Điều 9.2.c")
    if agency.it_officer and agency.it_officer not in people:
        message = f"there is no person {shown(agency.it_officer)} to be the IT officer"
        yield _error(directory, agency.line, message, person, "Điều 9.2.b")
    if len(set(agency.keepers)) < len(agency.keepers):
        message = f"{agency.address} names a keeper twice"
        yield _error(directory, agency.line, message, "name each once", "Điều 9.2.c")
    if agency.parent and (agency.parent not in agencies or agency.parent == agency.address):
        message = f"{agency.address} belongs to the unknown agency {shown(agency.parent)}"
        remedy = "write the address of another agency of this file"
        yield _error(directory, agency.line, message, remedy)


def _parents(directory: Directory) -> Iterator[Finding]:
    above = {agency.address: agency.parent for agency in directory.agencies}
    for agency in directory.agencies:
        seen, parent = {agency.address}, agency.parent
        while parent in above and parent not in seen:
            seen.add(parent)
            parent = above[parent]
        if parent == agency.address != agency.parent:
            message = f"{agency.address} belongs to itself, by way of {agency.parent}"
            yield _error(directory, agency.line, message, "correct one of the parents")


def _aliases(directory: Directory) -> Iterator[Finding]:
    mailboxes = {address for address, _ in _mailboxes(directory)}
    to = {alias.address: alias.to for alias in directory.aliases}
    for alias in directory.aliases:
        path = [alias.address]
        while (target := to.get(path[-1])) is not None and target not in path:
            path.append(target)
        if target is not None:
            message = f"the alias goes in a circle: {' -> '.join(map(shown, [*path, target]))}"
            yield _error(directory, alias.line, message, "let one of them point to a mailbox")
        elif path[-1] not in mailboxes:
            message = f"the alias {shown(alias.address)} points to {shown(path[-1])}, no mailbox"
            # Official mail goes to no mailbox elsewhere.
            clause = "Điều 4.2" if "@" in path[-1] else ""
            yield _error(directory, alias.line, message, "write the address of a mailbox", clause)


def _holds(directory: Directory) -> Iterator[Finding]:
    """A hold on an address that nobody had keeps nothing: it would be taken for a promise."""
    known = {address for address, _ in _addresses(directory)}
    known |= {agency.kept_as for agency in directory.agencies}
    known |= {person.kept_as for person in directory.people}
    known -= {name.address for name in directory.reserved}
    for hold in directory.holds:

        def wrong(message: str, remedy: str, hold: Hold = hold) -> Finding:
            said = f"the hold {shown(hold.case)} {message}"
            return _error(directory, hold.line, said, remedy, "Điều 8.9")

        for address in sorted(set(hold.addresses) - known):
            remedy = "write an address that this file has or had, without the domain"
            yield wrong(f"is of {shown(address)}, whom this file does not know", remedy)
        if not hold.addresses:
            yield wrong("names no address", "name those whose mail is to be kept")
        if hold.last and hold.last < hold.first:
            message = f"is of mail from {hold.first} to {hold.last}, which is no day at all"
            yield wrong(message, "turn the two days round")
        if hold.released and hold.released.since < hold.asked:
            message = f"ended on {hold.released.since}, before the request of {hold.asked}"
            yield wrong(message, "write the first day without the hold")


def _reports(directory: Directory) -> Iterator[Finding]:
    """Reports come from an address that receives, as others' do there."""
    address = directory.policy.dmarc_reports
    known = {each for each, _ in _mailboxes(directory)}
    known |= {alias.address for alias in directory.aliases}
    if address and address not in known:
        message = f"dmarc_reports is {shown(address)}, which nobody has"
        remedy = f"add an alias: {shown(address)}: {{to: AGENCY}}"
        yield _error(directory, directory.policy.line, message, remedy)
