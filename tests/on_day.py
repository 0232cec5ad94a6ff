"""danhba on another day: python tests/on_day.py 2027-01-01 apply staging --dated

Only the province's calendar is another one (danhba/days.py); the hosts have the clock they have.
"""

from __future__ import annotations

import sys
from datetime import date, datetime, time, tzinfo

import danhba.days
from danhba.commands import main


def on(day: date) -> None:
    """Let it be noon of that day, wherever danhba asks."""

    class Noon(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Noon:
            return cls.combine(day, time(12), tz)

    danhba.days.datetime = Noon  # type: ignore[misc]


if __name__ == "__main__":
    on(date.fromisoformat(sys.argv[1]))
    main(sys.argv[2:], prog_name="danhba")
