"""danhba reinstate: who was withdrawn is back, with the same address and mail (Điều 6.4)."""

from __future__ import annotations

from datetime import datetime

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import basis, letter_options, opened, write
from danhba.edit import people
from danhba.project import Project


@click.command("reinstate")
@click.argument("who", nargs=-1, required=True)
@letter_options
@click.pass_obj
@errors_to_status
def command(
    project: Project, who: tuple[str, ...], number: str, decision: str, dated: datetime | None,
    signer: str,
) -> None:  # fmt: skip
    """WHO (addresses or staff codes) log in and receive again. Roles do not come back.

    Example: danhba reinstate nvan --request 15/CV-STC
    """
    draft = opened(project)
    back = [draft.person(each) for each in who]
    rests = basis(draft, back[0].agency, number, decision, dated, signer)
    for person in back:
        people.reinstate(draft, person.address, rests)
    write(project, draft)
    for person in back:
        tell(f"{person.name} <{person.address}> is active again, in {person.agency}")
