"""Days of the calendar, and clocks that should agree on them."""

from __future__ import annotations

import calendar
from datetime import date, datetime
from zoneinfo import ZoneInfo

CLOCKS_APART = 300.0
"""Seconds by which a host's clock may differ from the control machine's, whose day is applied."""


def today(zone: str) -> date:
    """By the clock of a time zone as in the tz database."""
    return datetime.now(ZoneInfo(zone)).date()


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or its last: 31/8 and six months are 28/2 or 29/2."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def clocks_apart(there: float, before: float, after: float) -> int:
    """Seconds by which another machine's clock is ahead of this one's, negative when it is behind;
    0 when they agree well enough. there: what it said between before and after."""
    apart = there - after if there > after else min(there - before, 0.0)
    return round(apart) if abs(apart) > CLOCKS_APART else 0
