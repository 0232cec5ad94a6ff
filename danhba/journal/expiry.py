"""Messages whose years are over go from the archive; that they were there stays in the chain.

First the chain has an entry that says what goes by which rule, then the contents go: holes take
their place, and where nothing is left of a segment its file of contents goes. What a legal hold
covers stays. A plan shows it (danhba plan), an apply does it.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from . import entry
from .chain import lines_of
from .contents import Stored
from .index import NAME, Index
from .segment import Segment, named, segments

MOST = 200_000
"""Entries of one class after which a run looks for no more, the oldest first: the next goes on."""
_PAGE = 20_000
"""Entries that are looked at together."""
_PUNCH = 0x01 | 0x02
"""fallocate(2): FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE."""
_ZEROS = bytes(1 << 20)

Log = Callable[[str, Mapping[str, Any]], int]


@dataclass(frozen=True)
class Hold:
    """Nothing of what passed from one day to another (None: whenever) and has one of these
    addresses, in small letters, with the domain, goes."""

    case: str
    addresses: frozenset[str]
    first: date
    last: date | None

    def covers(self, found: Mapping[str, Any], days: tuple[date, date]) -> bool:
        """days: the first and the last on which the message may have passed."""
        if days[1] < self.first or (self.last and days[0] > self.last):
            return False
        return any(each.lower() in self.addresses for each in (found["from"], *found["to"]))


@dataclass(frozen=True)
class Rules:
    """years: for mail of kinds of agencies, "" for all others. kinds: accounts of agencies to their
    kinds: a message that concerns several is kept as long as any of them asks for today, whatever
    was the longest when it passed."""

    zone: ZoneInfo
    years: Mapping[str, int]
    kinds: Mapping[str, str]
    holds: tuple[Hold, ...]

    @classmethod
    def of(cls, given: Mapping[str, Any], kinds: Mapping[str, str]) -> Rules:
        """From a manifest's words (deploys/archive.py)."""
        holds = tuple(
            Hold(
                each["case"],
                frozenset(each["addresses"]),
                date.fromisoformat(each["first"]),
                date.fromisoformat(each["last"]) if each["last"] else None,
            )
            for each in given["holds"]
        )
        return cls(ZoneInfo(given["timezone"]), given["years"], kinds, holds)

    def of_class(self, name: str) -> int:
        """Years."""
        return of_class(self.years, name)

    def before(self, years: int, day: date) -> str:
        """What passed before this time was kept for so many years on a day."""
        leap = (day.month, day.day) == (2, 29)
        first = day.replace(year=day.year - years, day=28 if leap else day.day)
        return entry.stamp(datetime.combine(first, time(), self.zone).timestamp())

    def longest(self, found: Mapping[str, Any]) -> int:
        """Years of a message."""
        kinds = {self.kinds.get(agency, "") for agency in found["agencies"]}
        return max(self.of_class(each) for each in {found["class"], *kinds})

    def held(self, found: Mapping[str, Any], segment: Segment) -> str:
        """The case of the first hold on a message, "" for none. When the vault's clock was wrong it
        passed on any day from the one that it said to that of the segment."""
        days = (self._day(entry.passed(found)), self._day(segment.age(found["time"], self.zone)))
        return next((hold.case for hold in self.holds if hold.covers(found, days)), "")

    def _day(self, stamp: str) -> date:
        return datetime.fromtimestamp(entry.seconds(stamp), self.zone).date()


def of_class(years: Mapping[str, int], name: str) -> int:
    """Of a policy's years those of a kind of agencies."""
    return years.get(name, years[""])


@dataclass
class Due:
    """Messages of a class in one segment whose years are over. numbers, places: of what goes; held:
    case of a hold to how many messages stay for it."""

    segment: Segment
    kept_as: str
    years: int
    numbers: list[int] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)

    @property
    def words(self) -> dict[str, Any]:
        """For a plan."""
        return {
            "segment": self.segment.name, "class": self.kept_as, "years": self.years,
            "messages": len(self.numbers), "size": sum(length for _, length in self.places),
            "held": self.held,
        }  # fmt: skip


def due(root: Path, rules: Rules, day: date) -> list[Due]:
    """By segment. Raises OSError, ValueError, sqlite3.Error."""
    index = Index(root / NAME, readonly=True)
    try:
        return [
            each
            for kept_as in _classes(index)
            for each in _due(root, index, rules, day, kept_as)
            if each.numbers or each.held
        ]
    finally:
        index.close()


def _classes(index: Index) -> Iterator[str]:
    """Of messages that are there; each costs one look into the index."""
    asked = "SELECT min(class) FROM entries WHERE kind = 'mail' AND gone = 0 AND class > ?"
    some = "SELECT 1 FROM entries WHERE kind = 'mail' AND gone = 0 AND class = '' LIMIT 1"
    if index.db.execute(some).fetchone():
        yield ""
    last = ""
    while (last := index.db.execute(asked, (last,)).fetchone()[0]) is not None:
        yield last


def _due(root: Path, index: Index, rules: Rules, day: date, kept_as: str) -> Iterable[Due]:
    years = rules.of_class(kept_as)
    before = rules.before(years, day)
    by_segment: dict[str, Due] = {}
    for page in _pages(index, kept_as, before):
        for name, places in page.items():
            segment = named(name)
            if segment.age("", rules.zone) >= before:
                continue  # their times are wrong
            found = by_segment.setdefault(name, Due(segment, kept_as, years))
            for line in _entries(root, segment, places):
                _sort_in(found, line, rules, before, day)
        if sum(len(each.numbers) for each in by_segment.values()) >= MOST:
            break
    return by_segment.values()


def _pages(index: Index, kept_as: str, before: str) -> Iterator[dict[str, list[int]]]:
    """Segments to offsets of lines of a class with times before one, the oldest first: what stays
    for a hold or a longer class is in the way of nothing that comes behind it."""
    asked = (
        "SELECT segment, line, time, n FROM entries INDEXED BY entries_kept WHERE kind = 'mail'"
        " AND gone = 0 AND class = ? AND time < ? AND (time, n) > (?, ?) ORDER BY time, n LIMIT ?"
    )
    last: tuple[str, int] = ("", 0)
    while rows := index.db.execute(asked, (kept_as, before, *last, _PAGE)).fetchall():
        last = rows[-1][2:]
        page: dict[str, list[int]] = {}
        for name, offset, *_ in rows:
            page.setdefault(name, []).append(offset)
        yield page


def _sort_in(due: Due, found: dict[str, Any], rules: Rules, before: str, day: date) -> None:
    """By the chain itself: the index only said where to look."""
    if found["class"] != due.kept_as or found["time"] >= before:
        raise ValueError(f"entry {found['n']} is not as the index has it: danhba archive verify")
    if due.segment.age(found["time"], rules.zone) >= rules.before(rules.longest(found), day):
        return
    if case := rules.held(found, due.segment):
        due.held[case] = due.held.get(case, 0) + 1
    else:
        due.numbers.append(found["n"])
        due.places.append((found["at"], found["length"]))


def _entries(root: Path, segment: Segment, offsets: Iterable[int]) -> Iterator[dict[str, Any]]:
    with segment.chain(root).open("rb") as file:
        for offset in offsets:
            file.seek(offset)
            yield entry.parsed(file.readline())


def expire(
    root: Path, rules: Rules, day: date, wanted: Iterable[Mapping[str, Any]], who: str, log: Log
) -> int:
    """Do what a plan showed: {"segment", "class"} each, and no more. How many messages went. log:
    desk.noted; when it raises, nothing more goes. Raises OSError, ValueError."""
    asked = {(each["segment"], each["class"]) for each in wanted}
    gone = 0
    finish(root)  # what the last run may have left half done
    for each in due(root, rules, day):
        if each.numbers and (each.segment.name, each.kept_as) in asked:
            before = rules.before(each.years, day)
            log(entry.EXPIRED, {
                "who": who, "segment": each.segment.name, "class": each.kept_as,
                "years": each.years, "before": before, "entries": ranges(each.numbers),
                "messages": len(each.numbers),
            })  # fmt: skip
            empty(root, each.segment, each.places)
            gone += len(each.numbers)
    return gone


def finish(root: Path) -> None:
    """Take away what the newest entry of the kind `expired` says is gone: a power cut may have come
    between the two."""
    if found := _last(root):
        segment = named(found["segment"])
        if segment.data(root).exists():
            empty(root, segment, _places(root, segment, found["entries"]))


def is_unfinished(root: Path) -> bool:
    """Are there contents that the newest entry of the kind `expired` says are gone?"""
    found = _last(root)
    segment = named(found["segment"]) if found else None
    if not found or not segment or not segment.data(root).exists():
        return False
    places = _places(root, segment, found["entries"])
    with Stored(root, segment) as stored:
        return any(not stored.is_hole(at, length) for at, length in places)


def _last(root: Path) -> dict[str, Any] | None:
    """By the index, which has it as soon as it is written."""
    index = Index(root / NAME, readonly=True)
    try:
        row = index.db.execute(
            "SELECT segment, line FROM entries WHERE kind = ? AND kind != 'mail'"
            " ORDER BY n DESC LIMIT 1",
            (entry.EXPIRED,),
        ).fetchone()
    finally:
        index.close()
    return next(_entries(root, named(row[0]), [row[1]])) if row else None


def _places(
    root: Path, segment: Segment, numbers: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    spans = list(numbers)
    found = (entry.parsed(line.raw) for line in lines_of(root, segment))
    return [
        (each["at"], each["length"])
        for each in found
        if each["kind"] == entry.MAIL and any(a <= each["n"] <= b for a, b in spans)
    ]


def ranges(numbers: Iterable[int]) -> list[list[int]]:
    """First and last of each run of numbers without a gap."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def empty(root: Path, segment: Segment, places: Iterable[tuple[int, int]]) -> None:
    """Make holes of contents; when nothing is left, remove the file, unless it still grows."""
    file = os.open(segment.data(root), os.O_RDWR)
    try:
        for at, length in places:
            _punch(file, at, length)
        os.fdatasync(file)
        left = _has_data(file)
    finally:
        os.close(file)
    if not left and segment != segments(root)[-1]:
        segment.data(root).unlink()


def _has_data(file: int) -> bool:
    """By reading: not every file system tells holes from zeros."""
    size, at = os.fstat(file).st_size, 0
    while at < size:
        block = os.pread(file, len(_ZEROS), at)
        if block.strip(b"\0"):
            return True
        at += len(block)
    return False


def _punch(file: int, at: int, length: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    offset, size = ctypes.c_int64(at), ctypes.c_int64(length)
    if libc.fallocate(file, _PUNCH, offset, size) == 0:
        return
    code = ctypes.get_errno()
    if code != errno.EOPNOTSUPP:
        raise OSError(code, os.strerror(code))
    for start in range(at, at + length, len(_ZEROS)):  # a file system without holes
        os.pwrite(file, _ZEROS[: at + length - start], start)
