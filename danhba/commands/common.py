"""What all commands share: errors in one place, progress."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from danhba.errors import DanhbaError
from danhba.project import BadDirectory

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
            tell("Nothing was done: mend what is said above first (danhba check).")
        except DanhbaError as error:
            tell(f"Error: {error}")
        sys.exit(1)

    return guarded
