"""danhba check: the directory against the integrity rules, all findings at once."""

from __future__ import annotations

import sys

import click

from danhba.checked import checked
from danhba.commands.common import errors_to_status
from danhba.errors import DanhbaError
from danhba.findings_text import FORMATS, in_repository
from danhba.project import Project


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
    if since is not None and not since.strip():
        raise DanhbaError("--since names no revision: an empty variable of CI, perhaps")
    found = checked(project, since)
    # people click on the path that they gave; a merge request knows only the repository's
    shown = found.findings if form == "text" else in_repository(found.findings)
    click.echo(FORMATS[form](shown), nl=False)
    if found.size is not None:
        agencies, officials = found.size
        click.echo(f"{agencies} agencies, {officials} officials", err=True)
    sys.exit(1 if any(item.severity == "error" for item in found.findings) else 0)
