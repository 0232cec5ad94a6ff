"""Whose mailbox was not accessed for the months of Điều 6.4, and whose soon will be."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from danhba.check_life import leads_to
from danhba.days import months_after
from danhba.guards import PROTECTED
from danhba.model import Agency, Directory, Person
from danhba.usage.collect import LastAccess

Verdict = Literal["withdraw", "warn", "escalate", "spared"]
"""withdraw: the months are over. warn: one month is left. escalate: the months are over, and the
mailbox is an agency's, which is never withdrawn. spared: they are over, and yet nothing is done."""


@dataclass(frozen=True)
class Idle:
    """A mailbox and what is to be done. agency: its address. last: day of the last access that is
    known, None when there was none. since, because: the day from which the months count, and what
    was on it. over: the last day of the months. spared: why nothing is done, or ""."""

    address: str
    name: str
    agency: str
    verdict: Verdict
    last: date | None
    since: date
    because: str
    over: date
    spared: str = ""


def idle(
    directory: Directory, access: LastAccess, months: int, today: date, new: Collection[str] = ()
) -> list[Idle]:
    """In the order of the file. new: hosts that nobody used before their records begin.

    Where records begin late, everybody may have been there before: nobody's months count from an
    earlier day than that.
    """
    look = _Look(directory, access, months, today, new)
    found = []
    for agency in directory.agencies:
        found += [*look.agency(agency)]
        for person in agency.staff:
            found += [*look.person(person)]
    return found


class _Look:
    def __init__(
        self, directory: Directory, access: LastAccess, months: int, today: date,
        new: Collection[str],
    ) -> None:  # fmt: skip
        self.access, self.months, self.today = access, months, today
        leads = leads_to(directory)
        names = (*directory.policy.protected, *PROTECTED)
        self.protected = {leads.get(name, name) for name in names}
        begun = [(day, host) for host, day in access.begun.items() if host not in new]
        self.begun = [(day, f"records of {host} begin") for day, host in begun]
        # The directory has no day for agencies (of persons: since): one that was never opened
        # would have nothing to count from where all hosts are new.
        first = sorted((day, host) for host, day in access.begun.items())[:1]
        self.opened = [(day, f"records of {host} begin") for day, host in first]

    def agency(self, agency: Agency) -> Iterator[Idle]:
        """An access by a keeper is one of the agency."""
        if agency.is_closed(self.today):
            return
        found = self.look(agency, agency.address, self.opened)
        if found and found.verdict == "withdraw":
            yield replace(found, verdict="escalate")
        elif found:
            yield found

    def person(self, person: Person) -> Iterator[Idle]:
        if person.status and person.status.kind == "withdrawn":
            return
        days = [(person.since, "registration")]
        if person.changed:
            days.append((person.changed, "last change of the line"))
        if person.leave and person.leave.until < self.today:
            days.append((person.leave.until, "end of leave"))
        if found := self.look(person, person.agency, days):
            reason = self.spares(person)
            yield replace(found, verdict="spared", spared=reason) if reason else found

    def look(
        self, holder: Person | Agency, agency: str, days: list[tuple[date, str]]
    ) -> Idle | None:
        """As if everybody were to be withdrawn; None while there is time."""
        last = self.access.last.get(holder.kept_as)
        known = [(last, "last access")] if last else []
        candidates = [*known, *days, *self.begun]
        if not candidates:
            return None
        since, because = max(candidates, key=lambda each: each[0])
        if self.today <= months_after(since, self.months - 1):
            return None
        over = months_after(since, self.months)
        verdict: Verdict = "withdraw" if self.today > over else "warn"
        return Idle(holder.address, holder.name, agency, verdict, last, since, because, over)

    def spares(self, person: Person) -> str:
        """Why somebody who stays away is left alone, or ""."""
        if person.leave and person.leave.until >= self.today:
            return f"on leave until {person.leave.until}"
        if person.address in self.protected:
            return "protected by policy"
        if person.state(self.today) == "locked":
            return "locked, and may not log in"
        return ""
