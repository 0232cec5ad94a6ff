"""danhba quota: room for one mailbox other than policy gives it."""

from __future__ import annotations

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import opened, write
from danhba.edit.draft import EditError
from danhba.edit.quota import end_quota, set_quota
from danhba.project import Project


@click.command("quota")
@click.argument("who")
@click.option("--gb", type=click.IntRange(1), help="Gigabytes.")
@click.option("--decision", default="", help="Number of the decision that gives them.")
@click.option("--end", is_flag=True, help="Back to what policy gives.")
@click.pass_obj
@errors_to_status
def command(project: Project, who: str, gb: int | None, decision: str, end: bool) -> None:
    """WHO (address of a person or an agency, or staff code) has other room for mail.

    Less room than is used loses nothing: mail is refused until there is room again (Điều 10.1).

    Example: danhba quota nvan --gb 5 --decision 9/QĐ-STTTT
    """
    draft = opened(project)
    if end:
        end_quota(draft, who)
    elif gb is None or not decision:
        raise EditError("give --gb and --decision, or --end")
    else:
        set_quota(draft, who, gb, decision)
    write(project, draft)
    tell(f"{who}: {gb} GB by {decision}" if gb else f"{who}: as policy has it")
