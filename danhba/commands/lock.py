"""danhba lock: at once and without paper, when a password is lost or misused (Điều 10.2.a)."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import DAY, basis, letter_options, opened, write
from danhba.edit import people
from danhba.edit.draft import EditError
from danhba.project import Project


@click.command("lock")
@click.argument("who")
@click.option("--reason", default="", help="As told, for instance: lộ mật khẩu.")
@click.option("--confirm-by", type=DAY, help="Default: after confirm_days of policy.")
@letter_options
@click.pass_obj
@errors_to_status
def command(
    project: Project, who: str, reason: str, confirm_by: datetime | None, number: str,
    decision: str, dated: datetime | None, signer: str,
) -> None:  # fmt: skip
    """WHO (address or staff code) can neither log in nor send from today; mail still comes.

    The agency confirms in writing until a day; the letter is noted with --request, for somebody who
    is locked already. danhba check tells of locks that are overdue.

    Example: danhba lock nvan --reason "lộ mật khẩu"

    Example: danhba lock nvan --request 20/CV-STC --date 2026-11-27 --signer "Chánh Văn phòng"
    """
    draft = opened(project)
    person = draft.person(who)
    if number or decision:
        rests = basis(draft, person.agency, number, decision, dated, signer)
        people.confirm_lock(draft, who, rests)
        write(project, draft)
        tell(f"the lock of {person.name} <{person.address}> is confirmed")
        return
    if not reason:
        raise EditError("give the --reason; or the --request that confirms a lock")
    today = draft.directory.today()
    days = timedelta(days=draft.directory.policy.confirm_days)
    until = confirm_by.date() if confirm_by else today + days
    people.lock(draft, who, today, reason, until)
    write(project, draft)
    tell(f"{person.name} <{person.address}> is locked from {today}: apply it now")
    tell(f"  {person.agency} confirms in writing by {until}")
