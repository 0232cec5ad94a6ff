"""What several commands share: errors in one place, progress, asking all hosts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click

from danhba.assemble import AssemblyError
from danhba.engine import EngineError, Session
from danhba.generations.generation import Generation
from danhba.inventory import Environment, InventoryError
from danhba.project import BadDirectory, Project
from danhba.publish import Asked, ask

P = ParamSpec("P")
T = TypeVar("T")


def tell(text: str) -> None:
    """Progress, on standard error: standard output is for results."""
    click.echo(text, err=True)


def errors_to_status(command: Callable[P, T]) -> Callable[P, T]:
    """Known errors become a message and exit status 1."""

    @wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except BadDirectory as bad:
            for finding in bad.findings:
                click.echo(finding, err=True)
            tell("Nothing was applied: mend the directory first (danhba check).")
        except (AssemblyError, EngineError, InventoryError) as error:
            tell(f"Error: {error}")
        sys.exit(1)

    return guarded


def prepare(project: Project, environment: str) -> tuple[Environment, dict[str, Generation]]:
    """Inventory and compiled generations. Raises InventoryError, BadDirectory."""
    env = project.environment(environment)
    return env, project.generations(env)


def look(session: Session) -> dict[str, dict[str, Any]]:
    """What the hosts say of themselves (host/report.py), whatever the directory holds: one with
    errors must not stand in the way of somebody who looks, or goes back."""
    nothing: dict[str, Any] = {
        "files": {},
        "secret": [],
        "packages": [],
        "units": [],
        "entries": None,
    }
    return session.each(lambda host: session.step(host, "report", nothing))


def ask_all(session: Session, generations: dict[str, Generation]) -> dict[str, Asked]:
    """The one question to every host, in parallel."""
    return session.each(lambda host: ask(host, generations[host.name]))
