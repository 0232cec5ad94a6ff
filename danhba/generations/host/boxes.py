"""Mailboxes whose time has passed: archived, and some days later removed (Điều 6.3).

An archive is one tar file of the mailbox as it is on the disk, filters and flags included; its
messages are compressed already. Beside it stands a list with the SHA-256 of every file in it and of
itself, written last: an archive without its list is none. A mailbox is removed only when each of
its files is in an archive that was just read from end to end, and no sooner than some days after
that was made: whoever was withdrawn late, or archived late, has the full time to ask for his mail.
An archive is replaced only by one that has all of its files; else it is set aside under a number of
its own.

Every store that has a copy makes an archive of its own: none depends on another's, and what was on
one only is not lost.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path, PurePath
from typing import IO

from danhba.generations.host.common import Json, Refused, live_digest, manifest_of, write
from danhba.generations.host.lock import must_hold
from danhba.generations.host.record import noted

LEFT = ".removed"
"""Suffix of a mailbox that is no more, and whose files are just going."""
BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Box:
    """The mailbox of an account that was withdrawn on a day, and the archive of that withdrawal.
    due: the first day of its archive. days: how long it stays beside it."""

    account: str
    step: str
    due: date
    days: int
    mailbox: Path
    going: Path
    archive: Path
    list: Path


def _box(where: Json, row: Json) -> Box:
    account, mail = row["account"], Path(where["mail"])
    stem = f"{where['archive']}/{account}.{row['since']}"
    return Box(
        account, row["step"], date.fromisoformat(row["until"]) + timedelta(days=1), row["days"],
        mail / account, mail / f".{account}{LEFT}", Path(f"{stem}.tar"), Path(f"{stem}.json"),
    )  # fmt: skip


def state(question: Json) -> list[Json]:
    """Of mailboxes whose time has passed: {"account", "mailbox": is there one, "archive": "" none,
    "whole", "damaged" or "older than the mailbox", "made": day of a whole one, "removal": the first
    day on which it may be removed; without an archive, when it is archived today, "due": may it be
    now}.

    question: of the manifest, {"mail", "archive", "leaving": [{"account", "step", "since", "until",
    "days"}]}, and "day": today. A mailbox that is not there costs a look for its directory; one
    that has to stay is not read.
    """
    day = date.fromisoformat(question["day"])
    boxes = (_box(question, row) for row in question["leaving"])
    return [_seen(box, day) for box in boxes if box.mailbox.exists() or box.going.exists()]


def _seen(box: Box, day: date) -> Json:
    archive, listed = "", _listed(box)
    if listed:
        archive = "whole"
        try:
            if _may_go(box, listed, day):
                _verify(box)
        except Refused as refusal:
            archive, listed = str(refusal), None
    return {
        "account": box.account, "mailbox": box.mailbox.exists(), "archive": archive,
        "made": listed["made"] if listed else "", "removal": str(_removal(box, listed, day)),
        "due": listed is not None and _may_go(box, listed, day),
    }  # fmt: skip


def _removal(box: Box, listed: Json | None, day: date) -> date:
    made = date.fromisoformat(listed["made"]) if listed else day
    return max(box.due, made) + timedelta(days=box.days)


def _may_go(box: Box, listed: Json | None, day: date) -> bool:
    return box.step == "remove" and _removal(box, listed, day) <= day


def forgotten(question: Json | None, live: Json | None) -> list[str]:
    """Accounts whose mailbox is here and whose time has passed by the live manifest, of which the
    one to come would say nothing: whoever is not back would leave a mailbox that nobody removes.
    """
    asked = {row["account"] for row in (question or {"leaving": []})["leaving"]}
    known = (_box(live, row) for row in live["leaving"] if "days" in row) if live else ()
    here = (box for box in known if box.mailbox.exists() or box.going.exists())
    return sorted(box.account for box in here if box.account not in asked)


def carry_out(request: Json) -> Json:
    """Do what the plan has: {"token", "day": of the plan, "boxes": [{"account", "action"}]}.

    What the host's live manifest does not say of an account is not done, and nothing is removed
    that was archived a moment ago. Raises Refused.
    """
    must_hold(request["token"])
    where = (manifest_of(live_digest()) or {"boxes": None})["boxes"] or {"leaving": []}
    known = {row["account"]: _box(where, row) for row in where["leaving"]}
    day = date.fromisoformat(request["day"])
    for item in request["boxes"]:
        account, action = item["account"], item["action"]
        box = known.get(account)
        if box is None or action not in ("archive", box.step):
            raise Refused(f"{account}: this host has no word that it is time to {action} its mail")
        with noted("mailbox", token=request["token"], account=account, action=action):
            archive(box, day) if action == "archive" else remove(box, day)
    return {"done": len(request["boxes"])}


def archive(box: Box, day: date) -> None:
    """Make the archive of a mailbox, which notes the day; one that is cut off is made anew."""
    box.archive.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = box.archive.with_name(f".{box.archive.name}.new")
    try:
        files = _pack(box, fresh)
        if files != dict(_read(fresh)):
            raise Refused(
                f"{box.account}: the archive is not what was written; nothing was removed"
            )
        if not _mail(_listed(box)) <= files.items():
            _set_aside(box)
        box.list.unlink(missing_ok=True)  # it is of the archive that goes
        os.rename(fresh, box.archive)
    finally:
        fresh.unlink(missing_ok=True)
    listed = {
        "account": box.account, "made": str(day), "sha256": _sha256(box.archive), "files": files,
    }  # fmt: skip
    write(box.list, (json.dumps(listed, indent=1) + "\n").encode(), 0o600)
    _sync_folder(box.archive.parent)


def _mail(listed: Json | None) -> set[tuple[str, str]]:
    """Name and SHA-256 of what may not get lost of an archive; nothing when there is none."""
    files = listed["files"] if listed else {}
    return {(name, found) for name, found in files.items() if not _is_index(_inside(name))}


def _set_aside(box: Box) -> None:
    """What is archived now is not all that was archived before: something came to where a removed
    mailbox had been, or messages are gone. By links, so that a cut between leaves both names."""
    folder, stem = box.archive.parent, box.archive.stem
    numbers = itertools.count(1)
    tar, listed = next(
        names
        for names in ((folder / f"{stem}.{n}.tar", folder / f"{stem}.{n}.json") for n in numbers)
        if not any(name.exists() for name in names)
    )
    os.link(box.archive, tar)
    os.link(box.list, listed)


def _sync_folder(folder: Path) -> None:
    """Names are on the disk only when their folder is (fsync(2))."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _pack(box: Box, fresh: Path) -> dict[str, str]:
    """A mailbox, its own directory first: unpacked it is Dovecot's again. Name to SHA-256 of every
    file that went in."""
    files = {}
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out, tarfile.open(fileobj=out, mode="w") as tar:
        for path in [box.mailbox, *sorted(box.mailbox.rglob("*"))]:
            name = str(PurePath(box.account) / path.relative_to(box.mailbox))
            entry: tarfile.TarInfo | None = tar.gettarinfo(path, name)
            if entry is None:  # a socket, which holds nothing
                continue
            if entry.islnk():  # sdbox copies a message by a second name for it
                entry.type, entry.linkname, entry.size = tarfile.REGTYPE, "", path.stat().st_size
            if not entry.isreg():
                tar.addfile(entry)
                continue
            with path.open("rb") as content:
                counting = _Counting(content)
                tar.addfile(entry, counting)
            files[name] = counting.digest.hexdigest()
        tar.close()
        out.flush()
        os.fsync(descriptor)
    return files


class _Counting:
    """A file that knows the digest of what was read from it."""

    def __init__(self, content: IO[bytes]) -> None:
        self.content = content
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.content.read(size)
        self.digest.update(data)
        return data


def _read(path: Path) -> Iterator[tuple[str, str]]:
    """Name and SHA-256 of every file in a tar file, from its own bytes."""
    with tarfile.open(path, "r:") as tar:
        for entry in tar:
            content = tar.extractfile(entry) if entry.isreg() else None
            if content:
                yield entry.name, _digest(content)


def _verify(box: Box) -> None:
    """Is the archive what its list says, and is each file of the mailbox in it? Raises Refused."""
    listed = _listed(box)
    if listed is None:
        raise Refused("missing")
    if _sha256(box.archive) != listed["sha256"]:
        raise Refused("damaged")
    for path in box.mailbox.rglob("*"):
        inside = path.relative_to(box.mailbox)
        if path.is_symlink() or not path.is_file() or _is_index(inside):
            continue
        name = f"{box.account}/{inside}"
        if listed["files"].get(name) != _sha256(path):
            raise Refused("older than the mailbox")


def _is_index(inside: PurePath) -> bool:
    """Dovecot writes its own files when it only looks, so a difference is no mail that came. An
    archive has them, for the flags are nowhere else. inside: below the mailbox; a script that a
    user called dovecot.sieve is his."""
    return inside.name.startswith("dovecot") and inside.parts[0] != "sieve"


def _inside(name: str) -> PurePath:
    """Of a name in an archive, the path below the mailbox."""
    return PurePath(*PurePath(name).parts[1:])


def remove(box: Box, day: date) -> None:
    """Remove a mailbox whose archive is whole, and old enough. Raises Refused; then all of it is
    still there."""
    listed = _listed(box)
    if listed and not _may_go(box, listed, day):
        made, first = listed["made"], _removal(box, listed, day)
        raise Refused(f"{box.account}: its archive is of {made}; it is not removed before {first}")
    try:
        _verify(box)
    except Refused as refusal:
        raise Refused(f"{box.account}: its archive is {refusal}; nothing was removed") from None
    _sync_folder(box.archive.parent)  # whoever made it may have been killed before he did
    if box.going.exists():
        shutil.rmtree(box.going)
    if box.mailbox.exists():
        os.rename(box.mailbox, box.going)  # never half a mailbox under its name
        shutil.rmtree(box.going)


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return _digest(content)


def _digest(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := content.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _listed(box: Box) -> Json | None:
    try:
        found: Json = json.loads(box.list.read_bytes())
    except (OSError, ValueError):
        return None
    return found if box.archive.is_file() else None
