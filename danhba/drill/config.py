"""What the generation says of drills."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """province: its name. basis: number of the decision with the regulation, or "". timezone: whose
    days count. suffix: root of the LDAP tree. stores, people, edges: names of hosts. mailboxes: how
    many of them a drill by timer restores. repositories: directory with one of each host. turn: who
    removes what nobody needs there locks this file."""

    host: str
    province: str
    basis: str
    timezone: str
    suffix: str
    stores: tuple[str, ...]
    people: tuple[str, ...]
    edges: tuple[str, ...]
    mailboxes: int
    repositories: str
    turn: str

    @classmethod
    def read(cls, path: str) -> Config:
        """Raises OSError, ValueError, TypeError."""
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        for hosts in ("stores", "people", "edges"):
            found[hosts] = tuple(found[hosts])
        return cls(**found)
