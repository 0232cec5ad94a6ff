"""On how many working days of a month each of four slots had an access (Điều 10.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from danhba.errors import DanhbaError
from danhba.model import Agency, Directory, Person, Policy
from danhba.usage.collect import SLOTS, Slots


@dataclass(frozen=True)
class Use:
    """Of one mailbox. agency: its address. working: working days on which there could be an access.
    slots: on how many of them there was one, slot by slot. all: in all slots."""

    address: str
    name: str
    agency: str
    working: int
    slots: tuple[int, ...]
    all: int


def month_of(text: str) -> tuple[date, date]:
    """The first day of a month like 2026-11, and of the next one. Raises DanhbaError."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise DanhbaError(f"there is no month {text}: write it like 2026-11") from None
    return first, (first + timedelta(days=31)).replace(day=1)


def working_days(policy: Policy, first: date, end: date) -> list[date]:
    """From first to the day before end: Monday to Friday without holidays, and days of a weekend
    that are worked by decision."""
    days = (first + timedelta(days=each) for each in range((end - first).days))
    return [
        day
        for day in days
        if (day.weekday() < 5 and day not in policy.holidays) or day in policy.working_days
    ]


def uses(directory: Directory, found: Slots, end: date, new: Collection[str] = ()) -> list[Use]:
    """Of every mailbox that was there, in the order of the file. end: the day after the last.

    Only days of which all hosts have the whole record; new: hosts that nobody used before theirs
    begin.
    """
    begun = [day + timedelta(days=1) for host, day in found.begun.items() if host not in new]
    days = working_days(directory.policy, max([found.first, *begun]), end)
    return [use for agency in directory.agencies for use in _agency(agency, found, days)]


def _agency(agency: Agency, found: Slots, days: list[date]) -> Iterator[Use]:
    closed = agency.closed.since if agency.closed else date.max
    if there := [day for day in days if day < closed]:
        yield _use(agency, agency.address, found, there)
    for person in agency.staff:
        gone = person.status.first if person.status else date.max
        if there := [day for day in days if person.since <= day < gone]:
            yield _use(person, agency.address, found, there)


def _use(holder: Person | Agency, agency: str, found: Slots, days: list[date]) -> Use:
    bits = found.days.get(holder.kept_as)
    each = [bits[(day - found.first).days] for day in days] if bits else []
    counts = tuple(sum(day >> slot & 1 for day in each) for slot in range(len(SLOTS)))
    every = (1 << len(SLOTS)) - 1
    whole = sum(day == every for day in each)
    return Use(holder.address, holder.name, agency, len(days), counts, whole)
