"""danhba inactive: whose mailbox nobody accessed for months, and their withdrawal (Điều 6.4)."""

from __future__ import annotations

import click

from danhba.check_guards import check_guards
from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import opened, write
from danhba.commands.transfer import tell_lost
from danhba.edit import people
from danhba.edit.draft import Draft, EditError
from danhba.edit.people import Basis
from danhba.load import load
from danhba.project import BadDirectory, Project
from danhba.usage.collect import LastAccess, known_hosts, last_access
from danhba.usage.inactive import Idle, idle
from danhba.usage.inactive_text import FORMATS, List

REASON = "không truy xuất {months} tháng"


@click.command("inactive")
@click.argument("environment")
@click.option("--months", type=click.IntRange(2, 60), help="Default: inactive_months of policy.")
@click.option("--new", multiple=True, help="A host that nobody used before its records begin.")
@click.option("--write", "writes", is_flag=True, help="Write the withdrawals into the directory.")
@click.option("--decision", default="", help="What the withdrawals rest on.")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text")
@click.pass_obj
@errors_to_status
def command(
    project: Project, environment: str, months: int | None, new: tuple[str, ...], writes: bool,
    decision: str, form: str,
) -> None:  # fmt: skip
    """List who did not access the mailbox since the last access or registration for the months of
    policy (6, Điều 6.4), and from a month before who soon will not have.

    Agencies' mailboxes are never withdrawn, nor are who is protected by policy, on long leave
    (danhba leave) or locked. Months never count from before a host's records begin.

    Example: danhba inactive staging --write --decision 15/QĐ-STTTT
    """
    draft = opened(project)
    directory = draft.directory
    rule = directory.policy.inactive_months
    if writes and not decision:
        raise EditError("give the --decision that the withdrawals rest on (Điều 6.4)")
    if writes and months and months < rule:
        raise EditError(f"nothing is withdrawn before {rule} months of policy (Điều 6.4)")
    env = project.environment(environment)
    known_hosts(env, new)
    access = last_access(env, directory.province.timezone)
    today = directory.today()
    rows = idle(directory, access, months or rule, today, new)
    click.echo(FORMATS[form](_list(draft, access, rows, months or rule)), nl=False)
    if writes:
        _withdraw(project, draft, rows, REASON.format(months=months or rule), decision)


def _list(draft: Draft, access: LastAccess, rows: list[Idle], months: int) -> List:
    directory = draft.directory
    names = {each.address: each.name for each in directory.agencies}
    basis = directory.legal_basis[0] if directory.legal_basis else ""
    day, domain = directory.today(), directory.province.domain
    return List(rows, names, access.begun, months, day, domain, basis)


def _withdraw(project: Project, draft: Draft, rows: list[Idle], reason: str, decision: str) -> None:
    leaving = [row.address for row in rows if row.verdict == "withdraw"]
    if not leaving:
        tell("nobody is to be withdrawn; nothing was written")
        return
    day = draft.directory.today()
    rests = Basis(day, decision=decision)
    lost = [people.withdraw(draft, who, day, reason, rests) for who in leaving]
    write(project, draft)
    tell(f"{len(leaving)} withdrawals are in {project.directory}; see danhba diff")
    tell_lost([role for roles in lost for role in roles])
    after, findings = load(project.directory)
    if after is None:
        raise BadDirectory(findings)
    if needed := list(check_guards(draft.directory, after)):
        for finding in needed:
            tell(f"  too many at once: {finding.message}")
        tell(f"the apply needs an approval: {needed[0].remedy}")
