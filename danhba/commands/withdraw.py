"""danhba withdraw: an official leaves the province's service; the mailbox is kept (Điều 6.3)."""

from __future__ import annotations

from datetime import datetime

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import DAY, basis, day_of, letter_options, opened, write
from danhba.commands.transfer import tell_lost
from danhba.edit import people
from danhba.project import Project


@click.command("withdraw")
@click.argument("who", nargs=-1, required=True)
@click.option("--reason", required=True, help="As the decision has it, for instance: nghỉ hưu.")
@click.option("--from", "first", type=DAY, help="First day; may lie ahead. Default: today.")
@letter_options
@click.pass_obj
@errors_to_status
def command(
    project: Project, who: tuple[str, ...], reason: str, first: datetime | None, number: str,
    decision: str, dated: datetime | None, signer: str,
) -> None:  # fmt: skip
    """WHO (addresses or staff codes) neither log in nor receive mail from a day on.

    Address and mailbox are kept: danhba reinstate gives both back. Roles are dropped and named when
    the day has come; until then they stay, and danhba check warns.

    Example: danhba withdraw nvan --reason "nghỉ hưu" --decision 7/QĐ-STC --from 2027-01-01
    """
    draft = opened(project)
    day = day_of(first, draft)
    leaving = [draft.person(each) for each in who]
    rests = basis(draft, leaving[0].agency, number, decision, dated, signer)
    lost = [people.withdraw(draft, each.address, day, reason, rests) for each in leaving]
    write(project, draft)
    for person, roles in zip(leaving, lost, strict=True):
        tell(f"{person.name} <{person.address}> is withdrawn from {day}")
        tell_lost(roles)
