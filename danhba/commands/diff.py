"""danhba diff: what a change of the directory means."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from danhba import placement_file
from danhba.commands.common import errors_to_status
from danhba.compile import compile_directory
from danhba.diff import compare
from danhba.diff_places import with_places
from danhba.diff_text import FORMATS
from danhba.inventory import Environment
from danhba.project import BadDirectory, Project
from danhba.revisions import at, file_at


@click.command("diff")
@click.argument("old", default="HEAD")
@click.argument("new", required=False)
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text")
@click.option("--env", "environment", default="", help="Also which stores have the mailboxes.")
@click.pass_obj
@errors_to_status
def command(project: Project, old: str, new: str | None, form: str, environment: str) -> None:
    """Say what changed from OLD to NEW: git revisions, or files.

    Without arguments: from the last commit to the file as it is now. People are told by their staff
    code; a moved block, other order of keys or another form is no change. With --env, home and
    standby of who is new are told, and who was moved to another store.

    Example: danhba diff origin/main HEAD --format markdown --env staging
    """
    before = at(project, old)
    after = at(project, new or str(project.directory))
    names = {each.address: each.name for each in (*before.agencies, *after.agencies)}
    changes = compare(before, after)
    if environment:
        was, now = (_environment(project, environment, each) for each in (old, new))
        rows = (compile_directory(each).mailboxes for each in (before, after))
        changes = with_places(changes, was, now, *rows)
    click.echo(FORMATS[form](changes, names), nl=False)


def _environment(project: Project, name: str, what: str | None) -> Environment:
    """The inventory of now, with what was remembered at a revision."""
    env = project.environment(name)
    if what is None or Path(what).is_file():
        return env
    stores = [store.name for store in env.having("store")]
    found, findings = placement_file.read(*file_at(project.placement(env), what), stores)
    if findings:
        raise BadDirectory(findings)
    return replace(env, remembered=found)
