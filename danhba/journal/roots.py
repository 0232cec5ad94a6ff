"""Daily roots: the end of the chain, signed with a key that the daemon does not have (Ed25519).

Every host fetches them and remembers them for good (memory.py): who holds the vault can write the
whole chain anew, and cannot take back what the others know.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from . import entry
from .chain import lines_of
from .proof import since
from .segment import segments
from .tree import Tree

FOLDER = "roots"


def end(root: Path) -> tuple[int, str]:
    """Number and hash of the last entry; 0 and entry.FIRST before the first. Raises ValueError: the
    newest line is damaged."""
    for segment in reversed(segments(root)):
        raws = [line.raw for line in lines_of(root, segment) if line.raw.endswith(b"\n")]
        if raws:
            return int(entry.parsed(raws[-1])["n"]), entry.digest(raws[-1])
    return 0, entry.FIRST


def sign(root: Path, seed: bytes, timezone: str, now: float) -> str:
    """Write the root of this moment; its name. It has the top of a tree over the lines since the
    root before, from entry `first` on (tree.py), "" when there are none. seed: 32 bytes. Raises
    OSError, ValueError."""
    n, hashed = end(root)
    day = datetime.fromtimestamp(now, ZoneInfo(timezone)).strftime("%Y-%m-%d")
    time = entry.stamp(now)
    before = max((found["root"]["n"] for _, found in all_of(root / FOLDER)), default=0)
    leaves = since(root, before)
    new = leaves[: leaves.index(hashed) + 1] if hashed in leaves else []  # more may come meanwhile
    tree = Tree.of(new).top if new else ""
    said = {
        "day": day, "time": time, "n": n, "hash": hashed, "first": before + 1, "tree": tree
    }  # fmt: skip
    signature = SigningKey(seed).sign(entry.line(said)).signature
    name = time.translate(str.maketrans("", "", "-:."))
    write(root / FOLDER, name, {"root": said, "signature": signature.hex()})
    return name


def is_signed(signed: Mapping[str, Any], public: bytes) -> bool:
    """Was the root signed with the private half? What is signed is the line of JSON as
    entry.line writes it."""
    try:
        signature = bytes.fromhex(signed["signature"])
        VerifyKey(public).verify(entry.line(signed["root"]), signature)
    except (BadSignatureError, KeyError, TypeError, ValueError):
        return False
    return True


def public_half(seed: bytes) -> bytes:
    """Of the key that signs."""
    return bytes(SigningKey(seed).verify_key)


def all_of(folder: Path, after: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and signed roots in a folder, the oldest first, later than a name. One of which a power
    cut left a part is none."""
    for path in sorted(folder.glob("*.json")):
        if path.stem > after and is_whole(raw := path.read_bytes()):
            yield path.stem, json.loads(raw)


def is_whole(raw: bytes) -> bool:
    """Of a root's file: the newline comes last."""
    return raw.endswith(b"\n")


def set_aside(folder: Path, beside: Path, n: int) -> int:
    """Roots beyond an entry go to another folder; how many."""
    gone = [name for name, signed in all_of(folder) if signed["root"]["n"] > n]
    for name in gone:
        beside.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / f"{name}.json").replace(beside / f"{name}.json")
    return len(gone)


def write(folder: Path, name: str, content: Mapping[str, Any]) -> None:
    """Whole or not at all, and never in the place of another."""
    folder.mkdir(mode=0o700, exist_ok=True)
    new = folder / f".{name}"
    with new.open("wb") as file:
        file.write(entry.line(content) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(new, folder / f"{name}.json")
    finally:
        new.unlink()


def replace(path: Path, content: bytes) -> None:
    """Of a file that is there, whole or not at all."""
    new = path.with_name(f".{path.stem}")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
