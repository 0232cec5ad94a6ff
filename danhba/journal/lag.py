"""What of an edge's mail has not come to the vault yet; see danhba.service, Part."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .tag import DOMAIN

_FINE = "ok: "
LATE = 300
"""Seconds after which somebody should look; a reboot of the vault takes less."""
_FOLDERS = ("maildrop", "incoming", "active", "deferred", "hold")
_SECONDS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
"""Digits of the time in Postfix's long queue ids, whose first six are seconds."""


def health(config: Mapping[str, Any], now: float) -> Iterator[str]:
    """A line for the queue that waits for the vault, and one for what has not even come there."""
    count, oldest = waiting(config["queue"])
    yield from _told(count, now - oldest if count else 0.0, config["vault"])
    stuck = list(_stuck(config["mail"], now))
    if stuck:
        yield (
            f"{len(stuck)} messages are not in the journal's queue yet, the oldest for"
            f" {_age(now - min(stuck))}: see `systemctl status {config['unit']}`; after five days"
            " Postfix gives up, and the journal lacks them"
        )


def _told(count: int, age: float, vault: str) -> Iterator[str]:
    if not count:
        yield f"{_FINE}the vault has all mail"
    elif age < LATE:
        yield f"{_FINE}{count} messages wait for the vault, the oldest for {_age(age)}"
    else:
        yield (
            f"{count} messages wait for the vault, the oldest for {_age(age)}: none is lost; see"
            f" why {vault} does not take them: `postqueue -c /etc/postfix-journal -p`"
        )


def waiting(queue: str) -> tuple[int, float]:
    """How many messages a queue has, and when the oldest came (seconds since 1970, 0 for none).
    Their names say it: a queue of a million is counted without opening any."""
    count, oldest = 0, float("inf")
    for folder in _FOLDERS:
        for _, _, names in os.walk(f"{queue}/{folder}"):
            count += len(names)
            oldest = min([oldest, *map(arrived, names)])
    return count, oldest if count else 0.0


def arrived(name: str) -> float:
    """When a message got its queue id."""
    second = 0
    for digit in name[:6]:
        second = second * len(_SECONDS) + max(_SECONDS.find(digit), 0)
    return float(second)


def _stuck(config: str, now: float) -> Iterator[float]:
    """When messages came that the mail queue itself still has for the journal, for a minute or
    more."""
    argv = ["postqueue", "-c", config, "-j"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    for found in map(json.loads, done.stdout.splitlines()):
        came = float(found["arrival_time"])
        if now - came > 60 and _for_journal(found["recipients"]):
            yield came


def _for_journal(recipients: Iterable[Mapping[str, str]]) -> bool:
    return any(each["address"].endswith(f"@{DOMAIN}") for each in recipients)


def _age(seconds: float) -> str:
    """Exact enough, and never another unit than it says: 34 days are not 4."""
    for name, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"
