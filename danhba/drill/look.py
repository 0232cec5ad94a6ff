"""Second step of a drill: what was restored is opened. Other hosts made it, one of them perhaps a
thief's by now: this step may read nothing else, and whatever it says is only text."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from . import keys, mailboxes, people
from .config import Config
from .fetch import clear


def look(config: Config, sample: dict[str, Any], tree: Path, work: Path) -> dict[str, Any]:
    """What the sample, restored to tree, is found to be. work: an empty directory."""
    begun = time.monotonic()
    troubles, found = [], []
    for row in sample["mailboxes"]:
        looked = mailboxes.look(tree / row["host"], work, row["host"], row["account"])
        found.append({**row, **looked.json()})
        troubles += looked.troubles
        clear(work)
    result: dict[str, Any] = {"mailboxes": found, "people": None, "edge": None}
    if row := sample["people"]:
        entries = people.look(_in(tree, row, "ldif"), work, config.suffix, row["host"])
        result["people"] = {**row, **entries.json()}
        troubles += entries.troubles
        clear(work)
    if row := sample["edge"]:
        dump = _in(tree, row, "learned") if row["dumped"] else None
        edge = keys.look(_in(tree, row, "keys"), dump, row["host"])
        result["edge"] = {**row, **edge.json()}
        troubles += edge.troubles
    result["seconds"] = time.monotonic() - begun
    result["troubles"] = [trouble.json() for trouble in troubles]
    return result


def _in(tree: Path, row: dict[str, Any], what: str) -> Path:
    return tree / str(row["host"]) / str(row[what])[1:]
