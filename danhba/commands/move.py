"""danhba move: a mailbox gets another store while its user works."""

from __future__ import annotations

import click

from danhba.commands.common import errors_to_status
from danhba.project import Project


@click.command("move")
@click.argument("mailboxes", nargs=-1, required=True)
@click.option("--to", "store", required=True, help="The store that shall serve them.")
@click.option("--env", "environment", default="", help="Default: the only inventory there is.")
@click.pass_obj
@errors_to_status
def command(project: Project, mailboxes: tuple[str, ...], store: str, environment: str) -> None:
    """Move MAILBOXES (addresses of today, or accounts; the part before @) to a store. Nothing is
    lost; programs for mail connect once more.

    It is remembered in inventory/ENV.placement.yaml: commit that. Cut off, it goes on when run
    again.

    Example: danhba move nvan --to store2 --env staging
    """
    from danhba.relocation.moves import move
    from danhba.relocation.work import Work

    work = Work.open(project, environment or project.only_environment(), yes=False)
    accounts = [work.directory.account_of(each) or each for each in mailboxes]
    move(work, dict.fromkeys(accounts, store))
