"""What a day brings by itself: may an apply carry it out with nobody there (danhba apply --dated)?

Every status, end and alias has its day written in the directory, and was checked, approved and
applied when it was written; the plan showed it in the list of days to come, which every host has.
So when the day is there, nobody has to decide anything, provided that nothing else would happen
along with it. That is proved, not assumed: what a host has must be, to the byte, what this checkout
gives for the last day before the first one due. The list is part of it: two directories that give
the same today and differ tomorrow have different lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from danhba.days import today
from danhba.generations.generation import Generation

if TYPE_CHECKING:  # the services import this module for FILE: they need no pyinfra
    from danhba.publish import Asked

FILE = "/etc/danhba/ahead"
"""On every host: the province's time zone, then a row for each day to come and what it brings."""

QUESTION: dict[str, Any] = {
    "files": {FILE: ""},
    "secret": [],
    "packages": [],
    "units": [],
    "entries": None,
}
"""To a host of which only that is wanted to be known, and what it always tells."""


def zone_of(report: Mapping[str, Any]) -> str:
    """The province's time zone as the host has it, "" when it has none yet."""
    return str(report["contents"].get(FILE, "").partition("\n")[0])


def due(report: Mapping[str, Any], day: date | None = None) -> list[str]:
    """Rows of the host's list whose day has come, the first one first. day: the province's today
    by default."""
    zone, *rows = report["contents"].get(FILE, "").splitlines() or [""]
    if not rows:
        return []
    last = str(day or today(zone))
    return [row for row in rows if row.split()[0] <= last]


def objections(
    asked: Mapping[str, Asked], on: Callable[[date], Mapping[str, Generation]]
) -> Iterator[str]:
    """Why the plans are more than what the days bring; nothing when they are that and no more.

    on: the generations of this checkout for a day.
    """
    for name, item in asked.items():
        if item.plan.changes or item.plan.refused:
            yield from (f"{name}: {reason}" for reason in _objections(name, item, on))


def _objections(
    name: str, item: Asked, on: Callable[[date], Mapping[str, Generation]]
) -> Iterator[str]:
    plan = item.plan
    if plan.drift:
        yield f"{plan.drift[0][0]} {plan.drift[0][1]}"
    if plan.packages:
        yield f"packages are missing: {' '.join(plan.packages)}"
    for unit, action in plan.services:
        if action not in ("reload", "restart"):
            yield f"{unit} does not run as it should ({action})"
    if plan.unread or _written_by_hand(item):
        yield "its LDAP entries are not as the last apply left them"
    if plan.live == plan.wanted:  # a run on the day was cut off here
        return
    rows = due(item.report)
    if not rows:
        yield "something else than a day that has come would be applied"
        return
    before = date.fromisoformat(rows[0].split()[0]) - timedelta(days=1)
    if on(before)[name].digest != plan.live:
        yield f"it is not what this checkout gives for {before}, the day before {rows[0]!r}"


def _written_by_hand(item: Asked) -> bool:
    """Entries came along although the last load is the one of the host's own tree file, or of the
    wanted one: somebody else changed LDAP since."""
    state, manifest = item.report["entries"], item.report["manifest"]
    if state is None or state["entries"] is None or not manifest or not manifest["tree"]:
        return False
    trees = (each["files"][each["tree"]["path"]]["sha256"]
             for each in (manifest, item.generation.manifest))  # fmt: skip
    return bool(item.plan.entries) and state["loaded"] in tuple(trees)
