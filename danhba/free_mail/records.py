#!/usr/bin/python3 -I
"""Counts of mail to and from free-mail services on one edge. deploys/free_mail.py puts this file
there: standard library only.

`fold` reads what Postfix has written to the journal since the last time, and adds to one figure for
each day, agency and direction. The place in the journal and the figures change together: what is
cut off anywhere is done again, and counts once. Who sent a message is known only while it is in the
queue; which agency an address belongs to, a file beside the configuration says.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

CONFIG = Path("/etc/danhba/free-mail.json")
TABLES = Path("/var/lib/danhba-free-mail/records.sqlite")
IN_QUEUE = 30 * 86400
"""Seconds after which a message is forgotten of whose end the journal lost the word; Postfix gives
up after five days."""
LINE = 8192
"""Characters: an SSH client reads one long line in quadratic time."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS begun (second INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS place (cursor TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS queue (id TEXT PRIMARY KEY, sender TEXT, second INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counted (id TEXT, agency TEXT, way TEXT,
                                    PRIMARY KEY (id, agency, way)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counts (day TEXT, agency TEXT, way TEXT, messages INTEGER NOT NULL,
                                   PRIMARY KEY (day, agency, way)) WITHOUT ROWID;
"""
_FROM = re.compile(r"([0-9A-Za-z]+): from=<(.*)>, size=[0-9]+, nrcpt=")
_TO = re.compile(r"([0-9A-Za-z]+): to=<([^>]*)>, .*status=sent \(")
_GONE = re.compile(r"([0-9A-Za-z]+): removed")


@dataclass(frozen=True)
class Known:
    """Of the configuration. identifiers: under which Postfix tells of messages in the edge's queue.
    agencies: address to the agency it belongs to. All in small letters."""

    identifiers: tuple[str, ...]
    domains: frozenset[str]
    agencies: Mapping[str, str]

    def is_free(self, address: str) -> bool:
        _, at, domain = address.rpartition("@")
        return bool(at) and domain in self.domains


def known(config: Path = CONFIG) -> Known:
    """Raises OSError, ValueError, KeyError."""
    found = json.loads(config.read_text(encoding="utf-8"))
    rows = Path(found["agencies"]).read_text(encoding="ascii").splitlines()
    pairs = (row.partition(" ") for row in rows)
    agencies = {address: agency for address, _, agency in pairs}
    return Known(tuple(found["identifiers"]), frozenset(found["domains"]), agencies)


class Records:
    """The figures of this edge."""

    def __init__(self, tables: Path = TABLES) -> None:
        self._tables = tables

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Others wait for its end."""
        os.close(os.open(self._tables, os.O_CREAT | os.O_WRONLY, 0o640))
        with closing(sqlite3.connect(self._tables, timeout=120, isolation_level=None)) as db:
            # Else the sender of a message that has gone would stay in the file until it is reused.
            db.execute("PRAGMA secure_delete = ON")
            db.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";")[:-1]:
                db.execute(statement)
            yield db
            db.execute("COMMIT")  # without it nothing has happened

    def fold(self, known: Known) -> None:
        """What the journal has more than the last time, into the figures."""
        with self.transaction() as db:
            row = db.execute("SELECT cursor FROM place").fetchone()
            at = row[0] if row else ""
            # The entry that was read last is there again, unless the journal has lost some.
            lost, last, second = True, "", 0
            for entry in journal(known.identifiers, at):
                last, second = entry["__CURSOR"], int(entry["__REALTIME_TIMESTAMP"]) // 1_000_000
                if lost:
                    lost = False
                    if last == at:
                        continue
                    db.execute("DELETE FROM begun")
                    db.execute("INSERT INTO begun VALUES (?)", (second,))
                if isinstance(entry["MESSAGE"], str):  # what is no text is a list
                    _take(db, known, entry["MESSAGE"], second)
            if last:
                db.execute("DELETE FROM place")
                db.execute("INSERT INTO place VALUES (?)", (last,))
                _forget_queue(db, second - IN_QUEUE)

    def forget(self, day: date, months: int) -> None:
        """Figures of before the last `months` whole months."""
        year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
        with self.transaction() as db:
            db.execute("DELETE FROM counts WHERE day < ?", (str(date(year, month + 1, 1)),))

    def begun(self) -> int:
        """The second from which on nothing is missing; 0 while Postfix has not said anything."""
        with self.transaction() as db:
            row = db.execute("SELECT second FROM begun").fetchone()
        return int(row[0]) if row else 0

    def counts(self, first: date, end: date) -> list[tuple[str, str, int]]:
        """Agency, way ("sent", "received"), messages from first to the day before end."""
        asked = (
            "SELECT agency, way, sum(messages) FROM counts WHERE day >= ? AND day < ?"
            " GROUP BY agency, way ORDER BY agency, way"
        )
        with self.transaction() as db:
            return list(db.execute(asked, (str(first), str(end))))


def _take(db: sqlite3.Connection, known: Known, line: str, second: int) -> None:
    """One line of Postfix's."""
    if found := _FROM.match(line):
        sender = found[2].lower()
        if sender in known.agencies or known.is_free(sender):
            db.execute("INSERT OR IGNORE INTO queue VALUES (?, ?, ?)", (found[1], sender, second))
    elif found := _TO.match(line):
        row = db.execute("SELECT sender FROM queue WHERE id = ?", (found[1],)).fetchone()
        if row:
            _count(db, known, found[1], row[0], found[2].lower(), second)
    elif found := _GONE.match(line):
        _forget(db, found[1])


def _count(
    db: sqlite3.Connection, known: Known, message: str, sender: str, to: str, second: int
) -> None:
    """A message counts once for each agency, however many recipients it has."""
    if known.is_free(to) and sender in known.agencies:
        agency, way = known.agencies[sender], "sent"
    elif known.is_free(sender) and to in known.agencies:
        agency, way = known.agencies[to], "received"
    else:
        return
    new = db.execute("INSERT OR IGNORE INTO counted VALUES (?, ?, ?)", (message, agency, way))
    if new.rowcount:
        db.execute(
            "INSERT INTO counts VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE"
            " SET messages = messages + 1",
            (str(datetime.fromtimestamp(second).date()), agency, way),
        )


def _forget(db: sqlite3.Connection, message: str) -> None:
    """Its number is given to another one after it."""
    for table in ("queue", "counted"):
        db.execute(f"DELETE FROM {table} WHERE id = ?", (message,))


def _forget_queue(db: sqlite3.Connection, before: int) -> None:
    for (message,) in db.execute("SELECT id FROM queue WHERE second < ?", (before,)).fetchall():
        _forget(db, message)


def journal(identifiers: Iterable[str], cursor: str) -> Iterator[dict[str, Any]]:
    """Entries from a cursor on, from the first one there is if it is "". Raises
    CalledProcessError."""
    argv = ["journalctl", "--output=json", "--output-fields=MESSAGE", "--quiet"]
    argv += [f"--identifier={each}" for each in identifiers]
    argv += [f"--cursor={cursor}"] if cursor else []
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        for line in running.stdout:
            yield json.loads(line)
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, argv)


def answer(records: Records, known: Known, question: Mapping[str, Any]) -> dict[str, Any]:
    """{"begun": second, "counts": [[agency, way, messages]]} for {"first", "end"}."""
    records.fold(known)
    first, end = (date.fromisoformat(question[key]) for key in ("first", "end"))
    return {"begun": records.begun(), "counts": records.counts(first, end)}


def main(arguments: list[str]) -> None:
    """ask: the question is JSON on standard input. fold MONTHS: of the timer."""
    records = Records()
    if arguments[0] == "ask":
        text = json.dumps(answer(records, known(), json.load(sys.stdin)), separators=(",", ":"))
        packed = base64.b64encode(zlib.compress(text.encode(), 6)).decode()
        for at in range(0, len(packed), LINE):
            print(packed[at : at + LINE])
    else:
        records.fold(known())
        records.forget(datetime.now().date(), int(arguments[1]))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (sqlite3.OperationalError, subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"{TABLES}: {error}")  # locked, no room, no right: what is recorded stays
    except sqlite3.DatabaseError as error:
        sys.exit(f"{TABLES}: {error}: it is damaged; move it away, and counts begin anew")
