"""Does the index have what the chain has? A search shows nothing that is not in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import entry
from .chain import lines_of
from .index import NAME, Index
from .segment import Segment, segments

_HOW = f"a search may lack some: remove {NAME} on the vault and restart danhba-journal"


def unlike(root: Path, last: int, since: str = "") -> Iterator[str]:
    """For people, a line for each segment, from those of a day on, of which the index has other
    entries than the chain, up to number last: it has those when the daemon has answered. Raises
    OSError."""
    every = segments(root)
    try:
        index = Index(root / NAME, readonly=True)
        for each in (each for each in every if each.day >= since):
            try:
                if count := index.strange(each, _entries(root, each), last):
                    yield f"{NAME}: {count} entries of {each.name} are not as in the chain: {_HOW}"
            except (KeyError, TypeError, ValueError):
                continue  # a line is damaged: verify says which
        for name in index.strangers(every, last):
            yield f"{NAME}: the chain has no {name}: {_HOW}"
        index.close()
    except sqlite3.Error as error:
        yield f"{NAME}: {error}: {_HOW}"


def _entries(root: Path, segment: Segment) -> Iterator[dict[str, Any]]:
    """Without one that is just being written."""
    raws = (line.raw for line in lines_of(root, segment))
    return (entry.parsed(raw) for raw in raws if raw.endswith(b"\n"))
