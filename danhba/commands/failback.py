"""danhba failback: a store that was failed over serves its mailboxes again."""

from __future__ import annotations

import click

from danhba.commands.common import errors_to_status
from danhba.project import Project


@click.command("failback")
@click.argument("environment")
@click.argument("store")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@errors_to_status
def command(project: Project, environment: str, store: str, yes: bool) -> None:
    """Bring STORE up to date, return its mailboxes, and compare once more what came meanwhile.

    Mail that STORE had and its standbys had not is merged. Cut off, it goes on when run again.

    Example: danhba failback staging store1
    """
    from danhba.days import today
    from danhba.relocation.failures import failback
    from danhba.relocation.work import Work

    work = Work.open(project, environment, yes)
    failback(work, store, today(work.directory.timezone))
