"""What an engineer has to know of the journal on the vault; see danhba.service, Part."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import entry
from .begun import missing
from .index import NAME, Index

_FINE = "ok: "
_TOLD = 7 * 86400
"""Seconds for which it is told that the clock was set."""


def health(config: Mapping[str, Any], now: float) -> Iterator[str]:
    """A line for each thing."""
    root = Path(config["root"])
    yield from _room(shutil.disk_usage(root).free, config["floor"])
    if why := missing(config):
        yield why
        return
    if not (root / NAME).exists():
        yield f"{_FINE}the journal has no entry yet"
        return
    try:
        index = Index(root / NAME, readonly=True)
        yield from _clock(index, now)
        yield f"{_FINE}{_extent(index)}"
        index.close()
    except sqlite3.Error as error:
        yield f"{root / NAME}: {error}: restart danhba-journal, it makes the index again"


def _room(free: int, floor: int) -> Iterator[str]:
    if free < floor:
        yield (
            f"the journal takes nothing more, {_gb(free)} of its disk are free and {_gb(floor)}"
            " have to stay: mail waits in the edges; give /srv/vault room"
        )
    elif free < 2 * floor:
        yield (
            f"{_gb(free)} are free on the journal's disk, at {_gb(floor)} it takes nothing more:"
            " give /srv/vault room"
        )


def _clock(index: Index, now: float) -> Iterator[str]:
    newest = index.db.execute("SELECT n, time FROM entries ORDER BY n DESC LIMIT 1").fetchone()
    if newest and (ahead := entry.seconds(newest[1]) - now) > 60:
        yield (
            f"entry {newest[0]} is of {newest[1]}, {ahead:.0f} s from now: the clock was or is"
            " wrong; see `timedatectl`"
        )
    leaps = index.of_kind(entry.CLOCK)
    recent = [row for row in leaps if index.last - row[0] < 1 or _recent(row[1], now)]
    if recent:
        n, when = recent[-1]
        yield (
            f"the clock was set {len(recent)} times within a week, last at entry {n} ({when}): the"
            " order of entries holds, times before it may be wrong; see `timedatectl`"
        )


def _recent(when: str, now: float) -> bool:
    return abs(now - entry.seconds(when)) < _TOLD


def _extent(index: Index) -> str:
    rows = index.db.execute("SELECT n, time FROM entries ORDER BY n DESC LIMIT 1").fetchall()
    return f"the journal has {rows[0][0]} entries, the last of {rows[0][1]}" if rows else "no entry"


def _gb(size: int) -> str:
    return f"{size / (1 << 30):.1f} GB"
