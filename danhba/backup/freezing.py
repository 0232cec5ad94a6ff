"""A mailbox at one moment: its index files under Dovecot's own locks, and which messages it has.

sdbox keeps every message in a file of its own that never changes, and everything else (flags, UIDs,
which folder has what) in index files that always change. A commit is one record in the folder's
transaction log, written under that log's lock, and the files of messages get and lose their names
under it too. So whoever holds the locks of all folders sees a state that was one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

LOG, LIST_LOG = "dovecot.index.log", "dovecot.list.index.log"
WATCHED = (
    f"mail/{LIST_LOG}",
    f"mail/mailboxes/INBOX/dbox-Mails/{LOG}",
    "mail/subscriptions",
    "sieve",
    ".dovecot.sieve",
)
"""Every change of a mailbox is one of these: the list's log knows all folders but INBOX."""
APART = (
    "/*/mail/dovecot*", "/*/mail/.temp*", "/*/mail/mailboxes/**/dbox-Mails/dovecot*",
    "/*/mail/mailboxes/**/dbox-Mails/.temp*", "/*/mail/mailboxes/**/dbox-Mails/fts-flatcurve",
    "/*/mail/subscriptions.lock", "/*/.dovecot*.lock",
)  # fmt: skip
"""What restic leaves out of the mailboxes themselves: what is copied here, and what Dovecot makes
anew (caches, the index for search). No pattern may match a folder, whatever its owner calls it."""
MANIFEST = "manifest.jsonl"
PATIENCE = 20.0
"""Seconds for all locks of a mailbox: Dovecot holds one for as long as it writes."""


_File: TypeAlias = "tuple[str, int, int]"
"""Of a message: path below the mailbox, bytes, time of last change in nanoseconds."""


class Busy(Exception):
    """The locks of a mailbox could not be had."""


@dataclass(frozen=True)
class Message:
    """A message's file: path below the mailbox, bytes, time of last change in nanoseconds, SHA-256
    in hexadecimal."""

    path: str
    size: int
    changed: int
    sha256: str


@dataclass(frozen=True)
class Frozen:
    """A mailbox whose index files have been copied. copies: where to, with the list of its
    messages, which nobody holds in memory for a whole store. messages: how many."""

    account: str
    copies: Path
    messages: int

    def vanished(self, mail: str) -> bool:
        """Has a message gone meanwhile? Names are given once and files never change: what is there
        now was there all the time, whoever has read it."""
        listed = manifest(self.copies)
        home = f"{mail}/{self.account}"
        return len(listed) < self.messages or not all(
            os.path.lexists(f"{home}/{path}") for path in listed
        )


def signature(home: str) -> str:
    """Changes with every change of the mailbox; "" when there is none. Of times that nobody can
    set."""
    times = [_changed(f"{home}/{name}") for name in WATCHED]
    return " ".join(map(str, times)) if any(times) else ""


def _changed(path: str) -> int:
    try:
        return os.lstat(path).st_ctime_ns
    except OSError:
        return 0


def freeze(mail: str, copies: str, account: str) -> Frozen:
    """Copy the index files, and list the messages. Raises Busy, OSError."""
    with _copied(mail, copies, account) as (new, listed):
        pass
    return _listed(mail, new, Path(copies, account), listed)


@contextlib.contextmanager
def frozen(mail: str, copies: str, account: str) -> Iterator[Frozen]:
    """The same, and nothing changes until it is left. Raises Busy, OSError."""
    with _copied(mail, copies, account) as (new, listed):
        yield _listed(mail, new, Path(copies, account), listed)


@contextlib.contextmanager
def _copied(mail: str, copies: str, account: str) -> Iterator[tuple[Path, list[_File]]]:
    home, new = Path(mail, account), Path(copies, f".{account}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    with _locked(home) as folders:
        for folder in folders:
            _copy_indexes(home, folder, new)
        yield new, list(_messages(home, folders))


def _listed(mail: str, new: Path, place: Path, listed: Sequence[_File]) -> Frozen:
    """Most of the hashes are known. Those of the new ones need no lock: files never change."""
    before = manifest(place)
    messages = [_hashed(Path(mail, place.name), *each, before) for each in listed]
    _write(new / MANIFEST, messages)
    _replace(new, place)
    return Frozen(place.name, place, len(messages))


def manifest(place: Path) -> dict[str, Message]:
    """Path to message, as it was last time; empty when there was none, or it cannot be read."""
    try:
        return {each.path: each for each in listed(place)}
    except (OSError, ValueError, TypeError):
        return {}


def listed(place: Path) -> list[Message]:
    """Raises OSError, ValueError, TypeError."""
    rows = (place / MANIFEST).read_text().splitlines()
    return [Message(**json.loads(row)) for row in rows]


def _write(path: Path, messages: Sequence[Message]) -> None:
    rows = (json.dumps(vars(each), sort_keys=True) for each in messages)
    path.write_text("".join(f"{row}\n" for row in rows))


def _replace(new: Path, place: Path) -> None:
    old = new.with_suffix(".old")
    shutil.rmtree(old, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _folders(home: Path) -> list[Path]:
    """Directories with index files: that of the list, and one for each folder."""
    root = home / "mail"
    found = [root] if root.is_dir() else []
    for place, names, _ in os.walk(root / "mailboxes"):
        if "dbox-Mails" in names:
            found.append(Path(place, "dbox-Mails"))
            names.remove("dbox-Mails")
    return sorted(found)


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[list[Path]]:
    """The folders, with the locks of all of them. All or none: who waits for one holds no other,
    so nobody waits for us who has what we need."""
    until = time.monotonic() + PATIENCE
    while True:
        with contextlib.ExitStack() as stack:
            folders = _folders(home)
            logs = [folder / (LIST_LOG if folder.name == "mail" else LOG) for folder in folders]
            if all(_lock(stack, log) for log in logs) and _folders(home) == folders:
                yield folders
                return
        if time.monotonic() > until:
            raise Busy(f"{home.name}: Dovecot has not let go of it for {PATIENCE:.0f} s")
        time.sleep(0.02)


def _lock(stack: contextlib.ExitStack, log: Path) -> bool:
    """Dovecot locks whole files by fcntl (lock_method). Ours is of an open file: it stays until
    that is closed, whoever else of this process opens and closes the same file. A log that was
    rotated meanwhile is not the one whose lock counts. A folder without one is just made."""
    try:
        file = stack.enter_context(log.open("r+b"))
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0))
        return os.fstat(file.fileno()).st_ino == log.stat().st_ino
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False


def _copy_indexes(home: Path, folder: Path, target: Path) -> None:
    to = target / folder.relative_to(home)
    to.mkdir(parents=True, exist_ok=True)
    for entry in os.scandir(folder):
        lasting = not entry.name.endswith((".cache", ".lock", ".newlock", ".tmp"))
        if lasting and entry.name.startswith("dovecot") and entry.is_file(follow_symlinks=False):
            shutil.copy2(entry.path, to / entry.name)


def _messages(home: Path, folders: Sequence[Path]) -> Iterator[_File]:
    """Path, bytes and time of each message."""
    for folder in folders:
        for entry in sorted(os.scandir(folder), key=lambda each: each.name):
            if entry.name.startswith("u."):
                stat = entry.stat(follow_symlinks=False)
                yield str(Path(entry.path).relative_to(home)), stat.st_size, stat.st_mtime_ns


def _hashed(
    home: Path, path: str, size: int, changed: int, before: Mapping[str, Message]
) -> Message:
    known = before.get(path)
    if known and (known.size, known.changed) == (size, changed):
        return known
    try:
        with (home / path).open("rb") as file:
            return Message(path, size, changed, hashlib.file_digest(file, "sha256").hexdigest())
    except FileNotFoundError:  # it has gone, which is seen (Frozen.vanished)
        return Message(path, size, changed, "")
