"""An agency's list beside the directory: who would be added, who is there, what else is asked."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date

from danhba.edit.people import Newcomer
from danhba.lists import Listed, Roster
from danhba.model import Directory, Person


@dataclass(frozen=True)
class Match:
    """Somebody of the list and who of the directory he may be."""

    listed: Listed
    person: Person


@dataclass(frozen=True)
class Proposal:
    """new: to be added. there: with the same staff code. doubtful: of one name in this agency, so
    perhaps the same: nobody is added. elsewhere: of one name in another agency; added all the same,
    for names are shared by many. asked: who is on the list for something else than an address.
    missing: of the agency's staff and not on a list of everybody."""

    new: tuple[tuple[Listed, Newcomer], ...]
    there: tuple[Match, ...]
    doubtful: tuple[Match, ...]
    elsewhere: tuple[Match, ...]
    asked: tuple[Listed, ...]
    missing: tuple[Person, ...]


def propose(
    roster: Roster, directory: Directory, agency: str, request: str, day: date, full: bool
) -> Proposal:
    """What the list means for the directory. full: it names everybody in the agency."""
    own = [person for person in directory.people if person.agency == agency]
    by_id = {person.id: person for person in directory.people}
    by_name: dict[str, list[Person]] = {}
    for person in directory.people:
        by_name.setdefault(_key(person.name), []).append(person)
    new: list[tuple[Listed, Newcomer]] = []
    there: list[Match] = []
    doubtful: list[Match] = []
    elsewhere: list[Match] = []
    asked: list[Listed] = []
    for order, listed in enumerate(roster.people, 1):
        same = by_id.get(listed.staff_id)
        namesakes = by_name.get(_key(listed.name), [])
        here = [each for each in namesakes if each.agency == agency]
        if same is not None:
            there.append(Match(listed, same))
        elif listed.wish not in ("add", "unknown"):
            asked.append(listed)
        elif here:
            doubtful += [Match(listed, each) for each in here]
        else:
            elsewhere += [Match(listed, each) for each in namesakes]
            new.append((listed, _newcomer(listed, request, order, day)))
    seen = {match.person.id for match in (*there, *doubtful)}
    seen |= {each.id for each in own if any(_key(each.name) == _key(one.name) for one in asked)}
    missing = tuple(each for each in own if each.id not in seen) if full else ()
    return Proposal(
        tuple(new), tuple(there), tuple(doubtful), tuple(elsewhere), tuple(asked), missing
    )


def _newcomer(listed: Listed, request: str, order: int, day: date) -> Newcomer:
    """Many lists have no staff codes: then the request and the place on it name the person."""
    code = listed.staff_id or f"{request}#{listed.number or order}"
    return Newcomer(code, listed.name, request, day, listed.title)


def _key(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
