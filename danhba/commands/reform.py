"""danhba reform: the succession table of a reform of units, all at once."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import DAY, day_of, last_day, opened, refuse_later, write
from danhba.commands.transfer import tell_lost
from danhba.edit import reform as edit
from danhba.edit.reform import Reform
from danhba.load import load_text
from danhba.model import Directory
from danhba.naming import codes
from danhba.project import BadDirectory, Project
from danhba.reform_table import read_table


@click.command("reform", epilog=f"Kinds: {codes()}.")
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--decision", required=True, help="The decision of the reform.")
@click.option("--from", "first", type=DAY, help="First day of the new units; default: today.")
@click.option("--until", type=DAY, help="How long old addresses receive; default: alias_months.")
@click.option("--ahead", is_flag=True, help="On a branch that is merged on the first day.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@errors_to_status
def command(
    project: Project, table: Path, decision: str, first: datetime | None, until: datetime | None,
    ahead: bool, yes: bool,
) -> None:  # fmt: skip
    """Apply TABLE, a CSV with the columns old,kind,name,parent,address,decision.

    A line says which agency (old: its address) becomes part of which unit. Several lines with one
    new unit: a merger. Several lines with one old unit: the line with a decision says who gets its
    mail and staff. What is not decided is listed, and then nothing is written.

    Exit status: 0 written, 1 questions are open.

    Example: danhba reform sap-xep.csv --decision 1654/NQ-UBTVQH15
    """
    draft = opened(project)
    day = day_of(first, draft)
    refuse_later(day, draft, ahead)
    last = last_day(draft, day, until)
    reform = Reform(read_table(table), decision, day, last)
    outcome = edit.understand(draft.directory, reform)
    for line in edit.summary(outcome, {each.address: each for each in draft.directory.agencies}):
        click.echo(line)
    for question in outcome.questions:
        click.echo(f"OPEN {table} {question}")
    if outcome.questions:
        tell(f"{len(outcome.questions)} questions are open; nothing was written")
        sys.exit(1)
    today = draft.directory.today()

    def load(text: str) -> Directory:
        directory, findings = load_text(text.encode(), str(project.directory))
        if directory is None:
            raise BadDirectory(findings)
        return directory

    after, lost = edit.carry_out(draft, reform, outcome, today, load)
    if not (yes or click.confirm("Write this?")):
        sys.exit(1)
    write(project, after)
    tell_lost(lost)
    tell(f"the reform is in {project.directory}; see danhba diff")
