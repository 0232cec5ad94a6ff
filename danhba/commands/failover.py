"""danhba failover: the mailboxes of a store are served by their standbys."""

from __future__ import annotations

import getpass

import click

from danhba.commands.common import errors_to_status
from danhba.project import Project


@click.command("failover")
@click.argument("environment")
@click.argument("store")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@errors_to_status
def command(project: Project, environment: str, store: str, yes: bool) -> None:
    """Route the mailboxes of STORE to their standby copies, in one swap. STORE may be dead.

    It is remembered in inventory/ENVIRONMENT.placement.yaml: commit that. Mail that edges have
    queued arrives; danhba failback gives the mailboxes back.

    Example: danhba failover staging store1
    """
    from danhba.days import today
    from danhba.relocation.failures import failover
    from danhba.relocation.work import Work

    work = Work.open(project, environment, yes)
    failover(work, store, getpass.getuser(), today(work.directory.timezone))
