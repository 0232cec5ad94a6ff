"""danhba keeper: who reads the mailbox of an agency."""

from __future__ import annotations

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import opened, write
from danhba.edit.draft import EditError
from danhba.edit.people import set_keepers
from danhba.project import Project


@click.command("keeper")
@click.argument("agency")
@click.option("--add", "added", multiple=True, metavar="ADDRESS", help="Of one of its staff.")
@click.option("--remove", "removed", multiple=True, metavar="ADDRESS")
@click.pass_obj
@errors_to_status
def command(
    project: Project, agency: str, added: tuple[str, ...], removed: tuple[str, ...]
) -> None:
    """Change the keepers of an agency's mailbox (Điều 9.2.c); without options: name them.

    Example: danhba keeper sotaichinh --add lttha --remove nvan
    """
    draft = opened(project)
    before = draft.agency(agency).keepers
    if strangers := [address for address in removed if address not in before]:
        raise EditError(f"{strangers[0]} does not keep {agency}")
    left = [address for address in before if address not in removed]
    keepers = [*left, *(address for address in added if address not in left)]
    if keepers != list(before):
        set_keepers(draft, agency, keepers)
        write(project, draft)
    click.echo("".join(f"{address}\n" for address in keepers), nl=False)
    if not keepers:
        tell(f"nobody keeps {agency} now: name somebody (Điều 9.2.c)")
