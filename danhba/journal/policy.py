"""By which rules contents may have gone: what `verify` holds entries of the kind `expired` against.

The control machine says the policy of today, and other hosts which years were applied when
(memory.py); the vault has no word in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from . import entry
from .contents import Removed
from .expiry import Rules, of_class


@dataclass(frozen=True)
class Years:
    """What a host remembers: some entry later than `after`, and `n` at the latest, was the first
    for which these years were applied."""

    host: str
    after: int
    n: int
    years: Mapping[str, int]


@dataclass(frozen=True)
class Policy:
    """What the control machine knows, and the vault cannot change. asked: cases of holds to the day
    of the letter: what went before it had gone by then. applied: by each host in the order of the
    chain."""

    rules: Rules
    asked: Mapping[str, date]
    applied: tuple[Years, ...] = ()

    @classmethod
    def of(cls, question: Mapping[str, Any]) -> Policy:
        """From "rules", "asked" and "applied" ([host, after, n, years] each) of a question."""
        asked = {case: date.fromisoformat(day) for case, day in question["asked"].items()}
        applied = tuple(Years(*each) for each in question["applied"])
        return cls(Rules.of(question["rules"], {}), asked, applied)

    def on(self, day: date) -> Rules:
        """With the holds of a day only."""
        holds = (each for each in self.rules.holds if self.asked.get(each.case, date.min) <= day)
        return replace(self.rules, holds=tuple(holds))

    def lets_go(self, n: int, kept_as: str, years: int) -> bool:
        """Might entry n let mail of a class go after so many years? By the policy of today, or by
        what most hosts that remember it say was applied then."""
        if years >= self.rules.of_class(kept_as):
            return True
        hosts = {each.host for each in self.applied}
        then = [found for host in hosts if (found := [*self._then(host, n)])]
        right = sum(any(years >= of_class(each.years, kept_as) for each in found) for found in then)
        return bool(then) and 2 * right >= len(then)

    def _then(self, host: str, n: int) -> Iterator[Years]:
        """What was applied when an entry was written, by one host; two, when it was about then that
        it changed."""
        own = [each for each in self.applied if each.host == host]
        yield from [each for each in own if each.n < n][-1:]
        yield from (each for each in own if each.after < n <= each.n)


# By the time of UTC: no province's day begins earlier by as much as a day.
ANY = Policy(Rules(ZoneInfo("UTC"), {"": 0}, {}, ()), {})
"""Demands nothing."""


@dataclass(frozen=True)
class Rule:
    """What an entry of the kind `expired` says of itself. then: of the policy, with the holds of
    that day."""

    kept_as: str
    years: int
    before: str
    then: Rules

    @classmethod
    def of(cls, found: Mapping[str, Any], policy: Policy) -> Rule | None:
        """None when the entry went against its own rule."""
        try:
            if years_later(found["before"], found["years"]) > found["time"]:
                return None
            Removed().add(found)
            day = datetime.fromtimestamp(entry.seconds(found["time"]), policy.rules.zone).date()
            return cls(str(found["class"]), int(found["years"]), found["before"], policy.on(day))
        except (KeyError, TypeError, ValueError):
            return None


def years_later(stamp: str, years: int) -> str:
    """The same time of a later year, as entries have times. Raises ValueError."""
    moment = datetime.fromisoformat(str(stamp).replace("Z", "+00:00"))
    leap = moment.month == 2 and moment.day == 29
    then = moment.replace(year=moment.year + years, day=28 if leap else moment.day)
    return entry.stamp(then.timestamp())
