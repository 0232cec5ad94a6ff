"""danhba hold: what an authority asked in writing to keep, and the end of it (Điều 8.9)."""

from __future__ import annotations

from datetime import datetime

import click

from danhba.commands.common import TEXT, errors_to_status, tell
from danhba.commands.editing import DAY, opened, write
from danhba.edit.draft import EditError
from danhba.edit.holds import add_hold, release_hold
from danhba.model import Directory, Hold
from danhba.project import Project


@click.group("hold")
def command() -> None:
    """Legal holds (docs/inspection.md): what is held leaves neither archive, mailbox nor backup.

    Example: danhba hold list
    """


@command.command("add")
@click.argument("case", type=TEXT)
@click.option("--authority", type=TEXT, required=True, help="Who asks, as it names itself.")
@click.option(
    "--request", "number", type=TEXT, required=True, help="Number of its letter, which is on file."
)
@click.option("--date", "dated", type=DAY, required=True, help="Of the letter.")
@click.option(
    "--mailbox",
    "mailboxes",
    type=TEXT,
    multiple=True,
    required=True,
    help="Address; may be given again.",
)
@click.option("--from", "first", type=DAY, required=True, help="First day of the mail.")
@click.option("--to", "last", type=DAY, help="Last day; without it also what is still to come.")
@click.option("--note", type=TEXT, default="", help="In words.")
@click.pass_obj
@errors_to_status
def add(
    project: Project,
    case: str,
    authority: str,
    number: str,
    dated: datetime,
    mailboxes: tuple[str, ...],
    first: datetime,
    last: datetime | None,
    note: str,
) -> None:
    """Keep the mail of some addresses for CASE, as an authority's letter asks.

    It counts from the next apply on. All names of a mailbox are held with one.

    Example: danhba hold add 12/2026/TTr --authority "Thanh tra tỉnh An Giang"
    --request 55/CV-TTT --date 2026-11-20 --mailbox nvan --from 2026-01-01 --to 2026-11-30
    """
    draft = opened(project)
    addresses = tuple(dict.fromkeys(_local(draft.directory, each) for each in mailboxes))
    end = last.date() if last else None
    hold = Hold(
        case, authority, number, dated.date(), addresses, first.date(), end, note, None, 0
    )  # fmt: skip
    add_hold(draft, hold)
    write(project, draft)
    tell(f"{case}: {', '.join(addresses)} held from the next apply on")


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that were released as well.")
@click.pass_obj
@errors_to_status
def list_(project: Project, everything: bool) -> None:
    """A line for each hold: case, authority, letter, addresses, days, end.

    Example: danhba hold list --all
    """
    directory = opened(project).directory
    today = directory.today()
    for hold in directory.holds:
        if everything or hold.is_open(today):
            click.echo(_line(hold))


@command.command("release")
@click.argument("case", type=TEXT)
@click.option("--decision", type=TEXT, required=True, help="Number of the paper that ends it.")
@click.option("--from", "since", type=DAY, help="First day without it; today by default.")
@click.pass_obj
@errors_to_status
def release(project: Project, case: str, decision: str, since: datetime | None) -> None:
    """The hold of CASE ends. Its line stays: it says why nothing was removed until then.

    Example: danhba hold release 12/2026/TTr --decision 90/CV-TTT
    """
    draft = opened(project)
    first = since.date() if since else draft.directory.today()
    release_hold(draft, case, first, decision)
    write(project, draft)
    tell(f"{case}: released from {first} on")


def _local(directory: Directory, address: str) -> str:
    """Without the province's domain. Raises EditError for another's."""
    local, _, domain = address.lower().partition("@")
    if domain not in ("", directory.province.domain):
        raise EditError(f"{address} is no address of {directory.province.domain}")
    return local


def _line(hold: Hold) -> str:
    days = f"{hold.first} to {hold.last}" if hold.last else f"{hold.first} on"
    end = f"released {hold.released.since}, {hold.released.decision}" if hold.released else "open"
    paper = f"{hold.request} of {hold.asked}"
    return "\t".join((hold.case, hold.authority, paper, " ".join(hold.addresses), days, end))
