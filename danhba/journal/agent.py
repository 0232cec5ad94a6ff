"""What the control machine asks of the archive; each question is one run of this program."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import desk
from .chain import JournalError
from .pour import pour
from .told import told


def contents(config: Mapping[str, Any]) -> int:
    """Messages, from standard input's request to standard output's frames (pour.py)."""
    return _or_say(
        lambda: pour(Path(config["root"]), desk.noted, sys.stdin.buffer, sys.stdout.buffer)
    )


def entries(config: Mapping[str, Any]) -> int:
    """What the chain says that is no message, a line each, from standard input's time on."""

    def say() -> None:
        for found in told(Path(config["root"]), sys.stdin.readline().strip()):
            print(json.dumps(found))

    return _or_say(say)


def _or_say(work: Callable[[], None]) -> int:
    try:
        work()
    except (JournalError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
