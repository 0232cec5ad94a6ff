"""Which messages somebody asks for: by addresses, agencies, time, journal id, Message-ID."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from . import entry
from .chain import Line, lines_of
from .segment import segments

_SLACK = timedelta(days=2)
"""Between the day of a segment, the province's, and the latest times in it, of UTC."""
_MANY = 50
"""Words beyond which looking for each of them in a line takes longer than reading the line."""


@dataclass(frozen=True)
class Selection:
    """What all of a message must be; what is empty demands nothing. addresses: one of its parties,
    with the domain, small letters; received: only as a recipient. agencies: accounts. first, until:
    times as entries have them, until is not among them. ids: of the journal. message_ids: with the
    angle brackets. written: times are those at which the vault wrote, not those of the edges."""

    addresses: frozenset[str] = frozenset()
    agencies: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    message_ids: frozenset[str] = frozenset()
    first: str = ""
    until: str = ""
    received: bool = False
    written: bool = False

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Selection:
        """From a request's keys of the same names. Raises ValueError."""
        addresses = (str(each).lower() for each in request.get("addresses", ()))
        return cls(
            addresses=frozenset(addresses),
            agencies=frozenset(request.get("agencies", ())),
            ids=frozenset(request.get("ids", ())),
            message_ids=frozenset(request.get("message_ids", ())),
            first=_stamp(request.get("first", "")),
            until=_stamp(request.get("until", "")),
            received=bool(request.get("received")),
            written=bool(request.get("written")),
        )

    @property
    def words(self) -> dict[str, Any]:
        """What of it demands something, for the record."""
        sets = {key: sorted(getattr(self, key)) for key in _SETS}
        rest = {"first": self.first, "until": self.until, "received": self.received,
                "written": self.written}  # fmt: skip
        return {key: value for key, value in {**sets, **rest}.items() if value}

    def takes(self, found: Mapping[str, Any]) -> bool:
        """Is the message of an entry one of them?"""
        if self.ids and found["id"] not in self.ids:
            return False
        if self.message_ids and found["message_id"] not in self.message_ids:
            return False
        time = found["time"] if self.written else entry.passed(found)
        if time < self.first or (self.until and time >= self.until):
            return False
        if self.agencies and self.agencies.isdisjoint(found["agencies"]):
            return False
        parties = (*found["to"], *(() if self.received else (found["from"],)))
        return not self.addresses or any(each.lower() in self.addresses for each in parties)

    def lines(self, root: Path) -> Iterator[tuple[Line, dict[str, Any]]]:
        """Of the chain, in its order, with what they say."""
        words = self._hints()
        for segment in segments(root):
            if over(segment.day, self.first):
                continue
            for line in lines_of(root, segment):
                if words and not any(word in line.raw.lower() for word in words):
                    continue
                found = _mail(line)
                if found and self.takes(found):
                    yield line, found

    def _hints(self) -> tuple[bytes, ...]:
        """Words in small letters of which a line that is meant has one; () when nothing is said
        that can be looked for."""
        for kind in (self.ids, self.message_ids, self.addresses, self.agencies):
            if 0 < len(kind) <= _MANY and all(map(str.isascii, kind)):
                return tuple(json.dumps(word).encode().lower() for word in kind)
        return ()


MAIL = frozenset((
    "n", "prev", "time", "kind", "id", "from", "to", "agencies", "message_id", "size", "at",
    "length", "sha256", "text", "class",
))  # fmt: skip
"""What an entry of a message has."""
_SETS = ("addresses", "agencies", "ids", "message_ids")


def _mail(line: Line) -> dict[str, Any] | None:
    if not line.raw.endswith(b"\n"):
        return None
    try:
        found = entry.parsed(line.raw)
    except ValueError:
        return None
    return found if found.get("kind") == entry.MAIL and found.keys() >= MAIL else None


def _stamp(text: str) -> str:
    return entry.stamp(entry.seconds(text)) if text else ""


def over(day: str, first: str) -> bool:
    """Is a segment of the day without an entry of that time or later? The other way nothing is
    known: a clock that went back writes earlier times into a segment of a later day."""
    begun = datetime.strptime(day, "%Y/%m/%d")
    return bool(first) and begun < datetime.fromisoformat(first[:10]) - _SLACK
