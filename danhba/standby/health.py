"""What danhba status says of a store's copies: how many wait, and what somebody must look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .config import Config
from .mailboxes import left_behind
from .memory import Memory

LATE = 120.0
"""Seconds by which a copy may lag before somebody has to look."""
SILENT = 1800.0
"""Seconds without a word of the daemon, which has one after every batch: only large mailboxes
that are new take it that long, and somebody may look at those."""
SHOWN = 5
"""Mailboxes named in one line."""
FINE = "ok: "
"""Begins what nobody has to look at (danhba.service, FINE)."""
_JOURNAL = "journalctl -u danhba-standby.service"
NIGHTS = 36 * 3600.0
"""Seconds within which the last full comparison must have ended well."""


def health(config: Config, memory: Memory, now: float) -> Iterator[str]:
    """How many copies wait, and what an engineer must look at, and do."""
    if stale := left_behind(config):
        more = ", ..." if len(stale) > SHOWN else ""
        yield (
            f"{len(stale)} mailboxes in {config.mail} are not this store's any more "
            f"({', '.join(stale[:SHOWN])}{more}): see docs/stores.md, Copies that stay behind"
        )
    if config.standbys():
        yield from _copies(memory, now)
    elif alone := sum(home == config.host for _, home, _ in config.places()):
        yield f"{FINE}standby: none, for no other store serves; {alone} mailboxes are here alone"
    else:
        yield f"{FINE}standby: no mailbox has its home here"


def _copies(memory: Memory, now: float) -> Iterator[str]:
    lag = memory.noted("lag")
    if lag is None or now - lag["at"] > SILENT:
        unit = "systemctl status danhba-standby.service"
        yield f"standby copies are not kept: {unit}, {_JOURNAL}"
    else:
        yield from _lag(lag, now)
    full = memory.noted("full")
    again = "systemctl start danhba-standby-all.service"
    if full and full["failed"]:
        count = f"{full['failed']} of {full['of']}"
        yield f"{count} mailboxes failed in the full comparison ({full['why']}): {again}"
    elif full and now - full["at"] > NIGHTS:
        yield f"the last full comparison ended {int(now - full['at']) // 3600} hours ago: {again}"


def _lag(lag: Mapping[str, Any], now: float) -> Iterator[str]:
    """Since when a copy waits is told from the look at which the daemon saw the change."""
    oldest = lag["oldest"]
    if not oldest:
        yield f"{FINE}standby: {lag['behind']} waiting"
        return
    late = now - oldest["since"]
    yield f"{FINE}standby: {lag['behind']} waiting, oldest {late:.0f} s"
    if late > LATE:
        why = "; ".join(sorted(set(lag["why"].values()))) or "too much changes at once"
        yield (
            f"{lag['behind']} standby copies lag, {oldest['account']} on {oldest['store']} by "
            f"{int(late)} s ({why}): see that {oldest['store']} runs, then {_JOURNAL}"
        )
