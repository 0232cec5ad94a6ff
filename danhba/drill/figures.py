"""The figures of a drill. What `look` found is only numbers here: it opened what others made."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .troubles import Trouble, seen

_BYTES = 32 * 2**20
"""Of what it found no more is read."""
_TEXTS = 50


def combine(host: str, sample: Path, found: Path, now: str) -> dict[str, Any]:
    """Of files that the two steps wrote. host: where. now: as in ISO 8601.

    A step that did not come to its end is a trouble.
    """
    try:
        wanted = json.loads(sample.read_bytes())
    except (OSError, ValueError):
        wanted = {**nothing(host), "begun": now, "by": ""}
    troubles = wanted["troubles"]
    looked: dict[str, Any] = {"mailboxes": [], "people": None, "edge": None, "look_seconds": 0.0,
                              "machine": None}  # fmt: skip
    try:
        looked, more = _looked(wanted, _read(found))
        troubles = troubles + more
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        troubles = [*troubles, Trouble("unfinished", host, "look").json()]
    return {
        "begun": wanted["begun"],
        "ended": now,
        "by": wanted["by"],
        "seed": wanted["seed"],
        "bytes": wanted["bytes"],
        "restore_seconds": wanted["seconds"],
        **looked,
        "troubles": troubles,
    }


def nothing(host: str) -> dict[str, Any]:
    """What a first step has told that did not come to its end."""
    lost = Trouble("unfinished", host, "fetch").json()
    return {"seed": 0, "bytes": 0, "seconds": 0.0, "mailboxes": [], "people": None, "edge": None,
            "troubles": [lost]}  # fmt: skip


def _read(path: Path) -> dict[str, Any]:
    """A file in a directory that is another user's."""
    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(opened, "rb") as file:
        found: dict[str, Any] = json.loads(file.read(_BYTES))
    return found


def _looked(
    wanted: dict[str, Any], found: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Raises ValueError, TypeError, KeyError, AttributeError: of what is no such finding."""
    mailboxes = [
        {**row, **_numbers(own, "files", "right", "bytes"),
         "messages": [int(each) for each in own["messages"][:2]]}
        for row, own in zip(wanted["mailboxes"], found["mailboxes"], strict=True)
    ]  # fmt: skip
    people, edge = wanted["people"], wanted["edge"]
    result = {
        "mailboxes": mailboxes,
        "people": people and {**people, **_numbers(found["people"], "wanted", "found")},
        "edge": edge and {**edge, **_numbers(found["edge"], "wanted", "keys", "learned")},
        "look_seconds": float(found["seconds"]),
        "machine": _texts(found["machine"], "sees", "network", "users"),
    }
    troubles = [Trouble.of(each).json() for each in found["troubles"]]
    return result, troubles + [each.json() for each in _empty(mailboxes)]


def _empty(mailboxes: list[dict[str, Any]]) -> Iterator[Trouble]:
    """Stores of which no message was restored: what has proved nothing is not good."""
    for host in sorted({row["host"] for row in mailboxes}):
        own = [row for row in mailboxes if row["host"] == host]
        noted = sum(row["noted"] for row in own)
        if noted and not sum(row["messages"][1] for row in own):
            yield Trouble(
                "empty", host, f"{noted} messages in these mailboxes when all was backed up"
            )


def _numbers(row: dict[str, Any], *names: str) -> dict[str, int]:
    return {name: int(row[name]) for name in names}


def _texts(row: dict[str, Any], *names: str) -> dict[str, list[str]]:
    return {name: [seen(str(each))[:200] for each in row[name][:_TEXTS]] for name in names}
