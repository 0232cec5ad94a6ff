"""Where a file of passwords would lie: what speaks against it, and what its owner should know."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from danhba.errors import DanhbaError

NETWORK = frozenset(
    (
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "fuse.sshfs",
        "9p",
        "afs",
        "ceph",
        "glusterfs",
        "davfs",
    )
)
MEMORY = frozenset(("tmpfs", "ramfs"))


class BadPlace(DanhbaError):
    """Passwords may not lie there; the message says why and what to do. Nothing was changed."""


@dataclass(frozen=True)
class Place:
    """directory: absolute. device and kind of its file system, as mounted. host: this machine.
    readers: "" when nobody but the owner may look into the directory, else who may."""

    directory: Path
    device: str
    kind: str
    host: str
    readers: str

    def notes(self, encrypted: bool) -> list[str]:
        """What the engineer should know before he leaves the file there."""
        found = [f"{self.directory} is on {self.device} ({self.kind}) of {self.host}"]
        if self.kind in NETWORK:
            found.append("this is a network drive: the file also lies on another machine")
        if self.kind in MEMORY:
            found.append("this is memory: the file, and with it the passwords, ends with a reboot")
        if self.readers and not encrypted:
            found.append(
                f"{self.readers} may look into this directory; the file itself is its owner's alone"
            )
        return found


def look(directory: Path, encrypted: bool) -> Place:
    """The place for a file of passwords. Raises BadPlace for a checkout of git, for a directory
    that others may write to and, unless encrypted, for those of temporary files."""
    real = directory.resolve()
    try:
        facts = real.stat()
    except OSError as error:
        raise BadPlace(f"{directory}: {error.strerror}; nothing was changed") from None
    if not stat.S_ISDIR(facts.st_mode):
        raise BadPlace(f"{directory}: is no directory; nothing was changed")
    for above in (real, *real.parents):
        if (above / ".git").exists():
            raise BadPlace(
                f"{directory} is in a checkout of git ({above}), and passwords would be committed "
                "with it: choose a directory outside"
            )
    if not encrypted and any(real.is_relative_to(each) for each in temporary()):
        raise BadPlace(
            f"{directory} is for temporary files: choose one of your own, or encrypt (--age)"
        )
    if facts.st_mode & stat.S_IWOTH and not facts.st_mode & stat.S_ISVTX:
        raise BadPlace(f"everybody may replace files in {directory}: choose another, or chmod o-w")
    device, kind = _mount(real)
    return Place(real, device, kind, socket.gethostname(), _readers(facts.st_mode))


def temporary() -> list[Path]:
    """Directories for temporary files."""
    return [
        Path(each).resolve() for each in ("/tmp", "/var/tmp", "/dev/shm", tempfile.gettempdir())
    ]


def _readers(mode: int) -> str:
    if mode & (stat.S_IROTH | stat.S_IXOTH):
        return "everybody on this machine"
    return "its group" if mode & (stat.S_IRGRP | stat.S_IXGRP) else ""


def _mount(path: Path) -> tuple[str, str]:
    """Device and kind of the file system that a path is on (proc_pid_mountinfo(5))."""
    here = os.stat(path).st_dev
    wanted = f"{os.major(here)}:{os.minor(here)}"
    found = [row.split() for row in Path("/proc/self/mountinfo").read_text().splitlines()]
    for row in reversed(found):  # a later mount hides an earlier one
        if row[2] == wanted:
            kind, device = row[row.index("-") + 1 :][:2]
            return device, kind
    return "an unknown device", "an unknown kind"
