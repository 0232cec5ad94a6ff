"""Messages of which somebody said what they are, on their way to the edges.

Dovecot writes them to `new` (templates/learning/spool), a line with the word and the account before
each. From there each goes to a folder for every edge, where it stays until that edge has it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

WORDS = ("ham", "spam")
KEPT = 14 * 86400.0
"""Seconds that something waits for an edge that is dead."""
MOST = 20_000
"""Messages that wait for one edge; while there are more, nothing new is taken."""
LATE = 600.0
"""Seconds by which an edge may lag before somebody has to look."""
_TORN = 3600.0
"""Seconds after which what was begun to be written is not going to be finished."""
FINE = "ok: "
"""Begins what nobody has to look at (danhba.service, FINE)."""


@dataclass(frozen=True)
class Said:
    """What somebody said of a message: one of WORDS, and his account."""

    word: str
    account: str


def said(raw: bytes) -> tuple[Said, bytes]:
    """A file of `new`, taken apart. Raises ValueError for one that is none."""
    line, _, message = raw.partition(b"\n")
    word, _, account = line.decode().partition(" ")
    if word not in WORDS or not account or not message:
        raise ValueError(f"no message that somebody moved: {line[:80]!r}")
    return Said(word, account), message


@dataclass(frozen=True)
class Spool:
    """place: the folder. edges: their names, each of which has a folder in it."""

    place: Path
    edges: tuple[str, ...]

    @property
    def new(self) -> Path:
        return self.place / "new"

    def of(self, edge: str) -> Path:
        return self.place / "edges" / edge

    def prepare(self) -> None:
        """A folder for every edge, and none for one that is not there any more."""
        (self.place / "edges").mkdir(exist_ok=True)
        for gone in set(os.listdir(self.place / "edges")) - set(self.edges):
            for path in self.of(gone).iterdir():
                path.unlink()
            self.of(gone).rmdir()
        for edge in self.edges:
            self.of(edge).mkdir(exist_ok=True)

    def sort(self, now: float, allowed: Callable[[str, float], bool]) -> None:
        """To every edge what is new, and away with what is too old. allowed: of an account, now."""
        for path in sorted(self._finished(now), key=lambda path: path.stat().st_mtime_ns):
            try:
                what, message = said(path.read_bytes())
            except ValueError as error:
                print(error, flush=True)
            else:
                if allowed(what.account, now):
                    self._give(path, what, message)
                else:
                    print(f"{what.account} has taught enough for today", flush=True)
            path.unlink()
        self._forget(now)

    def _finished(self, now: float) -> Iterator[Path]:
        """A name begins with a dot while the file is being written."""
        for path in self.new.iterdir():
            if not path.name.startswith("."):
                yield path
            elif now - path.stat().st_mtime > _TORN:
                path.unlink()

    def _give(self, path: Path, what: Said, message: bytes) -> None:
        """Named by the message alone: what is said of it last is what every edge is told, and
        once."""
        digest = hashlib.sha256(message).hexdigest()
        for edge in self.edges:
            for word in WORDS:
                self.of(edge).joinpath(f"{digest}.{word}").unlink(missing_ok=True)
            os.link(path, self.of(edge) / f"{digest}.{what.word}")

    def _forget(self, now: float) -> None:
        for edge in self.edges:
            for path in self.of(edge).iterdir():
                with contextlib.suppress(FileNotFoundError):  # it has been carried
                    if now - path.stat().st_mtime > KEPT:
                        path.unlink()
        full = any(len(os.listdir(self.of(edge))) > MOST for edge in self.edges)
        mark = self.place / "full"
        if full:
            mark.touch()
        else:
            mark.unlink(missing_ok=True)

    def waiting(self, edge: str) -> list[tuple[float, Path]]:
        """Since when (seconds of the clock) and what, the oldest first."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for path in self.of(edge).iterdir():
                with contextlib.suppress(FileNotFoundError):
                    found.append((path.stat().st_mtime, path))
        return sorted(found)

    def health(self, now: float) -> Iterator[str]:
        """For danhba status."""
        for edge in self.edges:
            waiting = self.waiting(edge)
            late = now - waiting[0][0] if waiting else 0.0
            if late > LATE:
                yield (
                    f"learning: {len(waiting)} messages wait for {edge}, the oldest for"
                    f" {late / 60:.0f} minutes: journalctl -u danhba-learning.service"
                )
            else:
                yield f"{FINE}learning: {len(waiting)} waiting for {edge}"
        new = [path for path in self.new.iterdir() if now - path.stat().st_mtime > LATE]
        if new:
            yield (
                f"learning: {len(new)} messages are not taken up: systemctl status"
                " danhba-learning.service"
            )
