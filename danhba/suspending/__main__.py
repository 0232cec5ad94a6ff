"""The daemon: python3 -m suspending CONFIGURATION, with the directory that systemd gives it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from .control import ask
from .letters import Letters
from .queue import Queue
from .sessions import Sessions
from .work import Work

_EVERY = 1
"""Seconds between two looks."""


def main(config: Path) -> None:
    """Until killed."""
    told = json.loads(config.read_text(encoding="utf-8"))
    edge = told["edge"]
    held = Path(os.environ["STATE_DIRECTORY"]) / "held"
    work = Work(
        ask=ask,
        sessions=Sessions(told["programs"]),
        queue=Queue(edge["postfix"], held) if edge else None,
        letters=Letters(**edge["letters"]) if edge else None,
        host=told["host"],
    )
    while True:
        try:
            work.look()
        except (OSError, ValueError, subprocess.SubprocessError) as why:
            print(f"not done yet: {why}", file=sys.stderr, flush=True)
        time.sleep(_EVERY)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
