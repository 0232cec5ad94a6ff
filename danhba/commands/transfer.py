"""danhba transfer: an official goes to another agency and keeps address and mail."""

from __future__ import annotations

from datetime import datetime

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import basis, letter_options, opened, write
from danhba.edit import people
from danhba.project import Project


@click.command("transfer")
@click.argument("who")
@click.option("--to", "agency", required=True, help="Address of the agency that asks for him.")
@letter_options
@click.pass_obj
@errors_to_status
def command(
    project: Project, who: str, agency: str, number: str, decision: str, dated: datetime | None,
    signer: str,
) -> None:  # fmt: skip
    """Move WHO (address or staff code) to another agency. Address, mail and password stay.

    What he kept or looked after in the old agency is dropped and named: it needs somebody else.

    Example: danhba transfer nvan --to sonoivu --request 190/CV-SONOIVU
    """
    draft = opened(project)
    person = draft.person(who)
    rests = basis(draft, agency, number, decision, dated, signer)
    lost = people.transfer(draft, who, agency, rests)
    write(project, draft)
    tell(f"{person.name} <{person.address}>: {person.agency} -> {agency}")
    tell_lost(lost)


def tell_lost(roles: list[str]) -> None:
    for role in roles:
        tell(f"  no longer {role}: name somebody else")
