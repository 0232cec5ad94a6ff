"""Who this store is, and which mailboxes it has to do with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """See danhba.standby. ways: ADDRESS:PORT; mail, state: folders."""

    host: str
    domain: str
    stores: Mapping[str, str]
    ways: Mapping[str, str]
    port: int
    table: str
    leaving: str
    mail: str
    state: str

    @classmethod
    def read(cls, path: str) -> Config:
        return cls(**json.loads(Path(path).read_text()))

    def standbys(self) -> dict[str, str]:
        """Account to the store that gets its copy from here."""
        return {
            account: standby
            for account, home, standby in self.places()
            if home == self.host and standby != "-"
        }

    def places(self) -> Iterator[tuple[str, str, str]]:
        """Every account that this store knows, its home and its standby, "-" when it has none."""
        for row in Path(self.table).read_text().splitlines():
            address, home, standby = row.split()
            yield address.partition("@")[0], home, standby
