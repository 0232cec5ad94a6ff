"""What of the journal can be searched: a table that can be made again from the chains at any time.

No content is in it: counts, sizes, addresses, Message-IDs.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from . import entry
from .segment import Segment

NAME = "index.db"
_SCHEMA = """
CREATE TABLE entries (n INTEGER PRIMARY KEY, time TEXT NOT NULL, passed TEXT, kind TEXT NOT NULL,
  id TEXT, message_id TEXT, size INTEGER, class TEXT, segment TEXT NOT NULL, line INTEGER NOT NULL,
  gone INTEGER NOT NULL DEFAULT 0);
CREATE INDEX entries_time ON entries (time);
CREATE INDEX entries_passed ON entries (passed);
CREATE INDEX entries_kind ON entries (kind, n) WHERE kind != 'mail';
CREATE INDEX entries_id ON entries (id);
CREATE INDEX entries_message ON entries (message_id);
CREATE INDEX entries_segment ON entries (segment);
CREATE INDEX entries_kept ON entries (class, time) WHERE kind = 'mail' AND gone = 0;
CREATE TABLE parties (address TEXT, n INTEGER, role TEXT, PRIMARY KEY (address, n, role))
  WITHOUT ROWID;
CREATE INDEX parties_n ON parties (n, role);
CREATE TABLE agencies (agency TEXT, n INTEGER, PRIMARY KEY (agency, n)) WITHOUT ROWID;
CREATE INDEX agencies_n ON agencies (n);
"""
"""line: offset of the entry's line in the segment's file. passed: when an edge had a message. gone:
number of the entry that says that the contents were removed by rule, 0 for none. role: "from" or
"to"; addresses are in small letters."""
_VERSION = zlib.crc32(_SCHEMA.encode()) & 0x7FFFFFFF
"""Of the tables: those of another one are made again from the chain."""


class Index:
    """Of one journal. One process writes, any number read meanwhile."""

    def __init__(self, path: Path, readonly: bool = False) -> None:
        """Raises sqlite3.Error, DatabaseError for tables of another version."""
        where = f"file:{path}?mode={'ro' if readonly else 'rwc'}"
        self.db = sqlite3.connect(
            where, uri=True, timeout=60, isolation_level=None, check_same_thread=False
        )
        if readonly:
            return
        self.db.execute("PRAGMA journal_mode = WAL")
        # What a power cut takes of it comes back from the chain.
        self.db.execute("PRAGMA synchronous = NORMAL")
        version = self.db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _VERSION):
            self.db.close()
            raise sqlite3.DatabaseError(f"{path}: of another version")
        if not version:
            self.db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")

    def close(self) -> None:
        self.db.close()

    @property
    def last(self) -> int:
        """Number of the newest entry that it has, 0 for none."""
        return int(self.db.execute("SELECT coalesce(max(n), 0) FROM entries").fetchone()[0])

    def add(self, rows: Iterable[tuple[Segment, int, dict[str, Any]]]) -> None:
        """Segment, offset of the line, entry; all of them or none."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            for segment, line, found in rows:
                self._add(segment.name, line, found)
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def _add(self, segment: str, line: int, found: dict[str, Any]) -> None:
        n = found["n"]
        self.db.execute(
            "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (*_row(found), segment, line),
        )
        if found["kind"] == entry.EXPIRED:
            ranges = [(n, first, last) for first, last in found["entries"]]
            gone = "UPDATE entries SET gone = ? WHERE n BETWEEN ? AND ? AND kind = 'mail'"
            self.db.executemany(gone, ranges)
        if found["kind"] != entry.MAIL:
            return
        self.db.executemany("INSERT OR IGNORE INTO parties VALUES (?, ?, ?)", _parties(found))
        self.db.executemany("INSERT OR IGNORE INTO agencies VALUES (?, ?)", _agencies(found))

    def recorded(self, identity: str) -> set[str]:
        """Recipients of a journal id that entries name, in small letters."""
        asked = "SELECT address FROM entries JOIN parties USING (n) WHERE id = ? AND role = 'to'"
        return {address for (address,) in self.db.execute(asked, (identity,))}

    def of_kind(self, kind: str, since: str = "") -> list[tuple[int, str]]:
        """Number and time of entries that are no mail, from a time on."""
        asked = "SELECT n, time FROM entries WHERE kind = ? AND time >= ? ORDER BY n"
        return list(self.db.execute(asked, (kind, since)))

    def strange(self, segment: Segment, entries: Iterable[dict[str, Any]], last: int) -> int:
        """How many entries of a segment, up to a number, are not here as the chain has them.
        Raises KeyError, TypeError: one of them is none."""
        name, here, there = segment.name, set[Row](), set[Row]()
        for asked in _SAID:
            here.update(self.db.execute(asked, (name, last)))
        for found in entries:
            if found["n"] <= last:
                there.add(_row(found))
                if found["kind"] == entry.MAIL:
                    there.update(_parties(found) + _agencies(found))
        numbers = {row[0] if len(row) > 3 else row[1] for row in here ^ there}
        return len(numbers)

    def strangers(self, known: Iterable[Segment], last: int) -> list[str]:
        """Names of segments, of entries up to a number, that the chain does not have."""
        names = {each.name for each in known}
        asked = "SELECT DISTINCT segment FROM entries WHERE n <= ? ORDER BY segment"
        return [name for (name,) in self.db.execute(asked, (last,)) if name not in names]


Row = tuple[Any, ...]
_SAID = (
    "SELECT n, time, passed, kind, id, message_id, size, class FROM entries"
    " WHERE segment = ? AND n <= ?",
    "SELECT address, n, role FROM parties JOIN entries USING (n) WHERE segment = ? AND n <= ?",
    "SELECT agency, n FROM agencies JOIN entries USING (n) WHERE segment = ? AND n <= ?",
)
"""What search goes by."""


def _row(found: Mapping[str, Any]) -> Row:
    passed = entry.passed(found) if found["kind"] == entry.MAIL else None
    keys = ("kind", "id", "message_id", "size", "class")
    return (found["n"], found["time"], passed, *(found.get(key) for key in keys))


def _parties(found: Mapping[str, Any]) -> list[Row]:
    n = found["n"]
    to = ((address.lower(), n, "to") for address in found["to"])
    return [(found["from"].lower(), n, "from"), *to]


def _agencies(found: Mapping[str, Any]) -> list[Row]:
    return [(agency, found["n"]) for agency in found["agencies"]]
