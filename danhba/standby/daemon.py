"""The loop: what changed is synchronised within seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .config import Config
from .copying import AT_ONCE, Failed, batches, reachable, sync
from .mailboxes import signature
from .memory import Memory

PAUSE = 2.0
"""Seconds between two looks at least; and looking takes at most a twentieth of the time."""
RETRY = (5.0, 60.0)
"""Seconds until a standby that did not answer, or a mailbox that failed, is tried again: the first
time, and at most."""


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
        wanted = set(self.config.standbys().items())
        self._forget_but(wanted)
        for key in sorted(wanted):
            account, store = key
            found = signature(f"{self.config.mail}/{account}")
            if not found or self.seen.get(key) == found:
                self.behind.pop(key, None)
                continue
            self.behind.setdefault(key, now)
            if all(self.stuck.get(name, Backoff()).until <= now for name in (store, account)):
                due[key] = found
        return due

    def _forget_but(self, wanted: Collection[tuple[str, str]]) -> None:
        """A store that has no copy from here any more, because it is failed over, say, may come
        back with an empty disk: nothing that is known of it may hold then."""
        if left := self.seen.keys() - wanted:
            self.memory.forget(left)
        self.seen = {key: found for key, found in self.seen.items() if key in wanted}
        self.behind = {key: since for key, since in self.behind.items() if key in wanted}
        names = {name for key in wanted for name in key}
        self.stuck = {name: wait for name, wait in self.stuck.items() if name in names}
        self.failures = {name: why for name, why in self.failures.items() if name in names}

    def round(self, due: Mapping[tuple[str, str], str]) -> None:
        """Synchronise what is due. A standby that does not answer is asked once."""
        self._tell()
        down = set()
        for store in {store for _, store in due} - self.answering:
            if why := reachable(self.config, store):
                self._failed(store, why)
                down.add(store)
        work = [batch for batch in batches(due) if batch[0] not in down]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            done = pool.map(lambda batch: sync(self.config, batch[0], batch[1], False), work)
            for (store, accounts), failed in zip(work, done, strict=True):
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
