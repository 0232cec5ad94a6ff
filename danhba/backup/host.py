"""What a host has besides mailboxes: copied where it is not consistent as it is."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .config import Config
from .restic import Failed, Repository, Saved

TAG = "host"
_SQLITE = b"SQLite format 3\0"


def run(config: Config, repository: Repository) -> Saved:
    """Raises Failed."""
    copies = Path(config.state, "host")
    shutil.rmtree(copies, ignore_errors=True)
    copies.mkdir(mode=0o700)
    paths = [path for pattern in config.paths for path in sorted(glob.glob(pattern))]
    apart = [*config.apart]
    for base in _databases(config, paths):
        _copy_base(base, Path(f"{copies}{base}"))
        apart += [f"{base}{end}" for end in ("", "-wal", "-shm")]
    if config.ldap:
        _slapcat(config, copies / "people.ldif")
    saved = repository.backup(config.host, TAG, [*paths, str(copies)], apart)
    if saved.unread:
        raise Failed(f"cannot read {', '.join(saved.unread[:3])}")
    return saved


def _databases(config: Config, paths: list[str]) -> Iterator[str]:
    """Of SQLite: copied by its own means, for a file that is written to is no database."""
    for top in paths:
        for place, folders, names in os.walk(top):
            folders[:] = [each for each in folders if f"{place}/{each}" not in config.apart]
            for path in (f"{place}/{name}" for name in names if name.endswith((".sqlite", ".db"))):
                if path not in config.apart and _is_base(path):
                    yield path


def _is_base(path: str) -> bool:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE
    return False


def _copy_base(path: str, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    source, copy = sqlite3.connect(path, timeout=60), sqlite3.connect(target)
    with contextlib.closing(source), contextlib.closing(copy):
        source.backup(copy)


def _slapcat(config: Config, target: Path) -> None:
    """The whole tree with its passwords and the marks by which people hosts know each other's
    changes; slapd goes on. Raises Failed."""
    place, suffix = config.ldap
    argv = ["slapcat", "-f", place, "-b", suffix, "-o", "ldif-wrap=no", "-l", str(target)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Failed(f"slapcat: {said[-1] if said else done.returncode}")
