"""danhba import: the officials of a list that an agency has sent."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import DAY, opened, with_request, write
from danhba.edit.draft import Draft, EditError
from danhba.edit.people import add_people
from danhba.errors import DanhbaError
from danhba.importing import Proposal, Row, Sort, propose
from danhba.lists import Listed, Roster, Unreadable, read
from danhba.model import Person, Request
from danhba.project import Project


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--agency", required=True, help="Address of the agency that sent the list.")
@click.option("--request", "number", required=True, help="Number of its letter (Điều 6).")
@click.option("--date", "dated", type=DAY, help="Of a letter that is not in the file yet.")
@click.option("--signer", default="", help="Of a letter that is not in the file yet.")
@click.option("--full", is_flag=True, help="The list names everybody: say who is missing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@errors_to_status
def command(
    project: Project, file: Path, agency: str, number: str, dated: datetime | None, signer: str,
    full: bool, yes: bool,
) -> None:  # fmt: skip
    """Add the officials of FILE (xlsx, csv or docx, as agencies send them) to an agency.

    Says what was understood of the list and what it would add, and writes when it is told to. What
    cannot be read without guessing is refused, row by row. Nobody is withdrawn, reinstated or
    transferred by it: it prints the commands that do.

    Example: danhba import danh-sach.xlsx --agency sotaichinh --request 12/CV-STC --full
    """
    try:
        roster = read(file)
    except Unreadable as unreadable:
        raise DanhbaError(f"{file}: {unreadable}") from None
    draft = opened(project)
    letter = _letter(draft, number, roster.sha256)
    if letter is None:
        with_request(draft, number, agency, dated, signer, roster.sha256)
    known = draft.directory
    proposal = propose(roster, known, agency, number, known.today(), full)
    addresses = add_people(draft, agency, proposal.newcomers)
    for line in (*_understood(roster), *_proposed(proposal, addresses, len(roster.refusals))):
        click.echo(line)
    noted = letter is not None and not letter.sha256
    if addresses or noted or (letter is None and proposal.commands):
        what = f"Add {len(addresses)}" if addresses else "Nobody to add. Note the list"
        if not (yes or click.confirm(f"{what}, as request {number}?")):
            sys.exit(1)
        write(project, draft)
        tell(f"{project.directory} is written; see danhba diff")
    else:
        tell("nobody to add; nothing was written")
    tell(_summary(proposal, len(roster.refusals)))


def _letter(draft: Draft, number: str, sha256: str) -> Request | None:
    """The request as it was in the file, where the list's digest is noted now. Raises EditError
    when another list was noted."""
    letter = next((each for each in draft.directory.requests if each.number == number), None)
    if letter and letter.sha256 not in ("", sha256):
        raise EditError(
            f"two lists under one number: request {number} on line {letter.line} is the file with "
            f"sha256 {letter.sha256}, and this one has {sha256}. Ask the agency for another number"
        )
    if letter and not letter.sha256:
        draft.set_entry(letter.line, {"sha256": sha256}, "request")
    return letter


def _understood(roster: Roster) -> Iterator[str]:
    yield f"{roster.file} ({roster.kind}, sha256 {roster.sha256})"
    for column in roster.columns:
        yield f"  column {column.place} {column.label!r}: {column.field or 'not used'}"
    yield f"  {len(roster.people)} people, {len(roster.nonrows)} other rows"
    yield from (f"  note: {notice}" for notice in roster.notices)
    for person in roster.people:
        yield from (f"  {person.place}, {person.name}: {remark}" for remark in person.remarks)
    for refusal in roster.refusals:
        yield f"  REFUSED {refusal.place}: {refusal.text}: {refusal.reason}. Ask: {refusal.ask}"


_SAID: dict[Sort, str] = {
    "there": "already there",
    "back": "withdrawn, not added",
    "moves": "of another agency, not added",
    "asked": "asks for something else",
}


def _proposed(proposal: Proposal, addresses: list[str], refused: int) -> Iterator[str]:
    for sort in ("there", "back", "moves", "doubtful", "asked"):
        for row in proposal.of(sort):
            yield from _beside(row.why or _SAID[sort], row)
            yield from (f"    {command}" for command in row.commands)
    if proposal.missing and refused:
        yield f"  rows refused: {refused}; who is not on the list may be on one of them"
    for person, command in proposal.missing:
        yield f"  not on the list: {person.name} <{person.address}>. If he has left: "
        yield f"    {command}"
    for twins in proposal.twins:
        yield f"  one name on the list: {' | '.join(map(_listed, twins))}"
    for row, address in zip(proposal.of("new"), addresses, strict=True):
        yield from _beside("of one name in another agency", row) if row.people else ()
        yield f"  add: {row.listed.name} <{address}> {row.listed.title}".rstrip()


def _beside(what: str, row: Row) -> Iterator[str]:
    """The row, and everybody of the directory who is meant; a row alone, where nobody is."""
    listed = row.listed
    wish = f": {listed.wish_text}" if row.sort == "asked" else ""
    for person in row.people or (None,):
        yield f"  {what}: {_listed(listed)}{wish}" + (f" | {_person(person)}" if person else "")


def _listed(listed: Listed) -> str:
    return f"{listed.name} ({_some(listed.place, listed.staff_id, listed.title, listed.unit)})"


def _person(person: Person) -> str:
    status = f"{person.status.kind} from {person.status.since}" if person.status else ""
    known = _some(person.address, person.id, person.title, person.agency, status)
    return f"{person.name} ({known})"


def _some(*texts: str) -> str:
    return ", ".join(text for text in texts if text)


def _summary(proposal: Proposal, refused: int) -> str:
    """How many rows of the list came to what; together they are all people on it."""
    count = Counter(row.sort for row in proposal.rows)
    return (
        f"{count['new']} added, {count['there']} already there, {count['doubtful']} doubtful, "
        f"{refused} refused, {count['asked']} asked for something else, "
        f"{count['back'] + count['moves']} to reinstate or transfer"
    )
