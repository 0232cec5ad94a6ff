"""What was done on this host, by whom: lines that are only added, written by the step that does it.

Each names the hash of the one before, so that a line that was changed or taken out shows; the file
lets nobody write elsewhere than at its end, where the file system knows that (chattr(1), +a). The
backup takes it to the vault: who cuts lines off its end has to explain what the vault has.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from danhba.generations.host.common import Json, Refused, sha256

RECORD = Path("/var/lib/danhba-record/log")
FIRST = "0" * 64
"""What the first line has in place of the hash of the one before."""
_GETFLAGS, _SETFLAGS, _APPEND = 0x80086601, 0x40086602, 0x20
"""FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_APPEND_FL (linux/fs.h)."""
_LONG = 500
"""Letters of a reason that are kept."""


def note(what: str, **facts: Any) -> int:
    """Add a line, on the disk when this returns; its number. Raises OSError."""
    RECORD.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(RECORD, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        raws = file.read().split(b"\n")
        last = raws.pop()
        if last:  # cut off by a power cut: it stays, for nothing here is ever written anew
            raws.append(last)
        n, prev = len(raws) + 1, sha256(raws[-1]) if raws else FIRST
        line = _line({**facts, "what": what, "n": n, "prev": prev, "time": _now()})
        file.write((b"\n" if last else b"") + line + b"\n")
        file.flush()
        os.fsync(file.fileno())
        if n == 1:
            _only_append(file)
    return n


@contextlib.contextmanager
def noted(what: str, **facts: Any) -> Iterator[None]:
    """Something that may fail: said before, for what cannot be recorded is not done; a failure is
    said with its reason."""
    n = note(what, **facts)
    try:
        yield
    except (Refused, OSError) as error:
        after("failed", of=n, why=str(error)[:_LONG])
        raise


def after(what: str, **facts: Any) -> None:
    """What is done already is not undone because the disk is full."""
    with contextlib.suppress(OSError):
        note(what, **facts)


def record(request: Json) -> Json:
    """Add a line for a command that does its work without a step of its own: request["note"].
    Raises OSError."""
    facts = dict(request["note"])
    return {"n": note(facts.pop("what"), **facts)}


def history(request: Json) -> Json:
    """{"records": of the machines before this one (backup.back brings them) and of this one, what
    was recorded from request["since"] on, a time as lines have it; "broken": what is wrong with
    them, in words}."""
    records: list[list[Json]] = []
    broken: list[str] = []
    for path in [*sorted(RECORD.parent.glob(f"{RECORD.name}.*")), RECORD]:
        lines, wrong = _read(path, request["since"])
        records.append(lines)
        broken += wrong
    return {"records": records, "broken": broken}


def _read(path: Path, since: str) -> tuple[list[Json], list[str]]:
    """Lines from then on, and what is wrong with the record."""
    try:
        raws = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return [], []
    lines: list[Json] = []
    broken: list[str] = []
    prev = FIRST
    for n, raw in enumerate(raws[:-1], 1):
        found = _parsed(raw)
        if found and (found["n"] != n or found["prev"] != prev):
            broken.append(f"{path}, line {n}: not the one that followed line {n - 1}")
        if not found and not _was_cut_off(raws, n):
            broken.append(f"{path}, line {n}: no entry")
        if found and found["time"] >= since:
            lines.append(found)
        prev = sha256(raw)
    return lines, broken


def _was_cut_off(raws: list[bytes], n: int) -> bool:
    """Did the next line go on from this half one? Then a power cut made it so, and nobody else."""
    following = _parsed(raws[n]) if n < len(raws) else None
    return following is not None and following["prev"] == sha256(raws[n - 1])


def _parsed(raw: bytes) -> Json | None:
    try:
        found = json.loads(raw)
    except ValueError:
        return None
    return (
        found if isinstance(found, dict) and {"n", "prev", "time", "what"} <= set(found) else None
    )


def _line(entry: Mapping[str, Any]) -> bytes:
    text = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _only_append(file: BinaryIO) -> None:
    """Not every file system can."""
    with contextlib.suppress(OSError):
        packed = fcntl.ioctl(file, _GETFLAGS, struct.pack("l", 0))
        flags = struct.unpack("l", packed)[0] | _APPEND
        fcntl.ioctl(file, _SETFLAGS, struct.pack("l", flags))
