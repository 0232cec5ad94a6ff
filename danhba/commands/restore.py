"""danhba restore: what somebody has lost comes back from a snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from danhba.commands.common import TEXT, errors_to_status, tell
from danhba.project import Project

if TYPE_CHECKING:
    from danhba.compiled import Compiled
    from danhba.restoring import Done, Wanted


@click.group("restore")
def command() -> None:
    """Bring back what somebody has lost (docs/restore.md).

    Example: danhba restore mailbox staging nvan --at 2026-11-20T10:00
    """


@command.command("mailbox")
@click.argument("environment")
@click.argument("address", type=TEXT)
@click.option("--at", required=True, help="As it was then: 2026-11-20T10:00, the province's clock.")
@click.option("--folder", type=TEXT, default="", help="Only this one.")
@click.option("--message-id", type=TEXT, default="", help="Only this message.")
@click.option(
    "--in-place", is_flag=True,
    help="What is missing, to where it was; without it all comes to a folder of its own.",
)  # fmt: skip
@click.pass_obj
@errors_to_status
def mailbox(
    project: Project,
    environment: str,
    address: str,
    at: str,
    folder: str,
    message_id: str,
    in_place: bool,
) -> None:
    """Bring mail of ADDRESS back from the last snapshot before a moment, while it is used.

    Nothing is taken away, no message comes twice, flags are those of the snapshot, and it succeeds
    also when the mailbox has no room. Run again, it goes on where it was cut off.

    Of a person or agency that has no mailbox any more the mail comes beside the archive, on the
    store that had it.

    Example: danhba restore mailbox staging nvan --at 2026-11-20T10:00 --in-place
    """
    from danhba.moment import moment
    from danhba.restoring import Wanted, restore, whose

    env = project.environment(environment)
    directory = project.compiled(env)
    wanted = Wanted(address, moment(at, directory.timezone), folder, message_id, in_place)
    _, box = whose(directory, address)
    if box and box.state in ("withdrawn", "closed"):
        tell(f"{address} is {box.state}: nobody logs in there; the mail comes back all the same")
    done = restore(env, directory, wanted)
    for line in _lines(directory, wanted, done):
        click.echo(line)


def _lines(directory: Compiled, wanted: Wanted, done: Done) -> Iterator[str]:
    answer, when = done.answer, datetime.fromisoformat(done.snapshot["time"])
    told = when.astimezone(ZoneInfo(directory.timezone)).strftime("%Y-%m-%d %H:%M")
    yield f"{done.account}: snapshot of {told} (of {done.snapshot['repository']})"
    yield f"  {answer['whole']} messages in it, each as it was backed up"
    if answer["gone"]:
        yield f"  {answer['gone']} went while it was made, moved or removed, and are not in it"
    if archive := answer.get("archive"):
        yield f"  there is no mailbox any more: it is in {archive} on {done.store}"
        yield "  to look into it: docs/life-cycle.md, Bring a mailbox back"
        return
    where = f'to "{wanted.into}"' if wanted.into else "to where they were"
    yield f"  {answer['messages']} messages came back {where}{_counts(answer['folders'])}"
    if there := answer["elsewhere"]:
        yield f"  {sum(there.values())} are there already{_counts(there)}"
    if answer["scripts"]:
        yield f"  filters: {', '.join(answer['scripts'])}"
    if 0 < answer["room"] < answer["used"]:
        size = f"{answer['used'] / 1024:.1f} MB of {answer['room'] / 1024:.1f} MB"
        yield f"  it has {size} now: its mail is refused until there is room (danhba quota)"


def _counts(folders: Mapping[str, int]) -> str:
    """In words, by folder."""
    told = ", ".join(f"{folder} {count}" for folder, count in sorted(folders.items()))
    return f": {told}" if told else ""
