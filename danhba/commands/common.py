"""What all commands share: errors in one place, progress."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from danhba.errors import DanhbaError
from danhba.findings import shown
from danhba.project import BadDirectory

P = ParamSpec("P")
T = TypeVar("T")


class _Text(click.ParamType[str]):
    """On one line: what is recorded and told later must not pass for another line of the record.
    Letters that do not show are let through, for folders have such names; they are told escaped."""

    name = "text"

    def convert(
        self, value: str, param: click.Parameter | None, context: click.Context | None
    ) -> str:
        if _BREAKS.intersection(map(unicodedata.category, value)):
            self.fail(f"{shown(value)} has a line break or a control character", param, context)
        return value


_BREAKS = {"Cc", "Cs", "Zl", "Zp"}
"""Categories of Unicode; Cs is what was no UTF-8."""
TEXT = _Text()
"""Of arguments and options in words that hosts record, or the archive."""


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
