"""danhba status: which generation every host runs, its services, its lock."""

from __future__ import annotations

import sys

import click

from danhba.commands.common import ask_all, errors_to_status, prepare
from danhba.engine import session
from danhba.project import Project


@click.command("status")
@click.argument("environment")
@click.pass_obj
@errors_to_status
def command(project: Project, environment: str) -> None:
    """Show generations (with their git revision), stopped services and locks of every host.

    Exit status: 0 all services run, 2 one does not.

    Example: danhba status staging
    """
    env, generations = prepare(project, environment)
    with session(env) as hosts:
        asked = ask_all(hosts, generations)
    stopped = False
    for name, item in asked.items():
        report = item.report
        live = (report["live"] or "none")[:12]
        click.echo(f"{name}: generation {live} from {report['revision'] or 'nothing yet'}")
        for kept in report["generations"]:
            if kept["digest"] != report["live"]:
                click.echo(f"  kept for rollback: {kept['digest'][:12]} from {kept['revision']}")
        for unit, state in report["units"].items():
            if not state["active"]:
                stopped = True
                click.echo(f"  {unit} is not running: danhba apply {environment}")
        if item.plan.locked:
            click.echo(f"  locked by {item.plan.locked['who']} since {item.plan.locked['since']}")
    sys.exit(2 if stopped else 0)
