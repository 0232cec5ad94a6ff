"""What the commands that ask the hosts share."""

from __future__ import annotations

from typing import Any

from danhba.dated import QUESTION
from danhba.engine import Session
from danhba.generations.generation import Generation
from danhba.inventory import Environment
from danhba.project import Project
from danhba.publish import Asked, ask


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


def ask_all(session: Session, generations: dict[str, Generation]) -> dict[str, Asked]:
    """The one question to every host, in parallel."""
    return session.each(lambda host: ask(host, generations[host.name]))
