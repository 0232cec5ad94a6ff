"""Accounts that are suspended because somebody misuses them, and the record of it.

The record is a file of JSON lines that only grows, one event a line, on every host: after a reboot
it says who is suspended, and whatever was recorded is told to the hosts that were away.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .rules import Row, Rules, say

KIND = "incident"
OPENED, RELEASED, MERGED, TOLD = "opened", "released", "merged", "told"
"""What may happen to an incident, each once. MERGED: two hosts saw it at the same moment, and the
other one's counts. TOLD: the letters about it have left."""

Queue = str
""" "go": what was held leaves. "return": it goes back to its sender."""


class Incidents:
    """file: of the record. host: the name of this one."""

    def __init__(
        self, rules: Rules, file: Path, host: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._rules, self._file, self._host, self._clock = rules, file, host, clock
        self._events: dict[str, dict[str, Row]] = {}
        for event in _read(file):
            self._events.setdefault(event["id"], {})[event["what"]] = event
            self._share(event)
        rules.suspended = self.suspended
        rules.learners[KIND] = self.learn

    def suspended(self, account: str) -> bool:
        """May nobody log in to it, nor send from it?"""
        return bool(self._open_of(account))

    def since(self, account: str) -> float:
        """When its last incident was released; 0 for never. What was before counts no more."""
        ends = (
            seen[RELEASED]["at"]
            for seen in self._events.values()
            if RELEASED in seen and seen.get(OPENED, {}).get("account") == account
        )
        return float(max(ends, default=0))

    def open(self, account: str, why: str, facts: Mapping[str, Any]) -> str:
        """Suspend an account; the name of the incident. One that is suspended already has one."""
        if there := self._open_of(account):
            return there[0]
        now = self._clock()
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
        name = f"{stamp}-{account.partition('@')[0]}"
        say(f"suspended: {account}: {why}")
        self._record({"id": name, "what": OPENED, "at": now, "account": account,
                      "host": self._host, "why": why, "facts": dict(facts)})  # fmt: skip
        return name

    def release(self, name: str, by: str, queue: Queue, at: float) -> list[str]:
        """End a suspension, named by an incident or by an account; the incidents that it ends.

        at: the same on all hosts, so that they record the same.
        """
        names = [name] if name in self._events else self._open_of(name)
        ended = [each for each in names if self._is_open(each)]
        for each in ended:
            say(f"released: {each} by {by}")
            self._record({"id": each, "what": RELEASED, "at": at, "by": by, "queue": queue})
        return ended

    def told(self, name: str) -> None:
        """The letters about it have left from here."""
        if TOLD not in self._events.get(name, {TOLD: None}):
            self._record({"id": name, "what": TOLD, "at": self._clock(), "host": self._host})

    def learn(self, row: Row) -> None:
        """An event that another host has recorded."""
        event = {key: value for key, value in row.items() if key not in ("kind", "seq")}
        if event["what"] not in self._events.get(event["id"], {}):
            self._record(event)

    def all(self, since: float = 0) -> list[Row]:
        """Every incident with what happened to it, the oldest first; without those that were over
        before a time."""
        known = [{**seen[OPENED], "events": seen, "open": self._is_open(name)}
                 for name, seen in self._events.items()
                 if OPENED in seen and (self._is_open(name) or _last(seen) >= since)]  # fmt: skip
        return sorted(known, key=lambda each: (each["at"], each["id"]))

    def _record(self, event: Row) -> None:
        _append(self._file, event)
        self._events.setdefault(event["id"], {})[event["what"]] = event
        self._share(event)
        if event["what"] == OPENED:
            self._merge(event["account"])

    def _share(self, event: Row) -> None:
        self._rules.share({"kind": KIND, **event}, name=f"{event['id']} {event['what']}")

    def _merge(self, account: str) -> None:
        """Every host comes to the same: the earliest stays."""
        stand = self._open_of(account)
        for other in stand[1:]:
            self._record({"id": other, "what": MERGED, "at": self._events[other][OPENED]["at"],
                          "into": stand[0]})  # fmt: skip

    def _open_of(self, account: str) -> list[str]:
        """The earliest first."""
        found = [
            (seen[OPENED]["at"], name)
            for name, seen in self._events.items()
            if self._is_open(name) and seen[OPENED]["account"] == account
        ]
        return [name for _, name in sorted(found)]

    def _is_open(self, name: str) -> bool:
        seen = self._events[name]
        return OPENED in seen and RELEASED not in seen and MERGED not in seen


def _last(seen: Mapping[str, Row]) -> float:
    return float(max(event["at"] for event in seen.values()))


def _read(file: Path) -> list[Row]:
    """A line that a power failure has cut short was not told to anybody yet: it is left out."""
    found: list[Row] = []
    for line in file.read_bytes().splitlines() if file.exists() else ():
        try:
            event = json.loads(line)
            found.append({**event, "id": event["id"], "what": event["what"]})
        except (ValueError, LookupError, TypeError):
            say(f"{file}: a line that is none is left out")
    return found


def _append(file: Path, event: Mapping[str, Any]) -> None:
    """On the disk before anything rests on it. A line that was cut short stays one of its own."""
    with file.open("ab+") as record:
        end = record.tell()
        record.seek(max(end - 1, 0))
        begin = b"" if record.read(1) in (b"", b"\n") else b"\n"
        record.write(begin + json.dumps(event, ensure_ascii=False).encode() + b"\n")
        record.flush()
        os.fsync(record.fileno())
