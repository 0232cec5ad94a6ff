"""Is the archive what was written? Every line, every byte of contents, against the chain of hashes
and against what other hosts remember of it.

A change of a line shows in the line after it, which names its hash; a line that is gone or was put
in shows by the numbers as well. The newest line has none after it: whoever verifies has an entry
written first (agent.py), by the daemon, which knows the last hash by heart; and other hosts
remember the end of the chain as it was every hour, and its daily roots (roots.py).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from . import entry
from .chain import Line, lines, lines_of
from .contents import Contents, Removed, Stored, expiry_of
from .expiry import ranges
from .policy import ANY, Policy, Rule
from .segment import Segment, named, segments
from .selection import MAIL

_SETTLES = 5.0
"""Seconds in which contents that are just being written have their line."""


@dataclass(frozen=True)
class Finding:
    """Something is not as it was written. file: below the journal's folder. line: of a chain, from
    1; 0 when the file as a whole is meant. n: of the entry, 0 when it is of none."""

    file: str
    line: int
    n: int
    what: str


@dataclass(frozen=True)
class Memory:
    """What hosts remember: entry n had this hash. host: their names. day: of a root, "" for an
    hourly end."""

    host: str
    n: int
    hash: str
    day: str = ""


@dataclass
class Report:
    """findings in the order of the chain. entries, messages, size: what was looked at, and bytes of
    contents. removed: rule (class, years) to how many messages it took away. n, hash: the last
    entry. remembered: how many memories agree. hosts: whose."""

    findings: list[Finding] = field(default_factory=list)
    entries: int = 0
    messages: int = 0
    size: int = 0
    removed: dict[tuple[str, int], int] = field(default_factory=dict)
    n: int = 0
    hash: str = entry.FIRST
    remembered: int = 0
    hosts: list[str] = field(default_factory=list)


def verify(
    root: Path, memories: Iterable[Memory] = (), policy: Policy = ANY, since: str = ""
) -> Report:
    """Read the archive, all of it or from the segments of a day ("2026/11/26") on. Raises
    OSError."""
    every = _all(root)
    first = _first(root, every, since)
    walk = _Walk(root, memories, policy, every[first:])
    if first:
        walk.begin(every[first - 1])
    for segment in every[first:]:
        walk.segment(segment)
    walk.end()
    return walk.report


def _first(root: Path, every: Sequence[Segment], since: str) -> int:
    """Where to begin: before it is a line that can be read."""
    first = sum(each.day < since for each in every)
    while first and not _last_of(root, every[first - 1]):
        first -= 1
    return first


def _last_of(root: Path, segment: Segment) -> Line | None:
    """The last line of a segment; None when it cannot be read."""
    if not segment.chain(root).exists():
        return None
    last = next(iter(deque(lines_of(root, segment), 1)), None)
    return last if last and last.raw.endswith(b"\n") and _parsed(last) else None


def _all(root: Path) -> list[Segment]:
    """Also those whose chain is gone."""
    orphans = (
        named(path.relative_to(root).with_suffix("").as_posix())
        for path in root.glob("[0-9]*/[0-9]*/[0-9]*/[0-9]*.data")
    )
    return sorted({*segments(root), *orphans})


class _Walk:
    """Along the chain."""

    def __init__(
        self, root: Path, memories: Iterable[Memory], policy: Policy, every: Sequence[Segment]
    ) -> None:
        self.root = root
        self.report = Report()
        self._memories: dict[int, list[Memory]] = {}
        for memory in memories:
            self._memories.setdefault(memory.n, []).append(memory)
        self._contents = Contents(root)
        self._policy = policy
        self._removed = Removed()
        self._rules: dict[int, Rule] = {}
        self._learned = 0
        self._newest: Segment | None = None  # what was not there when the rules were read
        self._learn(every[0] if every else None)
        self._fresh = False
        self._holes: dict[str, list[tuple[Line, int]]] = {}
        self._early: dict[str, list[tuple[Line, int]]] = {}
        self._last: Line | None = None
        self._told = False  # the line before is known to be damaged

    def begin(self, before: Segment) -> None:
        """After a segment that is not looked at."""
        line = _last_of(self.root, before)
        found = _parsed(line) if line else None
        if line and found:
            self.report.n, self.report.hash, self._last = found["n"], entry.digest(line.raw), line
            self._memories = {n: all for n, all in self._memories.items() if n > found["n"]}

    def _learn(self, since: Segment | None) -> None:
        """By which rules what went: before the walk, so that nothing of a message is kept."""
        for line in lines(self.root, since):
            self._newest = line.segment
            found = expiry_of(line) if line.raw.endswith(b"\n") else None
            if found and found.get("n", 0) > self._learned:
                self._learned = found["n"]
                if rule := Rule.of(found, self._policy):
                    self._removed.add(found)
                    self._rules[found["n"]] = rule

    def segment(self, segment: Segment) -> None:
        if not segment.chain(self.root).exists():
            self._find(f"{segment.name}.chain", 0, 0, "is gone, and its contents are there")
            return
        end: int | None = 0
        self._fresh = False
        for line in lines_of(self.root, segment):
            if not line.raw.endswith(b"\n"):
                self._unfinished(line)
                break
            end = self._line(line, end)
        self._tell_holes(segment)
        stored = self._contents.of(segment)
        if stored and end is not None and stored.size > end and not self._settles(segment, stored):
            what = f"has {stored.size - end} bytes that belong to no entry, from byte {end} on"
            self._find(f"{segment.name}.data", 0, 0, what)

    def _unfinished(self, line: Line) -> None:
        """The newest line may just be being written; the next start of the daemon cuts it off."""
        if line.segment != _all(self.root)[-1]:
            self._at(line, 0, "was cut short")

    def _line(self, line: Line, end: int | None) -> int | None:
        """end: where the contents of the next message begin, None when nobody knows; the same for
        the line after it."""
        report = self.report
        report.entries += 1
        found = _parsed(line)
        if found is None:
            self._at(line, report.n + 1, "is not as the journal writes it: it was changed")
            self._step(line, report.n + 1, told=True)
            return None
        self._linked(line, found)
        self._step(line, found["n"])
        if found["kind"] == entry.EXPIRED:
            self._expired(line, found)
        if found["kind"] != entry.MAIL:
            return end
        return self._mail(line, found, end)

    def _step(self, line: Line, n: int, told: bool = False) -> None:
        self.report.n, self.report.hash = n, entry.digest(line.raw)
        self._last, self._told = line, told
        for memory in self._memories.pop(n, ()):
            if memory.hash == self.report.hash:
                self.report.remembered += 1
                self.report.hosts = sorted({*self.report.hosts, *memory.host.split(", ")})
            else:
                since = f"root of {memory.day}" if memory.day else "memory"
                self._at(line, n, f"is another one than in the {since} that {memory.host} has")
                self._told = True

    def _linked(self, line: Line, found: Mapping[str, Any]) -> None:
        n, before = found["n"], self.report.n
        if n > before + 1:
            gone = f"{before + 1} to {n - 1}" if n > before + 2 else str(n - 1)
            self._at(line, n, f"comes {self._behind()}: missing is {gone}")
        elif n <= before:
            self._at(line, n, f"comes {self._behind()}: it was put in, moved or doubled")
        elif found["prev"] != self.report.hash and not self._told:
            if self._last is None:
                self._at(line, n, "is the first one and names another before it")
            else:
                other = f"is not what entry {n} in {line.segment.name}.chain says: it was changed"
                self._at(self._last, before, other)

    def _behind(self) -> str:
        last = self._last
        return f"after entry {self.report.n} of {last.segment.name}.chain" if last else "first"

    def _mail(self, line: Line, found: Mapping[str, Any], end: int | None) -> int | None:
        if not found.keys() >= MAIL:
            self._at(line, found["n"], "lacks what an entry of a message has")
            return None
        self.report.messages += 1
        at, length = found["at"], found["length"]
        if end is not None and at != end:
            self._at(line, found["n"], f"has its contents at byte {at}, and byte {end} is next")
        self.report.size += length
        stored = self._contents.of(line.segment)
        if stored is None or stored.is_hole(at, length):
            self._hole(line, found)
        elif sha256(stored.read(at, length)).hexdigest() != found["sha256"]:
            where = f"bytes {at} to {at + length - 1} of {line.segment.name}.data"
            self._at(line, found["n"], f"has other contents than were written: {where}")
        return int(at + length)

    def _expired(self, line: Line, found: dict[str, Any]) -> None:
        """An entry that lets messages go does so by its own rule, and by the policy's."""
        rule = Rule.of(found, self._policy)
        if rule is None:
            self._at(line, found["n"], "lets contents go, and not by a rule that it names")
        elif not self._policy.lets_go(found["n"], rule.kept_as, rule.years):
            whose = f" of agencies of the kind {rule.kept_as}" if rule.kept_as else ""
            wanted = self._policy.rules.of_class(rule.kept_as)
            why = f"lets mail{whose} go after {rule.years} years, and the policy says {wanted}"
            self._early.setdefault(why, []).append((line, found["n"]))

    def _hole(self, line: Line, found: Mapping[str, Any]) -> None:
        by = self._removed.get(found["n"])
        if by is None and not self._fresh:  # it may just have gone
            self._fresh = True
            self._learn(self._newest)
            by = self._removed.get(found["n"])
        if by is None or by < found["n"]:
            why = "has no contents any more, and no entry says by which rule"
        else:
            why = self._against(line, found, by)
        if why:
            self._holes.setdefault(why, []).append((line, found["n"]))
        elif by:
            key = (self._rules[by].kept_as, self._rules[by].years)
            self.report.removed[key] = self.report.removed.get(key, 0) + 1

    def _against(self, line: Line, found: Mapping[str, Any], by: int) -> str:
        """Why a message should not have gone by an entry, "" when it should."""
        rule = self._rules[by]
        if found["class"] != rule.kept_as:
            return f"was removed by entry {by}, whose rule is for another class"
        if line.segment.age(found["time"], rule.then.zone) >= rule.before:
            return f"was removed by entry {by}, whose rule it is too young for"
        if case := rule.then.held(found, line.segment):
            return f"was removed by entry {by}, while the hold {case} kept it"
        return ""

    def _tell_holes(self, segment: Segment) -> None:
        """One finding for all of a kind: a segment may have tens of thousands."""
        lost = "" if segment.data(self.root).exists() else f"; {segment.name}.data is gone"
        for why, found in self._holes.items():
            self._together(why, found, "messages", lost)
        self._holes = {}

    def _together(
        self, why: str, found: Sequence[tuple[Line, int]], what: str, rest: str = ""
    ) -> None:
        line, n = found[0]
        spans = _spans(ranges(number for _, number in found))
        more = f"; so {len(found)} {what}: entries {spans}" if len(found) > 1 else ""
        self._at(line, n, f"{why}{more}{rest}")

    def _settles(self, segment: Segment, stored: Stored) -> bool:
        """Of the newest segment: do bytes beyond the last line get theirs? They are just being
        written then."""
        if segment != _all(self.root)[-1]:
            return False
        size, limit = stored.size, time.monotonic() + _SETTLES
        while time.monotonic() < limit:
            ends = (_parsed(line) or {} for line in lines_of(self.root, segment))
            if any(each.get("at", 0) + each.get("length", 0) >= size for each in ends):
                return True
            time.sleep(0.1)
        return stored.size < size  # the daemon took back what it could not write

    def end(self) -> None:
        self._contents.close()
        for why, found in self._early.items():
            self._together(why, found, "removals")
        self._cut_off()
        self.report.findings.sort(key=lambda each: (each.file, each.line))

    def _cut_off(self) -> None:
        """Memories of entries that the chain does not have; inside it, the gap is told already."""
        beyond = [memory for n, found in self._memories.items() for memory in found
                  if n > self.report.n]  # fmt: skip
        if not beyond:
            return
        most = max(beyond, key=lambda memory: memory.n)
        what = f"the chain ends here, and {most.host} remembers entry {most.n}: it was cut off"
        if self._last is None:
            self._find("", 0, 0, what.replace("ends here", "is empty"))
        else:
            self._at(self._last, self.report.n, what)

    def _at(self, line: Line, n: int, what: str) -> None:
        self._find(f"{line.segment.name}.chain", line.number, n, what)

    def _find(self, file: str, line: int, n: int, what: str) -> None:
        self.report.findings.append(Finding(file, line, n, what))


def _parsed(line: Line) -> dict[str, Any] | None:
    try:
        found = entry.parsed(line.raw)
    except ValueError:
        return None
    ok = isinstance(found.get("n"), int) and {"prev", "time", "kind"} <= found.keys()
    return found if ok else None


def _spans(spans: Sequence[Sequence[int]]) -> str:
    shown = (str(a) if a == b else f"{a} to {b}" for a, b in spans[:_SHOWN])
    return ", ".join(shown) + (" and more" if len(spans) > _SHOWN else "")


_SHOWN = 8


def sentences(report: Report) -> Iterator[str]:
    """For people, a line each."""
    for each in report.findings:
        place = f"{each.file}, line {each.line}" if each.line else each.file
        yield f"{place}: {f'entry {each.n} ' if each.n else ''}{each.what}"
