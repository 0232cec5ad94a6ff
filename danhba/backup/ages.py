"""How long ago something was, in words that nobody takes for less."""

from __future__ import annotations

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def age(seconds: float) -> str:
    """Whole units that have passed: 34 days are "34 days"."""
    for unit, size in (("day", DAY), ("hour", HOUR), ("minute", MINUTE)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}s"
    return f"{max(0, int(seconds))} seconds"
