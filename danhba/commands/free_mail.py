"""danhba free-mail: how much mail goes to and comes from free-mail services (Điều 4.2)."""

from __future__ import annotations

from datetime import timedelta

import click

from danhba.check import check_file
from danhba.commands.common import errors_to_status
from danhba.errors import DanhbaError
from danhba.free_mail.report import FORMATS, Report, ask, rows
from danhba.project import BadDirectory, Project
from danhba.usage.month import month_of


@click.command("free-mail")
@click.argument("environment")
@click.option("--month", required=True, help="Like 2026-11.")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text")
@click.pass_obj
@errors_to_status
def command(project: Project, environment: str, month: str, form: str) -> None:
    """How many messages each agency exchanged with free-mail services in a month (Điều 4.2).

    Counts only: nobody's name or address is recorded. The services are policy.free_mail's
    (docs/free-mail.md).

    Example: danhba free-mail staging --month 2026-11 --format csv >2026-11.csv
    """
    directory, findings = check_file(project.directory)
    if directory is None:
        raise BadDirectory(findings)
    first, end = month_of(month)
    today = directory.today()
    if first > today:
        raise DanhbaError(f"{month} has not begun")
    end = min(end, today + timedelta(days=1))
    env = project.environment(environment)
    found, begun = ask(env, directory.province.timezone, first, end)
    domains = directory.policy.free_mail.domains
    report = Report(rows(directory, found), begun, first, end - timedelta(days=1), domains)
    click.echo(FORMATS[form](report), nl=False)
