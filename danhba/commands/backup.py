"""danhba backup: what the timers do, at once."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from danhba.commands.common import errors_to_status, tell
from danhba.engine import session
from danhba.errors import DanhbaError
from danhba.project import Project
from deploys.backup import CONFIG, program_of


@click.command("backup")
@click.argument("environment")
@click.option("--all", "everything", is_flag=True, help="All mailboxes, and what else hosts have.")
@click.option("--host", default="", help="Only this one; default: every host.")
@click.pass_obj
@errors_to_status
def command(project: Project, environment: str, everything: bool, host: str) -> None:
    """Back up now, on all hosts at once, and wait until it is done.

    Mailboxes that have changed since the last time, which happens every hour anyway; with --all
    what else happens every night. To copy to the second place and to forget what is old is the
    vault's business, and comes in its time (docs/backup.md).

    Exit status: 0 all is backed up, 1 something is not, and is named.

    Example: danhba backup staging --all
    """
    env = project.environment(environment)
    if env.vault is None:
        raise DanhbaError(f"{env.name} has no vault, and nothing is backed up (docs/backup.md)")
    asked = {each.name for each in (env.hosts if everything else env.having("store"))}
    program = shlex.join(program_of(CONFIG))
    question = {"run": "daily" if everything else "mail"}
    with session(env, limit=host or None, partly=True) as hosts:
        answers = hosts.each(
            lambda each: hosts.ask(each, program, question) if each.name in asked else {}
        )
        absent = [name for name in hosts.absent if name in asked and host in ("", name)]
    for name in absent:
        tell(f"{name} does not answer: what is there is not backed up")
    failed = [name for name, answer in answers.items() if _failed(answer)]
    for name, answer in answers.items():
        for line in _lines(answer):
            click.echo(f"{name}: {line}")
    sys.exit(1 if failed or absent else 0)


def _failed(answer: Mapping[str, Any]) -> bool:
    return bool(answer.get("failed")) or any(
        note is None or note["why"] for note in answer.get("notes", {}).values()
    )


def _lines(answer: Mapping[str, Any]) -> Iterator[str]:
    if answer.get("failed"):
        yield answer["failed"].splitlines()[0]
    for kind, note in answer.get("notes", {}).items():
        if note is None:
            yield f"{kind}: it has not run: journalctl -u 'danhba-backup-*'"
        elif "done" not in note:
            yield f"{kind}: {note['why']}"
        else:
            done = note["done"]
            what = f"{done['mailboxes']} mailboxes, " if "mailboxes" in done else ""
            yield (
                f"{kind}: {what}{done['read']} files read, {_size(done['added'])} more on the"
                f" vault, {note['seconds']:.0f} s{': ' * bool(note['why'])}{note['why']}"
            )


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
