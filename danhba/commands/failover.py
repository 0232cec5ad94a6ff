"""danhba failover: the mailboxes of a store are served by their standbys."""

from __future__ import annotations

import getpass

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.replay import command as replay
from danhba.project import Project


@click.command("failover")
@click.argument("environment")
@click.argument("store")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--replay", "again", is_flag=True, help="Then bring back what was not copied.")
@click.pass_obj
@errors_to_status
def command(project: Project, environment: str, store: str, yes: bool, again: bool) -> None:
    """Route the mailboxes of STORE to their standby copies, in one swap. STORE may be dead.

    It is remembered in inventory/ENVIRONMENT.placement.yaml: commit that. Mail that edges have
    queued arrives; danhba failback gives the mailboxes back.

    What STORE had taken in its last seconds and not copied comes back from the archive of all mail:
    with --replay at once, else by danhba replay, which may be run at any time and how often one
    likes.

    Example: danhba failover staging store1 --replay
    """
    from danhba.days import today
    from danhba.relocation.failures import failover
    from danhba.relocation.work import Work

    work = Work.open(project, environment, yes)
    failover(work, store, getpass.getuser(), today(work.directory.timezone), again)
    if again:
        context = click.get_current_context()
        context.invoke(replay, environment=environment, names=(store,))
    elif work.env.vault:
        tell(f"What was not copied comes back by: danhba replay {environment} {store}")
