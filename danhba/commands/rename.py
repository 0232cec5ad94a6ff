"""danhba rename: an official has another name, and by it another address."""

from __future__ import annotations

from datetime import datetime

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import DAY, basis, letter_options, opened, write
from danhba.days import months_after
from danhba.edit import people
from danhba.edit.draft import EditError
from danhba.project import Project


@click.command("rename")
@click.argument("who")
@click.option("--name", required=True, help="The new name in full.")
@click.option("--given-name", default="", help="Where it is not the last word of the name.")
@click.option("--until", type=DAY, help="How long the old address receives; default: alias_months.")
@click.option("--keep-address", is_flag=True, help="By a --decision, as an exception to the rule.")
@letter_options
@click.pass_obj
@errors_to_status
def command(
    project: Project, who: str, name: str, given_name: str, until: datetime | None,
    keep_address: bool, number: str, decision: str, dated: datetime | None, signer: str,
) -> None:  # fmt: skip
    """Give WHO (address or staff code) a new name and the address that follows from it.

    The old address becomes an alias that receives until a day, and is nobody else's ever after.
    Mailbox and password stay. An address that the new name would give as well stays.

    Example: danhba rename nvan --name "Nguyễn Văn Ân Bình" --request 30/CV-STC
    """
    draft = opened(project)
    person = draft.person(who)
    rests = basis(draft, person.agency, number, decision, dated, signer)
    months = draft.directory.policy.alias_months
    last = until.date() if until else months_after(rests.day, months)
    if last < rests.day:
        raise EditError(
            f"--until {last} has passed: nobody was told, so let the old address receive"
        )
    name = " ".join(name.split())
    address = people.rename(draft, who, name, given_name, rests, last, keep_address)
    write(project, draft)
    click.echo(f"{address}@{draft.directory.province.domain}")
    if address != person.address:
        tell(f"mail for {person.address} reaches {address} until {last}")
