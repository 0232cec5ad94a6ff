"""Changes of directory.yaml in place: a line comes or goes, everything else stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from danhba import naming
from danhba.check_naming import holders
from danhba.errors import DanhbaError
from danhba.fmt import quoted, word
from danhba.model import Agency, Directory, Person, Request
from danhba.names import RESERVED


class EditError(DanhbaError):
    """The change cannot be made; the message says why and what to do."""


@dataclass(frozen=True)
class Newcomer:
    """Somebody to be registered. given_name, title may be "". since: day of registration."""

    id: str
    name: str
    request: str
    since: date
    title: str = ""
    given_name: str = ""


def next_address(directory: Directory, name: str, given_name: str, taken: Iterable[str]) -> str:
    """The access name of the next holder, in the order of registration (Điều 5.3.b).

    taken: names that others of the same list have just got. What anybody ever held counts.
    """
    held = {*holders(directory), *RESERVED, *taken}
    base = naming.person(name, given_name)
    return naming.numbered(base, naming.free_number(base, held))


def add_people(
    text: str, directory: Directory, agency: str, newcomers: Sequence[Newcomer]
) -> tuple[str, list[str]]:
    """text with a line for each newcomer, and their addresses in the given order.

    text is what `directory` was loaded from. Lines are put where their address belongs among the
    staff. Raises EditError.
    """
    found = _agency(directory, agency)
    ids = {person.id: person for person in directory.people}
    addresses: list[str] = []
    edits: list[tuple[int, str]] = []
    for new in newcomers:
        if new.id in ids:
            there = ids[new.id]
            raise EditError(
                f"staff code {new.id} is {there.name}, {there.address}, on line {there.line}: "
                "nobody has two addresses (Điều 5.3)"
            )
        address = next_address(directory, new.name, new.given_name, addresses)
        addresses.append(address)
        edits.append((_line_for(found, address), _person(new, address)))
    lines = text.splitlines(keepends=True)
    if not found.staff:
        return _first_staff(lines, found, [row for _, row in edits]), addresses
    # From the end, so that line numbers stay true; among equals in the order of addresses.
    for line, row in sorted(edits, key=lambda edit: (edit[0], _address(edit[1])), reverse=True):
        lines.insert(_above_comments(lines, line) - 1, row)
    return "".join(lines), addresses


def add_request(text: str, directory: Directory, request: Request) -> str:
    """text with one request more, where its agency and date belong. Raises EditError."""
    if any(request.number == each.number for each in directory.requests):
        raise EditError(f"request {request.number} is there already")
    row = (
        f"  {word(request.number)}: {{agency: {word(request.agency)}, date: {request.date}, "
        f"signer: {word(request.signer)}"
        + (f", sha256: {word(request.sha256)}" if request.sha256 else "")
        + "}\n"
    )
    lines = text.splitlines(keepends=True)
    if not directory.requests:
        at = next(n for n, line in enumerate(lines) if line.startswith("requests:"))
        lines[at] = "requests:\n" + row
        return "".join(lines)

    def order(each: Request) -> tuple[str, str, str]:
        return each.agency, str(each.date), each.number

    after = [each.line for each in directory.requests if order(each) > order(request)]
    last = max(each.line for each in directory.requests)
    lines.insert(_above_comments(lines, min(after)) - 1 if after else last, row)
    return "".join(lines)


def _agency(directory: Directory, address: str) -> Agency:
    for agency in directory.agencies:
        if agency.address == address:
            return agency
    raise EditError(f"there is no agency {address}")


def _lines_of(lines: Sequence[str], agency: Agency) -> Iterator[int]:
    """Indexes of the lines below an agency's own, up to the next agency."""
    depth = _depth(lines[agency.line - 1])
    for number in range(agency.line, len(lines)):
        text = lines[number].strip()
        if text and not text.startswith("#") and _depth(lines[number]) <= depth:
            return
        yield number


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _above_comments(lines: Sequence[str], line: int) -> int:
    """The line before which to insert, so that comments stay with the entry below them."""
    while line > 1 and line <= len(lines) and lines[line - 2].lstrip().startswith("#"):
        line -= 1
    return line


def _line_for(agency: Agency, address: str) -> int:
    """The line before which somebody of this address belongs."""
    after = [person.line for person in agency.staff if person.address > address]
    last = max((person.line for person in agency.staff), default=0)
    return min(after) if after else last + 1


def _person(new: Newcomer, address: str) -> str:
    given = f", given_name: {word(new.given_name)}" if new.given_name else ""
    title = f", title: {word(new.title)}" if new.title else ""
    return (
        f"      - {{id: {quoted(new.id)}, name: {word(new.name)}{given}, address: {word(address)}, "
        f"since: {new.since}, request: {word(new.request)}{title}}}\n"
    )


def _address(row: str) -> str:
    return row.partition(", address: ")[2].partition(",")[0]


def _first_staff(lines: list[str], agency: Agency, rows: list[str]) -> str:
    """An agency without staff says so with an empty list."""
    for number in _lines_of(lines, agency):
        if lines[number].split("#")[0].split() == ["staff:", "[]"]:
            lines[number] = "    staff:\n" + "".join(sorted(rows, key=_address))
            return "".join(lines)
    raise EditError(f"{agency.address} has no `staff: []` on a line of its own: run danhba fmt")


def transfer(
    text: str, directory: Directory, who: str, agency: str, request: str
) -> tuple[str, list[str]]:
    """text with somebody among the staff of another agency, and the roles that he loses.

    who: address or staff code. agency: asked for him in `request`. Address, mail and day of
    registration stay. What he kept or looked after does not: a keeper belongs to his agency
    (Điều 9.2.c). Raises EditError.
    """
    person = person_named(directory, who)
    goal = _agency(directory, agency)
    if person.agency == agency:
        raise EditError(f"{person.name} is in {agency} already")
    lost = roles(directory, person.address)
    for each in directory.agencies:
        if person.address in each.keepers:
            left = [keeper for keeper in each.keepers if keeper != person.address]
            text = set_keepers(text, directory, each.address, left)
        if each.it_officer == person.address:
            text = _without_officer(text, each)
    lines = text.splitlines(keepends=True)
    row = _with_field(_own_line(lines, person), "request", request)
    lines[person.line - 1] = ""
    if not goal.staff:
        return _first_staff(lines, goal, [row]), lost
    at = _above_comments(lines, _line_for(goal, person.address))
    lines[at - 1 : at - 1] = [row]
    return "".join(lines), lost


def _without_officer(text: str, agency: Agency) -> str:
    """The line stays, as a comment: lines keep their numbers, and somebody has to be named."""
    lines = text.splitlines(keepends=True)
    for number in _lines_of(lines, agency):
        if lines[number].strip().startswith(f"it_officer: {word(agency.it_officer)}"):
            lines[number] = f"    # it_officer: ? ({agency.it_officer} was transferred)\n"
            return "".join(lines)
    raise EditError(f"the IT officer of {agency.address} is not on a line of his own: danhba fmt")


def roles(directory: Directory, address: str) -> list[str]:
    """What somebody keeps and looks after, in words."""
    kept = [f"keeper of {each.address}" for each in directory.agencies if address in each.keepers]
    cared = [f"IT officer of {a.address}" for a in directory.agencies if a.it_officer == address]
    return kept + cared


def person_named(directory: Directory, who: str) -> Person:
    """By address or staff code. Raises EditError."""
    for person in directory.people:
        if who in (person.address, person.id):
            return person
    raise EditError(f"there is nobody with the address or staff code {who}")


def set_keepers(text: str, directory: Directory, agency: str, keepers: Sequence[str]) -> str:
    """text with these keepers of an agency's mailbox (Điều 9.2.c). Raises EditError."""
    found = _agency(directory, agency)
    lines = text.splitlines(keepends=True)
    for number in _lines_of(lines, found):
        before, mark, rest = lines[number].partition("keepers: [")
        if mark and not before.strip():
            behind = rest.partition("]")[2]
            lines[number] = f"{before}keepers: [{', '.join(map(word, keepers))}]{behind}"
            return "".join(lines)
    raise EditError(f"the keepers of {agency} are not on one line: run danhba fmt")


def _own_line(lines: Sequence[str], person: Person) -> str:
    """The line of somebody, when it is a line. Raises EditError."""
    row = lines[person.line - 1]
    if row.count("{") == row.count("}") == 1 and f"address: {word(person.address)}" in row:
        return row
    raise EditError(f"{person.name} is not written on line {person.line} alone: run danhba fmt")


def _with_field(row: str, key: str, value: str) -> str:
    """row with another value of a key that it has, whatever stands behind it."""
    pattern = rf'(?<=[{{ ]){key}: ("(?:[^"\\\\]|\\\\.)*"|[^,}}]*)'
    changed, count = re.subn(pattern, lambda _: f"{key}: {word(value)}", row, count=1)
    if not count:
        raise EditError(f"{key} is not in the line {row.strip()}")
    return changed
