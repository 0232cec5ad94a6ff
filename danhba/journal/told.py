"""Entries of the chain that are no messages: who read what, what expired, which hold was set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import entry
from .chain import lines_of
from .segment import segments
from .selection import over

_MAIL = f'"kind":"{entry.MAIL}"'.encode()


def told(root: Path, since: str) -> Iterator[dict[str, Any]]:
    """In the order of the chain. since: a time as entries have it, "" for all."""
    for segment in segments(root):
        if over(segment.day, since):
            continue
        for line in lines_of(root, segment):
            if _MAIL in line.raw:
                continue
            try:
                found = entry.parsed(line.raw)
            except ValueError:  # verify tells of it
                continue
            if found.get("time", "") >= since:
                yield found
