"""danhba diff: what a change of the directory means."""

from __future__ import annotations

import click

from danhba.commands.common import errors_to_status
from danhba.diff import compare
from danhba.diff_text import FORMATS
from danhba.project import Project
from danhba.revisions import at


@click.command("diff")
@click.argument("old", default="HEAD")
@click.argument("new", required=False)
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text")
@click.pass_obj
@errors_to_status
def command(project: Project, old: str, new: str | None, form: str) -> None:
    """Say what changed from OLD to NEW: git revisions, or files.

    Without arguments: from the last commit to the file as it is now. People are told by their staff
    code; a moved block, other order of keys or another form is no change.

    Example: danhba diff origin/main HEAD --format markdown
    """
    before = at(project, old)
    after = at(project, new or str(project.directory))
    names = {each.address: each.name for each in (*before.agencies, *after.agencies)}
    click.echo(FORMATS[form](compare(before, after), names), nl=False)
