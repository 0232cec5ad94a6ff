"""After the vault was rebuilt a host's memory of what did not come back contradicts its chain for
ever: it goes beside, as evidence, and memory begins anew after the last entry that came back. Never
by the vault's word: danhba rebuild says so, and the host's record has it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import entry
from .memory import Memory, open_of
from .roots import replace, set_aside


def begin(memory: Memory, n: int, now: float) -> Path | None:
    """Put beside what is remembered beyond an entry, and what was refused since it was lost; where,
    None when nothing is. Cut off, it goes on when it is called again. Raises OSError."""
    name = entry.stamp(now).translate(str.maketrans("", "", "-:."))
    beside = memory.ends.with_name(f"lost-{name}")
    rows = memory.ends.read_bytes().splitlines(keepends=True) if memory.ends.exists() else []
    lost = [row for row in rows if not row.endswith(b"\n") or json.loads(row)["n"] > n]
    gone = set_aside(memory.roots, beside / "roots", n)
    if not (gone or lost):
        return None
    beside.mkdir(mode=0o700, exist_ok=True)
    if memory.refused.exists():
        memory.refused.replace(beside / "refused")
    if lost:
        (beside / "ends").write_bytes(b"".join(lost))
        replace(memory.ends, b"".join(row for row in rows if row not in lost))
    _clip(memory, n)
    return beside


def _clip(memory: Memory, n: int) -> None:
    """Years that were applied with what is lost are applied with what comes in its place."""
    rows = [
        {**row, "n": min(row["n"], n), "after": min(row["after"], n)} for row in memory.applied()
    ]
    if rows:
        replace(memory.years, b"".join(entry.line(row) + b"\n" for row in rows))


def anew(config: Mapping[str, Any]) -> Iterator[str]:
    """Of danhba rebuild: {"end": number of the entry} on standard input. Raises OSError,
    ValueError."""
    beside = begin(open_of(config), int(json.load(sys.stdin)["end"]), time.time())
    yield str(beside or "")
