"""Who may send as whom: the table that Postfix asks about the envelope's sender."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

Owners = dict[str, frozenset[str]]


@dataclass(frozen=True)
class _Read:
    """A table as it was read. stamp: of which file, and when that was written."""

    stamp: tuple[int, int, int]
    owners: Owners


class Table:
    """Rows `ADDRESS OWNER,OWNER`, one a line, read again when another file has taken its place.

    Several threads may ask: what was read is replaced whole, and never changes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = _Read((0, 0, 0), {})

    def owners(self) -> Owners:
        """Address to the accounts that may send as it. Raises OSError and ValueError when the file
        cannot be read."""
        with self._path.open("rb") as file:
            found = os.fstat(file.fileno())
            stamp = (found.st_dev, found.st_ino, found.st_mtime_ns)
            if self._read.stamp != stamp:
                self._read = _Read(stamp, _owners(file.read().decode("ascii")))
        return self._read.owners


def _owners(text: str) -> Owners:
    """Raises ValueError for a line that is no row: nobody is to be refused for half a file."""
    found: Owners = {}
    for number, line in enumerate(text.splitlines(), 1):
        address, _, accounts = line.partition(" ")
        if not accounts or " " in accounts:
            raise ValueError(f"line {number} of the table is not ADDRESS OWNER,OWNER")
        found[address] = frozenset(accounts.split(","))
    return found
