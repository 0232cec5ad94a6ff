"""What danhba status says of the people hosts: who lacks what another one has, whose clock differs.

Each people host was asked about itself and about the others (danhba/generations/host/peers.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from danhba.generations.host.peers import SKEW, lacks


def troubles(found: Mapping[str, Any] | None, environment: str) -> Iterator[str]:
    """Lines about one host; none when it has all that the others have.

    found: {"own", "peers"}, the answer of peers.report; None of a host without people.
    """
    if found is None:
        return
    own = found["own"]
    if own["error"]:
        yield f"LDAP does not answer ({own['error']}): danhba apply {environment}"
        return
    for peer, there in found["peers"].items():
        if there["error"]:
            yield f"LDAP of {peer} cannot be asked from here: {there['error']}"
            continue
        if missing := lacks(own, there):
            yield f"LDAP lacks changes that {peer} has, {_late(own, missing)}"
        if abs(there["clock"]) > SKEW:
            yield (
                f"the clock of {peer} differs by {there['clock']:+d} s: no first passwords are"
                " made, and of two changes to one password the wrong one may stay; set the clocks"
            )


def _late(own: Mapping[str, Any], missing: Mapping[str, str]) -> str:
    """How much later the other's last change is than the last that is here."""
    if not own["stamps"]:
        return "all of them"
    seconds = max(
        (_time(stamp) - _time(own["stamps"].get(host, min(own["stamps"].values())))).total_seconds()
        for host, stamp in missing.items()
    )
    return f"the last of them {max(seconds, 0):.0f} s newer than the last one here"


def _time(stamp: str) -> datetime:
    return datetime.strptime(stamp.partition("Z")[0], "%Y%m%d%H%M%S.%f")
