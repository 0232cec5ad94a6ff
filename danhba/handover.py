"""Files of passwords: made once, their owner's alone, whole or not there, encrypted if wanted.

A file is there, filled and on the disk, before any of its passwords is set: none is ever set that
nobody can read. What was not set goes again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pyrage
from pyrage import ssh, x25519

from danhba.errors import DanhbaError
from danhba.files import replace

Recipient: TypeAlias = Any
"""x25519.Recipient or ssh.Recipient of pyrage, which has no types of its own."""


class HandoverError(DanhbaError):
    """A file could not be made or a key not be read; the message says what was done."""


@dataclass(frozen=True)
class Envelope:
    """Who can read what is put into it; without recipients it is clear text."""

    recipients: tuple[Recipient, ...] = ()

    def sealed(self, content: bytes) -> bytes:
        """Encrypted with age (age-encryption.org/v1), in memory: no clear text touches the disk."""
        return pyrage.encrypt(content, list(self.recipients)) if self.recipients else content

    def name(self, path: Path) -> Path:
        """Says by its end what the file is."""
        if not self.recipients or path.suffix == ".age":
            return path
        return path.with_name(f"{path.name}.age")


def envelope(words: Sequence[str]) -> Envelope:
    """For keys (age1..., ssh-ed25519 ..., ssh-rsa ...) or files with one a line (# comments).
    Raises HandoverError."""
    return Envelope(tuple(key for word in words for key in _keys(word)))


def _keys(word: str) -> list[Recipient]:
    if word.startswith(("age1", "ssh-")):
        return [_key(word, word)]
    try:
        rows = Path(word).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no text"
        raise HandoverError(
            f"{word}: neither a key (age1...) nor a file of keys: {reason}"
        ) from None
    found = [
        _key(row.strip(), f"{word}, line {number}")
        for number, row in enumerate(rows, 1)
        if row.strip() and not row.startswith("#")
    ]
    if not found:
        raise HandoverError(f"{word}: there is no key in it")
    return found


def _key(text: str, where: str) -> Recipient:
    if text.upper().startswith("AGE-SECRET-KEY-"):
        raise HandoverError(
            f"{where}: this is the secret half of a key; give the one that begins age1"
        )
    try:
        return (ssh if text.startswith("ssh-") else x25519).Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise HandoverError(f"{where}: no key of age: {error}") from None


class File:
    """One file of passwords."""

    def __init__(self, path: Path, envelope: Envelope) -> None:
        """Makes it, empty. Raises HandoverError when there is one: a sheet is made once."""
        self.path = envelope.name(path)
        self._envelope = envelope
        try:
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            raise HandoverError(f"{self.path}: {error.strerror}; nothing was changed") from None

    def fill(self, content: bytes) -> None:
        """Replace the content; a cut leaves the one before or the new one. Raises HandoverError."""
        try:
            replace(self.path, self._envelope.sealed(content))
            _sync(self.path.parent)
        except OSError as error:
            raise HandoverError(f"{self.path}: {error.strerror}") from None

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)


def _sync(directory: Path) -> None:
    """The name is on the disk too (fsync(2))."""
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
