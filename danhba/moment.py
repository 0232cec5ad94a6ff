"""Points in time as engineers write them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from danhba.errors import DanhbaError


def moment(text: str, timezone: str) -> datetime:
    """A past time (ISO 8601), by the province's clock unless it names another zone; in the
    province's. Raises DanhbaError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise DanhbaError(f"{text!r} is no time: write 2026-11-20T10:00") from None
    zone = ZoneInfo(timezone)
    found = found.astimezone(zone) if found.tzinfo else found.replace(tzinfo=zone)
    if found > datetime.now(zone):
        raise DanhbaError(f"{text} is still to come")
    return found
