"""danhba leave: a long leave, in which a mailbox may stay unread (Điều 6.4)."""

from __future__ import annotations

from datetime import datetime

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import DAY, opened, write
from danhba.edit import people
from danhba.edit.draft import EditError
from danhba.project import Project


@click.command("leave")
@click.argument("who")
@click.option("--until", type=DAY, help="The last day of the leave.")
@click.option("--decision", default="", help="Of the leave.")
@click.option("--end", is_flag=True, help="Back before the time.")
@click.pass_obj
@errors_to_status
def command(project: Project, who: str, until: datetime | None, decision: str, end: bool) -> None:
    """WHO (address or staff code) is on a long leave: nothing is withdrawn for want of access.

    The months of Điều 6.4 then count from the last day of the leave. Login and mail go on.

    Example: danhba leave nvan --until 2027-05-31 --decision 12/QĐ-STC
    """
    draft = opened(project)
    person = draft.person(who)
    if end:
        people.end_leave(draft, who)
        write(project, draft)
        tell(f"{person.name} <{person.address}> is back")
        return
    if until is None or not decision:
        raise EditError("give --until and --decision, or --end")
    people.leave(draft, who, until.date(), decision)
    write(project, draft)
    tell(f"{person.name} <{person.address}> is on leave until {until.date()}")
