"""danhba check: the directory against the integrity rules, all findings at once."""

from __future__ import annotations

import sys

import click

from danhba.check import check_file
from danhba.check_since import check_since
from danhba.commands.common import errors_to_status
from danhba.findings_text import FORMATS
from danhba.project import Project
from danhba.revisions import at


@click.command("check")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text")
@click.option("--since", metavar="REVISION", help="Also: no address of that revision is lost.")
@click.pass_obj
@errors_to_status
def command(project: Project, form: str, since: str | None) -> None:
    """Check directory.yaml; says file, line and what to do. Needs no server.

    Exit status: 0 nothing wrong, 1 findings that are errors.

    github and gitlab annotate the lines of a merge request.

    In CI: danhba check --since origin/main

    Example: danhba check --format gitlab >gl-code-quality-report.json
    """
    directory, findings = check_file(project.directory)
    if since and directory is not None:
        findings += check_since(at(project, since), directory)
    click.echo(FORMATS[form](findings), nl=False)
    if directory is not None:
        click.echo(
            f"{len(directory.agencies)} agencies, {len(directory.people)} officials", err=True
        )
    sys.exit(1 if any(item.severity == "error" for item in findings) else 0)
