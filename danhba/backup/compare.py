"""Has a snapshot what the store has listed? The list of a mailbox's messages is made by one means
(freezing.py), and restic takes the files by another, with patterns of what it leaves out.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from .ages import HOUR
from .freezing import MANIFEST, listed
from .mail import ALL
from .restic import AT_ONCE, Failed, Repository
from .vault import Snapshot, Vault


@dataclass(frozen=True)
class Lack:
    """Of one mailbox: how many messages are on its list and not in the snapshot as they are there,
    and the first of them; none when there is no list."""

    account: str
    snapshot: str
    count: int
    first: str

    def __str__(self) -> str:
        where = f"of {self.account} in snapshot {self.snapshot[:8]}"
        if not self.count:
            return f"the list of messages {where} cannot be read"
        return f"{self.count} of the listed messages {where} are missing, {self.first} for one"


@dataclass(frozen=True)
class Comparison:
    """mail: folder of mailboxes on stores; copies: of their lists. scratch: a folder that is made
    and removed."""

    repository: Repository
    mail: str
    copies: str
    scratch: Path

    def lacking(self, newest: Mapping[str, str]) -> list[Lack]:
        """newest: account to snapshot. Raises Failed, OSError."""
        found: list[Lack] = []
        try:
            for snapshot in sorted({*newest.values()}):
                accounts = sorted(each for each in newest if newest[each] == snapshot)
                for first in range(0, len(accounts), AT_ONCE):
                    found += self._some(snapshot, accounts[first : first + AT_ONCE])
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)
        return found

    def _some(self, snapshot: str, accounts: Sequence[str]) -> Iterator[Lack]:
        self._fetch(snapshot, accounts)
        left = {*accounts}
        for account, rows in groupby(self._files(snapshot, accounts), key=lambda row: row[0]):
            left.discard(account)
            yield from self._compared(snapshot, account, {path: size for _, path, size in rows})
        for account in sorted(left):
            yield from self._compared(snapshot, account, {})

    def _fetch(self, snapshot: str, accounts: Iterable[str]) -> None:
        """The lists alone. Raises Failed."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(mode=0o700)
        with tempfile.NamedTemporaryFile("w", prefix="danhba-compare.") as wanted:
            wanted.writelines(f"{self.copies}/{account}/{MANIFEST}\n" for account in accounts)
            wanted.flush()
            words = ("--target", str(self.scratch), "--include-file", wanted.name)
            self.repository.must("restore", snapshot, *words)

    def _files(self, snapshot: str, accounts: Iterable[str]) -> Iterator[tuple[str, str, int]]:
        """Account, path below the mailbox, bytes; of one mailbox after the other."""
        begin = f"{self.mail}/"
        places = (f"{begin}{account}" for account in accounts)
        for line in self.repository.lines("ls", "--json", "--recursive", snapshot, *places):
            row = json.loads(line)
            if row.get("type") == "file" and row["path"].startswith(begin):
                account, _, path = row["path"].removeprefix(begin).partition("/")
                yield account, path, row.get("size", 0)

    def _compared(self, snapshot: str, account: str, sizes: Mapping[str, int]) -> Iterator[Lack]:
        """What has come after the list is nobody's fault."""
        try:
            messages = listed(Path(f"{self.scratch}{self.copies}", account))
        except (OSError, ValueError, TypeError):
            yield Lack(account, snapshot, 0, "")
            return
        lost = [each.path for each in messages if sizes.get(each.path) != each.size]
        if lost:
            yield Lack(account, snapshot, len(lost), lost[0])


def compare(vault: Vault, host: str, due: Callable[[str], bool]) -> None:
    """Is every listed message in the newest snapshot of its mailbox? Of accounts that are due, and
    those that lacked one the last time. In a snapshot of within the hour one may lack that went
    meanwhile, and the next has it right (mail.py). Raises Failed, OSError."""
    config, now, note = vault.config, time.time(), f"{host}.lacking"
    if not (config.hosts[host] and config.copies):
        return
    before = {*(vault.kept(note) or ())}
    newest = {account: each for account, each in _newest(vault.good(host)).items()
              if account in before or due(account)}  # fmt: skip
    comparison = Comparison(vault.reading(host), config.mail, config.copies, vault.state / "lists")
    lacks = comparison.lacking({account: each.id for account, each in newest.items()})
    vault.keep(note, [each.account for each in lacks])
    told = [each for each in lacks
            if each.account in before or now - newest[each.account].arrived > HOUR]  # fmt: skip
    if told:
        more = f" ({len(told)} mailboxes)" if len(told) > 1 else ""
        raise Failed(f"{told[0]}{more}: see docs/backup.md, Lists")


def _newest(snapshots: Iterable[Snapshot]) -> dict[str, Snapshot]:
    """Account to the newest of its mailbox, of those that are not older than the last of all: of
    who has left the store nothing comes any more."""
    found: dict[str, Snapshot] = {}
    for each in snapshots:
        if each.tag == ALL:
            found.clear()
        found |= dict.fromkeys(each.accounts, each)
    return found


def part_of(account: str, parts: int) -> int:
    """From 1; always the same for one mailbox."""
    return zlib.crc32(account.encode()) % parts + 1
