"""The rules, on a table of what was seen: who is refused before his password is looked at.

Times are seconds since 1970. A source is as in sources.py; a mark stands for a wrong password and
says nothing about it. "" as the account is every account, "" as the source every source.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

from .figures import Figures
from .sources import network_of, within

DAY = 86400
HOUR = 3600
IN_FLIGHT = 60
"""Seconds after which an attempt that nobody reported on has come to nothing."""
MOST_ROWS = 1_000_000
"""Wrong passwords that are remembered: 150 MB of disk. More than that a day, and the oldest go."""
MOST_NETWORKS = 20
"""From which one account is known."""
BATCH = 500

Why = Literal["", "suspended", "source", "pair", "account"]
Row = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS own (epoch TEXT, seq INTEGER);
CREATE TABLE IF NOT EXISTS guess (
    account TEXT, source TEXT, mark TEXT, network TEXT, at REAL, seq INTEGER,
    PRIMARY KEY (account, source, mark)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS guess_source ON guess (source, at);
CREATE INDEX IF NOT EXISTS guess_at ON guess (at);
CREATE INDEX IF NOT EXISTS guess_seq ON guess (seq) WHERE seq > 0;
CREATE TABLE IF NOT EXISTS known (
    account TEXT, network TEXT, at REAL, seq INTEGER,
    PRIMARY KEY (account, network)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS known_seq ON known (seq) WHERE seq > 0;
CREATE TABLE IF NOT EXISTS refusal (
    account TEXT, source TEXT, since REAL, until REAL, times INTEGER,
    PRIMARY KEY (account, source)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS told (
    seq INTEGER PRIMARY KEY, name TEXT UNIQUE, row TEXT, until REAL);
CREATE TABLE IF NOT EXISTS heard (peer TEXT PRIMARY KEY, epoch TEXT, seq INTEGER) WITHOUT ROWID;
"""


def opened(path: Path | str) -> sqlite3.Connection:
    """The table at a path. One that a power failure has spoilt is begun anew: what it holds can be
    done without, logins cannot."""
    try:
        return _open(path)
    except sqlite3.DatabaseError as error:
        say(f"{path}: {error}; begun anew")
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        return _open(path)


def _open(path: Path | str) -> sqlite3.Connection:
    table = sqlite3.connect(path, isolation_level=None)
    table.row_factory = sqlite3.Row
    # It outlives the daemon, not necessarily a power failure: no login waits for a disk.
    table.execute("PRAGMA journal_mode = WAL")
    table.execute("PRAGMA synchronous = OFF")
    if table.execute("PRAGMA quick_check").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("damaged")
    table.executescript(_SCHEMA)
    if table.execute("SELECT count(*) FROM own").fetchone()[0] == 0:
        table.execute("INSERT INTO own VALUES (?, 0)", (secrets.token_hex(8),))
    return table


def say(text: str) -> None:
    """To the journal."""
    print(text, file=sys.stderr, flush=True)


class Rules:
    """refuses() before a password is looked at, then succeeded() or failed().

    own: networks that are never refused as a source, whatever comes from there.
    """

    def __init__(
        self,
        table: sqlite3.Connection,
        figures: Figures,
        clock: Callable[[], float] = time.time,
        own: Sequence[str] = (),
    ) -> None:
        self._table = table
        self.figures = figures
        self._own = tuple(map(ip_network, own))
        self._clock = clock
        self._flying: dict[str, dict[tuple[str, str], float]] = {}
        self.listeners: set[Callable[[], object]] = set()
        """Called when there is something new for the other hosts."""
        self.suspended: Callable[[str], bool] = lambda _account: False
        """Whether nobody logs in to an account, from wherever (incidents.py)."""
        self.learners: dict[str, Callable[[Row], object]] = {}
        """By kind of row, who learns what other hosts have shared."""

    def refuses(self, account: str, source: str, mark: str) -> Why:
        """Why the attempt is refused, "" when the password may be looked at.

        An attempt that may be counts at once, until somebody reports what became of it: who tries
        a thousand passwords at the same moment has no more of them looked at.
        """
        if self.suspended(account):
            return "suspended"
        known = self.knows(account, source)
        if not known and self._stands("", source) and not within(source, self._own):
            return "source"
        if self._stands(account, source):
            return "pair"
        if not known and self._stands(account, ""):
            return "account"
        if self._has("guess", account=account, source=source, mark=mark):
            return ""
        flying = self._in_flight(account)
        flying.pop((source, mark), None)
        here = sum(1 for other, _ in flying if other == source)
        if here and self._guesses(account, source) + here >= self.figures.guesses:
            return "pair"
        afar = sum(1 for other, _ in flying if not self.knows(account, other))
        if (
            not known and afar
            and self._guesses_from_afar(account) + afar >= self.figures.account_guesses
        ):  # fmt: skip
            return "account"
        flying[source, mark] = self._clock() + IN_FLIGHT
        return ""

    def succeeded(self, account: str, source: str, mark: str) -> None:
        """The password was right: the network is known from now on.

        Wrong passwords from there stay counted: else who shares an office with somebody guesses
        his password between two calls of his mail program.
        """
        self._in_flight(account).pop((source, mark), None)
        row = self._one("SELECT at FROM known WHERE account = ? AND network = ?",
                        account, network_of(source))  # fmt: skip
        if row is None or row["at"] < self._clock() - HOUR:
            self._know(account, network_of(source), self._clock(), self._next())
            self._tell()

    def failed(self, account: str, source: str, mark: str) -> None:
        """The password was wrong. The same one again, a forgotten telephone's, is no new guess."""
        self._in_flight(account).pop((source, mark), None)
        if self._guessed(account, source, mark, self._clock(), own=True):
            self._tell()

    def knows(self, account: str, source: str) -> bool:
        """Has the account logged in from around there lately?"""
        row = self._one("SELECT at FROM known WHERE account = ? AND network = ?",
                        account, network_of(source))  # fmt: skip
        return row is not None and row["at"] > self._clock() - self.figures.known_days * DAY

    # What the other hosts saw

    def news(self, after: int) -> list[Row]:
        """What was seen here, not heard from others, after a number; each with its own."""
        rows = self._table.execute(
            "SELECT 'guess' AS kind, account, source, mark, at, seq FROM guess WHERE seq > ?1"
            " UNION ALL SELECT 'known', account, network, '', at, seq FROM known WHERE seq > ?1"
            f" ORDER BY seq LIMIT {BATCH}",
            (after,),
        )
        shared = self._table.execute(
            f"SELECT row, seq FROM told WHERE seq > ? ORDER BY seq LIMIT {BATCH}", (after,)
        )
        found = [dict(row) for row in rows]
        found += [{**json.loads(row["row"]), "seq": row["seq"]} for row in shared]
        return sorted(found, key=lambda row: int(row["seq"]))[:BATCH]

    def share(self, row: Row, until: float | None = None, name: str | None = None) -> None:
        """Tell all hosts what is neither a guess nor a login; row["kind"] says who learns it there.

        until: when it is of no use any more; None: never. name: shared once under it.
        """
        if name is None or not self._has("told", name=name):
            self._table.execute("INSERT INTO told VALUES (?, ?, ?, ?)",
                                (self._next(), name, json.dumps(row), until))  # fmt: skip
            self._tell()

    def learn(self, row: Row) -> None:
        """A row of another host's news. Its clock may be ahead of ours."""
        if row["kind"] not in ("guess", "known"):
            if learner := self.learners.get(row["kind"]):
                learner(row)
            return
        at = min(float(row["at"]), self._clock())
        if row["kind"] == "guess":
            self._guessed(row["account"], row["source"], row["mark"], at, own=False)
        elif at > self._clock() - self.figures.known_days * DAY:
            self._know(row["account"], row["source"], at, 0)

    @property
    def epoch(self) -> str:
        """Names this table; another one, after a new start from nothing, counts from 1 again."""
        return str(self._table.execute("SELECT epoch FROM own").fetchone()[0])

    def heard(self, peer: str) -> tuple[str, int]:
        """Epoch and number of what was last heard from another host."""
        row = self._one("SELECT epoch, seq FROM heard WHERE peer = ?", peer)
        return (row["epoch"], row["seq"]) if row else ("", 0)

    def note_heard(self, peer: str, epoch: str, seq: int) -> None:
        self._table.execute("INSERT OR REPLACE INTO heard VALUES (?, ?, ?)", (peer, epoch, seq))

    # What an engineer asks

    def standing(self) -> list[Row]:
        """Refusals that stand now, the latest end last."""
        rows = self._table.execute(
            "SELECT account, source, since, until, times FROM refusal WHERE until > ?"
            " ORDER BY until, account, source",
            (self._clock(),),
        )
        return [dict(row) for row in rows]

    def lift(self, account: str, source: str) -> int:
        """Forget refusals and guesses of an account ("": of every one) from a source ("": from all
        of them); with both, the account is known from there as well. How many refusals stood.
        Raises ValueError without either: nobody asks to forget all that is known of an attack."""
        if not (account or source):
            raise ValueError("name an account or a source")
        where, values = _where(account, source)
        stood = self._one(f"SELECT count(*) AS n FROM refusal WHERE {where} AND until > ?",
                          *values, self._clock())  # fmt: skip
        for table in ("refusal", "guess"):
            self._table.execute(f"DELETE FROM {table} WHERE {where}", values)
        if account and source:
            self._know(account, network_of(source), self._clock(), 0)
        self._flying.pop(account, None)
        return int(stood["n"]) if stood else 0

    def forget(self) -> None:
        """Drop what no rule looks at any more. To be called every minute or so."""
        now = self._clock()
        self._table.execute("DELETE FROM guess WHERE at < ?", (now - DAY,))
        # A refusal is remembered for as long again as the longest, so that the next one is longer.
        self._table.execute("DELETE FROM refusal WHERE until < ?", (now - DAY,))
        old = now - self.figures.known_days * DAY
        self._table.execute("DELETE FROM known WHERE at < ?", (old,))
        self._table.execute("DELETE FROM told WHERE until < ?", (now,))
        self._flying = {account: left for account in self._flying
                        if (left := self._in_flight(account))}  # fmt: skip
        count = self._table.execute("SELECT count(*) FROM guess").fetchone()[0]
        if count > MOST_ROWS:
            self._table.execute(
                "DELETE FROM guess WHERE at <= (SELECT at FROM guess ORDER BY at LIMIT 1 OFFSET ?)",
                (count - MOST_ROWS - 1,),
            )

    # Counting

    def _guessed(self, account: str, source: str, mark: str, at: float, own: bool) -> bool:
        """Whether it is a new guess. Those of others are not told on: they do that themselves."""
        if at < self._clock() - DAY or self._has(
            "guess", account=account, source=source, mark=mark
        ):
            return False
        self._table.execute(
            "INSERT INTO guess VALUES (?, ?, ?, ?, ?, ?)",
            (account, source, mark, network_of(source), at, self._next() if own else 0),
        )
        self._judge(account, source)
        return True

    def _judge(self, account: str, source: str) -> None:
        known = self.knows(account, source)
        if self._guesses(account, source) >= self.figures.guesses:
            # Where he works himself it does not grow: no colleague keeps him out for a day.
            self._refuse(account, source, grows=not known)
        if known:
            return
        if self._missed(source) >= self.figures.accounts and not within(source, self._own):
            self._refuse("", source, grows=True)
        if self._guesses_from_afar(account) >= self.figures.account_guesses:
            self._refuse(account, "", grows=True)

    def _refuse(self, account: str, source: str, grows: bool) -> None:
        now = self._clock()
        last = self._last(account, source)
        if last and last["until"] > now:
            return
        times = last["times"] if last and grows else 0
        until = now + min(self.figures.minutes * 60 * 2 ** min(times, 20), DAY)
        self._table.execute("INSERT OR REPLACE INTO refusal VALUES (?, ?, ?, ?, ?)",
                            (account, source, now, until, times + 1))  # fmt: skip
        minutes = round((until - now) / 60)
        say(f"refused for {minutes} minutes: {account or 'strangers'} from {source or 'afar'}")

    def _guesses(self, account: str, source: str) -> int:
        """Different wrong passwords of the pair since it was refused last, within a day."""
        return self._count("SELECT count(*) AS n FROM guess WHERE account = ? AND source = ? AND"
                           " at > ?", account, source, self._start(account, source))  # fmt: skip

    def _guesses_from_afar(self, account: str) -> int:
        """One source counts for no more than it takes to refuse it: a stranger who comes back day
        after day is no distributed attack."""
        return self._count(
            "SELECT coalesce(sum(n), 0) AS n FROM (SELECT min(count(*), ?) AS n FROM guess AS g"
            " WHERE account = ? AND at > ? AND NOT EXISTS"
            " (SELECT 1 FROM known WHERE account = g.account AND network = g.network)"
            " GROUP BY source)",
            self.figures.guesses, account, self._start(account, ""),
        )  # fmt: skip

    def _missed(self, source: str) -> int:
        """Accounts that failed from there and are not known from around there: people of an office
        who mistype their first password and then get in are not among them."""
        return self._count(
            "SELECT count(DISTINCT account) AS n FROM guess AS g WHERE source = ? AND at > ? AND"
            " NOT EXISTS (SELECT 1 FROM known WHERE account = g.account AND network = g.network)",
            source, self._start("", source),
        )  # fmt: skip

    def _start(self, account: str, source: str) -> float:
        last = self._last(account, source)
        return max(self._clock() - DAY, last["since"] if last else 0)

    def _last(self, account: str, source: str) -> sqlite3.Row | None:
        return self._one("SELECT * FROM refusal WHERE account = ? AND source = ?", account, source)

    def _stands(self, account: str, source: str) -> bool:
        last = self._last(account, source)
        return last is not None and last["until"] > self._clock()

    def _know(self, account: str, network: str, at: float, seq: int) -> None:
        self._table.execute(
            "INSERT INTO known VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " at = max(at, excluded.at), seq = max(seq, excluded.seq)",
            (account, network, at, seq),
        )
        self._table.execute(
            "DELETE FROM known WHERE account = ?1 AND network NOT IN"
            " (SELECT network FROM known WHERE account = ?1 ORDER BY at DESC LIMIT ?2)",
            (account, MOST_NETWORKS),
        )

    def _in_flight(self, account: str) -> dict[tuple[str, str], float]:
        now = self._clock()
        left = {key: end for key, end in self._flying.get(account, {}).items() if end > now}
        self._flying[account] = left
        return left

    def _next(self) -> int:
        row = self._one("UPDATE own SET seq = seq + 1 RETURNING seq")
        assert row is not None
        return int(row["seq"])

    def _tell(self) -> None:
        for listener in tuple(self.listeners):
            listener()

    def _has(self, table: str, **key: str) -> bool:
        where = " AND ".join(f"{name} = ?" for name in key)
        return self._one(f"SELECT 1 FROM {table} WHERE {where}", *key.values()) is not None

    def _count(self, query: str, *values: object) -> int:
        row = self._one(query, *values)
        return int(row["n"]) if row else 0

    def _one(self, query: str, *values: object) -> sqlite3.Row | None:
        found: Iterable[sqlite3.Row] = self._table.execute(query, values).fetchall()
        return next(iter(found), None)


def _where(account: str, source: str) -> tuple[str, tuple[str, ...]]:
    wanted = [(name, value) for name, value in (("account", account), ("source", source)) if value]
    return " AND ".join(f"{name} = ?" for name, _ in wanted), tuple(value for _, value in wanted)
