"""danhba rebuild: a blank machine becomes the host again whose name it has."""

from __future__ import annotations

import click

from danhba.commands.common import errors_to_status
from danhba.project import Project


@click.command("rebuild")
@click.argument("environment")
@click.argument("host", default="")
@click.option("--all", "everything", is_flag=True, help="Every host that is blank.")
@click.option(
    "--at", default="", metavar="TIME", help="Restore what was there then: 2026-11-20T10:00."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@errors_to_status
def command(
    project: Project, environment: str, host: str, everything: bool, at: str, yes: bool
) -> None:
    """A blank machine with HOST's name and certificate becomes HOST: apply, restore, in service.

    Nothing that lives is overwritten: a machine that is in use is refused. Until it has what it had
    nobody is let in; mail for it waits on the edges. Cut off, it goes on when run again.

    Example: danhba rebuild staging store1
    """
    from danhba.rebuilding.order import rebuild

    if bool(host) == everything:
        raise click.UsageError("name one HOST, or say --all")
    rebuild(project, environment, host, at, yes)
