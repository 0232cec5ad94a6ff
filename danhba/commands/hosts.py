"""What the commands that ask the hosts share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from danhba.commands.common import tell
from danhba.dated import QUESTION
from danhba.engine import EngineError, Session
from danhba.generations.generation import Generation
from danhba.generations.host.common import values
from danhba.inventory import Environment
from danhba.plan_text import listed
from danhba.project import Project
from danhba.publish import Asked, ask
from danhba.relocation import half_done
from danhba.relocation.half_done import Ways
from deploys.common import way


def prepare(project: Project, environment: str) -> tuple[Environment, dict[str, Generation]]:
    """Inventory and compiled generations. Raises InventoryError, BadDirectory."""
    env = project.environment(environment)
    return env, project.generations(env)


def look(session: Session, people: bool = False) -> dict[str, dict[str, Any]]:
    """What the hosts say of themselves (host/report.py), whatever the directory holds: one with
    errors must not stand in the way of somebody who looks, or goes back. people: ask people hosts
    about each other as well."""
    question = {**QUESTION, "people": people, "health": True}
    return session.each(lambda host: session.step(host, "report", question))


def ask_all(
    session: Session,
    generations: Mapping[str, Generation],
    moving: Collection[str] = (),
    regrouped: Collection[str] = (),
    followed: Ways = MappingProxyType({}),
) -> dict[str, Asked]:
    """The one question to every host, in parallel. moving, regrouped, followed: see
    danhba.generations.plan.compare."""
    return session.each(lambda host: ask(host, generations[host.name], moving, regrouped, followed))


def ask_those_there(
    session: Session,
    project: Project,
    env: Environment,
    generations: Mapping[str, Generation],
    follow: bool = False,
) -> dict[str, Asked]:
    """As ask_all, when hosts are absent: edges do not learn of mailboxes that an absent store has
    to learn first. Raises EngineError when nobody is there to learn of the people.

    follow: moves that were cut off may go the step that stands in the way of others.
    """
    people = [host.name for host in env.having("people")]
    if session.absent and set(people) <= set(session.absent):
        raise EngineError(f"{', '.join(people)} does not answer: nobody could log in; nothing done")
    ways = half_done.followed(env, project.compiled(env), session.absent) if (
        follow and env.remembered.moving
    ) else {}  # fmt: skip
    asked = ask_all(session, generations, followed=ways)
    withheld = _withheld(env, session.absent, asked)
    if not withheld:
        return asked
    tell(f"{len(withheld)} new mailboxes wait for their store: {listed(sorted(withheld))}")
    return ask_all(session, project.generations(env, withheld), followed=ways)


def _withheld(env: Environment, absent: Collection[str], asked: Mapping[str, Asked]) -> set[str]:
    """Accounts that all edges would learn now and whose store is absent. What one edge knows
    already its store knew before, and it may not forget it again."""
    gone = {way(env.host(name)) for name in absent}
    if not gone:
        return set()
    edges = [item for name, item in asked.items() if "edge" in env.host(name).roles]
    found = [_arriving(item, gone) for item in edges]
    return set.intersection(*found) if found else set()


def _arriving(item: Asked, gone: Collection[str]) -> set[str]:
    """Accounts that a host would learn, and whose mail goes one of the ways in `gone`."""
    new = set(item.plan.arriving)
    if not new:
        return set()
    return {
        key.partition("@")[0]
        for path, facts in item.generation.manifest["files"].items()
        if facts["ways"]
        for key, way in values(item.generation.text(path).splitlines()).items()
        if key in new and way in gone
    }


def tell_absent(absent: Collection[str], env: Environment) -> None:
    """Which hosts were left out, and what to do. Nothing when none was."""
    for name in absent:
        roles = env.host(name).roles
        again = half_done.brings_along(env) if "edge" in roles else f"danhba apply {env.name}"
        tell(f"{name} does not answer ({', '.join(roles)}): left out. When it is back: {again}")
