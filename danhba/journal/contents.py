"""Stored contents, and which of them were removed by rule."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from . import entry
from .chain import Line, lines
from .seal import SealError, opened
from .segment import Segment

_HEAD = 32
"""Bytes. A sealed box begins with a fresh public key, which is never all zero: where zeros are,
there is a hole."""
_BLOCK = 1 << 20


class Expired(Exception):
    """Contents were removed by rule; the message says which entry of the chain tells of it."""


class Stored:
    """The contents of a segment. Raises FileNotFoundError when all of them are removed."""

    def __init__(self, root: Path, segment: Segment) -> None:
        self._file = os.open(segment.data(root), os.O_RDONLY)

    def __enter__(self) -> Stored:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._file)

    @property
    def size(self) -> int:
        """Bytes."""
        return os.fstat(self._file).st_size

    def read(self, at: int, length: int) -> bytes:
        """Shorter where the file ends."""
        return os.pread(self._file, length, at)

    def is_hole(self, at: int, length: int) -> bool:
        """Is all of it there, and zero?"""
        if any(self.read(at, min(_HEAD, length))) or at + length > self.size:
            return False
        starts = range(at, at + length, _BLOCK)
        return not any(any(self.read(each, min(_BLOCK, at + length - each))) for each in starts)


class Contents:
    """Of a journal; one segment of it is open."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._segment: Segment | None = None
        self._stored: Stored | None = None

    def close(self) -> None:
        if self._stored:
            self._stored.close()

    def of(self, segment: Segment) -> Stored | None:
        """None when the file is gone."""
        if segment != self._segment:
            self.close()
            self._segment, self._stored = segment, None
            try:
                self._stored = Stored(self.root, segment)
            except FileNotFoundError:
                self._stored = None
        return self._stored

    def message(self, segment: Segment, found: Mapping[str, Any], key: bytes) -> bytes:
        """What an entry of a segment speaks of. Raises Expired; SealError: it is not that any
        more."""
        stored = self.of(segment)
        if stored is None or stored.is_hole(found["at"], found["length"]):
            if by := self._removed.get(found["n"]):
                raise Expired(f"by entry {by}")
            raise SealError("removed, and no entry says by which rule")
        sealed = stored.read(found["at"], found["length"])
        if sha256(sealed).hexdigest() != found["sha256"]:
            raise SealError("not what the chain says")
        return opened(sealed, key)

    @cached_property
    def _removed(self) -> Removed:
        return Removed.of(self.root)


class Removed:
    """Which entries' contents were removed by rule."""

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int, int]] = []
        self._sorted = True

    @classmethod
    def of(cls, root: Path) -> Removed:
        """All that the chain says."""
        removed = cls()
        for line in lines(root):
            if found := expiry_of(line):
                removed.add(found)
        return removed

    def add(self, found: Mapping[str, Any]) -> None:
        """An entry of the kind `expired`: {"entries": [[first, last], ...]}, by number. Raises
        KeyError, TypeError, ValueError."""
        self._ranges += [(int(first), int(last), found["n"]) for first, last in found["entries"]]
        self._sorted = False

    def get(self, n: int) -> int | None:
        """The number of the entry that says so, None when none does."""
        if not self._sorted:
            self._ranges.sort()
            self._sorted = True
        at = bisect_right(self._ranges, n, key=lambda each: each[0])
        # Usually the one before: ranges overlap only where something was removed twice.
        return next(
            (by for _, last, by in reversed(self._ranges[max(at - _NEAR, 0) : at]) if n <= last),
            None,
        )


_NEAR = 1000
"""Ranges that are looked at."""
_MARK = f'"kind":"{entry.EXPIRED}"'.encode()


def expiry_of(line: Line) -> dict[str, Any] | None:
    """None when the line is no entry of the kind `expired`."""
    if _MARK not in line.raw:
        return None
    try:
        found = entry.parsed(line.raw)
    except ValueError:
        return None
    return found if found["kind"] == entry.EXPIRED else None
