"""danhba usage: how often mailboxes were accessed in a month (Điều 10.1)."""

from __future__ import annotations

from datetime import timedelta

import click

from danhba.check import check_file
from danhba.commands.common import errors_to_status
from danhba.errors import DanhbaError
from danhba.project import BadDirectory, Project
from danhba.usage.collect import known_hosts, slots
from danhba.usage.month import month_of, uses
from danhba.usage.month_text import FORMATS, Month


@click.command("usage")
@click.argument("environment")
@click.option("--month", required=True, help="Like 2026-11.")
@click.option("--agency", default="", help="Address of an agency: only this one.")
@click.option("--new", multiple=True, help="A host that nobody used before its records begin.")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text")
@click.pass_obj
@errors_to_status
def command(
    project: Project, environment: str, month: str, agency: str, new: tuple[str, ...], form: str
) -> None:
    """On how many working days each mailbox was accessed, in each of the four slots of Điều 10.1.

    Slots: 07-09, 09-11, 13-15, 15-17 o'clock. Counted are sessions of the holder for reading and
    logins for sending, never mail itself; of an agency's mailbox, those of its keepers.

    Example: danhba usage staging --month 2026-11 --format csv >2026-11.csv
    """
    directory, findings = check_file(project.directory)
    if directory is None:
        raise BadDirectory(findings)
    first, end = month_of(month)
    today = directory.today()
    if first >= today:
        raise DanhbaError(f"no day of {month} is over yet")
    end = min(end, today)  # the afternoon is still to come
    names = {each.address: each.name for each in directory.agencies}
    if agency and agency not in names:
        raise DanhbaError(f"there is no agency {agency}")
    env = project.environment(environment)
    known_hosts(env, new)
    found = slots(env, directory.province.timezone, first, end)
    rows = [row for row in uses(directory, found, end, new) if agency in ("", row.agency)]
    last = end - timedelta(days=1)
    report = Month(rows, names, found.begun, first, last, directory.province.domain, new)
    click.echo(FORMATS[form](report), nl=False)
