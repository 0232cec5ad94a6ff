"""What was synchronised, and when: on disk, so that a restart forgets nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


class Memory:
    """folder: is made when it is not there."""

    def __init__(self, folder: str) -> None:
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.base = sqlite3.connect(f"{folder}/standby.sqlite", timeout=60, isolation_level=None)
        # A power cut may take a round away, which is made again, but damages nothing.
        self.base.execute("pragma journal_mode = wal")
        self.base.execute("pragma synchronous = normal")
        self.base.execute(
            "create table if not exists copies (account text, store text, seen text,"
            " primary key (account, store)) without rowid"
        )
        self.base.execute("create table if not exists notes (name text primary key, value text)")

    def seen(self) -> dict[tuple[str, str], str]:
        """(account, store) to the signature of what the store has."""
        rows = self.base.execute("select account, store, seen from copies")
        return {(account, store): seen for account, store, seen in rows}

    def remember(self, store: str, seen: Mapping[str, str]) -> None:
        rows = [(account, store, each) for account, each in seen.items()]
        self.base.execute("begin")
        self.base.executemany("insert or replace into copies values (?, ?, ?)", rows)
        self.base.execute("commit")

    def forget(self, keys: Iterable[tuple[str, str]]) -> None:
        """keys: (account, store)."""
        self.base.execute("begin")
        self.base.executemany("delete from copies where account = ? and store = ?", keys)
        self.base.execute("commit")

    def note(self, name: str, value: object) -> None:
        row = (name, json.dumps(value))
        self.base.execute("insert or replace into notes values (?, ?)", row)

    def noted(self, name: str) -> Any:
        row = self.base.execute("select value from notes where name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None
