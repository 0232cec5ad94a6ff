"""A line of a chain: one JSON object, which names the hash of the line before.

Keys are sorted, nothing is escaped that UTF-8 can say, and no space is between: of one entry there
is one line, so that a hash of the line is a hash of the entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .ids import arrived

_WAITS = 100 * 86400
"""Seconds for which copies wait in an edge at most (templates/journal/main.cf)."""
FIRST = "0" * 64
"""What the first entry of all has in place of the hash of the one before."""

MAIL, READ, EXPIRED, HOLD, CLOCK, RESTORED = (
    "mail", "read", "expired", "hold", "clock", "restored",
)  # fmt: skip
"""Kinds: a message; somebody read; contents were removed by rule; a legal hold was set or released;
the vault's clock was set by more than it drifts; the vault was rebuilt, and what came after an
entry is lost."""


def line(entry: Mapping[str, Any]) -> bytes:
    """Without the newline."""
    text = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def parsed(raw: bytes) -> dict[str, Any]:
    """The entry of a line, with or without its newline. Raises ValueError: it is none, or not as
    `line` writes it."""
    found = json.loads(raw.decode())
    if not isinstance(found, dict) or line(found) != raw.removesuffix(b"\n"):
        raise ValueError("not an entry as the journal writes it")
    return found


def digest(raw: bytes) -> str:
    """What the next entry says of this line: SHA-256 in hexadecimal."""
    return hashlib.sha256(raw.removesuffix(b"\n")).hexdigest()


def stamp(second: float) -> str:
    """A point in time as entries have it: UTC, milliseconds."""
    moment = datetime.fromtimestamp(second, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def passed(found: Mapping[str, Any]) -> str:
    """When an edge had the message of an entry, by its id; the entry's own time, when the vault
    wrote it, where the id does not say or an edge's clock was wrong."""
    second, written = arrived(found["id"]), seconds(found["time"])
    if second is None or not written - _WAITS <= second <= written:
        return str(found["time"])
    return stamp(second)


def seconds(stamped: str) -> float:
    """The same the other way. Raises ValueError."""
    return datetime.fromisoformat(stamped.replace("Z", "+00:00")).timestamp()
