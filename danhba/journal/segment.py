"""Segments: for each day, and for each 64 MB of it, a file of lines and a file of contents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from . import entry

ROOT = Path("/srv/vault/journal")
BEGUN = "/var/lib/danhba-journal/begun"
"""The note that this machine has had a journal; on another disk than the journal."""
MOST = 64 << 20
"""Bytes of contents after which another segment begins."""
_NAME = re.compile(r"(\d{4})/(\d\d)/(\d\d)/(\d{4,})")


@dataclass(frozen=True, order=True)
class Segment:
    """day: on which it was begun, by the province's clock, "2026/11/26"; never earlier than that of
    the one before, whatever the clock says, so that their order is that of the chain."""

    day: str
    number: int

    @property
    def name(self) -> str:
        """As `2026/11/26/0001`."""
        return f"{self.day}/{self.number:04}"

    def chain(self, root: Path = ROOT) -> Path:
        """The file of lines."""
        return root / f"{self.name}.chain"

    def data(self, root: Path = ROOT) -> Path:
        """The file of contents; an expired segment may have none."""
        return root / f"{self.name}.data"

    def age(self, stamp: str, zone: ZoneInfo) -> str:
        """From when on an entry of this segment counts its years: its own time, or the beginning of
        the segment's day, whichever is later. A clock that went back writes times too early, and
        the days of segments never go back."""
        begun = datetime.strptime(self.day, "%Y/%m/%d").replace(tzinfo=zone)
        return max(stamp, entry.stamp(begun.timestamp()))

    def after(self, day: str) -> Segment:
        """The next one, begun on a day."""
        return Segment(day, 1) if day > self.day else Segment(self.day, self.number + 1)


def named(name: str) -> Segment:
    """The segment of a name. Raises ValueError."""
    found = _NAME.fullmatch(name)
    if not found:
        raise ValueError(f"{name!r} names no segment")
    return Segment("/".join(found.groups()[:3]), int(found[4]))


def segments(root: Path = ROOT) -> list[Segment]:
    """All of them, in the order of the chain."""
    return sorted(_found(root))


def _found(root: Path) -> Iterator[Segment]:
    for path in root.glob("[0-9]*/[0-9]*/[0-9]*/*.chain"):
        name = path.relative_to(root).with_suffix("").as_posix()
        if _NAME.fullmatch(name):
            yield named(name)
