"""restic on repositories in this host's file system: read only, nothing is locked or cached."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

SECONDS = 4 * 3600
"""After which a restore that does not end has failed."""


class ResticError(Exception):
    """What restic said."""


@dataclass(frozen=True)
class Snapshot:
    """number: restic's, short. tag: "mail", "mail-all" or "host". taken: RFC 3339, by the clock of
    the host that was backed up. paths: what it was asked to have in it."""

    number: str
    tag: str
    taken: str
    paths: frozenset[str] = frozenset()

    @property
    def moment(self) -> float:
        """taken, in seconds since 1970."""
        return datetime.fromisoformat(self.taken).timestamp()


@dataclass
class Repository:
    """One host's. path: its directory."""

    path: Path
    password: str

    @cached_property
    def snapshots(self) -> list[Snapshot]:
        """By age, the oldest first. Raises ResticError."""
        rows = json.loads(self._run("snapshots", "--json"))
        found = [
            Snapshot(row["short_id"], tag, row["time"], frozenset(row["paths"]))
            for row in rows or ()
            for tag in row.get("tags") or ()
        ]
        return sorted(found, key=lambda each: each.moment)

    def restore(self, snapshot: Snapshot, paths: Iterable[str], target: Path) -> dict[str, Any]:
        """restic's own summary of it. Raises ResticError."""
        wanted = [f"--include={path}" for path in paths]
        said = self._run("restore", "--json", snapshot.number, f"--target={target}", *wanted)
        rows = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        return next((row for row in rows if row.get("message_type") == "summary"), {})

    def dump(self, snapshot: Snapshot, path: str) -> str:
        """A file of a snapshot. Raises ResticError."""
        return self._run("dump", snapshot.number, path)

    def ever_had(self, path: str) -> bool:
        """Is a file in any snapshot? Raises ResticError."""
        return bool(json.loads(self._run("find", "--json", path)))

    def _run(self, *argv: str) -> str:
        try:
            done = subprocess.run(
                ["restic", f"--repo={self.path}", "--no-lock", "--no-cache", *argv],
                env={**os.environ, "RESTIC_PASSWORD": self.password},
                capture_output=True, text=True, check=False, timeout=SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ResticError(f"no end of it within {SECONDS} s") from None
        if done.returncode:
            raise ResticError(reason(done.stderr) or f"exit status {done.returncode}")
        return done.stdout


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
