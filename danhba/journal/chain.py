"""Who writes the chain, and how it is read.

An append writes contents, has the disk confirm them, writes lines, has the disk confirm those, and
only then returns: what was answered with 250 is there after a power cut. Many messages share one
such pair of confirmations. What a cut leaves half done at the end is cut off at the next start;
nothing else is ever rewritten.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from . import entry
from .begun import note
from .index import NAME as INDEX
from .index import Index
from .segment import MOST, Segment, segments
from .table import Table

LEAP = 2.0
"""Seconds by which the clock may be set before it is told: time daemons slew what is less."""
_DAMAGED = "index.damaged"
"""A file that says that the index is to be made again."""


class JournalError(Exception):
    """The journal cannot be written; the message says what to do."""


@dataclass(frozen=True)
class Line:
    """A line where it is. number: of the line in its file, from 1. offset: in bytes. raw: with its
    newline; one without it was cut off, or is being written."""

    segment: Segment
    number: int
    offset: int
    raw: bytes


def lines(root: Path, since: Segment | None = None) -> Iterator[Line]:
    """All lines in the order of the chain, from a segment on. Raises OSError."""
    for segment in segments(root):
        if since is None or segment >= since:
            yield from lines_of(root, segment)


def lines_of(root: Path, segment: Segment) -> Iterator[Line]:
    """Those of one segment."""
    offset = 0
    with segment.chain(root).open("rb") as file:
        for number, raw in enumerate(file, 1):
            yield Line(segment, number, offset, raw)
            offset += len(raw)


def stored(root: Path, segment: Segment, found: dict[str, Any]) -> bytes:
    """The sealed content of an entry; shorter than it says when some is lost. Raises OSError."""
    with segment.data(root).open("rb") as file:
        file.seek(found["at"])
        return file.read(found["length"])


@dataclass(frozen=True)
class Item:
    """What is to become an entry. fields: all that is not told by its place in the chain. content:
    sealed, of a message."""

    fields: dict[str, Any]
    content: bytes | None = None


def message(
    identity: str, sender: str, to: Sequence[str], message_id: str, text: bytes, content: bytes
) -> Item:
    """A message. text: before it was sealed; the chain has its hash as well as that of what is
    stored, so that whoever is given the message sees that it is the one that was archived."""
    fields = {
        "kind": entry.MAIL, "id": identity, "from": sender, "to": list(to),
        "message_id": message_id, "size": len(text), "text": sha256(text).hexdigest(),
    }  # fmt: skip
    return Item(fields, content)


@dataclass
class _Tail:
    """Where the chain ends."""

    n: int = 0
    prev: str = entry.FIRST
    second: float = 0.0
    segment: Segment | None = None
    chain: int = -1
    data: int = -1
    chain_size: int = 0
    data_size: int = 0


@dataclass
class Archive:
    """The one writer of a journal. begun: the note that there is one. Raises JournalError when
    there is another one; OSError."""

    root: Path
    timezone: str
    table: Table
    clock: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
    begun: Path | None = None
    _tail: _Tail = field(default_factory=_Tail, init=False)
    _lock: int = field(default=-1, init=False)
    _steady_at: float | None = field(default=None, init=False)
    _noted: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._lock = os.open(self.root / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise JournalError(f"{self.root}: another process writes this journal") from None
        self._zone = ZoneInfo(self.timezone)
        self._recover()
        self.index = _index(self.root, self._tail.n)
        self._catch_up()
        self._wall = self._tail.second
        self._note()

    def close(self) -> None:
        self.index.close()
        for file in (self._tail.chain, self._tail.data, self._lock):
            if file >= 0:
                os.close(file)

    @property
    def n(self) -> int:
        """Number of the last entry."""
        return self._tail.n

    def append(self, items: Sequence[Item]) -> list[int]:
        """Numbers of the entries, 0 for a message whose recipients all have one from before. Raises
        OSError when nothing was written; JournalError when a start has to mend something first."""
        try:
            return self._append(items)
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:  # locked, say
                raise
            (self.root / _DAMAGED).touch()
            raise JournalError(f"{self.root / INDEX}: {error}: a start makes it again") from None

    def _append(self, items: Sequence[Item]) -> list[int]:
        if self.index.last < self._tail.n:
            self._catch_up()
        new = self._without_known(items)
        now, steady = self.clock(), self.steady()
        found = [*self._leap(now, steady), *(item for item in new if item)]
        if not any(new):
            return [0] * len(items)
        segment = self._segment(now)
        rows = self._written(segment, found, entry.stamp(now))
        numbers = iter([row["n"] for _, _, row in rows][-sum(map(bool, new)) :])
        # Only now: a leap that came with nothing new, or was not written, is told by the next.
        self._tail.second, self._wall, self._steady_at = now, now, steady
        self._note()
        with contextlib.suppress(sqlite3.Error):  # the next append brings it up to date
            self.index.add(rows)
        return [next(numbers) if item else 0 for item in new]

    def _note(self) -> None:
        """That there is a journal, once there is an entry."""
        if self.begun and self._tail.n and not self._noted:
            self._noted = note(self.begun)

    def _without_known(self, items: Sequence[Item]) -> list[Item | None]:
        """A message that comes again has an entry already, whoever was not told; recipients that
        have none get one."""
        seen: dict[str, set[str]] = {}
        return [self._unknown(item, seen) if "to" in item.fields else item for item in items]

    def _unknown(self, item: Item, seen: dict[str, set[str]]) -> Item | None:
        identity = item.fields["id"]
        known = seen.setdefault(identity, self.index.recorded(identity))
        to = [each for each in dict.fromkeys(item.fields["to"]) if each.lower() not in known]
        if not to:
            return None
        known.update(each.lower() for each in to)
        agencies = self.table.agencies([item.fields["from"], *to])
        kept = {"agencies": agencies, "class": self.table.retention(agencies), "to": to}
        return Item(item.fields | kept, item.content)

    def _leap(self, now: float, steady: float) -> list[Item]:
        """Was the clock set since the last append, or before the last entry?"""
        before, last = self._steady_at, self._wall
        by = min(now - last, 0.0) if before is None else now - last - (steady - before)
        if abs(by) < LEAP:
            return []
        return [Item({"kind": entry.CLOCK, "by": round(by, 3)})]

    def _segment(self, now: float) -> Segment:
        """The one that is written to, begun if need be."""
        tail = self._tail
        day = datetime.fromtimestamp(now, self._zone).strftime("%Y/%m/%d")
        last = tail.segment
        if last and tail.chain >= 0 and day <= last.day and tail.data_size < MOST:
            return last
        new = last.after(max(day, last.day)) if last else Segment(day, 1)
        self._begin(new)
        return new

    def _begin(self, segment: Segment) -> None:
        folder = segment.chain(self.root).parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        chain = _opened(segment.chain(self.root))
        try:
            data = _opened(segment.data(self.root))
        except OSError:
            os.close(chain)
            raise
        for each in (folder, *list(folder.parents)[:3]):
            _confirm(each)
        for file in (self._tail.chain, self._tail.data):
            if file >= 0:
                os.close(file)
        tail = self._tail
        tail.segment, tail.chain, tail.data = segment, chain, data
        tail.chain_size, tail.data_size = os.fstat(chain).st_size, os.fstat(data).st_size

    def _written(
        self, segment: Segment, items: Sequence[Item], now: str
    ) -> list[tuple[Segment, int, dict[str, Any]]]:
        """Entries with the offsets of their lines, on the disk. Raises OSError: then none is."""
        tail = self._tail
        n, prev, at, offset = tail.n, tail.prev, tail.data_size, tail.chain_size
        rows, raws, contents = [], [], []
        for item in items:
            n += 1
            found = {"n": n, "prev": prev, "time": now, **item.fields}
            if item.content is not None:
                hashed = sha256(item.content).hexdigest()
                found |= {"at": at, "length": len(item.content), "sha256": hashed}
                contents.append(item.content)
                at += len(item.content)
            raw = entry.line(found)
            rows.append((segment, offset, found))
            raws.append(raw + b"\n")
            prev, offset = entry.digest(raw), offset + len(raw) + 1
        try:
            if contents:
                _write(tail.data, b"".join(contents))
            _write(tail.chain, b"".join(raws))
        except OSError:
            self._undo()
            raise
        tail.n, tail.prev, tail.data_size, tail.chain_size = n, prev, at, offset
        return rows

    def _undo(self) -> None:
        """To where it was: the next append goes on there. A failure ends the daemon; the next start
        cuts off what is too much."""
        tail = self._tail
        try:
            os.ftruncate(tail.chain, tail.chain_size)
            os.ftruncate(tail.data, tail.data_size)
        except OSError as error:
            raise JournalError(f"{tail.segment}: {error}: it is mended at the next start") from None

    def _recover(self) -> None:
        """Find the end of the chain, and cut off what was not finished there."""
        found = segments(self.root)
        if not found:
            return
        last = found[-1]
        _cut_chain(last.chain(self.root))
        tail = self._tail
        tail.segment = last
        beyond: list[bytes] = []  # lines behind the last one that can be read: verify tells of them
        for segment in reversed(found):
            raws = [each.raw for each in lines_of(self.root, segment)]
            while raws and not _parsed(raws[-1]):
                beyond.insert(0, raws.pop())
            if raws:
                parsed = entry.parsed(raws[-1])
                tail.n = parsed["n"] + len(beyond)
                tail.prev = entry.digest(beyond[-1] if beyond else raws[-1])
                tail.second = entry.seconds(parsed["time"])
                break
        end, data = _end(self.root, last), last.data(self.root)
        size = data.stat().st_size if data.exists() else 0
        if beyond or size < end:
            # Damaged, or brought back from an older copy than its lines: nothing more is written
            # there, in the places of what they name. The next entry begins a segment.
            return
        self._begin(last)
        if tail.data_size > end:
            os.ftruncate(tail.data, end)
            os.fsync(tail.data)
            tail.data_size = end

    def _catch_up(self) -> None:
        """What the index lacks, from the chain. Raises OSError."""
        after = self.index.last
        begin = None
        if after:
            asked = "SELECT segment FROM entries WHERE n = ?"
            name = self.index.db.execute(asked, (after,)).fetchone()[0]
            begin = next((each for each in segments(self.root) if each.name == name), None)
        rows: list[tuple[Segment, int, dict[str, Any]]] = []
        try:
            for each in lines(self.root, begin):
                found = _parsed(each.raw)
                if found and found["n"] > after:
                    rows.append((each.segment, each.offset, found))
                if len(rows) == 5000:
                    self.index.add(rows)
                    rows.clear()
            self.index.add(rows)
        except sqlite3.OperationalError as error:
            raise OSError(f"{self.root / INDEX}: {error}") from None


def _index(root: Path, n: int) -> Index:
    """One that was found damaged, or knows more than the chain has, is made again. It is not looked
    through: of many years that would take minutes, in which no mail comes in."""
    path, damaged = root / INDEX, root / _DAMAGED
    if not damaged.exists():
        try:
            index = Index(path)
            if index.last <= n:
                return index
            index.close()
        except sqlite3.DatabaseError:
            pass
    for each in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        each.unlink(missing_ok=True)
    damaged.unlink(missing_ok=True)
    return Index(path)


def _end(root: Path, segment: Segment) -> int:
    """Of the contents that a segment's lines name."""
    found = filter(None, (_parsed(each.raw) for each in lines_of(root, segment)))
    return max((each["at"] + each["length"] for each in found if "at" in each), default=0)


def _parsed(raw: bytes) -> dict[str, Any] | None:
    if not raw.endswith(b"\n"):
        return None
    try:
        found = entry.parsed(raw)
    except ValueError:
        return None
    return found if {"n", "time", "kind"} <= found.keys() else None


def _cut_chain(path: Path) -> None:
    """An incomplete last line."""
    raw = path.read_bytes()
    end = raw.rfind(b"\n") + 1
    if end < len(raw):
        os.truncate(path, end)
        _confirm(path)


def _opened(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)


def _write(file: int, content: bytes) -> None:
    """All of it, confirmed by the disk."""
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]
    os.fdatasync(file)


def _confirm(path: Path) -> None:
    """A folder's names, or a file."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
