#!/usr/bin/python3 -I
"""Records of access on one host. deploys/usage.py puts this file there: standard library only.

Dovecot writes an event when a session of the holder begins and when it has ended; `fold` turns
events into two tables, every few minutes:

- last: account, second of the last access;
- hours: account, day, one bit for each hour of that day in which there was an access.

Days and hours are the host's local ones, which are the province's. Both tables only grow: the later
second and the union of bits. So an event that is read twice, or a session that is seen on two
hosts, counts once, and what is cut off anywhere is done again.
"""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

TABLES = Path("/var/lib/danhba-usage/records.sqlite")
EVENTS = Path("/var/spool/danhba-usage/events")
CONFIGS = Path("/etc")
READ_FOR = timedelta(days=7)
"""How long events are read that were set aside: a process that was there before Dovecot reloaded
goes on writing to the file that it opened."""
GAP = 86400
"""Seconds that a host was up without a fold after which records begin anew: a disk was full, or the
tables came from a backup. Somebody may have been there then; nobody was while it was down."""
LINE = 8192
"""Characters: an SSH client reads one long line in quadratic time."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS begun (second INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS folded (second INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS last (account TEXT PRIMARY KEY, second INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hours (day TEXT, account TEXT, bits INTEGER NOT NULL,
                                  PRIMARY KEY (day, account)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS read (inode INTEGER PRIMARY KEY, size INTEGER NOT NULL);
"""


@dataclass
class Access:
    """What was learnt since the last time: as the tables have it."""

    last: dict[str, int] = field(default_factory=dict)
    hours: dict[tuple[str, str], int] = field(default_factory=dict)

    def mark(self, user: str, first: float, end: float) -> None:
        """An access that lasted from one second of the epoch to another: a moment, or days."""
        account = user.partition("@")[0].lower()
        self.last[account] = max(self.last.get(account, 0), int(end))
        hour = int(first) // 3600 * 3600
        while hour <= end:
            there = datetime.fromtimestamp(hour)
            key = (there.date().isoformat(), account)
            self.hours[key] = self.hours.get(key, 0) | 1 << there.hour
            hour += 3600


@dataclass
class Records:
    """The records of this host. events: where Dovecot writes."""

    tables: Path = TABLES
    events: Path = EVENTS

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Others wait for its end. Whoever makes the tables begins to record."""
        self.tables.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self.tables, os.O_CREAT | os.O_WRONLY, 0o640))
        db = sqlite3.connect(self.tables, timeout=120, isolation_level=None)
        try:
            db.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";")[:-1]:
                db.execute(statement)
            if not db.execute("SELECT 1 FROM begun").fetchone():
                db.execute("INSERT INTO begun VALUES (?)", (int(time.time()),))
            yield db
            db.execute("COMMIT")
        finally:
            db.close()  # without the commit nothing has happened

    def fold(self, now: float, alive: Iterable[str]) -> None:
        """Events that are new, and who is logged in now (`alive`), into the tables."""
        access = Access()
        for user in alive:
            access.mark(user, now, now)
        with self.transaction() as db:
            self._go_on(db, int(now))
            for path in sorted(self.events.parent.glob(f"{self.events.name}*")):
                self._read(db, path, access, now)
            db.executemany(
                "INSERT INTO last VALUES (?, ?) ON CONFLICT DO UPDATE "
                "SET second = max(second, excluded.second)",
                access.last.items(),
            )
            db.executemany(
                "INSERT INTO hours VALUES (?, ?, ?) ON CONFLICT DO UPDATE "
                "SET bits = bits | excluded.bits",
                ((day, account, bits) for (day, account), bits in access.hours.items()),
            )

    def _go_on(self, db: sqlite3.Connection, now: int) -> None:
        """Notes that nothing is missing since the last time, or else a new beginning."""
        row = db.execute("SELECT max(second) FROM folded").fetchone()
        if row[0] and now - row[0] > GAP and up(row[0], now) > GAP:
            db.execute("INSERT INTO begun VALUES (?)", (now,))
        db.execute("DELETE FROM folded")
        db.execute("INSERT INTO folded VALUES (?)", (now,))

    def _read(self, db: sqlite3.Connection, path: Path, access: Access, now: float) -> None:
        """Whole lines that were not read yet; one that is being written is left for next time."""
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            row = db.execute("SELECT size FROM read WHERE inode = ?", (facts.st_ino,)).fetchone()
            at = row[0] if row and row[0] <= facts.st_size else 0
            file.seek(at)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                at += len(line)
                if found := understood(line):
                    user, first, end = found
                    access.mark(user, min(first, now), min(end, now))  # no clock knows tomorrow
        db.execute("INSERT OR REPLACE INTO read VALUES (?, ?)", (facts.st_ino, at))

    def set_aside(self, day: date) -> bool:
        """Once a day: the file of events gets the day's name, and those of long ago go. Returns
        whether Dovecot has to open a new one."""
        with self.transaction() as db:  # of two at once, one would put the new file over the old
            for path in self.events.parent.glob(f"{self.events.name}.*"):
                if path.suffix[1:] < str(day - READ_FOR):
                    db.execute("DELETE FROM read WHERE inode = ?", (path.stat().st_ino,))
                    path.unlink()
            aside = self.events.with_name(f"{self.events.name}.{day}")
            if aside.exists() or not self.events.exists():
                return False
            self.events.rename(aside)
            return True

    def forget(self, day: date, months: int) -> None:
        """Hours of before the last `months` whole months. The last access of everybody stays."""
        year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
        with self.transaction() as db:
            db.execute("DELETE FROM hours WHERE day < ?", (str(date(year, month + 1, 1)),))

    def begun(self) -> int:
        """The second from which on nothing is missing."""
        with self.transaction() as db:
            found: int = db.execute("SELECT max(second) FROM begun").fetchone()[0]
        return found

    def last(self) -> dict[str, int]:
        """Account to the second of its last access."""
        with self.transaction() as db:
            return dict(db.execute("SELECT account, second FROM last"))

    def days(self, first: date, end: date, slots: Sequence[Sequence[int]]) -> dict[str, str]:
        """Account to one hexadecimal digit a day, from first to before end: its bits are the slots
        [hour, hour) with an access."""
        masks = [sum(1 << hour for hour in range(*slot)) for slot in slots]
        count = (end - first).days
        places = {str(first + timedelta(days=each)): each for each in range(count)}
        found: dict[str, list[str]] = {}
        asked = "SELECT day, account, bits FROM hours WHERE day >= ? AND day < ?"
        with self.transaction() as db:
            for day, account, bits in db.execute(asked, (str(first), str(end))):
                digit = sum(1 << place for place, mask in enumerate(masks) if bits & mask)
                found.setdefault(account, ["0"] * count)[places[day]] = f"{digit:x}"
        return {account: "".join(digits) for account, digits in found.items()}


def up(since: int, now: int) -> float:
    """Seconds that this host was up. All of them when its journal does not reach back: the tables
    are another machine's, or nobody knows. Raises CalledProcessError, OSError."""
    argv = ["journalctl", "--list-boots", "--output=json"]
    done = subprocess.run(argv, capture_output=True, check=True)
    boots = [(row["first_entry"] / 1e6, row["last_entry"] / 1e6) for row in json.loads(done.stdout)]
    if not boots or min(boots)[0] > since:
        return now - since
    return sum((max(0.0, min(end, now) - max(first, since)) for first, end in boots), 0.0)


def understood(line: bytes) -> tuple[str, float, float] | None:
    """User, begin and end of what an event tells; None for what is none, after a power cut say."""
    try:
        event = json.loads(line)
        return event["fields"]["user"], event["start_time"], event["end_time"]
    except (ValueError, KeyError, TypeError):
        return None


def logged_in() -> Iterator[str]:
    """Users of sessions that are alive. Those of an edge with a keeper's name on the way are told
    by the store."""
    done = subprocess.run(
        ["doveadm", "-f", "tab", "who"], capture_output=True, text=True, check=False
    )
    for row in done.stdout.splitlines()[1:]:
        user = row.partition("\t")[0]
        if "*" not in user:
            yield user


def fold(records: Records, sessions: bool) -> None:
    """What the timer does, and every question before it is answered. An edge and a store on one
    host are two Dovecots, which write to one file."""
    now = time.time()
    records.fold(now, logged_in() if sessions else ())
    if records.set_aside(datetime.fromtimestamp(now).date()):
        for config in sorted(CONFIGS.glob("dovecot*/dovecot.conf")):
            # Without Dovecot there is nothing to open: it will begin with a new file.
            argv = ["doveadm", "-c", str(config), "stats", "reopen"]
            subprocess.run(argv, capture_output=True, check=False)


def answer(records: Records, question: dict[str, Any]) -> dict[str, Any]:
    """{"begun": second, "last": {account: second}} or, for {"first", "end", "slots"},
    {"begun": second, "days": {account: digits}}."""
    fold(records, question["sessions"])
    if "slots" not in question:
        return {"begun": records.begun(), "last": records.last()}
    first, end = (date.fromisoformat(question[key]) for key in ("first", "end"))
    return {"begun": records.begun(), "days": records.days(first, end, question["slots"])}


def main(arguments: list[str]) -> None:
    """ask: the question is JSON on standard input. fold KEEP [sessions]: of the timer."""
    records = Records()
    if arguments[0] == "ask":
        text = json.dumps(answer(records, json.load(sys.stdin)), separators=(",", ":"))
        packed = base64.b64encode(zlib.compress(text.encode(), 6)).decode()
        for at in range(0, len(packed), LINE):
            print(packed[at : at + LINE])
    else:
        fold(records, "sessions" in arguments)
        records.forget(datetime.now().date(), int(arguments[1]))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (sqlite3.OperationalError, subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"{TABLES}: {error}")  # locked, no room, no right: what is recorded stays
    except sqlite3.DatabaseError as error:
        sys.exit(f"{TABLES}: {error}: it is damaged; move it away, and records begin anew")
