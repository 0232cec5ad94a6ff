"""The vault's side: repositories, what is in them, and what becomes of old snapshots.

Hosts can add and nothing else (rest-server, append-only). Whoever has stolen one can still add
snapshots, and so could a clock that is wrong: by their days they would drive good ones out. So a
snapshot is believed when its time is that of its file, which the vault has made, and its host's old
ones are forgotten only when all are.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from . import archive
from .ages import DAY, HOUR
from .compare import Comparison, part_of
from .config import VaultConfig
from .host import TAG as HOST
from .mail import ALL, CHANGED
from .restic import Failed, Missing, Repository

BEHIND = 3 * DAY
"""So much older than the newest hourly snapshot may the last one of all mailboxes be."""
APART = DAY
"""Seconds by which a snapshot's time and its arrival may differ."""
SHRUNK = 0.5
"""A backup of all with less than this share of the files before it is looked at by somebody."""
ARCHIVE = "archive"
"""Tag, and name of the repository, in the second place."""
HANDED = "${CREDENTIALS_DIRECTORY}"
"""Where jobs find the key of the second place, in the words for ssh."""
_MANY = 500
"""Snapshots that are forgotten by one command."""
PARTS = 10
"""A check reads one of so many parts of the data, another one each week: none is left out."""


@dataclass(frozen=True)
class Snapshot:
    """time, arrived: seconds since the epoch. accounts: whose mail is in it."""

    id: str
    host: str
    tag: str
    time: float
    arrived: float
    files: int
    accounts: Sequence[str]

    @property
    def believed(self) -> bool:
        return abs(self.time - self.arrived) <= APART


class Vault:
    """secrets: password of each host's repository."""

    def __init__(self, config: VaultConfig, secrets: Mapping[str, str]) -> None:
        self.config = config
        self.secrets = secrets
        self.state = Path(config.state)

    # Repositories

    def repository(self, host: str) -> Repository:
        return Repository(
            f"{self.config.place}/{host}",
            {"RESTIC_PASSWORD": self.secrets[host]},
            ("--cache-dir", f"{self.config.state}/cache"),
        )

    def reading(self, host: str) -> Repository:
        """The same without a lock: who asks does not wait until a prune has ended."""
        found = self.repository(host)
        return replace(found, words=(*found.words, "--no-lock"))

    def second(self, host: str, name: str = "") -> Repository:
        """The copy elsewhere, by the same password. name: of another repository than the host's."""
        password = self.secrets[host]
        sftp = self.config.sftp.replace(HANDED, os.environ.get("CREDENTIALS_DIRECTORY", ""))
        options = ["--option", f"sftp.args={sftp}"] if sftp else []
        return Repository(
            f"{self.config.second}/{name or host}",
            {"RESTIC_PASSWORD": password, "RESTIC_FROM_PASSWORD": password},
            ("--cache-dir", f"{self.config.state}/cache", *options),
        )

    def make(self) -> None:
        """The repositories that are missing. Raises Failed: a disk that is not mounted must not
        get new ones."""
        if lost := self.lost():
            raise Failed(f"the repositories of {', '.join(lost)} were here and are not on the disk:"
                         " see docs/backup.md, Refused")  # fmt: skip
        for host in self.config.hosts:
            if not self._is_here(host):
                self.repository(host).must("init")
        new = self._made.with_suffix(".new")
        new.write_text(json.dumps([*self.config.hosts]))
        new.replace(self._made)

    def lost(self) -> list[str]:
        """Hosts whose repositories have been here before, and are not on the disk."""
        with contextlib.suppress(OSError, ValueError):
            made = {*json.loads(self._made.read_text())}
            return [host for host in self.config.hosts if host in made and not self._is_here(host)]
        return []

    def _is_here(self, host: str) -> bool:
        return Path(self.config.place, host, "config").exists()

    @property
    def _made(self) -> Path:
        """On another disk than the repositories; a blank machine has not got it."""
        return self.state / "made.json"

    @contextlib.contextmanager
    def turn(self, name: str = "turn") -> Iterator[None]:
        """One of them at a time: prune, copy, verify; and of those that copy the archive."""
        with (self.state / name).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # Snapshots

    def snapshots(self, host: str) -> list[Snapshot]:
        """By time. restic is asked only when one has come. Raises Failed, OSError."""
        folder, memory = Path(self.config.place, host, "snapshots"), self.state / f"{host}.json"
        arrived = {entry.name: entry.stat().st_mtime for entry in os.scandir(folder)}
        try:
            known = {row["id"]: Snapshot(**row) for row in json.loads(memory.read_text())}
        except (OSError, ValueError):
            known = {}
        if not arrived.keys() <= known.keys():
            rows = self.reading(host).snapshots()
            known = {row["id"]: self._snapshot(host, row, arrived) for row in rows}
            new = memory.with_suffix(".new")
            new.write_text(json.dumps([asdict(each) for each in known.values()]))
            new.replace(memory)
        return sorted((each for id, each in known.items() if id in arrived),
                      key=lambda each: each.time)  # fmt: skip

    def _snapshot(
        self, host: str, row: Mapping[str, Any], arrived: Mapping[str, float]
    ) -> Snapshot:
        begin = f"{self.config.mail}/"
        return Snapshot(
            id=row["id"],
            host=host,
            tag=(row.get("tags") or [""])[0],
            time=datetime.fromisoformat(row["time"]).timestamp(),
            arrived=arrived.get(row["id"], time.time()),
            files=row.get("summary", {}).get("total_files_processed", 0),
            accounts=[path.removeprefix(begin) for path in row["paths"] if path.startswith(begin)],
        )

    def accepted(self, host: str) -> set[str]:
        """Snapshots that an engineer has looked at."""
        with contextlib.suppress(OSError):
            return {*json.loads((self.state / f"{host}.accepted").read_text())}
        return set()

    def accept(self, host: str) -> None:
        """Raises Failed."""
        if host == ARCHIVE:  # what is on the disk is all there is to be
            self._note_archive({})
            return
        ids = [each.id for each in self.snapshots(host)]
        (self.state / f"{host}.accepted").write_text(json.dumps(ids))

    def doubts(self, host: str) -> Iterator[str]:
        """Why nothing of a host is forgotten; nothing when all is well. Raises Failed."""
        accepted = self.accepted(host)
        found = self.snapshots(host)
        new = [each for each in found if each.id not in accepted]
        for each in [each for each in new if not each.believed][:1]:
            says, came = (_when(each.time), _when(each.arrived))
            yield f"snapshot {each.id[:8]} says that it is of {says}, and came on {came}"
        for tag in (ALL, HOST):
            row = _since_accepted([each for each in found if each.tag == tag], accepted)
            most = max((each.files for each in row), default=0)
            if row and row[-1].files < SHRUNK * most:
                yield f"the last one of {tag} has {row[-1].files} files, one before had {most}"
        yield from _behind(found)

    def find(self, accounts: Sequence[str], at: float) -> dict[str, Snapshot]:
        """Account to the newest snapshot until then that has its mail, whichever store it was on.
        Of hosts with mail, and of those that are believed or were looked at: whoever has stolen a
        host can write any path and any time into what he adds. Raises Failed."""
        found: dict[str, Snapshot] = {}
        for host in [host for host, mail in self.config.hosts.items() if mail]:
            for each in self.good(host):
                if each.time <= at:
                    for account in {*accounts}.intersection(each.accounts):
                        if account not in found or found[account].time <= each.time:
                            found[account] = each
        return found

    def good(self, host: str) -> list[Snapshot]:
        """Those that are believed, or that an engineer has looked at. Raises Failed."""
        accepted = self.accepted(host)
        return [each for each in self.snapshots(host) if each.believed or each.id in accepted]

    def newest(self, host: str, tag: str, at: float) -> Snapshot | None:
        """The newest snapshot of a tag until then. Raises Failed."""
        found = [each for each in self.snapshots(host) if each.tag == tag and each.time <= at]
        return found[-1] if found else None

    # What is done with them

    def prune(self) -> dict[str, str]:
        """Forget by policy, and remove what nobody needs: host to what went wrong."""
        return self._each(self._prune)

    def _prune(self, host: str) -> None:
        if doubts := list(self.doubts(host)):
            raise Failed(f"nothing is forgotten: {doubts[0]}")
        repository = self.repository(host)
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
        here, there = f"{self.config.place}/{host}", self.second(host)
        try:
            _alone(there, "copy", "--from-repo", here)
        except Missing:
            there.must("init", "--from-repo", here, "--copy-chunker-params")
            there.must("copy", "--from-repo", here)
        if not list(self.doubts(host)):
            self._forget_there(host, there)
        if host == self.config.own and self.config.archive:
            with self.turn(f"turn-{ARCHIVE}"):
                days = f"{self.config.keep['days']}d"
                _alone(self._copy_archive(), "forget", "--tag", ARCHIVE, "--keep-within", days,
                       "--prune")  # fmt: skip

    def _forget_there(self, host: str, there: Repository) -> None:
        """To prune costs more than to look: only when something was forgotten, or when that was cut
        off before."""
        mark = self.state / f"{host}.unpruned"
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
        there, root = self.second(self.config.own, ARCHIVE), Path(self.config.archive)
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
        self._note_archive(now)
        return there

    def _had_archive(self, there: Repository) -> dict[str, int]:
        """What the second place was last given whole. Raises Failed."""
        with contextlib.suppress(OSError, ValueError):
            found: dict[str, int] = json.loads((self.state / f"{ARCHIVE}.had").read_text())
            return found
        rows = there.snapshots(ARCHIVE) if there.exists() else []
        if not rows:
            return {}
        newest = max(rows, key=lambda row: datetime.fromisoformat(row["time"]))
        said = there.must("ls", newest["id"], "--json").splitlines()
        had = archive.listed(Path(self.config.archive), map(json.loads, said))
        self._note_archive(had)  # the next snapshot may be the one that lacks something
        return had

    def _note_archive(self, had: Mapping[str, int]) -> None:
        new = self.state / f"{ARCHIVE}.had.new"
        new.write_text(json.dumps(had))
        new.replace(self.state / f"{ARCHIVE}.had")

    def verify(self, whole: bool = False) -> dict[str, str]:
        """Host to what is damaged. whole: all data is read."""
        part = int(time.time() // (7 * DAY)) % PARTS + 1
        read = "--read-data" if whole else f"--read-data-subset={part}/{PARTS}"
        return self._each(lambda host: self._verify(host, read, 0 if whole else part))

    def verify_second(self) -> dict[str, str]:
        """The same of what the second place has. Those who remove something there wait for their
        turn as well, so it needs no lock, and nobody who adds waits for its end."""
        part = int(time.time() // (7 * DAY)) % PARTS + 1
        words = ("check", "--no-lock", f"--read-data-subset={part}/{PARTS}")
        return self._each(lambda host: self._verify_second(host, *words))

    def _verify_second(self, host: str, *words: str) -> None:
        self.second(host).must(*words)
        if host == self.config.own and self.config.archive:
            self.second(host, ARCHIVE).must(*words)

    def _verify(self, host: str, read: str, part: int) -> None:
        _alone(self.repository(host), "check", read)
        if self.config.hosts[host] and self.config.copies:
            self._compare(host, part)

    def _compare(self, host: str, part: int) -> None:
        """Is every listed message in the newest snapshot of its mailbox? part: of the mailboxes, 0
        for all; and those that lacked one the last time. In a snapshot of within the hour one may
        lack that went meanwhile, and the next has it right (mail.py). Raises Failed, OSError."""
        before, now = self._lacked(host), time.time()
        accounts = {account for each in self.good(host) for account in each.accounts}
        due = [each for each in accounts if each in before or part in (0, part_of(each, PARTS))]
        found = self.find(due, now).items()
        newest = {account: each for account, each in found if each.host == host}
        config, scratch = self.config, self.state / "lists"
        comparison = Comparison(self.reading(host), config.mail, config.copies, scratch)
        lacks = comparison.lacking({account: each.id for account, each in newest.items()})
        self._note_lacking(host, [each.account for each in lacks])
        told = [each for each in lacks
                if each.account in before or now - newest[each.account].arrived > HOUR]  # fmt: skip
        if told:
            more = f" ({len(told)} mailboxes)" if len(told) > 1 else ""
            raise Failed(f"{told[0]}{more}: see docs/backup.md, Lists")

    def _lacked(self, host: str) -> set[str]:
        with contextlib.suppress(OSError, ValueError):
            return {*json.loads((self.state / f"{host}.lacking").read_text())}
        return set()

    def _note_lacking(self, host: str, accounts: Sequence[str]) -> None:
        new = self.state / f"{host}.lacking.new"
        new.write_text(json.dumps(accounts))
        new.replace(self.state / f"{host}.lacking")

    def _each(self, work: Any) -> dict[str, str]:
        failed = {}
        with self.turn():
            for host in self.config.hosts:
                try:
                    work(host)
                except (Failed, OSError) as error:
                    failed[host] = str(error)
        return failed

    # Notes

    def note(self, what: str, failed: Mapping[str, str]) -> None:
        """How a job went: when it was last good for each host, and why it was not since."""
        notes = self.noted(what)
        for host in self.config.hosts:
            before = notes.get(host, {"at": None})
            at = before["at"] if host in failed else time.time()
            notes[host] = {"at": at, "why": failed.get(host, "")}
        new = self.state / f"{what}.notes.new"
        new.write_text(json.dumps(notes))
        new.replace(self.state / f"{what}.notes")

    def noted(self, what: str) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            found: dict[str, Any] = json.loads((self.state / f"{what}.notes").read_text())
            return found
        return {}

    def began(self) -> float:
        """Since when there is a vault here."""
        return (Path(self.config.place).stat()).st_ctime

    def free(self) -> float:
        """Share of the disk."""
        usage = shutil.disk_usage(self.config.place)
        return usage.free / usage.total


def _behind(found: Sequence[Snapshot]) -> Iterator[str]:
    """Hourly ones come when nothing has changed as well, and drive older ones out by their days:
    what was in those must be in a nightly one by then."""
    hourly = [each.time for each in found if each.tag == CHANGED]
    nightly = [each.time for each in found if each.tag == ALL]
    if hourly and hourly[-1] - (nightly[-1] if nightly else hourly[0]) > BEHIND:
        last = f"of {_when(nightly[-1])}" if nightly else "missing"
        yield f"the last one of {ALL} is {last}, hourly ones have come since"


def _since_accepted(row: Sequence[Snapshot], accepted: set[str]) -> Sequence[Snapshot]:
    """From the newest that an engineer has looked at: a host that has shrunk for good is compared
    with what it had before on no later night either."""
    looked_at = [n for n, each in enumerate(row) if each.id in accepted]
    return row[looked_at[-1] if looked_at else 0 :]


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


def _when(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(" ", "minutes")
