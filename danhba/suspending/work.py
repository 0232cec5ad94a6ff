"""What is to be done for each incident, again and again until it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from .letters import Letters
from .queue import Queue
from .sessions import Sessions

_FRESH = 10
"""Seconds in which a login, or a message, may be on its way that was allowed before."""
_OFTEN = 60
"""Seconds between two looks into the queue after that."""
_LONG_AGO = 366 * 86400
"""Seconds: a host that was away for longer begins anew."""
_SETTLED = 3
"""Seconds in which another host may turn out to have seen the same."""
_OTHERS = 60
"""Seconds after which another edge writes, because the first has not."""

Incident = dict[str, Any]


class Work:
    """queue, letters: None on a store. host: the name of this one."""

    def __init__(
        self,
        ask: Callable[[dict[str, Any]], dict[str, Any]],
        sessions: Sessions,
        queue: Queue | None,
        letters: Letters | None,
        host: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ask, self._sessions, self._queue, self._letters = ask, sessions, queue, letters
        self._host, self._clock = host, clock
        self._known: dict[str, float] = {}
        """Since when this program knows of an incident: after a start it does all once more."""
        self._swept = 0.0

    def look(self) -> None:
        """Raises OSError, ValueError, subprocess.SubprocessError: what is not done is done next
        time."""
        now = self._clock()
        found = self._ask({"do": "incidents", "since": now - _LONG_AGO})
        incidents = found["incidents"]
        stand = [each for each in incidents if each["open"]]
        fresh = [each for each in stand if now - self._known.setdefault(each["id"], now) < _FRESH]
        if self._queue and stand and (fresh or now - self._swept > _OFTEN):
            self._queue.hold(stand, found["queued"])
            self._swept = now
        if fresh:
            self._sessions.end({each["account"] for each in fresh})
        if self._queue:
            self._queue.let_go(each for each in incidents if "released" in each["events"])
        self._write(stand)

    def _write(self, stand: list[Incident]) -> None:
        for each in stand if self._letters else ():
            age = self._clock() - each["at"]
            mine = age > (_SETTLED if each["host"] == self._host else _OTHERS)
            if mine and "told" not in each["events"] and self._letters:
                to = self._letters.write(each)
                self._ask({"do": "told", "id": each["id"]})
                print(f"{each['id']}: told {', '.join(to)}", file=sys.stderr, flush=True)
