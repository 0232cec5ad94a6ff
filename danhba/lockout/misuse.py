"""How much an account sends, over all edges, and when that is no longer its owner.

Weights are in tenths: 10 for what goes outside, 1 for what stays inside. Of a recipient only a hash
is kept, to tell whether he is another one.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

from .figures import Limits
from .incidents import Incidents
from .rules import DAY, HOUR, Row, Rules

OUTSIDE, INSIDE = 10, 1
MINUTE = 60
KEPT = 2 * HOUR
"""Seconds; rules look back one hour."""
IN_QUEUE = 6 * DAY
"""Longer than Postfix tries to deliver a message."""
SHARE = 4
"""Addresses that nobody has are an alarm when they are one of so many."""
MOST_SOURCES = 20
AT_ONCE = 60
"""Seconds within which two hosts count at the same moment, however busy they are."""

Answer = Literal["go", "later", "suspended"]
Seen = Literal["outside", "unknown", "bounced", "inside", "beyond", "answered"]
"""Kinds of addresses that are counted once each: asked for outside, those that nobody has, written
to inside, asked for inside above the limit, and answered outside by the account's filter."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sent (
    account TEXT, at REAL, messages INTEGER, recipients INTEGER, spam INTEGER, source TEXT);
CREATE INDEX IF NOT EXISTS sent_account ON sent (account, at);
CREATE TABLE IF NOT EXISTS seen (
    account TEXT, kind TEXT, who TEXT, at REAL, PRIMARY KEY (account, kind, who)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queued (
    queue_id TEXT PRIMARY KEY, account TEXT, sender TEXT, at REAL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS queued_account ON queued (account);
"""


@dataclass(frozen=True)
class Message:
    """Envelope facts of one that is about to be accepted. score: of rspamd. source: IP address."""

    account: str
    sender: str
    queue_id: str
    outside: tuple[str, ...]
    inside: tuple[str, ...]
    score: float
    source: str

    @property
    def weight(self) -> int:
        return OUTSIDE if self.outside else INSIDE

    @property
    def recipients(self) -> int:
        return OUTSIDE * len(self.outside) + INSIDE * len(self.inside)


class Misuse:
    """keepers: accounts that keep an agency's mailbox. junk: score from which on mail is junk."""

    def __init__(
        self,
        rules: Rules,
        table: sqlite3.Connection,
        incidents: Incidents,
        limits: Limits,
        keepers: Collection[str],
        junk: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rules, self._table, self._incidents = rules, table, incidents
        self._limits, self._keepers, self._junk, self._clock = limits, keepers, junk, clock
        self._judged: dict[str, float] = {}
        self._again: set[str] = set()
        table.executescript(_SCHEMA)
        rules.learners |= {"sent": self._learn_sent, "seen": self._learn_seen}

    # What the milter asks and tells

    def left(self, account: str) -> tuple[int, int]:
        """How much it may send now, messages and recipients, in tenths; (-1, -1): suspended."""
        if self._incidents.suspended(account):
            return -1, -1
        limits, times = self._limits, OUTSIDE * self._times(account)
        messages, recipients = self._sum(account, HOUR)
        burst, _ = self._sum(account, MINUTE)
        most = min(limits.messages * times - messages, limits.burst * times - burst)
        return max(0, most), max(0, limits.recipients * times - recipients)

    def room(self, account: str, inside: Collection[str]) -> int:
        """For how many addresses of the province there is, beside these; below 0: not for these.
        Whom the account has written to before is no further one."""
        times = self._times(account)
        who = {_hash(account, address) for address in inside}
        return min(
            most * times - len(self._whom(account, ("inside",), seconds) | who)
            for seconds, most in ((HOUR, self._limits.inside), (MINUTE, self._limits.inside_burst))
        )

    def answer(self, account: str, outside: Collection[str]) -> Answer:
        """May its filter answer? outside: addresses. Too many answers are no alarm: who writes
        decides how many there are, and could have anybody on leave suspended."""
        if self._incidents.suspended(account):
            return "suspended"
        who = {_hash(account, address) for address in outside}
        before = self._whom(account, ("answered",), HOUR)
        if who and len(before | who) > self._limits.answers:
            return "later"
        self._note_seen(account, "answered", outside, self._clock())
        return "go"

    def sent(self, message: Message) -> Answer:
        """May it be accepted? Counted if so; of one that may not only the addresses are."""
        messages, recipients = self.left(message.account)
        if messages < 0:
            return "suspended"
        fits = message.weight <= messages and message.recipients <= recipients
        if not fits or self.room(message.account, message.inside) < 0:
            self.asked(message.account, "outside", message.outside)
            self.asked(message.account, "beyond", message.inside)
            return "suspended" if self._incidents.suspended(message.account) else "later"
        now = self._clock()
        row = {
            "account": message.account, "at": now, "messages": message.weight,
            "recipients": message.recipients, "spam": int(message.score >= self._junk),
            "source": message.source,
        }  # fmt: skip
        self._count(row)
        self._rules.share({"kind": "sent", **row}, until=now + KEPT)
        self._note_seen(message.account, "outside", message.outside, now)
        self._note_seen(message.account, "inside", message.inside, now)
        self._table.execute(
            "INSERT OR REPLACE INTO queued VALUES (?, ?, ?, ?)",
            (message.queue_id, message.account, message.sender, now),
        )
        return "suspended" if self._judge(message.account) else "go"

    def asked(self, account: str, kind: Seen, addresses: Collection[str]) -> None:
        """Addresses that were refused for the limit, or that nobody has."""
        self._note_seen(account, kind, addresses, self._clock())
        self._judge(account)

    def bounced(self, queue_id: str, address: str, at: float) -> None:
        """Some other server has refused an address of a message that left here, at that time. Not
        of one that was held: who let it go knew what he did."""
        row = self._one("SELECT account, at FROM queued WHERE queue_id = ?", queue_id)
        if row is None or at < self._clock() - HOUR:
            return
        if row["at"] > self._incidents.since(row["account"]):
            self._note_seen(row["account"], "bounced", (address,), at)
            self._judge(row["account"])

    def judge_again(self) -> None:
        """Accounts of which another host has told something since they were judged here, to be
        called each second: of two hosts that count the last address at the same moment, each for
        itself, neither sees that they are too many. Not at once: whoever saw it alone has opened an
        incident, and tells that next."""
        for account in self._again:
            self._judge(account)
        self._again.clear()

    # What the host asks

    def in_queue(self) -> list[Row]:
        """Messages that were accepted here from accounts that are or were suspended."""
        accounts = {each["account"] for each in self._incidents.all()}
        marks = ",".join("?" * len(accounts))
        rows = self._table.execute(
            f"SELECT * FROM queued WHERE account IN ({marks})", tuple(accounts)
        )
        return [dict(row) for row in rows]

    def forget(self) -> None:
        """As of Rules."""
        now = self._clock()
        self._judged = {each: at for each, at in self._judged.items() if at > now - AT_ONCE}
        self._table.execute("DELETE FROM sent WHERE at < ?", (now - KEPT,))
        self._table.execute("DELETE FROM seen WHERE at < ?", (now - KEPT,))
        # What was held may wait for longer than anything else.
        suspended = {each["account"] for each in self._incidents.all() if each["open"]}
        marks = ",".join("?" * len(suspended))
        self._table.execute(
            f"DELETE FROM queued WHERE at < ? AND account NOT IN ({marks})",
            (now - IN_QUEUE, *suspended),
        )

    # Counting

    def _learn_sent(self, row: Row) -> None:
        self._count({**row, "at": min(float(row["at"]), self._clock())})
        self._heard(row["account"])

    def _learn_seen(self, row: Row) -> None:
        at = min(float(row["at"]), self._clock())
        self._see(row["account"], row["what"], row["who"], at)
        self._heard(row["account"])

    def _heard(self, account: str) -> None:
        """Whoever was away hears of much that is over, and has judged nobody lately."""
        if self._judged.get(account, 0) > self._clock() - AT_ONCE:
            self._again.add(account)

    def _count(self, row: Row) -> None:
        self._table.execute(
            "INSERT INTO sent VALUES (:account, :at, :messages, :recipients, :spam, :source)", row
        )

    def _note_seen(self, account: str, kind: Seen, addresses: Collection[str], at: float) -> None:
        who = [_hash(account, address) for address in addresses]
        if who:
            self._see(account, kind, who, at)
            row = {"kind": "seen", "account": account, "what": kind, "who": who, "at": at}
            self._rules.share(row, until=at + KEPT)

    def _see(self, account: str, kind: str, who: Collection[str], at: float) -> None:
        self._table.executemany(
            "INSERT INTO seen VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET at = max(at, excluded.at)",
            [(account, kind, each, at) for each in who],
        )

    def _judge(self, account: str) -> bool:
        """Whether it is suspended, now or before."""
        if self._incidents.suspended(account):
            return True
        self._judged[account] = self._clock()
        limits, found = self._limits, self._hour(account)
        few, times = found["bounced"] * SHARE < found["outside"], self._times(account)
        alarms = (
            ("recipients", found["outside"], limits.incident_recipients * times),
            ("inside", found["inside"], limits.incident_inside * times),
            ("spam", found["spam"], limits.incident_spam),
            ("bounces", 0 if few else found["bounced"], limits.incident_bounces),
            ("unknown", found["unknown"], limits.incident_unknown),
        )
        for why, count, limit in alarms:
            if count >= limit:
                self._incidents.open(account, why, {**found, "limit": limit})
                return True
        return False

    def _hour(self, account: str) -> dict[str, Any]:
        """Envelope facts of the last hour, or since the account was released."""
        start = self._start(account, HOUR)
        sums = self._one(
            "SELECT count(*) AS messages, coalesce(sum(spam), 0) AS spam"
            " FROM sent WHERE account = ? AND at > ?", account, start)  # fmt: skip
        kinds = self._table.execute(
            "SELECT kind, count(*) AS n FROM seen WHERE account = ? AND at > ? GROUP BY kind",
            (account, start),
        )
        sources = self._table.execute(
            "SELECT DISTINCT source FROM sent WHERE account = ? AND at > ? LIMIT ?",
            (account, start, MOST_SOURCES),
        )
        seen = {"outside": 0, "unknown": 0, "bounced": 0} | {row["kind"]: row["n"] for row in kinds}
        # Written to, or in vain: each is one address.
        seen["inside"] = len(self._whom(account, ("inside", "beyond"), HOUR))
        return {**dict(sums or {}), **seen, "sources": sorted(row["source"] for row in sources)}

    def _whom(self, account: str, kinds: tuple[Seen, ...], seconds: float) -> set[str]:
        """Hashes of addresses that were seen since."""
        marks = ",".join("?" * len(kinds))
        rows = self._table.execute(
            f"SELECT who FROM seen WHERE account = ? AND kind IN ({marks}) AND at > ?",
            (account, *kinds, self._start(account, seconds)),
        )
        return {row["who"] for row in rows}

    def _sum(self, account: str, seconds: float) -> tuple[int, int]:
        row = self._one(
            "SELECT coalesce(sum(messages), 0) AS m, coalesce(sum(recipients), 0) AS r"
            " FROM sent WHERE account = ? AND at > ?",
            account, self._start(account, seconds),
        )  # fmt: skip
        return (int(row["m"]), int(row["r"])) if row else (0, 0)

    def _start(self, account: str, seconds: float) -> float:
        return max(self._clock() - seconds, self._incidents.since(account))

    def _times(self, account: str) -> int:
        return self._limits.keeper_times if account in self._keepers else 1

    def _one(self, query: str, *values: object) -> sqlite3.Row | None:
        found = self._table.execute(query, values).fetchall()
        return found[0] if found else None


def _hash(account: str, address: str) -> str:
    return hashlib.sha256(f"{account}\0{address.lower()}".encode()).hexdigest()[:16]
