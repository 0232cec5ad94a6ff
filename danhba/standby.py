"""Keeps the standby copies of a store's mailboxes. Runs on the store; standard library only.

    standby.py CONFIG run          for ever: what changed is synchronised within seconds
    standby.py CONFIG all          every mailbox, by a full comparison (the nightly timer)
    standby.py CONFIG sync STORE   the accounts on standard input, by a full comparison
    standby.py CONFIG end          sessions in the accounts on standard input
    standby.py CONFIG queued       those of the accounts on standard input that mail is queued for
    standby.py CONFIG health       what an engineer must look at, a line each
    standby.py CONFIG check        can CONFIG and its table be read?

CONFIG is JSON: host, domain, stores (name to fqdn), ways (name to the near end of a tunnel), port,
table, mail, state.

Which mailboxes changed is seen by the times of a few files, not told by Dovecot: an event can get
lost with its process, a time cannot, and what was seen last is kept over a restart. Looking at
30,000 mailboxes takes half a second (benchmarks/standby.py).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WATCHED = (
    "mail/dovecot.list.index.log",
    "mail/mailboxes/INBOX/dbox-Mails/dovecot.index.log",
    "mail/subscriptions",
    "sieve",
    ".dovecot.sieve",
)
"""Every change of a mailbox is one of these: the list's log knows all folders but INBOX."""

PAUSE = 2.0
"""Seconds between two looks at least; and looking takes at most a twentieth of the time."""
RETRY = (5.0, 60.0)
"""Seconds until a standby that did not answer, or a mailbox that failed, is tried again: the first
time, and at most."""
BATCH = 50
"""Mailboxes that one doveadm does: it starts in the time of one of them."""
AT_ONCE = 2
LATE = 120.0
"""Seconds by which a copy may lag before somebody has to look."""
SILENT = 1800.0
"""Seconds without a word of the daemon: only a large mailbox that is new takes it that long."""
SHOWN = 5
"""Mailboxes named in one line."""
NIGHTS = 36 * 3600.0
"""Seconds within which the last full comparison must have ended well."""


@dataclass(frozen=True)
class Config:
    """See CONFIG above. ways: ADDRESS:PORT; mail, state: folders."""

    host: str
    domain: str
    stores: Mapping[str, str]
    ways: Mapping[str, str]
    port: int
    table: str
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


def signature(home: str) -> str:
    """Changes with every change of the mailbox; "" when there is none yet."""
    times = [_changed(f"{home}/{name}") for name in WATCHED]
    return " ".join(map(str, times)) if any(times) else ""


def _changed(path: str) -> int:
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return 0


class Memory:
    """What was synchronised, and when: on disk, so that a restart forgets nothing."""

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

    def note(self, name: str, value: object) -> None:
        row = (name, json.dumps(value))
        self.base.execute("insert or replace into notes values (?, ?)", row)

    def noted(self, name: str) -> Any:
        row = self.base.execute("select value from notes where name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None


@dataclass(frozen=True)
class Failed:
    """Accounts that could not be synchronised, and doveadm's last word on it."""

    accounts: Sequence[str]
    why: str


def reachable(config: Config, store: str) -> str:
    """ "" when the store's port answers, else why not: told once, not once a mailbox."""
    try:
        socket.create_connection((config.stores[store], config.port), timeout=5).close()
    except OSError as error:
        return str(error)
    return ""


def sync(config: Config, store: str, accounts: Sequence[str], full: bool) -> list[Failed]:
    """Synchronise mailboxes with another store, both ways. What fails in a batch is done alone.

    full: compare all messages: without it doveadm misses that both sides got different mail
    under one UID (measured: status 0, never merged).
    """
    if not accounts:
        return []
    with _alone(config, accounts):
        why = _doveadm(config, store, accounts, full)
    if not why:
        return []
    if len(accounts) == 1:
        return [Failed(accounts, why)]
    if down := reachable(config, store):
        return [Failed(accounts, down)]
    return [each for one in accounts for each in sync(config, store, [one], full)]


@contextlib.contextmanager
def _alone(config: Config, accounts: Iterable[str]) -> Iterator[None]:
    """Of daemon, nightly run and who moves mailboxes one has a mailbox at a time: two doveadm wait
    for each other's answer for ten minutes (seen with every second pair).

    An account is a byte of a file, locked until the file is closed; all take them in one order.
    """
    places = sorted(
        int.from_bytes(hashlib.blake2b(account.encode(), digest_size=6).digest(), "big")
        for account in accounts
    )
    with Path(config.state, "turns").open("ab") as turns:
        for place in places:
            lock = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0)  # struct flock
            fcntl.fcntl(turns, fcntl.F_OFD_SETLKW, lock)
        yield


def _doveadm(config: Config, store: str, accounts: Sequence[str], full: bool) -> str:
    """What went wrong first, "" when nothing did. A large mailbox takes its time when it
    is copied for the first time."""
    with tempfile.NamedTemporaryFile("w", prefix="danhba-standby.") as users:
        users.writelines(f"{account}@{config.domain}\n" for account in accounts)
        users.flush()
        argv = [
            "doveadm", "sync", *(["-f"] if full else []), "-l", "60", "-T", "60", "-F", users.name,
            f"tcp:{config.ways[store]}",
        ]  # fmt: skip
        try:
            done = subprocess.run(
                argv, capture_output=True, text=True, check=False, timeout=600 + 60 * len(accounts)
            )
        except subprocess.TimeoutExpired:
            return "doveadm sync does not end"
    said = (done.stderr or done.stdout).strip().splitlines()
    return (said[0] if said else f"exit status {done.returncode}") if done.returncode else ""


@dataclass
class Backoff:
    """When something that failed may be tried again: later each time."""

    wait: float = 0.0
    until: float = 0.0

    def failed(self, now: float) -> None:
        self.wait = min(max(RETRY[0], 2 * self.wait), RETRY[1])
        self.until = now + self.wait


@dataclass
class Daemon:
    """The loop. behind: (account, store) to since when its copy is not what it should be."""

    config: Config
    memory: Memory
    seen: dict[tuple[str, str], str] = field(default_factory=dict)
    behind: dict[tuple[str, str], float] = field(default_factory=dict)
    stuck: dict[str, Backoff] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    answering: set[str] = field(default_factory=set)

    def run(self) -> None:
        self.seen = self.memory.seen()
        while True:
            began = time.monotonic()
            due = self.look(time.time())
            looked = time.monotonic() - began
            self.round(due)
            time.sleep(max(PAUSE, 19 * looked))

    def look(self, now: float) -> dict[tuple[str, str], str]:
        """What has changed and may be tried now: (account, store) to signature."""
        due = {}
        wanted = set()
        for account, store in self.config.standbys().items():
            key = (account, store)
            wanted.add(key)
            found = signature(f"{self.config.mail}/{account}")
            if not found or self.seen.get(key) == found:
                self.behind.pop(key, None)
                continue
            self.behind.setdefault(key, now)
            if all(self.stuck.get(name, Backoff()).until <= now for name in (store, account)):
                due[key] = found
        self.behind = {key: since for key, since in self.behind.items() if key in wanted}
        return due

    def round(self, due: Mapping[tuple[str, str], str]) -> None:
        """Synchronise what is due. A standby that does not answer is asked once."""
        self._tell()
        down = set()
        for store in {store for _, store in due} - self.answering:
            if why := reachable(self.config, store):
                self._failed(store, why)
                down.add(store)
        batches = [batch for batch in _batches(due) if batch[0] not in down]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            work = pool.map(lambda batch: sync(self.config, batch[0], batch[1], False), batches)
            for (store, accounts), failed in zip(batches, work, strict=True):
                self._settle(store, {each: due[each, store] for each in accounts}, failed)
                self._tell()
        if down:
            self._tell()

    def _settle(self, store: str, seen: Mapping[str, str], failed: Iterable[Failed]) -> None:
        """Remember what went well. The signatures are those from before: a change during the
        synchronisation, its own included, is looked at once more."""
        why = {account: each.why for each in failed for account in each.accounts}
        for account, reason in why.items():
            self._failed(account, reason)
        done = {account: found for account, found in seen.items() if account not in why}
        for account, found in done.items():
            self._went_well(account)
            self.behind.pop((account, store), None)
            self.seen[account, store] = found
        if done:
            self._went_well(store)
            self.answering.add(store)
        elif why:
            self.answering.discard(store)
        self.memory.remember(store, done)

    def _failed(self, name: str, why: str) -> None:
        """A store or an account, which waits longer each time."""
        self.stuck.setdefault(name, Backoff()).failed(time.time())
        self.failures[name] = why
        print(f"{name}: {why}", file=sys.stderr, flush=True)

    def _went_well(self, name: str) -> None:
        self.stuck.pop(name, None)
        self.failures.pop(name, None)

    def _tell(self) -> None:
        """For health and for who waits until all is copied."""
        oldest = min(self.behind.items(), key=lambda item: item[1], default=None)
        self.memory.note("lag", {
            "at": time.time(),
            "behind": len(self.behind),
            "oldest": oldest and {"account": oldest[0][0], "store": oldest[0][1],
                                  "since": oldest[1]},
            "why": dict(list(self.failures.items())[:5]),
        })  # fmt: skip


def _batches(due: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    of_store: dict[str, list[str]] = {}
    for account, store in due:
        of_store.setdefault(store, []).append(account)
    for store, accounts in of_store.items():
        # few are spread over the workers too
        size = max(1, min(BATCH, -(-len(accounts) // AT_ONCE)))
        for at in range(0, len(accounts), size):
            yield store, accounts[at : at + size]


def sync_all(config: Config, memory: Memory) -> list[Failed]:
    """Every mailbox that has its standby elsewhere, by a full comparison."""
    failed = []
    pairs = [
        (account, store)
        for account, store in sorted(config.standbys().items())
        if signature(f"{config.mail}/{account}")
    ]
    for store, accounts in _batches(pairs):
        failed += sync(config, store, accounts, True)
    count = sum(len(each.accounts) for each in failed)
    why = failed[0].why if failed else ""
    memory.note("full", {"at": time.time(), "failed": count, "of": len(pairs), "why": why})
    return failed


def end_sessions(config: Config, accounts: Iterable[str]) -> None:
    """Whoever is logged in here connects again, to where his mailbox is by now."""
    who = _output(["doveadm", "-f", "tab", "who"]).splitlines()[1:]
    users = {row.split("\t")[0] for row in who}
    for user in users.intersection(f"{account}@{config.domain}" for account in accounts):
        subprocess.run(["doveadm", "kick", user], capture_output=True, check=False)


def queued(accounts: Iterable[str]) -> list[str]:
    """Accounts that this store's Postfix still has mail for."""
    rows = [json.loads(row) for row in _output(["postqueue", "-j"]).splitlines()]
    to = {each["address"].partition("@")[0].lower() for row in rows for each in row["recipients"]}
    return sorted(to.intersection(accounts))


def _output(argv: Sequence[str]) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def health(config: Config, memory: Memory, now: float) -> Iterator[str]:
    """What an engineer must look at, and what to do."""
    if stale := left_behind(config):
        more = ", ..." if len(stale) > SHOWN else ""
        yield (
            f"{len(stale)} mailboxes in {config.mail} are not this store's any more "
            f"({', '.join(stale[:SHOWN])}{more}): see docs/stores.md, Copies that stay behind"
        )
    if config.standbys():
        yield from _copies(memory, now)


def left_behind(config: Config) -> list[str]:
    """Mailboxes on the disk that no table of this store names: nobody keeps them up to date, and no
    retention removes them."""
    known = {account for account, _, _ in config.places()}
    with contextlib.suppress(FileNotFoundError):
        strangers = {name for name in os.listdir(config.mail) if name[0] != "."} - known
        return sorted(name for name in strangers if signature(f"{config.mail}/{name}"))
    return []


def _copies(memory: Memory, now: float) -> Iterator[str]:
    lag = memory.noted("lag")
    journal = "journalctl -u danhba-standby.service"
    if lag is None or now - lag["at"] > SILENT:
        yield f"standby copies are not kept: systemctl status danhba-standby.service, {journal}"
    elif lag["oldest"] and now - lag["oldest"]["since"] > LATE:
        oldest = lag["oldest"]
        late = int(now - oldest["since"])
        why = "; ".join(sorted(set(lag["why"].values()))) or "too much changes at once"
        yield (
            f"{lag['behind']} standby copies lag, {oldest['account']} on {oldest['store']} by "
            f"{late} s ({why}): see that {oldest['store']} runs, then {journal}"
        )
    full = memory.noted("full")
    again = "systemctl start danhba-standby-all.service"
    if full and full["failed"]:
        count = f"{full['failed']} of {full['of']}"
        yield f"{count} mailboxes failed in the full comparison ({full['why']}): {again}"
    elif full and now - full["at"] > NIGHTS:
        yield f"the last full comparison ended {int(now - full['at']) // 3600} hours ago: {again}"


def main(argv: Sequence[str]) -> int:
    config = Config.read(argv[1])
    if argv[2:] == ["check"]:  # of a generation that is not live: it leaves no trace
        config.standbys()
        return 0
    memory = Memory(config.state)
    match argv[2:]:
        case ["run"]:
            Daemon(config, memory).run()
        case ["all"]:
            return _report(sync_all(config, memory))
        case ["sync", store]:
            # Those without mail here too: the other side may have got their first.
            accounts = sys.stdin.read().split()
            batches = [accounts[at : at + BATCH] for at in range(0, len(accounts), BATCH)]
            with ThreadPoolExecutor(AT_ONCE) as pool:
                work = pool.map(lambda batch: sync(config, store, batch, True), batches)
                return _report([each for found in work for each in found])
        case ["end"]:
            end_sessions(config, sys.stdin.read().split())
        case ["queued"]:
            print(*queued(sys.stdin.read().split()), sep="\n")
        case ["health"]:
            with contextlib.suppress(BrokenPipeError):
                print(*health(config, memory, time.time()), sep="\n")
    return 0


def _report(failed: Iterable[Failed]) -> int:
    """Accounts that failed on standard output, reasons on standard error."""
    for each in failed:
        print(*each.accounts, sep="\n")
        print(f"{', '.join(each.accounts[:5])}: {each.why}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
