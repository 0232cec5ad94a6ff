"""What danhba status says of a host's own backups."""

from __future__ import annotations

from collections.abc import Iterator

from .ages import HOUR, age
from .memory import Memory

FINE = "ok: "
"""Begins what nobody has to look at (danhba.service, FINE)."""
LATE = {"mail": 3 * HOUR, "host": 36 * HOUR}
"""Seconds after which somebody has to look: two runs and a long one have gone by."""
UNIT = {"mail": "danhba-backup-mail.service", "host": "danhba-backup-daily.service"}


def health(memory: Memory, kinds: list[str], now: float) -> Iterator[str]:
    """kinds: of backups that the host makes."""
    for kind in kinds:
        good, last = memory.noted(f"good {kind}"), memory.noted(f"last {kind}")
        why = f" ({last['why']})" if last and last["why"] else ""
        remedy = f"journalctl -u {UNIT[kind]}, then systemctl start {UNIT[kind]}"
        if good is None:
            began = memory.noted("began") or now
            if why or now - began > LATE[kind]:
                yield f"backup: {kind} was never backed up{why}: {remedy}"
            continue
        when = age(now - good["at"])
        if why or now - good["at"] > LATE[kind]:
            yield f"backup: the last good one of {kind} is {when} old{why}: {remedy}"
        else:
            yield f"{FINE}backup: {kind} {when} ago"
