"""Which agencies a message concerns, and by whose rule it is kept: a generation brings both."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path


class Table:
    """File of rows `ADDRESS AGENCY`, and of JSON {"kinds": {agency: kind}, "years": {kind: years}}.

    Both are read again when they have changed: an apply restarts nobody.
    """

    def __init__(self, agencies: Path, classes: Path) -> None:
        self._paths = (agencies, classes)
        self._seen: tuple[tuple[int, int], ...] = ()
        self._agencies: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._years: dict[str, int] = {}

    def agencies(self, addresses: Iterable[str]) -> list[str]:
        """Accounts of the agencies to which addresses belong, sorted, each once."""
        self._refresh()
        found = (self._agencies.get(address.lower()) for address in addresses)
        return sorted({agency for agency in found if agency})

    def retention(self, agencies: Iterable[str]) -> str:
        """The kind of agency whose mail is kept longest, of those that a message concerns; "" when
        it concerns none: the general rule holds."""
        self._refresh()
        kinds = sorted({self._kinds[agency] for agency in agencies if agency in self._kinds})
        return max(kinds, key=lambda kind: self._years.get(kind, 0), default="")

    def _refresh(self) -> None:
        """Raises OSError, ValueError, KeyError."""
        stats = [path.stat() for path in self._paths]
        seen = tuple((each.st_mtime_ns, each.st_ino) for each in stats)
        if seen == self._seen:
            return
        agencies, classes = (path.read_text(encoding="utf-8") for path in self._paths)
        rows = (row.partition(" ") for row in agencies.splitlines())
        self._agencies = {address: agency for address, _, agency in rows}
        found = json.loads(classes)
        self._kinds, self._years = found["kinds"], found["years"]
        self._seen = seen
