"""danhba import: the officials of a list that an agency has sent."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import DAY, opened, with_request, write
from danhba.edit.people import add_people
from danhba.errors import DanhbaError
from danhba.importing import Match, Proposal, propose
from danhba.lists import Roster, Unreadable, read
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
    cannot be read without guessing is refused, row by row; nobody is ever withdrawn by it.

    Example: danhba import danh-sach.xlsx --agency sotaichinh --request 12/CV-STC --full
    """
    try:
        roster = read(file)
    except Unreadable as unreadable:
        raise DanhbaError(f"{file}: {unreadable}") from None
    draft = opened(project)
    with_request(draft, number, agency, dated, signer, roster.sha256)
    known = draft.directory
    proposal = propose(roster, known, agency, number, known.today(), full)
    for line in _understood(roster):
        click.echo(line)
    newcomers = [new for _, new in proposal.new]
    addresses = add_people(draft, agency, newcomers)
    for line in _proposed(proposal, addresses, number):
        click.echo(line)
    if not newcomers:
        tell("nobody to add; nothing was written")
        return
    if not (yes or click.confirm(f"Add {len(newcomers)}?")):
        sys.exit(1)
    write(project, draft)
    tell(f"{len(newcomers)} are in {project.directory}; see danhba diff")


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


def _proposed(proposal: Proposal, addresses: list[str], request: str) -> Iterator[str]:
    yield from _beside("already there", proposal.there)
    yield from _beside("perhaps there, not added (danhba add does)", proposal.doubtful)
    yield from _beside("of one name in another agency", proposal.elsewhere)
    for listed in proposal.asked:
        yield f"  asks for something else: {listed.place} {listed.name}: {listed.wish_text}"
    for person in proposal.missing:
        yield f"  not on the list: {person.name} <{person.address}>. If he has left: "
        yield f"    danhba withdraw {person.address} --request {request} --reason ..."
    for (_, new), address in zip(proposal.new, addresses, strict=True):
        yield f"  add: {new.name} <{address}> {new.title}".rstrip()


def _beside(what: str, matches: tuple[Match, ...]) -> Iterator[str]:
    for match in matches:
        listed, person = match.listed, match.person
        ours = ", ".join(text for text in (person.address, person.title, person.agency) if text)
        theirs = ", ".join(text for text in (listed.place, listed.title, listed.unit) if text)
        yield f"  {what}: {listed.name} ({theirs}) | {person.name} ({ours})"
