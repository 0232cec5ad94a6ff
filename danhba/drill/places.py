"""Where a drill has what, the unit that is one, and its configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

UNIT = "danhba-drill.service"
CONFIG = "/etc/danhba/drill.json"


@dataclass(frozen=True)
class Places:
    """run: requests of engineers."""

    home: Path = Path("/var/lib/danhba-drill")
    run: Path = Path("/run/danhba-drill")

    @property
    def records(self) -> Path:
        """What outlives a drill."""
        return self.home / "records"

    @property
    def sample(self) -> Path:
        """What `fetch` tells the later steps."""
        return self.home / "sample"

    @property
    def work(self) -> Path:
        """All that is restored, and where `look` works."""
        return self.home / "work"

    @property
    def since(self) -> Path:
        """As old as the drills of this host."""
        return self.home / "since"

    @property
    def tree(self) -> Path:
        return self.work / "tree"

    @property
    def request(self) -> Path:
        return self.run / "request.json"

    @property
    def found(self) -> Path:
        return self.work / "found.json"
