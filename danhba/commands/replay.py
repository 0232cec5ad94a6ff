"""danhba replay: mail that mailboxes should have and lack comes back from the archive."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click

from danhba.commands.common import errors_to_status, tell
from danhba.project import Project


@click.command("replay")
@click.argument("environment")
@click.argument("names", metavar="STORE|ADDRESS...", nargs=-1, required=True)
@click.option("--since", default="", help="Like 2026-11-26T08:30. Default: a day ago.")
@click.option("--dry-run", is_flag=True, help="Only count; exit status 2 when something lacks.")
@click.option(
    "--lost-edge", "lost", multiple=True, help="An edge whose queue is lost and will never be sent."
)
@click.pass_obj
@errors_to_status
def command(
    project: Project,
    environment: str,
    names: tuple[str, ...],
    since: str,
    dry_run: bool,
    lost: tuple[str, ...],
) -> None:
    """Bring back every message that was addressed to mailboxes, and is in none of their folders,
    from the archive: once, whoever runs this how often. NAMES: addresses, or stores for all of
    their mailboxes.

    What an owner has deleted for good since then comes back as well (docs/replay.md).

    Example: danhba replay staging store1 --since 2026-11-26T08:30
    """
    from danhba.moment import moment
    from danhba.replaying import USUAL, boxes_of, replay

    env = project.environment(environment)
    directory = project.compiled(env)
    begin = moment(since, directory.timezone) if since else _ago(USUAL, directory.timezone)
    boxes = boxes_of(directory, env, names)
    outcome = replay(env, directory, boxes, begin, tell, dry_run, lost)
    click.echo(outcome.text(begin, dry_run), nl=False)
    if outcome.open:
        sys.exit(1)
    if dry_run and outcome["missing"]:
        sys.exit(2)


def _ago(span: timedelta, timezone: str) -> datetime:
    return datetime.now(ZoneInfo(timezone)) - span
