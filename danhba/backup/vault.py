"""The vault's side: repositories, and what is in them. What is done with it: jobs.py.

Hosts can add and nothing else (rest-server, append-only). Whoever has stolen one can still add
snapshots, and so could a clock that is wrong: by their days they would drive good ones out. So a
snapshot is believed when its time is that of its file, which the vault has made, and its host's old
ones are forgotten (jobs.py) only when all are.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from .ages import DAY
from .config import VaultConfig
from .host import TAG as HOST
from .mail import ALL, CHANGED
from .restic import Failed, Repository, taken

BEHIND = 3 * DAY
"""So much older than the newest hourly snapshot may the last one of all mailboxes be."""
APART = DAY
"""Seconds by which a snapshot's time and its arrival may differ."""
SHRUNK = 0.5
"""A backup of all with less than this share of the files before it is looked at by somebody."""
MADE = "made.json"
"""The note of whose repositories were made here."""
ARCHIVE = "archive"
"""Tag, and name of the repository, in the second place."""
HANDED = "${CREDENTIALS_DIRECTORY}"
"""Where jobs find the key of the second place, in the words for ssh."""


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
        self.keep(MADE, [*self.config.hosts])

    def lost(self) -> list[str]:
        """Hosts whose repositories have been here before, and are not on the disk."""
        made = {*(self.kept(MADE) or ())}
        return [host for host in self.config.hosts if host in made and not self._is_here(host)]

    def _is_here(self, host: str) -> bool:
        return Path(self.config.place, host, "config").exists()

    # Notes, on another disk than the repositories; a blank machine has none.

    def kept(self, name: str) -> Any:
        """A note; None when there is none, or it cannot be read."""
        with contextlib.suppress(OSError, ValueError):
            return json.loads((self.state / name).read_text())
        return None

    def keep(self, name: str, value: object) -> None:
        """Whole, or as it was before. Raises OSError."""
        new = self.state / f"{name}.new"
        new.write_text(json.dumps(value))
        new.replace(self.state / name)

    # Snapshots

    def snapshots(self, host: str) -> list[Snapshot]:
        """By time. restic is asked only when one has come. Raises Failed, OSError."""
        folder, memory = Path(self.config.place, host, "snapshots"), f"{host}.json"
        arrived = {entry.name: entry.stat().st_mtime for entry in os.scandir(folder)}
        known = {row["id"]: Snapshot(**row) for row in self.kept(memory) or ()}
        if not arrived.keys() <= known.keys():
            rows = self.reading(host).snapshots()
            known = {row["id"]: self._snapshot(host, row, arrived) for row in rows}
            self.keep(memory, [asdict(each) for each in known.values()])
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
            time=taken(row),
            arrived=arrived.get(row["id"], time.time()),
            files=row.get("summary", {}).get("total_files_processed", 0),
            accounts=[path.removeprefix(begin) for path in row["paths"] if path.startswith(begin)],
        )

    def accepted(self, host: str) -> set[str]:
        """Snapshots that an engineer has looked at."""
        return {*(self.kept(f"{host}.accepted") or ())}

    def accept(self, host: str) -> None:
        """Raises Failed, OSError."""
        self.keep(f"{host}.accepted", [each.id for each in self.snapshots(host)])

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


def _when(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(" ", "minutes")
