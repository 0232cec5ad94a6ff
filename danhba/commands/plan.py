"""danhba plan: what an apply would do. Writes nothing."""

from __future__ import annotations

import sys

import click

from danhba import plan_text
from danhba.commands.common import errors_to_status
from danhba.commands.hosts import ask_those_there, prepare, tell_absent
from danhba.engine import session
from danhba.project import Project

FORMATS = {
    "text": plan_text.as_text, "markdown": plan_text.as_markdown, "json": plan_text.as_json,
}  # fmt: skip


@click.command("plan")
@click.argument("environment")
@click.option("--limit", metavar="HOST", help="Only this host.")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text")
@click.pass_obj
@errors_to_status
def command(project: Project, environment: str, limit: str | None, form: str) -> None:
    """Show what an apply would do on the hosts of inventory/ENVIRONMENT.py.

    Exit status: 0 nothing to do, 2 changes or drift, 1 error or refusal.

    Example: danhba plan staging --format markdown
    """
    env, generations = prepare(project, environment)
    with session(env, limit, partly=not limit) as hosts:
        asked = ask_those_there(hosts, project, env, generations, not limit)
        plans = [item.plan for item in asked.values()]
        tell_absent(hosts.absent, env)
    click.echo(FORMATS[form](plans), nl=False)
    if hosts.absent or any(plan.refused or plan.apart for plan in plans):
        sys.exit(1)
    sys.exit(2 if any(plan.changes for plan in plans) else 0)
