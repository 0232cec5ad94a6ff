"""One hash over many lines, and the few hashes that prove to somebody that a line is among them.

The daily root has it ("tree", over the hashes of the lines since the root before): who is given one
message and its line would otherwise need all lines from there to the root, with the addresses of
everybody who wrote that day. Hashes are joined as text, so that `printf %s%s A B | sha256sum` does
the same. A line begins with a brace and a pair of hashes never does: neither passes for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

Side = Literal["L", "R"]
"""Where the other hash stands, to the left or to the right."""


def joined(left: str, right: str) -> str:
    """The hash of a pair, all in hexadecimal."""
    return sha256(f"{left}{right}".encode()).hexdigest()


@dataclass(frozen=True)
class Tree:
    """levels: of hashes, from the lines' own to the one at the top. What has no neighbour goes
    up as it is."""

    levels: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, leaves: Sequence[str]) -> Tree:
        """leaves: hashes of lines, at least one, in their order."""
        levels = [tuple(leaves)]
        while len(levels[-1]) > 1:
            below = levels[-1]
            pairs = [below[at : at + 2] for at in range(0, len(below), 2)]
            levels.append(tuple(joined(*pair) if len(pair) == 2 else pair[0] for pair in pairs))
        return cls(tuple(levels))

    @property
    def top(self) -> str:
        """What the daily root has."""
        return self.levels[-1][0]

    def path(self, at: int) -> list[tuple[Side, str]]:
        """What a leaf is joined with, one after the other, until the top comes out."""
        found: list[tuple[Side, str]] = []
        for level in self.levels[:-1]:
            other = at ^ 1
            if other < len(level):
                found.append(("L" if other < at else "R", level[other]))
            at //= 2
        return found


def leads_to(leaf: str, path: Sequence[tuple[Side, str]]) -> str:
    """The top that comes out of a leaf and its path."""
    for side, other in path:
        leaf = joined(other, leaf) if side == "L" else joined(leaf, other)
    return leaf
