"""restic, and what it says."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from .config import Config

LOCKED = "30m"
"""How long one waits for another one's lock: to remove what nobody needs takes minutes."""
INCOMPLETE = 3
"""Exit status of a backup that could not read everything; the snapshot is there all the same."""
MISSING = 10
"""Exit status when there is no repository: any other says only that nobody can know."""

AT_ONCE = 250
"""Mailboxes that one restic is asked for. It tries every pattern on every file of theirs, and holds
all that it restores in memory: for a whole store at once the time would grow with its square."""

PACKS = 5
"""So many damaged ones are named."""
_PACK = re.compile("^pack ([0-9a-f]{64})", re.MULTILINE)


class Failed(Exception):
    """restic did not do it; the message is its last word."""


class Missing(Failed):
    """There is no repository."""


@dataclass(frozen=True)
class Saved:
    """A snapshot. unread: files that are there and could not be read. added: bytes that the
    repository has grown by."""

    snapshot: str
    files: int
    read: int
    added: int
    unread: Sequence[str]


@dataclass(frozen=True)
class Repository:
    """place: as restic writes it. secrets: for its environment, which only its user can read."""

    place: str
    secrets: Mapping[str, str]
    words: Sequence[str] = field(default_factory=tuple)

    def argv(self, *words: str) -> list[str]:
        return ["restic", "--repo", self.place, "--retry-lock", LOCKED, *self.words, *words]

    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.secrets}

    def run(
        self, *words: str, seconds: float | None = None, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Raises Failed only when it does not end in time."""
        argv = self.argv(*words)
        try:
            return subprocess.run(
                argv, capture_output=True, text=True, check=False, env=self.environment(),
                timeout=seconds, input=input, stdin=None if input else subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Failed(f"restic {words[0]} does not end within {seconds:.0f} s") from None

    def must(self, *words: str) -> str:
        """What it printed. Raises Failed."""
        done = self.run(*words)
        if done.returncode:
            raise _failed(done)
        return done.stdout

    def lines(self, *words: str) -> Iterator[str]:
        """What it prints, line by line, of which nobody holds all. Raises Failed at the end."""
        argv = self.argv(*words)
        with (
            tempfile.TemporaryFile("w+") as said,
            subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True,
                env=self.environment(),
            ) as process,
        ):  # fmt: skip
            yield from process.stdout or ()
            if process.wait():
                said.seek(0)
                done = subprocess.CompletedProcess(argv, process.returncode, "", said.read())
                raise _failed(done)

    def exists(self) -> bool:
        """Raises Failed when it cannot be known: a network that is down is no empty place."""
        done = self.run("cat", "config")
        if done.returncode not in (0, MISSING):
            raise _failed(done)
        return not done.returncode

    def identity(self) -> str:
        """Of the repository: a new one in the place of one that was lost has another."""
        return str(json.loads(self.must("cat", "config"))["id"])

    def snapshots(self, tag: str = "") -> list[dict[str, Any]]:
        """All, or those of a tag. Raises Failed."""
        words = ("--tag", tag) if tag else ()
        found: list[dict[str, Any]] = json.loads(self.must("snapshots", "--json", *words))
        return found

    def backup(
        self, host: str, tag: str, paths: Sequence[str], apart: Sequence[str],
        parent: str = "", seconds: float | None = None,
    ) -> Saved:  # fmt: skip
        """Raises Failed."""
        words = ["backup", "--json", "--no-scan", "--host", host, "--tag", tag,
                 *(f"--exclude={pattern}" for pattern in apart),
                 "--files-from-verbatim", "-"]  # fmt: skip
        text = "".join(f"{path}\n" for path in paths)
        by_tag = ["--group-by", "host,tags"]
        given = ["--parent", parent] if parent else by_tag
        done = self.run(*words, *given, seconds=seconds, input=text)
        if parent and done.returncode and parent[:8] in last_word(done):
            # Mended or removed on the vault meanwhile: it only saved reading.
            done = self.run(*words, *by_tag, seconds=seconds, input=text)
        if done.returncode not in (0, INCOMPLETE):
            raise _failed(done)
        return _saved(done.stdout, done.stderr)


def _failed(done: subprocess.CompletedProcess[str]) -> Failed:
    return (Missing if done.returncode == MISSING else Failed)(last_word(done))


def taken(row: Mapping[str, Any]) -> float:
    """Of a snapshot as restic tells of it: when it says that it was made."""
    return datetime.fromisoformat(row["time"]).timestamp()


def of_host(config: Config) -> Repository:
    """Where a host's backups go. Raises Failed when the vault does not answer: restic itself would
    try for a quarter of an hour."""
    try:
        socket.create_connection((config.vault, config.port), timeout=10).close()
    except OSError as error:
        raise Failed(f"{config.vault} does not answer: {error}") from None
    secret = json.loads(Path(config.secret).read_text())
    return Repository(
        f"rest:https://{config.vault}:{config.port}/{config.host}/",
        {
            "RESTIC_PASSWORD": secret["repository"],
            "RESTIC_REST_USERNAME": config.host,
            "RESTIC_REST_PASSWORD": secret["server"],
        },
        ("--cacert", config.ca, "--cache-dir", f"{config.state}/cache", "--cleanup-cache"),
    )


def _saved(out: str, err: str) -> Saved:
    said = list(_objects(out))
    summary = next(each for each in said if each.get("message_type") == "summary")
    items = [each.get("item", "") for each in _objects(err) if each.get("message_type") == "error"]
    return Saved(
        summary["snapshot_id"],
        summary["total_files_processed"],
        summary["files_new"] + summary["files_changed"],
        summary["data_added_packed"],
        # What is gone since was expunged while restic went through.
        [item for item in items if os.path.lexists(item)],
    )


def _objects(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def last_word(done: subprocess.CompletedProcess[str]) -> str:
    """Of a restic that failed: what an engineer needs of it."""
    rows = [row for row in (done.stderr or done.stdout).splitlines() if row.strip()]
    for found in _objects("\n".join(rows)):
        if found.get("message_type") == "exit_error":
            return str(found["message"]).removeprefix("Fatal: ").strip()
    fatal = [row for row in rows if row.startswith("Fatal:")]
    word = (fatal or rows or [f"exit status {done.returncode}"])[-1].removeprefix("Fatal: ")
    return word + _packs(done.stderr or "")


def _packs(said: str) -> str:
    """Those that a check has found damaged: `repair packs` asks for them."""
    found = [*dict.fromkeys(_PACK.findall(said))]
    more = f" and {len(found) - PACKS} more" if len(found) > PACKS else ""
    return f": packs {', '.join(found[:PACKS])}{more}" if found else ""
