"""What is known of earlier runs: on disk, for a restart forgets nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Box:
    """A mailbox as it was backed up. seen: its signature (freezing.py), "" when it is only known
    that there was one. messages: how many."""

    account: str
    seen: str
    messages: int


class Memory:
    """folder: is made when it is not there."""

    def __init__(self, folder: str) -> None:
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.base = sqlite3.connect(f"{folder}/backup.sqlite", timeout=60, isolation_level=None)
        self.base.execute("pragma journal_mode = wal")
        self.base.execute(
            "create table if not exists boxes (account text primary key, seen text, messages int)"
            " without rowid"
        )
        self.base.execute("create table if not exists notes (name text primary key, value text)")

    def boxes(self) -> dict[str, Box]:
        rows = self.base.execute("select account, seen, messages from boxes")
        return {account: Box(account, seen, messages) for account, seen, messages in rows}

    def remember(self, boxes: Iterable[Box]) -> None:
        rows = [(each.account, each.seen, each.messages) for each in boxes]
        self.base.execute("begin")
        self.base.executemany("insert or replace into boxes values (?, ?, ?)", rows)
        self.base.execute("commit")

    def forget(self, accounts: Iterable[str]) -> None:
        self.base.execute("begin")
        rows = [(account,) for account in accounts]
        self.base.executemany("delete from boxes where account = ?", rows)
        self.base.execute("commit")

    def note(self, name: str, value: object) -> None:
        row = (name, json.dumps(value))
        self.base.execute("insert or replace into notes values (?, ?)", row)

    def noted(self, name: str) -> Any:
        row = self.base.execute("select value from notes where name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None
