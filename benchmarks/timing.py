"""Run a program, and say how long it took and how much memory it had."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from danhba.project import ROOT


class Failed(Exception):
    """A measured command did not do what was to be measured."""


@dataclass
class Sample:
    """Wall-clock seconds of each run, and the largest resident set of any of them."""

    seconds: list[float] = field(default_factory=list)
    megabytes: float = 0.0

    def add(self, seconds: float, megabytes: float = 0.0) -> None:
        self.seconds.append(seconds)
        self.megabytes = max(self.megabytes, megabytes)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        spread = f"{min(self.seconds):.2f}–{max(self.seconds):.2f}"
        return f"{self.median:.2f} ({spread}; {len(self.seconds)})"


def measure(
    sample: Sample,
    argv: Sequence[str],
    env: Mapping[str, str] | None = None,
    says: Sequence[str] = (),
) -> str:
    """One run into the sample; what it printed. Raises Failed.

    says: what the output must hold for the run to count. Memory is that of the one process, as
    wait4 tells it; this program has to stay small, for a child starts out as large as its parent.
    """
    with tempfile.TemporaryFile("w+") as out:
        begin = time.perf_counter()
        process = subprocess.Popen(
            argv, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, text=True
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if process.returncode or not all(words in text for words in says):
        raise Failed(f"{' '.join(argv)}: status {process.returncode}\n{text[-4000:]}")
    sample.add(seconds, usage.ru_maxrss / 1024)
    return text
