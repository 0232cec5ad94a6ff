"""Mailboxes whose home is here go to the vault: hourly those that have changed, daily all.

A mailbox is frozen (freezing.py), then restic reads its messages. A message that went meanwhile may
be one that was moved: where it came from was read too late, and where it went to too early. So a
mailbox that lost one is done again, and the last time with its locks held.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .config import Config
from .freezing import APART, Busy, Frozen, freeze, frozen, signature
from .memory import Box, Memory
from .restic import Failed, Repository, Saved

CHANGED, ALL = "mail", "mail-all"
"""Tags of snapshots."""
ACCOUNTS = "accounts.json"
"""In each snapshot of all, and alone in one of a run that found nothing new: account to number of
messages, as of the last backup of all."""
FREE = 2
"""How often a mailbox is tried while its owner goes on."""
HELD = 60.0
"""Seconds that the owner of a mailbox waits at most, when it never keeps still otherwise."""
FEW, SHARE = 3, 0.05
"""So many known mailboxes may be missing, and that share of them, before nothing is backed up."""
MESSAGES = 100
"""With fewer messages than these nothing is made of half of them missing."""


class Refused(Exception):
    """What is on the disk is not what should be there."""


@dataclass
class Done:
    """What a run did. trouble: what could not be backed up, and why."""

    snapshot: str = ""
    mailboxes: int = 0
    read: int = 0
    added: int = 0
    again: int = 0
    trouble: list[str] = field(default_factory=list)


@dataclass
class Run:
    """One run. Raises Failed, Refused."""

    config: Config
    memory: Memory
    repository: Repository
    done: Done = field(default_factory=Done)

    @property
    def copies(self) -> str:
        return f"{self.config.state}/mail"

    def run(self, everything: bool) -> Done:
        known = self._known()
        seen = {each: signature(f"{self.config.mail}/{each}") for each in self.config.accounts()}
        here = {account: found for account, found in seen.items() if found}
        refuse_missing({each: box for each, box in known.items() if each in seen}, here)
        everything = everything or not self.memory.noted("parent")
        chosen = [
            account
            for account, found in sorted(here.items())
            if everything or account not in known or known[account].seen != found
        ]
        boxes = self._freeze(chosen)
        refuse_emptied(known, boxes)
        if boxes or not chosen:  # of none as well: by it the vault knows that somebody looked
            self._save(boxes, ALL if everything else CHANGED)
            done = [Box(each.account, here[each.account], each.messages) for each in boxes]
            self.memory.remember(done)
        self.memory.forget(known.keys() - seen.keys())
        return self.done

    def _known(self) -> dict[str, Box]:
        """Mailboxes that have been backed up. Of a new repository in the place of a lost one
        nothing is known; of a repository whose host has lost its disk, what it says itself."""
        identity = self.repository.identity()
        if self.memory.noted("repository") != identity:
            counts = self._last_counts()
            self.memory.forget(self.memory.boxes())
            self.memory.remember(Box(account, "", counts[account]) for account in counts)
            self.memory.note("parent", "")
            self.memory.note("repository", identity)
        return self.memory.boxes()

    def _last_counts(self) -> dict[str, int]:
        tagged = [
            each for each in self.repository.snapshots() if ALL in (each.get("tags") or ())
        ]  # fmt: skip
        if not tagged:
            return {}
        last = max(tagged, key=lambda each: str(each["time"]))
        place = f"{self.config.state}/{ACCOUNTS}"
        found: dict[str, int] = json.loads(self.repository.must("dump", last["id"], place))
        return found

    def _freeze(self, accounts: Iterable[str]) -> list[Frozen]:
        boxes = []
        for account in accounts:
            try:
                boxes.append(freeze(self.config.mail, self.copies, account))
            except (Busy, OSError) as error:
                self._missed(account, error)
        return boxes

    def _missed(self, account: str, error: Exception) -> None:
        """A mailbox that was removed meanwhile is missed by nobody."""
        if signature(f"{self.config.mail}/{account}"):
            self.done.trouble.append(f"{account}: {error}")

    def _save(self, boxes: list[Frozen], tag: str) -> None:
        """boxes: are brought up to date."""
        if tag == ALL:
            counts = self.memory.boxes()
            listed = {each.account: each.messages for each in boxes}
            text = json.dumps({**{k: v.messages for k, v in counts.items()}, **listed})
            Path(self.config.state, ACCOUNTS).write_text(text)
        saved = self._snapshot(boxes, tag, str(self.memory.noted("parent") or ""))
        if tag == ALL:
            self.memory.note("parent", saved.snapshot)
        self.done.mailboxes = len(boxes)
        self._settle(boxes, saved.snapshot)

    def _settle(self, boxes: list[Frozen], parent: str) -> None:
        """What lost a message meanwhile is done again."""
        for _ in range(FREE - 1):
            moving = [each.account for each in boxes if each.vanished(self.config.mail)]
            if not moving:
                return
            self.done.again += len(moving)
            again = self._freeze(moving)
            parent = self._snapshot(again, CHANGED, parent).snapshot if again else parent
            _update(boxes, moving, again)
        for account in [each.account for each in boxes if each.vanished(self.config.mail)]:
            _update(boxes, [account], self._hold(account, parent))

    def _hold(self, account: str, parent: str) -> list[Frozen]:
        self.done.again += 1
        try:
            with frozen(self.config.mail, self.copies, account) as box:
                self._snapshot([box], CHANGED, parent, HELD)
                return [box]
        except (Busy, OSError, Failed) as error:
            self._missed(account, error)
            return []

    def _snapshot(
        self, boxes: Sequence[Frozen], tag: str, parent: str, seconds: float | None = None
    ) -> Saved:
        paths = [f"{place}/{box.account}" for place in (self.config.mail, self.copies)
                 for box in boxes]  # fmt: skip
        paths += [f"{self.config.state}/{ACCOUNTS}"] * (tag == ALL or not boxes)
        apart = [f"{self.config.mail}{pattern}" for pattern in APART]
        saved = self.repository.backup(self.config.host, tag, paths, apart, parent, seconds)
        self.done.snapshot = self.done.snapshot or saved.snapshot
        self.done.read += saved.read
        self.done.added += saved.added
        self.done.trouble += [f"{path} cannot be read" for path in saved.unread]
        return saved


def _update(boxes: list[Frozen], accounts: Iterable[str], again: Iterable[Frozen]) -> None:
    """Who could not be done again stays out: the next run finds that it has changed."""
    new = {each.account: each for each in again}
    left = {*accounts}
    boxes[:] = [new.get(each.account, each) for each in boxes
                if each.account not in left or each.account in new]  # fmt: skip


def refuse_missing(known: Mapping[str, Box], here: Mapping[str, str]) -> None:
    """A blank disk, or one that is not mounted, must not pass for a province that has deleted its
    mail. known: that have been backed up, and whose home is here. Raises Refused."""
    missing = sorted(known.keys() - here.keys())
    if len(missing) > FEW and len(missing) > SHARE * len(known):
        raise Refused(
            f"{len(missing)} of {len(known)} mailboxes that were backed up are not on the disk"
            f" ({', '.join(missing[:3])}, ...): nothing is backed up; see docs/backup.md, Refused"
        )


def refuse_emptied(known: Mapping[str, Box], boxes: Sequence[Frozen]) -> None:
    """Nor one on which mailboxes were made anew, empty. Raises Refused."""
    before = sum(box.messages for box in known.values())
    lost = sum(known[each.account].messages - each.messages
               for each in boxes if each.account in known)  # fmt: skip
    if before >= MESSAGES and lost > before / 2:
        raise Refused(
            f"of {before} messages that were backed up {lost} are not on the disk:"
            " nothing is backed up; see docs/backup.md, Refused"
        )


def run(config: Config, memory: Memory, repository: Repository, everything: bool) -> Done:
    """Raises Failed, Refused."""
    return Run(config, memory, repository).run(everything)


def accept(config: Config, memory: Memory, repository: Repository) -> None:
    """What is here is all there is to be: an engineer has looked. Raises Failed."""
    memory.forget(memory.boxes())
    memory.note("repository", repository.identity())
    memory.note("parent", "")
