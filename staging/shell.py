"""Running commands and telling people about it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class LabError(Exception):
    """The lab cannot do what was asked; the message says what to change."""


def say(text: str) -> None:
    print(f"[staging] {text}", file=sys.stderr, flush=True)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """One line when something starts, one when it is done, with the seconds it took."""
    start = time.monotonic()
    say(f"{what} ...")
    yield
    say(f"{what} ... {time.monotonic() - start:.1f} s")


def run(
    argv: Sequence[str], *, check: bool = True, input: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of this machine. Raises LabError with what it printed."""
    done = subprocess.run(argv, input=input, capture_output=True, text=True, check=False)
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise LabError(f"{' '.join(argv)}: exit status {done.returncode}\n{said}")
    return done


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file that is never readable with more than its final mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode)
    path.chmod(mode)
    path.write_text(text, encoding="utf-8")
