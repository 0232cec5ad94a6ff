"""Proofs that entries are in the chain, each below a daily root (danhba/journal/tree.py)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import entry
from .chain import lines, lines_of
from .segment import Segment, segments
from .tree import Tree


@dataclass(frozen=True, order=True)
class Mark:
    """A root over the entries from first to last, both among them. name: of the root."""

    first: int
    last: int
    name: str
    top: str


class Unproven(ValueError):
    """The chain does not lead to a root; the message says which."""


def proofs(root: Path, marks: Sequence[Mark], numbers: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Of entries, each {"root": name, "path": [[side, hash], ...]}; one below no root has none.
    Raises Unproven: the lines are not what was signed; OSError."""
    wanted: dict[Mark, list[int]] = {}
    ordered = sorted(marks)
    ends = [mark.last for mark in ordered]
    for number in numbers:
        at = bisect_left(ends, number)
        if at < len(ordered) and ordered[at].first <= number:
            wanted.setdefault(ordered[at], []).append(number)
    found: dict[int, dict[str, Any]] = {}
    for mark, tree in _trees(root, sorted(wanted)):
        if (
            tree is None
            or tree.top != mark.top
            or len(tree.levels[0]) != mark.last - mark.first + 1
        ):
            raise Unproven(f"the chain does not give the root {mark.name}: danhba archive verify")
        for number in wanted[mark]:
            path = [list(step) for step in tree.path(number - mark.first)]
            found[number] = {"root": mark.name, "path": path}
    return found


def since(root: Path, last: int) -> list[str]:
    """Hashes of the lines behind an entry, whatever they say: verify tells of damage, and a root of
    what is there is better than none."""
    leaves: list[str] = []
    for segment in _behind(root, last):
        for line in lines_of(root, segment):
            if line.raw.endswith(b"\n") and (leaves or _number(line.raw) > last):
                leaves.append(entry.digest(line.raw))
    return leaves


def _number(raw: bytes) -> int:
    """0 when it is damaged."""
    try:
        return int(entry.parsed(raw)["n"])
    except (ValueError, KeyError, TypeError):
        return 0


def _behind(root: Path, last: int) -> list[Segment]:
    """Segments that may hold later entries: from the last one on that begins at or before it."""
    found = segments(root)
    for at in range(len(found) - 1, 0, -1):
        with found[at].chain(root).open("rb") as file:
            first = file.readline()
        if 0 < _number(first) <= last:
            return found[at:]
    return found


def _trees(root: Path, marks: Sequence[Mark]) -> Iterable[tuple[Mark, Tree | None]]:
    """One after the other, in one pass over the chain."""
    if not marks:
        return
    rest, leaves = list(marks), list[str]()
    for number, line in enumerate(lines(root), 1):
        if number >= rest[0].first:
            leaves.append(entry.digest(line.raw))
        if number == rest[0].last:
            yield rest.pop(0), Tree.of(leaves)
            leaves = []
            if not rest:
                return
    yield from ((mark, None) for mark in rest)
