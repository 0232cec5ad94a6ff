"""A snapshot's files beside the mailboxes, checked against the list that was made of them.

Whoever broke into a store can put what he likes into its repository: names that lead out of the
folder, links and devices are refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from .frames import Frames
from .refusal import Refused

BLOCK = 1024 * 1024
MANIFEST = "manifest.jsonl"
ACTIVE = ".dovecot.sieve"
"""A link to the filter that is in force."""


def unpack(source: IO[bytes], prefix: str, into: Path) -> dict[str, str]:
    """Files of a tar file in frames to a folder; their SHA-256 by name. prefix: what names begin
    with. Raises Refused."""
    found = {}
    frames = Frames(source)
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", frames), mode="r|") as tar:
            for entry in tar:
                name = _inside(entry.name, prefix)
                if entry.issym() and name == ACTIVE:
                    (into / ACTIVE).write_text(PurePosixPath(entry.linkname).name)
                elif content := tar.extractfile(entry) if entry.isreg() else None:
                    found[name] = _write(into / name, content)
                elif not entry.isdir():
                    raise Refused(f"{entry.name} is no file: the snapshot is not of a mailbox")
    except tarfile.TarError as error:
        raise Refused(f"the snapshot cannot be read: {error}") from None
    frames.drain()
    return found


def _inside(name: str, prefix: str) -> str:
    path = PurePosixPath("/", name)
    if ".." in path.parts or not path.is_relative_to(prefix):
        raise Refused(f"{name} is not below {prefix}: the snapshot is not of this mailbox")
    return str(path.relative_to(prefix))


def _write(path: Path, content: IO[bytes]) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        while block := content.read(BLOCK):
            digest.update(block)
            out.write(block)
    return digest.hexdigest()


def lay_over(copies: Path, box: Path) -> None:
    """Copies of Dovecot's own files to where it looks for them: flags are nowhere else."""
    for path in sorted(copies.rglob("*")):
        name = path.relative_to(copies)
        if path.is_file() and str(name) != MANIFEST:
            (box / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.replace(path, box / name)


def check(manifest: Path, found: Mapping[str, str]) -> tuple[int, int]:
    """How many messages are what was backed up, and how many went while it was: moved, or removed.
    Raises Refused naming one that is something else."""
    whole = gone = 0
    for row in _rows(manifest):
        digest = found.get(row["path"])
        if digest is None:
            gone += 1
        elif digest == row["sha256"]:
            whole += 1
        else:
            raise Refused(f"{row['path']} of the snapshot is not what was backed up: take another "
                          "--at, or the second place (docs/backup.md)")  # fmt: skip
    return whole, gone


def _rows(manifest: Path) -> Iterator[dict[str, Any]]:
    try:
        with manifest.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)
    except (OSError, ValueError):
        raise Refused("the snapshot has no list of its messages: take another --at") from None
