"""Reads a directory in one way, and prints the seconds that this alone took.

python -m benchmarks.loading WAY FILE

A process of its own for each run: nothing that another left in memory is in the way.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path


def pyyaml(data: bytes) -> None:
    """What everybody reads YAML with: libyaml makes dictionaries, without lines or rules."""
    import yaml

    text = data.decode()
    _timed(lambda: yaml.load(text, yaml.CSafeLoader))


def yaml_rs(data: bytes) -> None:
    """The same dictionaries, in Rust."""
    import yaml_rs

    text = data.decode()
    _timed(lambda: yaml_rs.loads(text))


def danhba(data: bytes) -> None:
    """The model with its lines, and every rule."""
    from danhba.check import check_text

    _timed(lambda: check_text(data, "directory.yaml"))


def _timed(read: Callable[[], object]) -> None:
    gc.collect()
    begin = time.perf_counter()
    kept = read()
    print(time.perf_counter() - begin)
    assert kept


WAYS = {"pyyaml": pyyaml, "yaml-rs": yaml_rs, "danhba": danhba}


if __name__ == "__main__":
    WAYS[sys.argv[1]](Path(sys.argv[2]).read_bytes())
