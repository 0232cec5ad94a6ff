"""A journal in a folder, as the vault writes it, for tests of who writes and who reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from danhba.journal import entry
from danhba.journal.chain import Archive, Item, lines, message
from danhba.journal.seal import public_half, sealed
from danhba.journal.table import Table

PRIVATE = bytes(range(32))
ZONE = "Asia/Ho_Chi_Minh"
AGENCIES = {"nvan@angiang.gov.vn": "sotaichinh", "ubndx@angiang.gov.vn": "ubndx"}
CLASSES = {"kinds": {"sotaichinh": "so", "ubndx": "xa"}, "years": {"so": 20, "xa": 10}}


def table(folder: Path) -> Table:
    agencies, classes = folder / "agencies", folder / "classes.json"
    agencies.write_text("".join(f"{key} {AGENCIES[key]}\n" for key in AGENCIES))
    classes.write_text(json.dumps(CLASSES))
    return Table(agencies, classes)


def archive(
    folder: Path,
    clock: Callable[[], float] | None = None,
    steady: Callable[[], float] | None = None,
) -> Archive:
    root = folder / "journal"
    root.mkdir(exist_ok=True)
    made = Archive(root, ZONE, table(folder))
    made.clock, made.steady = clock or made.clock, steady or made.steady
    return made


def mail(
    number: int, to: tuple[str, ...] = ("nvan@angiang.gov.vn",), text: bytes = b"Subject: x\r\n\r\n"
) -> Item:
    content = sealed(text, public_half(PRIVATE))
    sender, identity = "lan@ngoaitinh.test", f"<{number}@ngoaitinh.test>"
    return message(f"mx1/4d{number}z1", sender, to, identity, text, content)


def chain_holds(root: Path) -> int:
    """How many entries a chain has; every one names the one before."""
    prev, n = entry.FIRST, 0
    for line in lines(root):
        found = entry.parsed(line.raw)
        assert (found["n"], found["prev"]) == (n + 1, prev), line
        prev, n = entry.digest(line.raw), n + 1
    return n
