"""What drills found: a line each, for ever; the figures and the certificate of each beside it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

DAYS = 35
"""After which another drill is due: a month, and some days to look at one that failed."""
FIRST_DAYS = 2
"""Within which a new vault has its first."""
_DAY = 86400


@dataclass(frozen=True)
class Records:
    """folder: of the log, and of the figures and the certificate of each drill, by its time."""

    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "drills.jsonl"

    def add(self, name: str, figures: bytes, certificate: bytes, line: dict[str, Any]) -> None:
        """The line comes last: what it names is on the disk."""
        _write(self.folder / f"{name}.json", figures)
        _write(self.folder / f"{name}.docx", certificate)
        text = json.dumps({**line, "name": name}, sort_keys=True, ensure_ascii=False) + "\n"
        opened = os.open(self.log, os.O_RDWR | os.O_CREAT, 0o640)
        with open(opened, "r+b") as out:
            out.seek(out.read().rfind(b"\n") + 1)  # of a line that was cut off nothing stays
            out.truncate()
            out.write(text.encode())
            out.flush()
            os.fsync(opened)

    def all(self) -> list[dict[str, Any]]:
        """In the order in which they were done. Raises ValueError: of a log that is none."""
        try:
            lines = self.log.read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def health(self, now: float, since: float) -> list[str]:
        """now, since: seconds since 1970, and since when there is something to be drilled."""
        drills = self.all()
        good = [each for each in drills if each["good"]]
        told = []
        if drills and not drills[-1]["good"]:
            last = drills[-1]
            told.append(
                f"the restore drill of {last['day']} failed: {'; '.join(last['told'])}"
                f" ({self.folder}/{last['name']}.json)"
            )
        if not good:
            if drills or now - since > FIRST_DAYS * _DAY:
                told.append("no restore drill has ever been good: danhba drill ENV")
            return told
        age = now - _moment(good[-1]["ended"])
        days = int(age // _DAY)
        when = f"{days} days ago ({good[-1]['day']})"
        if age < -_DAY:
            told.append(f"the last good restore drill is of {good[-1]['day']}: see the clock")
        elif age > DAYS * _DAY:
            told.append(f"the last good restore drill was {when}: danhba drill ENV")
        elif not told:
            told.append(f"ok: the last restore drill was good, {when}")
        return told


def _moment(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()


def _write(path: Path, content: bytes) -> None:
    """Whole or not there."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.chmod(0o640)
    fresh.rename(path)
