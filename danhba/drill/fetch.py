"""First step of a drill: restic restores the sample. It may read every repository, and looks at
nothing of what it restores."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .config import Config
from .restic import Repository, ResticError, Snapshot
from .sample import choose
from .troubles import Trouble, seen

MAIL = "/srv/mail"
INDEXES = "/var/lib/danhba-backup/mail"
LDIF = "/var/lib/danhba-backup/host/people.ldif"
COUNTS = "/var/lib/danhba-backup/accounts.json"
KEYS = "/var/lib/danhba-signing"
LEARNED = "/var/lib/valkey/dump.rdb"
"""Where a snapshot has what (docs/backup.md)."""
_CHANGED, _ALL, _HOST = "mail", "mail-all", "host"
"""Tags of snapshots."""


@dataclass
class Fetch:
    """What becomes the sample. repositories: by host. tree: where it is restored to, a directory a
    host."""

    config: Config
    repositories: Mapping[str, Repository]
    tree: Path
    troubles: list[Trouble] = field(default_factory=list)
    bytes: int = 0

    def run(self, count: int, seed: int | None) -> dict[str, Any]:
        """The sample as JSON, for the next steps."""
        seed = random.SystemRandom().randrange(10**9) if seed is None else seed
        begun = time.monotonic()
        mailboxes = self._mailboxes(count, seed)
        dice = random.Random(seed)
        people = self._host(dice.choice(self.config.people), {"ldif": LDIF})
        edge = self._host(dice.choice(self.config.edges), {"keys": KEYS, "learned": LEARNED})
        if edge:
            edge["dumped"] = self._dumped(edge["host"])
        return {
            "seed": seed,
            "mailboxes": mailboxes,
            "people": people,
            "edge": edge,
            "bytes": self.bytes,
            "seconds": time.monotonic() - begun,
            "troubles": [trouble.json() for trouble in self.troubles],
        }

    def _mailboxes(self, count: int, seed: int) -> list[dict[str, Any]]:
        """Of each mailbox the newest snapshot: of the hour in which it changed, or of the day."""
        held: dict[str, dict[str, Snapshot]] = {}
        counts: dict[str, dict[str, int]] = {}
        for store in self.config.stores:
            try:
                held[store], counts[store] = self._held(store), self._counts(store)
            except ResticError as error:
                self._trouble("unreadable", store, error)
                continue
            if not held[store] and not self._is_new(store):
                self.troubles.append(Trouble("no-backup", store))
        some = {store: _with_mail(own, counts[store]) for store, own in held.items()}
        chosen = choose({store: tuple(own) for store, own in held.items()}, some, count, seed)
        return [
            {**row, "noted": counts[store].get(row["account"], 0) if row["tag"] == _ALL else 0}
            for store, own in chosen.items()
            for row in self._restored(store, held[store], own)
        ]

    def _counts(self, store: str) -> dict[str, int]:
        """Account to messages, as the store has noted them with its last backup of all. What is no
        such note is none: it says what to draw first, and proves nothing."""
        own = [each for each in self.repositories[store].snapshots if each.tag == _ALL]
        try:
            noted = json.loads(self.repositories[store].dump(own[-1], COUNTS)) if own else {}
            return {str(account): int(count) for account, count in noted.items()}
        except (ValueError, TypeError, AttributeError):
            return {}

    def _is_new(self, store: str) -> bool:
        """Did a backup of all find no mailbox, and no earlier one any?"""
        own = [each for each in self.repositories[store].snapshots if each.tag == _ALL]
        return bool(own) and not any(
            path.startswith(f"{MAIL}/") for each in own for path in each.paths
        )

    def _dumped(self, edge: str) -> bool:
        """Should there be what it has learned? valkey writes it after some time, and from then on
        it is in every backup."""
        if (self.tree / edge / LEARNED[1:]).exists():
            return True
        try:
            return self.repositories[edge].ever_had(LEARNED)
        except ResticError as error:
            self._trouble("unreadable", edge, error)
            return True

    def _held(self, store: str) -> dict[str, Snapshot]:
        """Account to snapshot, of all that are not older than the last backup of all: a mailbox
        that lost a message while restic went through it is in a second one right after."""
        found: dict[str, Snapshot] = {}
        for snapshot in self.repositories[store].snapshots:
            if snapshot.tag in (_ALL, _CHANGED):
                accounts = (path.removeprefix(f"{MAIL}/") for path in snapshot.paths)
                own = dict.fromkeys((name for name in accounts if "/" not in name), snapshot)
                found = own if snapshot.tag == _ALL else found | own
        return found

    def _restored(
        self, store: str, held: Mapping[str, Snapshot], accounts: tuple[str, ...]
    ) -> list[dict[str, Any]]:
        """One restore a snapshot, however many mailboxes it is for."""
        rows: list[dict[str, Any]] = []
        for snapshot in dict.fromkeys(held[account] for account in accounts):
            own = [account for account in accounts if held[account] == snapshot]
            paths = [f"{top}/{account}" for account in own for top in (MAIL, INDEXES)]
            if self._restore(store, snapshot, paths):
                rows += [{"account": account, **_from(store, snapshot)} for account in own]
        return rows

    def _host(self, host: str, paths: dict[str, str]) -> dict[str, Any] | None:
        """What a host alone has, from its daily snapshot."""
        try:
            own = [each for each in self.repositories[host].snapshots if each.tag == _HOST]
        except ResticError as error:
            self._trouble("unreadable", host, error)
            return None
        if not own:
            self.troubles.append(Trouble("no-backup", host))
            return None
        if not self._restore(host, own[-1], list(paths.values())):
            return None
        return {**_from(host, own[-1]), **paths}

    def _restore(self, host: str, snapshot: Snapshot, paths: list[str]) -> bool:
        target = self.tree / host
        try:
            done = self.repositories[host].restore(snapshot, paths, target)
        except ResticError as error:
            self._trouble("unreadable", host, error)
            return False
        self.bytes += int(done.get("bytes_restored", 0))
        return True

    def _trouble(self, kind: str, host: str, error: ResticError) -> None:
        self.troubles.append(Trouble(kind, host, seen(str(error))[:500]))


def _with_mail(held: Mapping[str, Snapshot], counts: Mapping[str, int]) -> Set[str]:
    """Accounts that had mail at the last backup of all, or have changed since."""
    return {name for name, found in held.items() if found.tag == _CHANGED or counts.get(name)}


def _from(host: str, snapshot: Snapshot) -> dict[str, Any]:
    return {"host": host, "snapshot": snapshot.number, "tag": snapshot.tag, "taken": snapshot.taken}


def clear(folder: Path) -> None:
    """Whatever a drill left, also one that was cut off."""
    for each in folder.iterdir() if folder.is_dir() else ():
        if each.is_dir() and not each.is_symlink():
            _open_up(each)
            shutil.rmtree(each)
        else:
            each.unlink()


def _open_up(folder: Path) -> None:
    """A directory comes with the mode that it had elsewhere."""
    folder.chmod(0o700)
    for top, folders, _ in os.walk(folder):
        for each in (Path(top) / name for name in folders):
            if not each.is_symlink():
                each.chmod(0o700)
