"""What the archive has on the vault's disk, against what the second place was last given of it.

The second place forgets by days. A disk that is not mounted, or a vault that came back without its
archive, must not pass for an archive whose years are over.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

CHAIN, DATA = ".chain", ".data"
APART = "index.db*"
"""Made again from the chain."""
_EXPIRED = b'"kind":"expired"'


def files(root: Path) -> dict[str, int]:
    """Those of all segments, as `2026/11/26/0001.data`, to their bytes; the newest segment still
    grows, and what a power cut left half done at its end is cut off: 0 for that."""
    found = {
        path.relative_to(root).as_posix(): path.stat().st_size
        for end in (CHAIN, DATA)
        for path in root.glob(f"[0-9]*/[0-9]*/[0-9]*/[0-9]*{end}")
    }
    return _open_ended(found)


def listed(root: Path, rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The same of a snapshot, from what restic lists of it."""
    begin = f"{root}/"
    found = {
        row["path"].removeprefix(begin): row.get("size", 0)
        for row in rows
        if row.get("path", "").startswith(begin) and row["path"].endswith((CHAIN, DATA))
    }
    return _open_ended(found)


def _open_ended(found: dict[str, int]) -> dict[str, int]:
    newest = max((name.partition(".")[0] for name in found), default="")
    return {name: 0 if name.startswith(f"{newest}.") else size for name, size in found.items()}


def lacking(root: Path, had: Mapping[str, int]) -> list[str]:
    """Files that were there, and are not, or are shorter now, without an entry that says that
    contents went by a rule. Raises OSError."""
    now = files(root)
    sizes = {name: (root / name).stat().st_size for name in now}
    lost = sorted(name for name, size in had.items() if sizes.get(name, -1) < size)
    if not lost:
        return []
    gone = {f"{segment}{DATA}" for segment in _expired(root, now)}
    return [name for name in lost if name in sizes or name not in gone]


def _expired(root: Path, names: Iterable[str]) -> Iterator[str]:
    """Segments of which something went by a rule."""
    for name in names:
        if name.endswith(CHAIN):
            with (root / name).open("rb") as file:
                yield from (json.loads(raw)["segment"] for raw in file if _is_expiry(raw))


def _is_expiry(raw: bytes) -> bool:
    """A line that is being written, or is damaged, is none (danhba archive verify tells of it)."""
    if _EXPIRED not in raw:
        return False
    try:
        return bool(json.loads(raw)["segment"])
    except (ValueError, KeyError):
        return False


def lay(source: Path, target: Path) -> None:
    """The archive, of whose files none is ever written but at its end: of two the longer one is the
    newer one. What the second place had may be there already; what can be searched is made anew."""
    for path in [each for each in source.rglob("*") if each.is_file()]:
        there = target / path.relative_to(source)
        if not there.exists() or there.stat().st_size < path.stat().st_size:
            there.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.move(path, there)
    if source.exists():
        owner = target.stat()
        for path in target.rglob("*"):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
