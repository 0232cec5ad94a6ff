"""One restore, from the stream to the mailbox."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from . import scripts
from .mailbox import Mailbox
from .missing import Choice, for_copies, in_place
from .refusal import Refused
from .unpack import ACTIVE, MANIFEST, check, lay_over, unpack

OWNER = "vmail"
TABLE = Path("/etc/danhba/places")
"""Which store serves a mailbox; not there where there is only one store."""


@dataclass(frozen=True)
class Request:
    """What is to be brought back.

    account, user: of the mailbox; user with the domain. host: of this store. mail: directory of
    mailboxes; copies: where the snapshot has copies of Dovecot's files. into: folder that gets all
    of it, "" in place. folder, message_id: only that, "" for all. kept: folder that hides what was
    taken away. archive: file that gets the mailbox as a tar, of somebody who has none any more; ""
    of everybody else.
    """

    account: str
    user: str
    host: str
    mail: str
    copies: str
    into: str
    folder: str
    message_id: str
    kept: str
    archive: str


def restore(request: Request, source: IO[bytes]) -> dict[str, Any]:
    """What was done: see _deliver, _archive; and of the snapshot, how many messages are "whole",
    and how many went ("gone") while it was made. Raises Refused."""
    if not request.archive:
        _must_be_home(request)
    try:
        with _scratch(Path(request.mail, ".restore"), request.account) as place:
            box, copies = place / "box", place / "copies"
            copies.mkdir(mode=0o700)
            box.mkdir(mode=0o700)
            found = unpack(source, f"{request.mail}/{request.account}", box)
            unpack(source, f"{request.copies}/{request.account}", copies)
            whole, gone = check(copies / MANIFEST, found)
            lay_over(copies, box)
            done = _archive(request, box) if request.archive else _deliver(request, box)
    except OSError as error:
        raise Refused(f"{error.filename or request.mail}: {error.strerror}; nothing of the "
                      "mailbox was changed, what came back stays") from None  # fmt: skip
    return {**done, "whole": whole, "gone": gone}


def _must_be_home(request: Request) -> None:
    """Another store would give its copy the mail, and the directory may be ahead of the hosts."""
    with contextlib.suppress(FileNotFoundError):
        rows = (row.split() for row in TABLE.read_text().splitlines())
        homes = {row[0]: row[1] for row in rows}
        if homes.get(request.user) != request.host:
            raise Refused(f"{request.host} does not serve {request.user}: danhba plan says what is "
                          "to be applied first")  # fmt: skip


@contextlib.contextmanager
def _scratch(root: Path, account: str) -> Iterator[Path]:
    """A folder that this restore alone has; what runs that were killed have left goes."""
    root.mkdir(mode=0o700, exist_ok=True)
    owner = pwd.getpwnam(OWNER)
    os.chown(root, owner.pw_uid, owner.pw_gid)
    for left in root.glob("*.lock"):
        with contextlib.suppress(BlockingIOError), _locked(left):
            shutil.rmtree(left.with_suffix(""), ignore_errors=True)
    try:
        with _locked(root / f"{account}.lock"):
            place = root / account
            place.mkdir(mode=0o700)
            try:
                yield place
            finally:
                shutil.rmtree(place)
    except BlockingIOError:
        raise Refused(f"{account}: another restore is under way; wait for its end") from None


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _deliver(request: Request, box: Path) -> dict[str, Any]:
    """Into the mailbox: {"messages": how many came back, "folders": of them each, "elsewhere": how
    many did not, by the folder where they are, "scripts": names, "used", "room": KiB}."""
    _give(box)
    live, old = Mailbox(request.user), Mailbox(request.user, box / "mail")
    old.rebuild()
    choice = _choice(request, old, live)
    try:
        live.bring(box / "mail", choice.missing, request.into)
    except Refused:
        # A power cut may have left messages that no index knows: Dovecot meets them, ends, and
        # takes them into the index. They are not missing any more then.
        live.bring(box / "mail", _choice(request, old, live).missing, request.into)
    if left := _choice(request, old, live).missing:
        raise Refused(f"{len(left)} of {len(choice.missing)} messages did not come back; run it "
                      "again, the others are not doubled")  # fmt: skip
    all_of_it = not request.folder and not request.message_id
    home = Path(request.mail, request.account)
    brought = scripts.bring(request.user, home, box, request.into) if all_of_it else []
    if all_of_it and not request.into:
        _make_empty(request, old, live)
    used, room = live.room()
    folders: dict[str, int] = {}
    for mail in choice.missing:
        folders[mail.folder] = folders.get(mail.folder, 0) + 1
    return {
        "messages": len(choice.missing), "folders": folders, "elsewhere": dict(choice.elsewhere),
        "scripts": brought, "used": used, "room": room,
    }  # fmt: skip


def _choice(request: Request, old: Mailbox, live: Mailbox) -> Choice:
    """Raises Refused when the snapshot has nothing of what is asked for."""
    then = old.mails()
    wanted = old.by_message_id(request.message_id) if request.message_id else then
    if request.folder:
        wanted = [mail for mail in wanted if mail.folder == request.folder]
        if request.folder not in (names := old.folders()):
            raise Refused(f"the snapshot has no folder {request.folder}; it has {', '.join(names)}")
    if request.message_id and not wanted:
        where = f" in {request.folder}" if request.folder else ""
        raise Refused(f"the snapshot has no message {request.message_id}{where}")
    if request.into:
        # What is hidden from an agency's keepers is not shown to them by a copy.
        shown = [mail for mail in wanted if mail.folder != request.kept]
        return for_copies(shown, live.mails(), request.into)
    return in_place(then, live.mails(), wanted, request.kept)


def _make_empty(request: Request, old: Mailbox, live: Mailbox) -> None:
    """Folders that had no mail come back with none; one that had, and was renamed, does not."""
    filled = {mail.folder for mail in old.mails()}
    for folder in sorted({*old.folders()} - {*live.folders()} - filled - {request.kept}):
        if not any(each.startswith(f"{folder}/") for each in filled):
            live.make(folder)


def _give(box: Path) -> None:
    """To Dovecot, whose user may then read it and nothing else."""
    owner = pwd.getpwnam(OWNER)
    for path in [box.parent, box, *box.rglob("*")]:
        os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def _archive(request: Request, box: Path) -> dict[str, Any]:
    """As a tar file beside the archives, of the same form: {"archive": its name, "messages"}."""
    target = Path(request.archive)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.new")
    active = box / ACTIVE
    if active.is_file():
        name = active.read_text()
        active.unlink()
        active.symlink_to(f"sieve/{name}")
    _give(box)
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out, tarfile.open(fileobj=out, mode="w") as tar:
            tar.add(box, request.account)
            tar.close()
            out.flush()
            os.fsync(descriptor)
        os.rename(fresh, target)
    finally:
        fresh.unlink(missing_ok=True)
    return {"archive": str(target), "messages": _messages(box)}


def _messages(box: Path) -> int:
    return sum(1 for path in box.rglob("u.*") if path.parent.name == "dbox-Mails")
