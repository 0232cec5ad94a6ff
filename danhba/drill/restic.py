"""restic on repositories in this host's file system: read only, nothing is locked or cached."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

REPOSITORIES = Path("/srv/vault/backup")
PASSWORDS = Path("/etc/danhba/backup/passwords")
"""A file a host."""
SECONDS = 4 * 3600
"""After which a restore that does not end has failed."""


class ResticError(Exception):
    """What restic said."""


@dataclass(frozen=True)
class Snapshot:
    """number: restic's, short. tag: "mail", "mail-all" or "host". taken: RFC 3339, by the clock of
    the host that was backed up."""

    number: str
    tag: str
    taken: str


@dataclass
class Repository:
    """One host's. path: its directory. password: file with it."""

    path: Path
    password: Path

    @cached_property
    def _snapshots(self) -> list[Snapshot]:
        rows = json.loads(self._run("snapshots", "--json"))
        return [
            Snapshot(row["short_id"], tag, row["time"])
            for row in rows or ()
            for tag in row.get("tags") or ()
        ]

    def newest(self, tag: str) -> Snapshot | None:
        """Raises ResticError."""
        own = (snapshot for snapshot in self._snapshots if snapshot.tag == tag)
        return max(own, key=lambda each: moment(each.taken), default=None)

    def names(self, snapshot: Snapshot, folder: str) -> tuple[str, ...]:
        """Of the directories in a folder. Raises ResticError."""
        return tuple(
            row["name"]
            for row in map(json.loads, self._lines("ls", "--json", snapshot.number, folder))
            if row.get("type") == "dir" and row["path"].rpartition("/")[0] == folder
        )

    def restore(self, snapshot: Snapshot, paths: Iterable[str], target: Path) -> dict[str, Any]:
        """restic's own summary of it. Raises ResticError."""
        wanted = [f"--include={path}" for path in paths]
        argv = ["restore", "--json", snapshot.number, f"--target={target}", *wanted]
        rows = [json.loads(line) for line in self._lines(*argv)]
        return next((row for row in rows if row.get("message_type") == "summary"), {})

    def _lines(self, *argv: str) -> Iterator[str]:
        return (line for line in self._run(*argv).splitlines() if line.startswith("{"))

    def _run(self, *argv: str) -> str:
        own = ["restic", f"--repo={self.path}", f"--password-file={self.password}"]
        try:
            done = subprocess.run(
                [*own, "--no-lock", "--no-cache", *argv],
                capture_output=True, text=True, check=False, timeout=SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ResticError(f"no end of it within {SECONDS} s") from None
        if done.returncode:
            raise ResticError(reason(done.stderr) or f"exit status {done.returncode}")
        return done.stdout


def moment(taken: str) -> float:
    """Seconds since 1970. Raises ValueError."""
    return datetime.fromisoformat(taken).timestamp()


def reason(said: str) -> str:
    """Of many lines the first that says something; with --json they are objects."""
    for line in said.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            if line.strip():
                return line.strip()
            continue
        if text := found.get("message") or (found.get("error") or {}).get("message"):
            return ": ".join(filter(None, (found.get("item"), str(text))))
    return ""


def opened(host: str) -> Repository:
    """A host's, where this host has it."""
    return Repository(REPOSITORIES / host, PASSWORDS / host)
