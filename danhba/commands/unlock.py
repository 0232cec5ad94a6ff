"""danhba unlock: the end of a lock (Điều 10.2.a)."""

from __future__ import annotations

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import opened, write
from danhba.edit import people
from danhba.project import Project


@click.command("unlock")
@click.argument("who")
@click.pass_obj
@errors_to_status
def command(project: Project, who: str) -> None:
    """WHO (address or staff code) logs in and sends again.

    So can whoever knows the old password: danhba password reset --address makes another one.

    Example: danhba unlock nvan
    """
    draft = opened(project)
    person = draft.person(who)
    people.unlock(draft, who)
    write(project, draft)
    tell(f"{person.name} <{person.address}> is active again; has he a new password?")
