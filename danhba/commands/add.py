"""danhba add: register an official; the address is assigned by the naming rule."""

from __future__ import annotations

from datetime import datetime

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import DAY, basis, day_of, letter_options, opened, write
from danhba.edit.people import Newcomer, add_people
from danhba.project import Project


@click.command("add")
@click.argument("name")
@click.option("--agency", required=True, help="Address of the agency.")
@click.option("--id", "code", required=True, help="Staff code.")
@click.option("--title", default="", help="As on the list.")
@click.option("--given-name", default="", help="Where it is not the last word of the name.")
@click.option("--since", type=DAY, help="Day of registration; default: today.")
@letter_options
@click.pass_obj
@errors_to_status
def command(
    project: Project, name: str, agency: str, code: str, title: str, given_name: str,
    since: datetime | None, number: str, decision: str, dated: datetime | None, signer: str,
) -> None:  # fmt: skip
    """Add one official to an agency, in place; everything else in the file stays as it is.

    Example: danhba add "Lê Thị Thu Hà" --agency sotaichinh --id 20001 --request 210/CV-SOTAICHINH
    """
    draft = opened(project)
    rests = basis(draft, agency, number, decision, dated, signer)
    day = day_of(since, draft)
    new = Newcomer(
        code, " ".join(name.split()), rests.request, day, title, given_name, rests.decision
    )
    [address] = add_people(draft, agency, [new])
    write(project, draft)
    click.echo(f"{address}@{draft.directory.province.domain}")
    tell(f"{new.name} is in {project.directory}; see danhba diff")
