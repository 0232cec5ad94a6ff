"""danhba apply: make the hosts what the directory and the inventory say."""

from __future__ import annotations

import contextlib
import sys

import click
from pyinfra.api.host import Host

from danhba import plan_text
from danhba.commands.common import errors_to_status, tell
from danhba.commands.hosts import ask_those_there, prepare, tell_absent
from danhba.dated import objections
from danhba.engine import EngineError, Session, session
from danhba.generations.plan import Plan
from danhba.inventory import Environment
from danhba.owner import me
from danhba.project import Project
from danhba.publish import Asked, carry_out
from danhba.relocation import half_done


@click.command("apply")
@click.argument("environment")
@click.option("--limit", metavar="HOST", help="Only this host.")
@click.option(
    "--dated", is_flag=True, help="Only what a day brings by itself, without asking: for a timer."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("-v", "--verbose", is_flag=True, help="Also what pyinfra says of its commands.")
@click.option("--take-over", is_flag=True, help="Take the lock of an apply that is stuck.")
@click.pass_obj
@errors_to_status
def command(
    project: Project,
    environment: str,
    limit: str | None,
    dated: bool,
    yes: bool,
    verbose: bool,
    take_over: bool,
) -> None:
    """Plan, ask, then publish to the hosts of inventory/ENVIRONMENT.py.

    Each host stages and validates first; only when all are content do they swap. A host that does
    not answer is left out and named, and the exit status is 1; the next apply brings it along.

    Example: danhba apply staging
    """
    env, generations = prepare(project, environment)
    if dated:
        _committed(project)
    with session(env, limit, tell if verbose else None, partly=not (limit or dated)) as hosts:
        asked = ask_those_there(hosts, project, env, generations, not (limit or dated))
        tell_absent(hosts.absent, env)
        plans = [item.plan for item in asked.values()]
        click.echo(plan_text.as_text(plans), nl=False)
        if any(plan.apart for plan in plans):
            raise EngineError("clocks do not agree on what day it is (see above); nothing done")
        if any(plan.vanished for plan in plans):
            raise EngineError("accounts have vanished from the directory (see above); nothing done")
        if any(plan.displaced for plan in plans):
            raise EngineError("mailboxes would change their home (see above); nothing done")
        if any(plan.excesses for plan in plans):
            raise EngineError("the change has no approval for what it disturbs; nothing done")
        if not any(plan.changes for plan in plans):
            sys.exit(1 if hosts.absent else 0)
        if dated:
            _by_date_alone(project, env, asked)
        if limit and plans[0].arriving and "edge" in env.host(limit).roles:
            raise EngineError(
                f"{limit} would take mail for addresses that its stores may not know yet: "
                f"{plan_text.listed(plans[0].arriving)}; apply without --limit"
            )
        if not (yes or dated) and not click.confirm("Apply this?"):
            sys.exit(1)
        half_done.compare(hosts, env, {each for plan in plans for each in plan.followed})
        publish(hosts, asked, take_over)
        half_done.must_go_on(env)
        tell_absent(hosts.absent, env)
    if hosts.absent:
        raise EngineError(f"applied, but not to {', '.join(hosts.absent)}")
    tell("Applied.")


def _committed(project: Project) -> None:
    """Raises EngineError."""
    revision = project.revision()
    if revision.endswith("+") or revision == "no revision":
        raise EngineError(
            "this checkout is not what git has: nothing is applied by date; commit, review, apply"
        )


def _by_date_alone(project: Project, env: Environment, asked: dict[str, Asked]) -> None:
    """Raises EngineError: somebody has to look."""
    reasons = list(objections(asked, lambda day: project.generations_on(env, day)))
    if reasons:
        raise EngineError(
            "more than a day that has come would be applied; nothing done, look at danhba plan:\n"
            + "\n".join(reasons)
        )


def publish(hosts: Session, asked: dict[str, Asked], take_over: bool) -> None:
    """Carry the plans out; the locks that are ours are given back whatever happens."""
    hosts.in_order(lambda host: carry_out(host, asked[host.name], take_over, hosts.absent))
    changed = _hosts_of(hosts, [item.plan for item in asked.values()])
    try:
        hosts.run(tell)
    except BaseException:  # Ctrl-C as well
        for host in changed:
            with contextlib.suppress(EngineError):  # a host that is gone keeps its lock
                hosts.step(host, "unlock", {"token": me()["token"]})
        raise


def _hosts_of(hosts: Session, plans: list[Plan]) -> list[Host]:
    names = {plan.host for plan in plans if plan.changes}
    return [host for host in hosts.hosts() if host.name in names]
