"""What the control machine asks of the archive; each question is one run of this program."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import desk
from .chain import JournalError
from .pour import pour


def contents(config: Mapping[str, Any]) -> int:
    """Messages, from standard input's request to standard output's frames (pour.py)."""
    return _or_say(
        lambda: pour(Path(config["root"]), desk.noted, sys.stdin.buffer, sys.stdout.buffer)
    )


def _or_say(work: Callable[[], None]) -> int:
    try:
        work()
    except (JournalError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
