"""danhba secrets: the master secret of an environment's vault, made once."""

from __future__ import annotations

import click

from danhba import secrets
from danhba.commands.common import errors_to_status
from danhba.project import Project


@click.command("secrets")
@click.argument("environment")
@click.pass_obj
@errors_to_status
def command(project: Project, environment: str) -> None:
    """Make the master secret from which all passwords and keys of the vault come, and say where it
    is. One that is there stays.

    Without it neither backups nor the archive can be read. Keep two copies away from the control
    machine, in a safe each.

    Example: danhba secrets production
    """
    folder = project.environment(environment).secrets_folder
    made = secrets.make(folder)
    click.echo(
        f"{folder / 'master'} {'is made: keep two copies of it in safes' if made else 'is there'}"
    )
