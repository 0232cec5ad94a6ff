"""How long backups are kept, as policy says it; imports nothing, for `danhba check` does without
the rest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backup:
    """How long backups are kept (Điều 8.9): all of the last `days` days that have one, then one a
    week and one a month."""

    days: int
    weeks: int
    months: int

    def __str__(self) -> str:
        return f"{self.days} days, {self.weeks} weeks, {self.months} months"


KEPT = Backup(days=14, weeks=8, months=12)
"""When policy does not say."""
