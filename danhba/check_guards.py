"""What a change of the directory disturbs beyond its approvals, before any host sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from danhba.check_life import leads_to
from danhba.compiled import Guard
from danhba.findings import Finding
from danhba.guards import PROTECTED, Disturbed, Excess, Limits, entry, excesses, touched, withheld
from danhba.model import Agency, Directory, Person, Status


def guard(directory: Directory) -> Guard:
    """What a change of the directory is measured by."""
    accounts = {agency.address: agency.kept_as for agency in directory.agencies}
    policy = directory.policy
    return Guard(
        people=sum(map(_there, directory.agencies)),
        agencies={agency.kept_as: _there(agency) for agency in directory.agencies},
        people_percent=policy.guard_people_percent,
        agency_percent=policy.guard_agency_percent,
        protected=_protected(directory),
        approvals=_approvals(directory),
        withheld={
            person.kept_as: _row(person.status, accounts[person.agency])
            for person in directory.people
            if person.status
        },
    )


def _row(status: Status, agency: str) -> str:
    return f"{status.kind} {agency} {status.first}"


def _approvals(directory: Directory) -> dict[str, dict[str, object]]:
    """All of the file, those of earlier changes too. An agency may be named by any name of its."""
    leads, accounts = leads_to(directory), _accounts(directory)
    return {
        each.decision: {
            "people": each.people,
            "agencies": {
                accounts.get(leads.get(name, name), name): number for name, number in each.agencies
            },
            "protected": list(each.protected),
        }
        for each in directory.approve
    }


def _protected(directory: Directory) -> dict[str, str]:
    """Those that are there, to who gets their mail; "" when an end is written."""
    leads, accounts = leads_to(directory), _accounts(directory)
    ending = {alias.address for alias in directory.aliases if alias.until}
    ending |= {agency.address for agency in directory.agencies if agency.closed}
    names = sorted({*PROTECTED, *directory.policy.protected})
    ends = {name: leads.get(name, name) for name in names}
    return {
        name: "" if {name, end} & ending else accounts[end]
        for name, end in ends.items()
        if end in accounts
    }


def check_guards(old: Directory, new: Directory) -> Iterator[Finding]:
    """Errors for what a change from old to new disturbs beyond the limits of both."""
    before, after = guard(old), guard(new)
    limits = Limits(
        min(before.people_percent, after.people_percent),
        min(before.agency_percent, after.agency_percent),
        before.people,
        before.agencies,
    )
    disturbed = _disturbed(before, after, _staff(old), _elsewhere(old, new))
    found = excesses(disturbed, limits, before.approvals, after.approvals)
    for excess in found:
        remedy = f"add `DECISION: {entry(found)}` under approve, with the decision's number"
        yield Finding(new.file, _line(new, excess), "error", "Điều 6.3", excess.what, remedy)


def _disturbed(
    before: Guard, after: Guard, staff: Mapping[str, str], elsewhere: set[str]
) -> Disturbed:
    """staff: account to agency of everybody before the change, whom alone it can disturb.
    elsewhere: accounts whose address is somebody else's by now, or nobody's."""
    stopped = withheld(before.withheld, after.withheld).keys() & staff.keys()
    emptied = {
        agency: count
        for agency, count in before.agencies.items()
        if count and not after.agencies.get(agency, 0)
    }
    found = touched(before.protected, after.protected, stopped)
    return Disturbed({each: staff[each] for each in stopped | elsewhere}, emptied, found)


def _staff(directory: Directory) -> dict[str, str]:
    accounts = {agency.address: agency.kept_as for agency in directory.agencies}
    return {person.kept_as: accounts[person.agency] for person in directory.people}


def _elsewhere(old: Directory, new: Directory) -> set[str]:
    leads, now = leads_to(new), {person.address: person.id for person in new.people}
    return {
        person.kept_as
        for person in old.people
        if now.get(leads.get(person.address, person.address)) != person.id
    }


def _accounts(directory: Directory) -> dict[str, str]:
    """Addresses of today to accounts."""
    holders: tuple[Agency | Person, ...] = (*directory.agencies, *directory.people)
    return {each.address: each.kept_as for each in holders}


def _there(agency: Agency) -> int:
    """Who is locked still is: the only one of an agency can be locked at once (Điều 10.2.a)."""
    return sum(1 for each in agency.staff if not each.status or each.status.kind != "withdrawn")


def _line(new: Directory, excess: Excess) -> int:
    """The first line that shows it."""
    agencies = [each for each in new.agencies if each.kept_as == excess.name]
    if agencies:
        return agencies[0].line
    people = [each for each in new.people if each.status]
    return people[0].line if people and excess.key == "people" else new.policy.line
