"""From the start of the apply with one more official to a mail in his mailbox."""

from __future__ import annotations

import time
from pathlib import Path

from province import Province

from benchmarks.timing import Sample
from staging.lab import Lab


def added(sample: Sample, directory: Path, runs: int) -> None:
    """directory: a copy, applied before; it grows by `runs` officials."""
    province = Province(Lab.open(), directory)
    assert province.mail("x")  # reads the model, which is not to be measured
    for number in range(runs):
        address = f"bench{number}"
        province.add_officials(address)
        begin = time.perf_counter()
        province.apply()
        province.deliver(address)
        sample.add(time.perf_counter() - begin)
