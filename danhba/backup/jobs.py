"""What the vault does with what it has: forgets by policy, copies to the second place, and checks.

Hosts can add and nothing else, so all of it is done here, and one after the other.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import archive
from .ages import DAY
from .compare import compare, part_of
from .config import VaultConfig
from .host import TAG as HOST
from .mail import ALL, CHANGED
from .restic import Failed, Missing, Repository, taken
from .vault import ARCHIVE, Vault

_MANY = 500
"""Snapshots that are forgotten by one command."""
_HAD = f"{ARCHIVE}.had"
"""The vault's note of what the second place was last given of the archive."""
PARTS = 10
"""A check reads one of so many parts of the data, another one each week: none is left out."""


@dataclass(frozen=True)
class Jobs:
    """Of one vault."""

    vault: Vault

    @property
    def config(self) -> VaultConfig:
        return self.vault.config

    @contextlib.contextmanager
    def turn(self, name: str = "turn") -> Iterator[None]:
        """One of them at a time: prune, copy, verify; and of those that copy the archive."""
        with (self.vault.state / name).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def prune(self) -> dict[str, str]:
        """Forget by policy, and remove what nobody needs: host to what went wrong."""
        return self._each(self._prune)

    def _prune(self, host: str) -> None:
        if doubts := list(self.vault.doubts(host)):
            raise Failed(f"nothing is forgotten: {doubts[0]}")
        repository = self.vault.repository(host)
        self._forget(repository, self.config.hosts[host])
        _alone(repository, "prune")

    def _forget(self, repository: Repository, mail: bool = True) -> bool:
        """Of hourly ones all of the days; of daily ones the last of each day, week and month. Both
        count from the last snapshot: who sends none loses none. Was there any?"""
        keep = self.config.keep
        daily = (
            "--keep-daily", str(keep["days"]), "--keep-weekly", str(keep["weeks"]),
            "--keep-monthly", str(keep["months"]),
        )  # fmt: skip
        kinds: dict[str, Sequence[str]] = {HOST: daily}
        if mail:
            kinds = {CHANGED: ("--keep-within", f"{keep['days']}d"), ALL: daily, **kinds}
        forgotten = [self._forget_of(repository, tag, *how) for tag, how in kinds.items()]
        return any(forgotten)

    def _forget_of(self, repository: Repository, tag: str, *keep: str) -> bool:
        """restic says what it would forget: what is held it does not know, and to tag a snapshot
        would make another one of it, of today."""
        words = ("forget", "--group-by", "host,tags", "--tag", tag, *keep)
        groups = json.loads(repository.must(*words, "--dry-run", "--json") or "[]") or ()
        gone = [row for group in groups for row in group["remove"] or ()]
        ids = [row["id"] for row in gone if self._held.isdisjoint(row["paths"])]
        for at in range(0, len(ids), _MANY):
            _alone(repository, "forget", *ids[at : at + _MANY])
        return bool(ids)

    @property
    def _held(self) -> set[str]:
        return {f"{self.config.mail}/{account}" for account in self.config.held}

    def copy(self) -> dict[str, str]:
        """To the second place: host to what went wrong. What is forgotten here is forgotten there,
        never on a host's own word."""
        return self._each(self._copy)

    def _copy(self, host: str) -> None:
        here, there = f"{self.config.place}/{host}", self.vault.second(host)
        try:
            _alone(there, "copy", "--from-repo", here)
        except Missing:
            there.must("init", "--from-repo", here, "--copy-chunker-params")
            there.must("copy", "--from-repo", here)
        if not list(self.vault.doubts(host)):
            self._forget_there(host, there)
        if host == self.config.own and self.config.archive:
            with self.turn(f"turn-{ARCHIVE}"):
                days = f"{self.config.keep['days']}d"
                _alone(self._copy_archive(), "forget", "--tag", ARCHIVE, "--keep-within", days,
                       "--prune")  # fmt: skip

    def _forget_there(self, host: str, there: Repository) -> None:
        """To prune costs more than to look: only when something was forgotten, or when that was cut
        off before."""
        mark = self.vault.state / f"{host}.unpruned"
        due = mark.exists()
        mark.touch()
        if self._forget(there, self.config.hosts[host]) or due:
            _alone(there, "prune")
        mark.unlink()

    def archive(self) -> dict[str, str]:
        """What has come into the archive, to the second place: the vault's name to what went
        wrong."""
        try:
            with self.turn(f"turn-{ARCHIVE}"):
                self._copy_archive()
        except (Failed, OSError) as error:
            return {self.config.own: str(error)}
        return {}

    def _copy_archive(self) -> Repository:
        """What messages say is on the vault alone: from there straight to the second place. Chains
        are read before what they prove (by name), so nothing that one tells of is missing. What
        went by a rule or a paper is gone there after so many days as well; what went without one
        stays there. Raises Failed, OSError."""
        there, root = self.vault.second(self.config.own, ARCHIVE), Path(self.config.archive)
        lost, now = archive.lacking(root, self._had_archive(there)), archive.files(root)
        words = (self.config.own, ARCHIVE, [str(root)], [f"{root}/{archive.APART}"])
        try:
            saved = there.backup(*words)
        except Missing:
            there.must("init")
            saved = there.backup(*words)
        if saved.unread:
            raise Failed(f"cannot read {saved.unread[0]}")
        if lost:
            raise Failed(f"nothing of the archive is forgotten there: {len(lost)} of its files are "
                         f"not whole on the disk, {lost[0]} for one, and no rule has let them go: "
                         "see docs/backup.md, Doubts")  # fmt: skip
        self.vault.keep(_HAD, now)
        return there

    def _had_archive(self, there: Repository) -> dict[str, int]:
        """What the second place was last given whole. Raises Failed."""
        noted: dict[str, int] | None = self.vault.kept(_HAD)
        if noted is not None:
            return noted
        rows = there.snapshots(ARCHIVE) if there.exists() else []
        if not rows:
            return {}
        newest = max(rows, key=taken)
        said = there.must("ls", newest["id"], "--json").splitlines()
        had = archive.listed(Path(self.config.archive), map(json.loads, said))
        self.vault.keep(_HAD, had)  # the next snapshot may be the one that lacks something
        return had

    def accept_archive(self) -> None:
        """What is on the disk is all there is to be: an engineer has looked."""
        self.vault.keep(_HAD, {})

    def verify(self, whole: bool = False) -> dict[str, str]:
        """Host to what is damaged, or is not as it was listed. whole: all data is read, and all
        mailboxes are compared."""
        part = _part()
        read = "--read-data" if whole else f"--read-data-subset={part}/{PARTS}"

        def work(host: str) -> None:
            _alone(self.vault.repository(host), "check", read)
            compare(self.vault, host, lambda each: whole or part_of(each, PARTS) == part)

        return self._each(work)

    def verify_second(self) -> dict[str, str]:
        """The same of what the second place has. Those who remove something there wait for their
        turn as well, so it needs no lock, and nobody who adds waits for its end."""
        words = ("check", "--no-lock", f"--read-data-subset={_part()}/{PARTS}")
        return self._each(lambda host: self._verify_second(host, *words))

    def _verify_second(self, host: str, *words: str) -> None:
        self.vault.second(host).must(*words)
        if host == self.config.own and self.config.archive:
            self.vault.second(host, ARCHIVE).must(*words)

    def _each(self, work: Callable[[str], None]) -> dict[str, str]:
        failed = {}
        with self.turn():
            for host in self.config.hosts:
                try:
                    work(host)
                except (Failed, OSError) as error:
                    failed[host] = str(error)
        return failed

    def note(self, what: str, failed: Mapping[str, str]) -> None:
        """How a job went: when it was last good for each host, and why it was not since."""
        notes = self.noted(what)
        for host in self.config.hosts:
            before = notes.get(host, {"at": None})
            at = before["at"] if host in failed else time.time()
            notes[host] = {"at": at, "why": failed.get(host, "")}
        self.vault.keep(f"{what}.notes", notes)

    def noted(self, what: str) -> dict[str, Any]:
        """What was noted of a job: host to "at" and "why"."""
        found: dict[str, Any] = self.vault.kept(f"{what}.notes") or {}
        return found


def _part() -> int:
    """Of this week, from 1."""
    return int(time.time() // (7 * DAY)) % PARTS + 1


def _alone(repository: Repository, *words: str) -> None:
    """What needs the repository for itself, or is kept out by who does. Who was killed has left a
    lock, which counts as left after half an hour; those who work renew theirs. So long restic waits
    (LOCKED), and then it is time to look again: before, only where to look costs nothing. Raises
    Failed."""
    if any(Path(repository.place, "locks").glob("*")):
        repository.must("unlock")
    try:
        repository.must(*words)
    except Failed as failed:
        if "locked" not in str(failed):
            raise
        repository.must("unlock")
        repository.must(*words)
