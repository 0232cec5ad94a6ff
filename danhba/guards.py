"""Against a change that disturbs many, or whom nobody may disturb unawares.

Withdrawn, locked, or sent elsewhere: above a share of all people or of one agency, for an agency
that is left without anybody, and for protected addresses, the change must bring an approval that
names the number. Two comparisons use the same measure: of two directories (danhba check --since),
and of a host with the generation it is to get (danhba apply).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PROTECTED = ("abuse", "postmaster")
"""Where the world reaches whoever runs the mail system (RFC 2142, RFC 5321 4.5.1)."""

FILE = "/etc/danhba/guard.json"
"""On every host: who is not active, and the approvals of its generation."""

Approvals = Mapping[str, Mapping[str, Any]]
"""Decision to what it names: people, agencies, protected."""


@dataclass(frozen=True)
class Disturbed:
    """people: address to agency, "" when it is not known. emptied: agency to how many it had."""

    people: Mapping[str, str] = field(default_factory=dict)
    emptied: Mapping[str, int] = field(default_factory=dict)
    protected: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Limits:
    """Percent, and what they are percent of."""

    people_percent: int
    agency_percent: int
    people: int
    agencies: Mapping[str, int]


@dataclass(frozen=True)
class Excess:
    """What no approval of the change names. what: a sentence. key, name, number: what one would
    name. free: how many need none."""

    what: str
    key: str
    name: str
    number: int
    free: int = 0

    def __str__(self) -> str:
        return f"{self.what}; approve: DECISION: {entry([self])}"


def entry(found: Sequence[Excess]) -> str:
    """The one entry under `approve`, after its decision, that names all of them."""
    people = [f"people: {each.number}" for each in found if each.key == "people"]
    agencies = [f"{each.name}: {each.number}" for each in found if each.key == "agencies"]
    protected = [each.name for each in found if each.key == "protected"]
    parts = people
    parts += [f"agencies: {{{', '.join(agencies)}}}"] if agencies else []
    parts += [f"protected: [{', '.join(protected)}]"] if protected else []
    return f"{{{', '.join(parts)}}}"


def excesses(
    disturbed: Disturbed, limits: Limits, old: Approvals, new: Approvals, together: bool = False
) -> list[Excess]:
    """What is not approved by a decision of `new` that `old` has not, in a stable order. One that
    was there is used up, whatever it names by now.

    together: of several changes at once, each with its own approval or none. Then what they name
    adds up, and only the rest is measured.
    """
    fresh = _fresh(old, new)
    found = _measured(disturbed, limits)
    return [each for each in found if not _approved(each, fresh, together)]


def _approved(excess: Excess, fresh: Sequence[Mapping[str, Any]], together: bool) -> bool:
    if excess.key == "protected":
        return any(excess.name in approval["protected"] for approval in fresh)
    if excess.key == "people":
        named = [approval["people"] for approval in fresh]
    else:
        named = [approval["agencies"].get(excess.name, 0) for approval in fresh]
    rest = excess.number - sum(named)
    return excess.number in named or (together and rest <= excess.free)


def _fresh(old: Approvals, new: Approvals) -> list[Mapping[str, Any]]:
    return [approval for decision, approval in new.items() if decision not in old]


def _measured(disturbed: Disturbed, limits: Limits) -> Iterator[Excess]:
    count = len(disturbed.people)
    if _too_many(count, limits.people, limits.people_percent):
        what = f"{count} of {limits.people} people are withdrawn, locked or sent elsewhere"
        what = f"{what}, more than {limits.people_percent}%"
        free = _free(limits.people, limits.people_percent)
        yield Excess(what, "people", "", count, free)
    of_agency = Counter(agency for agency in disturbed.people.values() if agency)
    for agency, number in sorted((of_agency | Counter(disturbed.emptied)).items()):
        there = limits.agencies.get(agency, 0)
        if agency in disturbed.emptied:
            yield Excess(f"{agency} is left without anybody", "agencies", agency, number)
        elif _too_many(number, there, limits.agency_percent):
            what = f"{number} of {there} people of {agency} are withdrawn, locked or sent elsewhere"
            what = f"{what}, more than {limits.agency_percent}%"
            yield Excess(what, "agencies", agency, number, _free(there, limits.agency_percent))
    for address in sorted(disturbed.protected):
        yield Excess(f"the protected address {address} is touched", "protected", address, 0)


def _too_many(count: int, there: int, percent: int) -> bool:
    """One person alone never is: he would be a third of a commune's staff."""
    return count > _free(there, percent)


def _free(there: int, percent: int) -> int:
    return max(1, there * percent // 100)


def withheld(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Account to agency of whom a change locks or withdraws, or does so earlier than it was to be;
    of both "STATE AGENCY FIRST-DAY" by account."""
    found = {}
    for account, row in new.items():
        state, agency, first = row.split()
        before, since = [*old.get(account, "").split(), "", "", ""][0:3:2]
        if _RANK[state] > _RANK.get(before, 0) or (state == before and first < since):
            found[account] = agency
    return found


_RANK = {"locked": 1, "withdrawn": 2}


def touched(
    old: Mapping[str, str], new: Mapping[str, str], disturbed: Collection[str]
) -> frozenset[str]:
    """Protected addresses whose mail goes elsewhere, ends, or is that of somebody disturbed; those
    that are protected no longer as well."""
    return frozenset(
        name
        for name, account in old.items()
        if new.get(name, "") != account or account in disturbed
    )


def on_host(
    live: Mapping[str, Any],
    wanted: Mapping[str, Any],
    people: int,
    agencies: Mapping[str, int],
) -> list[Excess]:
    """What the next generation of a host disturbs, by the guard files of both.

    people, agencies: how many there will be. Hosts are not asked how many there were: an agency
    that others take over with its staff is the matter of danhba.check_guards, for nobody's mail
    stops.
    """
    fresh = withheld(live["withheld"], wanted["withheld"])
    gone = Counter(
        agency
        for account, agency in fresh.items()
        if wanted["withheld"][account].startswith("withdrawn")
        and not live["withheld"].get(account, "").startswith("withdrawn")  # else only earlier
    )
    emptied = {each: count for each, count in gone.items() if not agencies.get(each, 0)}
    for approval in _fresh(live["approvals"], wanted["approvals"]):
        for agency, number in approval["agencies"].items():  # also of who went elsewhere meanwhile
            emptied |= {agency: number} if number > emptied.get(agency, number) else {}
    limits = Limits(
        min(live["people_percent"], wanted["people_percent"]),
        min(live["agency_percent"], wanted["agency_percent"]),
        people + gone.total(),
        Counter(agencies) + gone,
    )
    disturbed = Disturbed(
        fresh,
        emptied,
        touched(live["protected"], wanted["protected"], fresh),
    )
    return excesses(disturbed, limits, live["approvals"], wanted["approvals"], together=True)
