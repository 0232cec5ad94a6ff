"""danhba fmt: the one canonical form of directory.yaml."""

from __future__ import annotations

import sys

import click

from danhba.commands.common import errors_to_status, tell
from danhba.files import replace
from danhba.fmt import Unformatted, formatted
from danhba.project import BadDirectory, Project


@click.command("fmt")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 if it differs.")
@click.pass_obj
@errors_to_status
def command(project: Project, only_check: bool) -> None:
    """Write directory.yaml in its canonical form; comments stay with their entries.

    For a pre-commit hook and CI: danhba fmt --check

    Example: danhba fmt
    """
    try:
        before = project.directory.read_bytes()
        after = formatted(before, str(project.directory)).encode()
    except Unformatted as unformatted:
        raise BadDirectory(unformatted.findings) from None
    if before == after:
        return
    if only_check:
        tell(f"{project.directory} is not in canonical form: run danhba fmt")
        sys.exit(1)
    replace(project.directory, after)
    tell(f"{project.directory} is formatted")
