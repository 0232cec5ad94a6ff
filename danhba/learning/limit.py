"""How much one account teaches a day, so that nobody decides alone what is spam."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

A_DAY = 30
"""Messages of one account. 200 of spam and as many of the other kind are needed before anything is
judged by them (templates/rspamd/bayes.conf)."""


@dataclass
class Limit:
    """path: where the count of today outlives the process."""

    path: Path
    day: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            self.day, self.counts = int(kept["day"]), dict(kept["counts"])
        except (OSError, ValueError, KeyError, TypeError):
            return  # it counts anew

    def allows(self, account: str, now: float) -> bool:
        """Whether one more of this account counts; if so, it is counted. now: seconds."""
        if (day := int(now // 86400)) != self.day:
            self.day, self.counts = day, {}
        if self.counts.get(account, 0) >= A_DAY:
            return False
        self.counts[account] = self.counts.get(account, 0) + 1
        text = json.dumps({"day": self.day, "counts": self.counts})
        self.path.write_text(text, encoding="utf-8")
        return True
