"""What of a snapshot a mailbox lacks: by GUID, which a message keeps wherever it is moved."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

COPIES = "Khôi phục "
"""What folders begin with that a restore made: what is there is a copy, and the message itself may
be missing all the same."""


@dataclass(frozen=True, order=True)
class Mail:
    """A message in a folder. box: the folder's own GUID, "" when nobody asks for it: names of
    folders are their owner's, who may have made one that doveadm takes for an option or a pattern.
    """

    folder: str
    uid: int
    guid: str
    box: str = field(default="", compare=False)


@dataclass
class Choice:
    """missing: is brought back. elsewhere: how many are not, by folder of today."""

    missing: list[Mail] = field(default_factory=list)
    elsewhere: Counter[str] = field(default_factory=Counter)


def for_copies(wanted: Iterable[Mail], now: Iterable[Mail], into: str) -> Choice:
    """What the folder `into` lacks of them."""
    there = Counter((mail.folder, mail.guid) for mail in now)
    choice = Choice()
    for mail in sorted(wanted):
        key = (f"{into}/{mail.folder}", mail.guid)
        if there[key]:
            there[key] -= 1
            choice.elsewhere[key[0]] += 1
        else:
            choice.missing.append(mail)
    return choice


def in_place(
    then: Iterable[Mail], now: Iterable[Mail], wanted: Sequence[Mail], kept: str
) -> Choice:
    """A message counts as often as the snapshot has it: one that was moved since is not missing, of
    one that was in two folders both may be. kept: folder that hides what was taken away."""
    left: dict[tuple[str, str], list[Mail]] = defaultdict(list)
    had = Counter((mail.folder, mail.guid) for mail in then)
    for mail in sorted(now):
        if had[mail.folder, mail.guid]:
            had[mail.folder, mail.guid] -= 1  # it is where it was
        else:
            left[_kind(mail, kept)].append(mail)
    # What the snapshot has and is not where it was, by kind; what was moved stands for some of it.
    gone: Counter[tuple[str, str]] = Counter()
    for (folder, guid), count in had.items():
        gone[_kind(Mail(folder, 0, guid), kept)] += count
    choice = Choice()
    for mail in sorted(wanted):
        kind = _kind(mail, kept)
        if not had[mail.folder, mail.guid]:
            choice.elsewhere[mail.folder] += 1
            continue
        had[mail.folder, mail.guid] -= 1
        if gone[kind] > len(left[kind]):
            gone[kind] -= 1
            choice.missing.append(mail)
        else:
            choice.elsewhere[left[kind][0].folder] += 1
    return choice


def _kind(mail: Mail, kept: str) -> tuple[str, str]:
    """A message, and whether it is the user's, a copy, or hidden: none stands for another."""
    if mail.folder == kept:
        return mail.guid, "kept"
    return mail.guid, "copy" if mail.folder.startswith(COPIES) else "own"


def sequence(uids: Iterable[int]) -> str:
    """UIDs as IMAP writes a set of them: 1:3,7."""
    ranges: list[list[int]] = []
    for uid in sorted(uids):
        if ranges and uid == ranges[-1][1] + 1:
            ranges[-1][1] = uid
        else:
            ranges.append([uid, uid])
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in ranges)
