"""danhba rebalance: stores get equal shares of the mailboxes."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import islice

import click

from danhba.commands.common import errors_to_status, tell
from danhba.project import Project


@click.command("rebalance")
@click.argument("environment")
@click.option("--tolerance", default=5, show_default=True, help="Percent that need no move.")
@click.option("--batch", default=200, show_default=True, help="Mailboxes moved at a time.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@errors_to_status
def command(project: Project, environment: str, tolerance: int, batch: int, yes: bool) -> None:
    """Move mailboxes until every store has its share. Shows how many, asks, and goes on with
    what was under way; users work meanwhile.

    Example: danhba rebalance staging
    """
    from danhba.rebalancing import uneven
    from danhba.relocation.moves import move
    from danhba.relocation.work import Work

    work = Work.open(project, environment, yes)
    work.must_be_whole()
    if work.env.remembered.moving:
        tell(f"Finish {len(work.env.remembered.moving)} moves that are under way")
        move(work, {})
    moves = uneven(work.directory.mailboxes, work.env, tolerance / 100)
    homes = {box.account: work.env.place(box).home for box in work.directory.mailboxes}
    count = Counter(homes.values())
    after = Counter((homes | moves).values())
    for store in work.env.having("store"):
        click.echo(f"{store.name}: {count[store.name]} mailboxes -> {after[store.name]}")
    if not moves:
        click.echo("nothing to move")
        return
    if not yes and not click.confirm(f"Move {len(moves)} mailboxes?"):
        sys.exit(1)
    left = iter(moves.items())
    while some := dict(islice(left, batch)):
        move(work, some)
