"""danhba agency: an agency is founded, renamed, merged, split or closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import DAY, day_of, last_day, opened, refuse_later, write
from danhba.commands.transfer import tell_lost
from danhba.edit.agencies import (
    Ending,
    Founding,
    end_agencies,
    found_agency,
    going,
    rename_agency,
)
from danhba.edit.draft import Draft, EditError
from danhba.naming import KINDS, codes
from danhba.project import Project

_UNTIL = click.option(
    "--until", type=DAY, help="How long the old address receives; default: alias_months of policy."
)
_FROM = click.option("--from", "first", type=DAY, help="First day without it; default: today.")

_AHEAD = click.option("--ahead", is_flag=True, help="On a branch that is merged on the first day.")


@click.group("agency")
def command() -> None:
    """Agencies: add, rename, merge, split, close. Each rests on a decision.

    Example: danhba agency merge sotttt --into sokhcn --decision 12/NQ-HĐND
    """


@command.command("add")
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice(list(KINDS)), help=f"{codes()}.")
@click.option("--parent", default="", help="Address of the agency that it belongs to.")
@click.option("--address", default="", help="Where the rule gives none, or another one.")
@click.option("--decision", required=True)
@click.pass_obj
@errors_to_status
def add(project: Project, name: str, kind: str, parent: str, address: str, decision: str) -> None:
    """Found an agency; its address is assigned by the naming rule (Điều 5.3.a).

    Example: danhba agency add "Sở Khoa học và Công nghệ" --kind so --decision 12/NQ-HĐND
    """
    draft = opened(project)
    new = Founding(kind, " ".join(name.split()), parent, address, decision)
    found = found_agency(draft, new)
    write(project, draft)
    click.echo(f"{found}@{draft.directory.province.domain}")
    tell(f"add its staff (danhba add, danhba import), then: danhba keeper {found} --add ADDRESS")


@command.command("rename")
@click.argument("agency")
@click.option("--name", required=True)
@click.option("--kind", type=click.Choice(list(KINDS)), help="Default: what the name begins with.")
@click.option("--address", default="", help="Instead of the one that the rule gives.")
@click.option("--decision", required=True)
@_UNTIL
@click.pass_obj
@errors_to_status
def rename(
    project: Project, agency: str, name: str, kind: str | None, address: str, decision: str,
    until: datetime | None,
) -> None:  # fmt: skip
    """Give an agency a new name and the address that follows from it. Mailbox and staff stay.

    A town that becomes a ward is of another kind by its name: "Phường Tịnh Biên". Offices and
    communes that name it in their addresses keep them, as exceptions by the decision.

    Example: danhba agency rename sotttt --name "Sở Khoa học và Công nghệ" --decision 12/NQ-HĐND
    """
    draft = opened(project)
    last = last_day(draft, draft.directory.today(), until)
    name = " ".join(name.split())
    new = rename_agency(draft, agency, name, address, decision, last, kind or "")
    write(project, draft)
    click.echo(f"{new}@{draft.directory.province.domain}")
    if new != agency:
        tell(f"mail for {agency} reaches {new} until {last}")


@command.command("merge")
@click.argument("old", nargs=-1, required=True)
@click.option("--into", "successor", required=True, help="Address; it must be there.")
@click.option("--decision", required=True)
@_FROM
@_UNTIL
@_AHEAD
@click.pass_obj
@errors_to_status
def merge(
    project: Project, old: tuple[str, ...], successor: str, decision: str,
    first: datetime | None, until: datetime | None, ahead: bool,
) -> None:  # fmt: skip
    """Close agencies; another one gets their staff, and their mail until a day.

    Addresses and mail of the staff stay. The mailbox of a closed agency stays as it is: the keepers
    of the successor may read it.

    Example: danhba agency merge sotttt --into sokhcn --decision 12/NQ-HĐND
    """
    draft = opened(project)
    day = day_of(first, draft)
    refuse_later(day, draft, ahead)
    ending = Ending(day, decision, (successor,), last_day(draft, day, until))
    _end(project, draft, list(dict.fromkeys(old)), ending)


@command.command("split")
@click.argument("old")
@click.option("--into", "successors", multiple=True, required=True, help="The first gets its mail.")
@click.option(
    "--staff",
    multiple=True,
    metavar="SUCCESSOR:ADDRESS,...",
    help="Who goes where; the first successor gets all others.",
)
@click.option("--decision", required=True)
@_FROM
@_UNTIL
@_AHEAD
@click.pass_obj
@errors_to_status
def split(
    project: Project, old: str, successors: tuple[str, ...], staff: tuple[str, ...],
    decision: str, first: datetime | None, until: datetime | None, ahead: bool,
) -> None:  # fmt: skip
    """Close an agency; several others get its staff, and the first of them its mail until a day.

    Example: danhba agency split soctmt --into soct --into sotnmt --staff sotnmt:nvan,lttha
    --decision 3/NQ-HĐND
    """
    draft = opened(project)
    day = day_of(first, draft)
    refuse_later(day, draft, ahead)
    heirs = list(dict.fromkeys(successors))
    ending = Ending(day, decision, heirs, last_day(draft, day, until), _shares(staff))
    _end(project, draft, [old], ending)


@command.command("close")
@click.argument("agency")
@click.option("--decision", required=True)
@_FROM
@click.pass_obj
@errors_to_status
def close(project: Project, agency: str, decision: str, first: datetime | None) -> None:
    """Close an agency that nobody succeeds; its staff has been transferred or withdrawn before.

    Example: danhba agency close bandtag --decision 3/NQ-HĐND --from 2027-01-01
    """
    draft = opened(project)
    _end(project, draft, [agency], Ending(day_of(first, draft), decision))


def _end(project: Project, draft: Draft, agencies: Sequence[str], ending: Ending) -> None:
    """Close agencies and write, then say what became of them."""
    today = draft.directory.today()
    lost = end_agencies(draft, agencies, ending, today)
    write(project, draft)
    for agency, roles in lost.items():
        staff = len(going(draft.agency(agency), ending, today))
        tell(f"{agency} is closed from {ending.first}; {staff} of staff go on")
        if ending.successors:
            tell(f"  mail for it reaches {ending.successors[0]} from then until {ending.until}")
        if ending.first > today and staff:
            tell(f"  its staff is moved by this change: apply it on {ending.first}")
        tell_lost(roles)


def _shares(staff: tuple[str, ...]) -> dict[str, str]:
    """SUCCESSOR:ADDRESS,... as address to successor. Raises EditError."""
    found: dict[str, str] = {}
    for share in staff:
        successor, mark, addresses = share.partition(":")
        if not mark:
            raise EditError(f"--staff {share} is not SUCCESSOR:ADDRESS,...")
        for address in filter(None, addresses.split(",")):
            if address in found:
                raise EditError(f"{address} goes to two successors")
            found[address] = successor
    return found
