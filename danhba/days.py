"""Days of the calendar."""

from __future__ import annotations

import calendar
from datetime import date, datetime
from zoneinfo import ZoneInfo


def today(zone: str) -> date:
    """By the clock of a time zone as in the tz database."""
    return datetime.now(ZoneInfo(zone)).date()


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or its last: 31/8 and six months are 28/2 or 29/2."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
