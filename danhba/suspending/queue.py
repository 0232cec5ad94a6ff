"""What is in Postfix's queue from who is suspended waits, until somebody decides about it.

Which message is whose is known from when it was accepted, not from its sender: an agency has
several keepers.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .control import run

_HELD = "hold"
_WAYS = {"go": "-H", "return": "-f"}
"""Of postsuper(1): let go, and let go as one whose time is over, which goes back to its sender."""
_SLOW = 3600
"""Seconds between the first octet of a message and its acceptance."""


class Queue:
    """postfix: directory of its configuration. file: which messages were held for which
    incident."""

    def __init__(self, postfix: str, file: Path) -> None:
        self._postfix, self._file = postfix, file
        self._held: dict[str, str] = json.loads(file.read_bytes()) if file.exists() else {}

    def hold(self, stand: Iterable[Mapping[str, Any]], queued: Iterable[Mapping[str, Any]]) -> None:
        """Whatever was accepted from these accounts and has not left. Raises OSError, ValueError,
        subprocess.SubprocessError."""
        incidents = {each["account"]: each["id"] for each in stand}
        wanted = {row["queue_id"]: row for row in queued if row["account"] in incidents}
        there = self._there() if wanted else []
        found = {
            item["queue_id"]: incidents[wanted[item["queue_id"]]["account"]]
            for item in there
            if item["queue_name"] != _HELD and _is_it(item, wanted.get(item["queue_id"]))
        }
        if found:
            # First the note: what is held and not noted would never be let go.
            self._note({**self._held, **found})
            self._postsuper("-h", found)
            print(f"held: {' '.join(found)}", file=sys.stderr, flush=True)

    def let_go(self, released: Iterable[Mapping[str, Any]]) -> None:
        """What was held for these. Raises as hold()."""
        for each in released:
            mine = [queue_id for queue_id, name in self._held.items() if name == each["id"]]
            if not mine:
                continue
            self._postsuper(_WAYS[each["events"]["released"]["queue"]], mine)
            run(["postqueue", "-c", self._postfix, "-f"])
            self._note({key: name for key, name in self._held.items() if name != each["id"]})
            print(f"let go: {' '.join(mine)}", file=sys.stderr, flush=True)

    def _there(self) -> list[dict[str, Any]]:
        lines = run(["postqueue", "-c", self._postfix, "-j"]).splitlines()
        return [json.loads(line) for line in lines]

    def _postsuper(self, way: str, queue_ids: Iterable[str]) -> None:
        run(["postsuper", "-c", self._postfix, way, "-"], "\n".join((*queue_ids, "")).encode())

    def _note(self, held: dict[str, str]) -> None:
        new = self._file.with_suffix(".new")
        with new.open("w") as file:
            json.dump(held, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._file)
        self._held = held


def _is_it(item: Mapping[str, Any], row: Mapping[str, Any] | None) -> bool:
    """Postfix uses the names of messages that are gone again."""
    if row is None:
        return False
    sender = item["sender"].lower() if item["sender"] != "MAILER-DAEMON" else ""
    return bool(sender == row["sender"] and -_SLOW < item["arrival_time"] - row["at"] < 2)
