"""danhba drill: a random sample is restored from the backups, compared, and certified."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from danhba import drilling, files
from danhba.commands.common import errors_to_status, tell
from danhba.drilling import DrillError
from danhba.owner import me
from danhba.project import Project
from deploys.drill import PROGRAM

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("drill")
@click.argument("environment")
@click.option("--mailboxes", type=click.IntRange(1, 1000), help="How many, of all stores together.")
@click.option("--seed", type=click.IntRange(0), help="Of an earlier drill, to choose the same.")
@click.option("--last", is_flag=True, help="Show the last one, and start none.")
@click.option("--certificate", type=_FILE, help="Write the certificate there (docx).")
@click.option("--figures", type=_FILE, help="Write the figures there (JSON).")
@click.pass_obj
@errors_to_status
def command(
    project: Project,
    environment: str,
    mailboxes: int | None,
    seed: int | None,
    last: bool,
    certificate: Path | None,
    figures: Path | None,
) -> None:
    """Restore a random sample from the backups on the vault, and compare it with what was backed
    up: mailboxes of every store, the people of one host, keys and what was learned of one edge.

    The vault does it by itself every month. Figures and certificate stay there (docs/drill.md).
    Exit status: 0 the drill was good, 2 it was not.

    Example: danhba drill staging --certificate bien-ban.docx
    """
    env = project.environment(environment)
    program = " ".join(PROGRAM)
    if last:
        drill = drilling.last(env, program)
    else:
        tell("Restoring a sample on the vault; this takes some minutes")
        drill = drilling.run(env, program, me()["who"].partition(" ")[0], mailboxes, seed)
    for path, content in ((certificate, drill.certificate), (figures, drill.text.encode())):
        try:
            if path:
                files.replace(path, content)
        except OSError as error:
            raise DrillError(f"{path}: {error.strerror}; try again with --last") from None
    for line in drilling.lines(drill):
        click.echo(line)
    sys.exit(0 if drill.good else 2)
