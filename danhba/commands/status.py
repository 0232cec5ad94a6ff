"""danhba status: which generation every host runs, its services, its lock, what is amiss."""

from __future__ import annotations

import sys

import click

from danhba.commands import people_status, placement_status, run_status
from danhba.commands.common import errors_to_status
from danhba.commands.hosts import look
from danhba.dated import due
from danhba.engine import session
from danhba.inventory import Environment
from danhba.owner import is_gone
from danhba.project import BadDirectory, Project
from danhba.service import FINE


@click.command("status")
@click.argument("environment")
@click.pass_obj
@errors_to_status
def command(project: Project, environment: str) -> None:
    """Show generations (with their git revision), hosts that missed an apply, stopped services,
    dated changes that are late, locks, how many standby copies wait, and what is amiss on every
    host.

    Exit status: 0 all is well, 2 something is not.

    Example: danhba status staging
    """
    env = project.environment(environment)
    with session(env, partly=True) as hosts:
        reports = look(hosts, people=True)
    late = run_status.behind(reports, _wanted(project, env), environment)
    amiss = bool(hosts.absent or late)
    for name in hosts.absent:
        click.echo(placement_status.absent(env, name))
    for name, report in reports.items():
        live = (report["live"] or "none")[:12]
        click.echo(f"{name}: generation {live} from {report['revision'] or 'nothing yet'}")
        if name in late:
            click.echo(f"  {late[name]}")
        for kept in report["generations"]:
            if kept["digest"] != report["live"]:
                click.echo(f"  kept for rollback: {kept['digest'][:12]} from {kept['revision']}")
        for unit, state in report["units"].items():
            if not state["active"]:
                amiss = True
                click.echo(f"  {unit} is not running: danhba apply {environment}")
        for line in people_status.troubles(report["people"], environment):
            amiss = True
            click.echo(f"  {line}")
        if rows := due(report):
            amiss = True
            click.echo(
                f"  dated changes due since {rows[0].split()[0]}, not applied: {len(rows)}: "
                f"danhba apply {environment}"
            )
        for said in report["health"]:
            amiss = amiss or not said.startswith(FINE)
            click.echo(f"  {said.removeprefix(FINE)}")
        if report["lock"]:
            amiss = amiss or is_gone(report["lock"])
            click.echo(f"  {run_status.lock(report, environment)}")
    for line in placement_status.troubles(env, reports, late):
        amiss = True
        click.echo(line)
    sys.exit(2 if amiss else 0)


def _wanted(project: Project, env: Environment) -> dict[str, str]:
    """Digests that the checkout gives; none of a directory with errors, which must not stand in the
    way of somebody who looks."""
    try:
        return {name: item.digest for name, item in project.generations(env).items()}
    except BadDirectory:
        return {}
