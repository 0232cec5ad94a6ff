"""danhba transfer: an official goes to another agency and keeps address and mail."""

from __future__ import annotations

from datetime import date, datetime

import click

from danhba import edit
from danhba.commands.add import DAY
from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import opened, with_request, write
from danhba.model import Request
from danhba.project import Project


@click.command("transfer")
@click.argument("who")
@click.option("--to", "agency", required=True, help="Address of the agency that asks for him.")
@click.option("--request", "number", required=True, help="Number of its letter.")
@click.option("--date", "dated", type=DAY, help="Of a letter that is not in the file yet.")
@click.option("--signer", default="", help="Of a letter that is not in the file yet.")
@click.pass_obj
@errors_to_status
def command(
    project: Project, who: str, agency: str, number: str, dated: datetime | None, signer: str
) -> None:
    """Move WHO (address or staff code) to another agency. Address, mail and password stay.

    What he kept or looked after in the old agency is dropped and named: it needs somebody else.

    Example: danhba transfer nvan --to sonoivu --request 190/CV-SONOIVU
    """
    text, _ = opened(project)
    request = Request(number, agency, dated.date() if dated else date.today(), signer, "", 0)
    text, known = with_request(project, text, request)
    text, lost = edit.transfer(text, known, who, agency, number)
    write(project, text)
    person = edit.person_named(known, who)
    tell(f"{person.name} <{person.address}>: {person.agency} -> {agency}")
    for role in lost:
        tell(f"  no longer {role}: name somebody else")
