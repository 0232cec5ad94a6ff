"""On a store: which messages its mailboxes lack.

Standard input: a line of JSON, {"edges": fqdn to name, "domain", "absent": names of edges}; lines
`N ID ACCOUNT`, what the archive says that they should have; a line with a dot; lines `ID ACCOUNT`,
what edges will still deliver; another dot. Standard output: lines `ID ACCOUNT...`, then a line of
JSON with figures.

All of it is on the disk, in a database that goes with the program: a day may be a million rows.

Nothing may come twice, so the order counts: archive, queues of edges, queue of this store,
mailboxes. A message that an edge had accepted before the archive was read, and that no queue has
any more, is in its mailbox by the time that is looked at, or never gets there.
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import tempfile
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from danhba.journal.ids import arrived, journal_id
from danhba.replay.common import queue, recipients

_CLOCKS = 3600
"""Seconds that the clocks of an edge and of a store may differ by."""
_POSTFIX = "/etc/postfix"
_BLOCK = 1 << 16


def main(given: IO[bytes], out: IO[bytes]) -> None:
    request = json.loads(given.readline())
    with tempfile.TemporaryDirectory(prefix="danhba-replay.", dir="/var/tmp") as place:
        work = Work(Path(place), request["edges"], request["domain"])
        work.want(_until_dot(given), request["absent"])
        work.leave_out(_until_dot(given), "queued")
        work.leave_out(_own_queue(work), "queued")
        work.look()
        for identity, accounts in work.missing():
            out.write(f"{identity} {' '.join(accounts)}\n".encode())
        out.write(json.dumps(work.figures).encode() + b"\n")


class Work:
    """The messages that mailboxes should have, less those that they have. figures: of messages
    and mailboxes; "failed": accounts that could not be read."""

    def __init__(self, place: Path, edges: Mapping[str, str], domain: str) -> None:
        self.place, self.edges, self.domain = place, edges, domain
        self.figures: dict[str, Any] = {"failed": []}
        self._db = sqlite3.connect(place / "work.db", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(
            "CREATE TABLE wanted (id TEXT, account TEXT, PRIMARY KEY (id, account)) WITHOUT ROWID"
        )

    def want(self, lines: Iterable[list[str]], absent: Iterable[str]) -> None:
        """Rows N ID ACCOUNT. What an edge took that cannot be asked for its queue is left out."""
        taken = ((identity, account) for _, identity, account in lines)
        self._all("INSERT OR IGNORE INTO wanted VALUES (?, ?)", taken)
        self.figures["wanted"] = self._count()
        for edge in absent:
            within = (f"{edge}/", f"{edge}0")  # the character after the slash
            self._db.execute("DELETE FROM wanted WHERE id >= ? AND id < ?", within)
        self.figures["absent"] = self.figures["wanted"] - self._count()

    def leave_out(self, lines: Iterable[list[str]], why: str) -> None:
        """Rows ID ACCOUNT."""
        before = self._count()
        self._all("DELETE FROM wanted WHERE id = ? AND account = ?", lines)
        self.figures[why] = self.figures.get(why, 0) + before - self._count()

    def look(self) -> None:
        """At the mailboxes: what is in any folder of theirs is not missing."""
        self.leave_out(self._held(), "there")
        for account in self.figures["failed"]:
            self._db.execute("DELETE FROM wanted WHERE account = ?", (account,))
        self.figures["missing"] = self._count()

    def missing(self) -> Iterator[tuple[str, list[str]]]:
        """Journal id and who lacks it, by id: of an edge that is the order in which they came."""
        rows = self._db.execute("SELECT id, account FROM wanted ORDER BY id, account")
        for identity, found in groupby(rows, key=lambda row: row[0]):
            yield str(identity), [account for _, account in found]

    def _all(self, statement: str, rows: Iterable[Sequence[str]]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany(statement, rows)
        self._db.execute("COMMIT")

    def _count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM wanted").fetchone()[0])

    def _since(self) -> str:
        """No message is in a mailbox before an edge had it."""
        oldest: float | None = None
        for (identity,) in self._db.execute("SELECT id FROM wanted"):
            second = arrived(identity)
            if second is None:
                return "all"  # its queue id has no time
            oldest = second if oldest is None else min(oldest, second)
        return f"savedsince {int(oldest - _CLOCKS)}" if oldest is not None else ""

    def _held(self) -> Iterator[list[str]]:
        query = self._since()
        if not query:
            return
        users = self.place / "users"
        with users.open("w") as file:
            for (account,) in self._db.execute("SELECT DISTINCT account FROM wanted"):
                file.write(f"{account}@{self.domain}\n")
        # Dovecot would keep the header in its cache for a month.
        argv = ["doveadm", "-f", "json", "-o", "mail_never_cache_fields=imap.envelope hdr.received",
                "fetch", "-F", str(users), "user hdr.received", *query.split()]  # fmt: skip
        with (self.place / "errors").open("w+") as errors:
            with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=errors) as process:
                assert process.stdout is not None
                for row in _objects(process.stdout):
                    if identity := journal_id(_header(row["hdr.received"]), self.edges):
                        yield [identity, row["user"].partition("@")[0]]
            if process.returncode:
                errors.seek(0)
                self.figures["failed"] = self._named(errors.read())

    def _named(self, said: str) -> list[str]:
        """Accounts of which doveadm says that it could not read them. Raises RuntimeError when it
        names none: then nothing is known of any."""
        found = re.findall(rf"([^\s(),<>]+)@{re.escape(self.domain)}", said)
        if not found:
            raise RuntimeError(f"doveadm fetch: {said.strip()}")
        return sorted(set(found))


def _until_dot(given: IO[bytes]) -> Iterator[list[str]]:
    """Raises EOFError when the line with the dot is missing: then rows may be, too."""
    for line in given:
        if line == b".\n":
            return
        yield line.decode().split()
    raise EOFError("cut off while it was told what to look for")


def _objects(said: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Of an array in JSON, one after another: all of it may be more than fits into memory."""
    decode = getincrementaldecoder("utf-8")("replace").decode
    parser, text = json.JSONDecoder(), ""
    while block := said.read(_BLOCK):
        text += decode(block)
        at = 0
        while True:
            try:
                found, at = parser.raw_decode(text, at + (text[at : at + 1] in ("[", ",")))
            except ValueError:  # it goes on in the next block
                break
            yield found
        text = text[at:]


def _header(received: str) -> bytes:
    """Received headers as they were: doveadm has their values, one after another."""
    lines = received.encode().split(b"\n")
    whole = (line if line[:1] in (b" ", b"\t") else b"Received: " + line for line in lines)
    return b"\n".join(whole) + b"\n"


def _own_queue(work: Work) -> Iterator[list[str]]:
    """ID ACCOUNT of what this store has accepted from an edge and not delivered yet."""
    ending = f"@{work.domain}"
    for message in list(queue(_POSTFIX)):
        here = [each for each in recipients(message) if each.endswith(ending)]
        if not here:
            continue
        argv = ["postcat", "-c", _POSTFIX, "-h", "-q", message["queue_id"]]
        done = subprocess.run(argv, capture_output=True, check=False)
        identity = journal_id(done.stdout, work.edges)  # of one that has just left there is none
        for address in here if identity else ():
            yield [identity, address.removesuffix(ending)]
