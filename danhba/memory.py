"""What danhba found out before, kept in files: a memory saves time and decides nothing.

It is used only while all that it came from is as it was: that is its key. One that is missing,
damaged or out of date is none, and a folder that cannot be written to is no error.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from danhba.days import today

KEPT = 20
"""Of each kind, the ones last written."""


@dataclass(frozen=True)
class Days:
    """From the first to the last, by the clock of a time zone as in the tz database."""

    zone: str
    first: date
    last: date

    def hold(self) -> bool:
        """Raises what ZoneInfo does when the time zone is gone."""
        return self.first <= today(self.zone) <= self.last


@dataclass(frozen=True)
class Memory:
    """Things of one kind by their keys, each a file in the folder."""

    folder: Path
    kind: str

    def recall(self, key: str) -> Any:
        """What was remembered, as JSON gives it back; None when there is none that holds today."""
        try:
            seal, _, text = self._path(key).read_bytes().partition(b"\n")
            # Sealed, and the code that wrote it is in the key: what is whole has the right form.
            if seal.decode() != digest(text):
                return None
            value, days = json.loads(text)
            return value if days is None or _days(*days).hold() else None
        except (OSError, ValueError, KeyError):
            return None

    def remember(self, key: str, value: object, days: Days | None = None) -> None:
        """value: of what JSON has. days: on which it holds, None when no day changes it."""
        from danhba.files import replace

        between = None if days is None else (days.zone, str(days.first), str(days.last))
        text = json.dumps((value, between)).encode()
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            replace(self._path(key), f"{digest(text)}\n".encode() + text)
            for old in sorted(self._all(), key=lambda path: path.stat().st_mtime_ns)[:-KEPT]:
                old.unlink()

    def forget(self) -> None:
        """All of this kind."""
        for path in self._all():
            path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{self.kind}-{key}.json"

    def _all(self) -> list[Path]:
        return list(self.folder.glob(f"{self.kind}-*.json"))


def _days(zone: str, first: str, last: str) -> Days:
    return Days(zone, date.fromisoformat(first), date.fromisoformat(last))


def digest(*parts: bytes | str) -> str:
    """Of the parts and of where each ends."""
    seen = hashlib.sha256()
    for part in parts:
        data = part.encode(errors="surrogatepass") if isinstance(part, str) else part
        seen.update(b"%d:" % len(data))
        seen.update(data)
    return seen.hexdigest()


def code(root: Path, patterns: Iterable[str]) -> str:
    """The digest of the files, with their names, and of the Python that runs them."""
    parts: list[bytes | str] = [sys.version]
    for path in sorted(path for pattern in patterns for path in root.glob(pattern)):
        if path.is_file() and "__pycache__" not in path.parts:
            parts += [str(path.relative_to(root)), path.read_bytes()]
    return digest(*parts)
