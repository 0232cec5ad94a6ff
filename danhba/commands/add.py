"""danhba add: register an official; the address is assigned by the naming rule."""

from __future__ import annotations

from datetime import date, datetime

import click

from danhba import edit
from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import opened, with_request, write
from danhba.edit import Newcomer
from danhba.model import Request
from danhba.project import Project

DAY = click.DateTime(["%Y-%m-%d"])


@click.command("add")
@click.argument("name")
@click.option("--agency", required=True, help="Address of the agency.")
@click.option("--id", "code", required=True, help="Staff code.")
@click.option("--request", "number", required=True, help="Of the agency's written list (Điều 6).")
@click.option("--title", default="", help="As on the list.")
@click.option("--given-name", default="", help="Where it is not the last word of the name.")
@click.option("--since", type=DAY, help="Day of registration; default: today.")
@click.option("--date", "dated", type=DAY, help="Of a request that is not in the file yet.")
@click.option("--signer", default="", help="Of a request that is not in the file yet.")
@click.pass_obj
@errors_to_status
def command(
    project: Project, name: str, agency: str, code: str, number: str, title: str,
    given_name: str, since: datetime | None, dated: datetime | None, signer: str,
) -> None:  # fmt: skip
    """Add one official to an agency, in place; everything else in the file stays as it is.

    Example: danhba add "Lê Thị Thu Hà" --agency sotaichinh --id 20001 --request 210/CV-SOTAICHINH
    """
    text, _ = opened(project)
    request = Request(number, agency, dated.date() if dated else date.today(), signer, "", 0)
    text, known = with_request(project, text, request)
    day = since.date() if since else date.today()
    new = Newcomer(code, " ".join(name.split()), number, day, title, given_name)
    text, [address] = edit.add_people(text, known, agency, [new])
    write(project, text)
    click.echo(f"{address}@{known.province.domain}")
    tell(f"{new.name} is in {project.directory}; see danhba diff")
