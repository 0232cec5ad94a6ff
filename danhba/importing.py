"""An agency's list beside the directory: who would be added, who is there, what else is asked.

A second mailbox for somebody who has one is the harm to avoid: whoever may be in the directory is
shown beside the one he may be, and not added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import chain
from shlex import quote
from typing import Literal

from danhba.edit.people import Newcomer
from danhba.lists import Listed, Roster
from danhba.model import Directory, Person
from danhba.same_name import name_key

Sort = Literal["new", "there", "back", "moves", "doubtful", "asked"]
"""new: to be added. there: nothing to do. back: of this agency and withdrawn. moves: of another
agency by the staff code. doubtful: perhaps there. asked: something else than an address."""


@dataclass(frozen=True)
class Row:
    """A person of the list. people: who of the directory he is or may be; of a new one the
    namesakes in other agencies. why: of a doubt. commands: what does what is asked, to be pasted.
    """

    listed: Listed
    sort: Sort
    people: tuple[Person, ...] = ()
    why: str = ""
    commands: tuple[str, ...] = ()
    newcomer: Newcomer | None = None


@dataclass(frozen=True)
class Proposal:
    """rows: all people of the list, in its order. twins: rows of one name. missing: of the agency's
    staff and not on a list of everybody, with the command that withdraws each."""

    rows: tuple[Row, ...]
    twins: tuple[tuple[Listed, ...], ...]
    missing: tuple[tuple[Person, str], ...]

    def of(self, sort: Sort) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.sort == sort)

    @property
    def newcomers(self) -> tuple[Newcomer, ...]:
        return tuple(row.newcomer for row in self.rows if row.newcomer)

    @property
    def commands(self) -> tuple[str, ...]:
        """All that it names; those of a doubt too."""
        of_rows = chain.from_iterable(row.commands for row in self.rows)
        return (*of_rows, *(command for _, command in self.missing))


def propose(
    roster: Roster, directory: Directory, agency: str, request: str, day: date, full: bool
) -> Proposal:
    """What the list means for the directory. full: it names everybody in the agency."""
    beside = _Beside(directory, agency, request, day)
    rows = tuple(beside.row(place, listed) for place, listed in enumerate(roster.people, 1))
    seen = {person.id for row in rows for person in row.people}
    missing = [
        (person, beside.withdraw(person))
        for person in directory.people
        if full and person.agency == agency and person.id not in seen and not _is_leaving(person)
    ]
    return Proposal(rows, tuple(_twins(roster.people)), tuple(missing))


class _Beside:
    """The directory, with what is known of the rows that were read."""

    def __init__(self, directory: Directory, agency: str, request: str, day: date) -> None:
        self.agency, self.request, self.day = agency, request, day
        self.closed = {each.address for each in directory.agencies if each.closed}
        self.by_id = {person.id: person for person in directory.people}
        self.by_name: dict[str, list[Person]] = {}
        for person in directory.people:
            self.by_name.setdefault(name_key(person.name), []).append(person)
        self.codes: dict[str, Listed] = {}
        self.found: set[str] = set()

    def row(self, place: int, listed: Listed) -> Row:
        """place: on the list, from 1. Many lists have no staff codes: then the request and the
        place name the person. Not the number on the list, which many sections begin anew."""
        code = listed.staff_id or f"{self.request}#{place}"
        namesakes = self.by_name.get(name_key(listed.name), [])
        here = [person for person in namesakes if person.agency == self.agency]
        first = self.codes.setdefault(code, listed)
        if listed.wish not in ("add", "unknown"):
            return self.asked(listed, here)
        if person := self.known(listed, code, here):
            self.found.add(person.id)
            return self.settled(listed, person)
        if first is not listed:
            why = f"has the staff code of {first.name} ({first.place}), not added"
            return Row(listed, "doubtful", why=why)
        if here:
            return self.perhaps(listed, here)
        new = Newcomer(code, listed.name, self.request, self.day, listed.title)
        return Row(listed, "new", tuple(namesakes), newcomer=new)

    def known(self, listed: Listed, code: str, here: Iterable[Person]) -> Person | None:
        """Who has the code. On a list without codes also who was registered by this very list."""
        by_code = self.by_id.get(code)
        if listed.staff_id or (by_code and _is_named(by_code, listed)):
            return by_code
        mine = (each for each in here if each.id not in self.found and self.is_of_letter(each))
        return next(mine, by_code)

    def is_of_letter(self, person: Person) -> bool:
        return person.request == self.request or person.id.startswith(f"{self.request}#")

    def settled(self, listed: Listed, person: Person) -> Row:
        """The row of somebody who has the staff code of person."""
        if not _is_named(person, listed):
            why = "has the staff code of another name, not added"
            return Row(listed, "doubtful", (person,), why)
        if person.agency == self.agency:
            gone = self.is_gone(person)
            return Row(listed, "back" if gone else "there", (person,), commands=self.back(person))
        if not listed.staff_id:  # this list registered him here, and he has gone since
            return Row(listed, "there", (person,))
        return Row(listed, "moves", (person,), commands=self.move(person))

    def perhaps(self, listed: Listed, here: list[Person]) -> Row:
        """The row of somebody with namesakes in the agency."""
        commands = tuple(chain.from_iterable(map(self.back, here)))
        if len(here) == 1 and commands:
            return Row(listed, "back", tuple(here), commands=commands)
        why = "perhaps there, not added" + ("" if commands else " (danhba add does)")
        return Row(listed, "doubtful", tuple(here), why, commands)

    def asked(self, listed: Listed, here: list[Person]) -> Row:
        """The row of somebody for whom no address is asked."""
        by_code = self.by_id.get(listed.staff_id)
        people = (by_code,) if by_code else tuple(here)
        sure = listed.wish == "withdraw" and len(people) == 1 and people[0] in here
        leaves = sure and not _is_leaving(people[0])
        commands = (self.withdraw(people[0]),) if leaves else ()
        return Row(listed, "asked", people, commands=commands)

    # Commands

    def is_gone(self, person: Person) -> bool:
        return person.state(self.day) == "withdrawn"

    def back(self, person: Person, paper: str = "") -> tuple[str, ...]:
        """For who is withdrawn. paper: instead of this list."""
        if not self.is_gone(person):
            return ()
        locked = bool(person.status and person.status.locked)
        unlock = (f"danhba unlock {person.address}",) if locked else ()
        rests = paper or f"--request {quote(self.request)}"
        return (*unlock, f"danhba reinstate {person.address} {rests}")

    def move(self, person: Person) -> tuple[str, ...]:
        """Nobody is back in a closed agency; elsewhere this agency's list reinstates nobody."""
        to = f"danhba transfer {person.address} --to {self.agency} --request {quote(self.request)}"
        if person.agency in self.closed:
            return (to, *self.back(person))
        return (*self.back(person, "--decision ..."), to)

    def withdraw(self, person: Person) -> str:
        return f"danhba withdraw {person.address} --request {quote(self.request)} --reason ..."


def _is_named(person: Person, listed: Listed) -> bool:
    return name_key(person.name) == name_key(listed.name)


def _is_leaving(person: Person) -> bool:
    """Whether a withdrawal is written already, maybe for a day ahead."""
    return person.status is not None and person.status.kind == "withdrawn"


def _twins(people: Iterable[Listed]) -> Iterable[tuple[Listed, ...]]:
    by_name: dict[str, list[Listed]] = {}
    for listed in people:
        by_name.setdefault(name_key(listed.name), []).append(listed)
    return (tuple(each) for each in by_name.values() if len(each) > 1)
