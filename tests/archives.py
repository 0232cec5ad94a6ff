"""A journal in a folder, as the vault writes it, for tests of who reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from danhba.journal import entry
from danhba.journal.chain import Archive, Item, message
from danhba.journal.seal import public_half, sealed
from danhba.journal.table import Table

KEY = bytes(range(32))
AN, HA, XA = "nvan@angiang.gov.vn", "ltha@angiang.gov.vn", "dvbinh@angiang.gov.vn"
LAN = "lan@ngoaitinh.test"
NOON = 1_795_665_600.0
"""2026-11-26 11:00 in Vietnam."""
DAY = 86_400.0


def queue_id(second: int) -> str:
    """As Postfix gives one in that second."""
    digits = ""
    while second:
        second, digit = divmod(second, 52)
        digits = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"[digit] + digits
    return f"mx1/{digits}0000z1"


@dataclass
class Vault:
    """An archive whose clock a test moves. root: where it is."""

    root: Path
    now: float = NOON
    count: int = 0
    archive: Archive = field(init=False)

    def __post_init__(self) -> None:
        tables = self.root.parent
        (tables / "agencies").write_text(f"{AN} sotaichinh\n{HA} sotaichinh\n{XA} myhoa\n")
        kinds = {"sotaichinh": "so", "myhoa": "xa"}
        years = {"so": 10, "xa": 5}
        (tables / "classes").write_text(json.dumps({"kinds": kinds, "years": years}))
        self.root.mkdir(mode=0o700, exist_ok=True)
        self.archive = Archive(
            self.root,
            "Asia/Ho_Chi_Minh",
            Table(tables / "agencies", tables / "classes"),
            clock=lambda: self.now,
            steady=lambda: self.now,
        )

    def mail(self, sender: str = LAN, *to: str, text: str = "") -> bytes:
        """Archive a message a second later; the message."""
        self.now += 1
        self.count += 1
        told = f"<m{self.count}@x>"
        content = f"Message-ID: {told}\r\n\r\n{text or 'Xin chào ' * self.count}\r\n".encode()
        made = sealed(content, public_half(KEY))
        item = message(f"mx1/Q{self.count}", sender, to or (AN,), told, content, made)
        assert self.archive.append([item]) != [0]
        return content

    def log(self, kind: str, fields: Mapping[str, Any]) -> int:
        """As the daemon appends what it is told at its desk."""
        self.now += 1
        [n] = self.archive.append([Item({**fields, "kind": kind})])
        return n

    def lines(self) -> list[dict[str, Any]]:
        """Entries of the whole chain."""
        files = sorted(self.root.rglob("*.chain"))
        return [entry.parsed(raw) for file in files for raw in file.read_bytes().splitlines()]
