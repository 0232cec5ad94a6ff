"""A reform of units: many agencies end, become part of others, or go on under another name (UC13).

An address that a former unit holds is not given to another: whoever wants it asks for a decision.
A unit that goes on keeps its address, also where the rule would name it otherwise among its new
neighbours; an exception says why. One that becomes of another kind gets the address of that kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from danhba import naming
from danhba.check_naming import expected_agencies, follow_the_rule, holders
from danhba.edit.agencies import (
    Ending,
    Founding,
    end_agency,
    exemption,
    keep_addresses,
    of_the_living,
    readdress,
    retitle,
    to_come,
    write_agency,
)
from danhba.edit.draft import Draft, EditError
from danhba.fmt import word
from danhba.model import Agency, Closure, Directory
from danhba.names import RESERVED
from danhba.reform_table import Line

Unit = tuple[str, str, str]
"""Kind, name and parent of a unit to come."""


@dataclass(frozen=True)
class Reform:
    """decision, first: of the whole table. until: how long old addresses receive."""

    lines: Sequence[Line]
    decision: str
    first: date
    until: date


@dataclass
class Outcome:
    """What the table means. founded: new units and their addresses. going_on: units that are an
    agency of today, under their name of then. renamed: old address to new of those of them that get
    another. exceptions: address to the decision that gave it against the rule. ended: agency to its
    successors, who gets its mail and staff first. questions: what somebody has to decide before
    anything is written."""

    founded: dict[Unit, str] = field(default_factory=dict)
    going_on: dict[Unit, Agency] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    exceptions: dict[str, str] = field(default_factory=dict)
    ended: dict[str, list[str]] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)


def understand(directory: Directory, reform: Reform) -> Outcome:
    """What the table means for the directory, and what it leaves open; nothing is changed."""
    return _Table(directory, reform).outcome()


def carry_out(
    draft: Draft, reform: Reform, outcome: Outcome, day: date, load: Callable[[str], Directory]
) -> tuple[Draft, list[str]]:
    """The draft of the reformed directory, and the roles that were lost. day: of the change. load:
    text to directory, for units must be there before others become part of them. Raises EditError.
    """
    if outcome.questions:
        raise EditError("the table leaves questions open")
    changed = {agency.address for unit, agency in outcome.going_on.items() if _turns(unit, agency)}
    followed = follow_the_rule(draft.directory) - changed
    _found(draft, reform, outcome)
    _go_on(draft, reform, outcome)
    draft = _again(draft, load)
    lost: list[str] = []
    for old, heirs in outcome.ended.items():
        until = reform.until if heirs else None
        ending = Ending(reform.first, reform.decision, tuple(heirs), until)
        lost += end_agency(draft, old, ending, day)
    draft = _again(draft, load)
    keep_addresses(draft, followed, draft.directory, reform.decision)
    closed = {agency.address for agency in draft.directory.agencies if agency.closed}
    return draft, of_the_living(lost, closed)


def _again(draft: Draft, load: Callable[[str], Directory]) -> Draft:
    text = draft.text()
    return Draft(text, load(text))


def _found(draft: Draft, reform: Reform, outcome: Outcome) -> None:
    for (kind, name, parent), address in outcome.founded.items():
        above = outcome.renamed.get(parent, parent)
        by = outcome.exceptions.get(address)
        new = Founding(kind, name, above, address, reform.decision)
        write_agency(draft, new, exemption(by) if by else None)


def _go_on(draft: Draft, reform: Reform, outcome: Outcome) -> None:
    """Raises EditError."""
    units = outcome.going_on.items()
    for _, agency in units:
        if new := outcome.renamed.get(agency.address):
            readdress(draft, agency, new, reform.until)
    for unit, agency in units:
        kind, name, parent = unit
        above = outcome.renamed.get(parent, parent)
        address = outcome.renamed.get(agency.address, agency.address)
        by = outcome.exceptions.get(address)
        if by or _turns(unit, agency) or address != agency.address:
            to = Founding(kind, name, above, address, reform.decision)
            retitle(draft, agency, to, exemption(by) if by else None)
        elif agency.name != name:
            draft.set_agency(agency, "name", word(name))
            draft.set_agency(agency, "decision", word(reform.decision))
        draft.set_agency(agency, "parent", word(above) if above else None)


def _turns(unit: Unit, agency: Agency) -> bool:
    """Does the agency become of another kind (UC14)? A name that differs makes another unit."""
    return unit[0] != agency.kind


class _Table:
    def __init__(self, directory: Directory, reform: Reform) -> None:
        self.directory = directory
        self.reform = reform
        self.agencies = {agency.address: agency for agency in directory.agencies}
        self.held = holders(directory)
        self.found = Outcome()
        self.of_unit: dict[Unit, list[Line]] = {}
        self.of_old: dict[str, list[Line]] = {}
        for line in reform.lines:
            if line.name:
                self.of_unit.setdefault(line.unit, []).append(line)
            if line.old:
                self.of_old.setdefault(line.old, []).append(line)

    def outcome(self) -> Outcome:
        self.ask_about_unknown()
        self.tell_who_goes_on()
        self.name_the_units()
        self.ask_about_parents()
        self.tell_who_ends()
        self.ask_about_the_staff()
        return self.found

    def ask(self, lines: Sequence[Line], question: str) -> None:
        numbers = ", ".join(str(line.number) for line in lines)
        self.found.questions.append(f"line {numbers}: {question}")

    def ask_about_unknown(self) -> None:
        for old, lines in self.of_old.items():
            agency = self.agencies.get(old)
            if agency is None:
                self.ask(lines, f"there is no agency {old}")
            elif agency.closed:
                self.ask(lines, f"{agency.name} ({old}) is closed from {agency.closed.since}")

    def tell_who_goes_on(self) -> None:
        """A unit is one that becomes part of it and has its name, else one that the table does not
        mention and that has its kind, name and parent."""
        for unit, lines in self.of_unit.items():
            kind, _, parent = unit
            own = [self.agencies[line.old] for line in lines if line.old in self.agencies]
            own.sort(key=lambda each: (each.kind != kind, each.parent != parent))
            others = [each for each in self.directory.agencies
                      if each.address not in self.of_old
                      and (each.kind, each.parent) == (kind, parent)]  # fmt: skip
            taken = {each.address for each in self.found.going_on.values()}
            for each in (*own, *others):
                if _alike(each, unit) and not each.closed and each.address not in taken:
                    self.found.going_on[unit] = each
                    break

    def name_the_units(self) -> None:
        """Districts, communes, offices: the address of one is in those of the next."""
        for forms in (("place",), ("commune",), ("short", "free"), ("office",)):
            right = self.right_addresses()
            for unit in self.of_unit:
                if naming.KINDS[unit[0]].form in forms:
                    self.name(unit, right)

    def name(self, unit: Unit, right: Mapping[Unit, str | None]) -> None:
        lines, old = self.of_unit[unit], self.found.going_on.get(unit)
        free = naming.KINDS[unit[0]].form == "free"
        given = next((line for line in lines if line.address), None)
        if old and not given and (free or not _turns(unit, old)):
            return
        wanted = given.address if given else right[unit]
        if wanted is None:
            self.ask(lines, f"the rule does not say which address {unit[1]} has: give one, "
                            "and the decision")  # fmt: skip
            return
        if given and wanted != right[unit] and not free:
            if not given.decision:
                self.ask(lines, f"{unit[1]}: the rule gives {right[unit]}, not {wanted}: "
                                "give the decision beside the address")  # fmt: skip
                return
            self.found.exceptions[wanted] = given.decision
        self.give(unit, wanted)

    def give(self, unit: Unit, wanted: str) -> None:
        """The address, or a question when somebody has it."""
        lines, old = self.of_unit[unit], self.found.going_on.get(unit)
        if old and wanted == old.address:
            return
        if wanted in self.held or wanted in RESERVED:
            holder, at = self.held.get(wanted, ("the mail system", 0))
            where = f" on line {at} of {self.directory.file}" if at else ""
            held = f"{unit[1]} wants {wanted}, which is held by {holder}{where}: "
            answer = "give another address, and the decision"
            self.ask(lines, f"{held}{answer}{self.hint(wanted, unit)}")
        elif wanted in (*self.found.founded.values(), *self.found.renamed.values()):
            self.ask(lines, f"{unit[1]} and another new unit both want {wanted}")
        elif old:
            self.found.renamed[old.address] = wanted
        else:
            self.found.founded[unit] = wanted

    def hint(self, wanted: str, unit: Unit) -> str:
        """It may be that very agency, and the line leaves out or mistakes its parent."""
        there = self.agencies.get(wanted)
        if there is None or there.closed or not _alike(there, unit) or wanted in self.of_old:
            return ""
        return f"; or its parent {there.parent or '(none)'}, if it is that one"

    def right_addresses(self) -> dict[Unit, str | None]:
        """By the rule, among the units that there will be; what is not named yet has any."""
        coming = {unit: self.found.founded.get(unit) or f"?{number}"
                  for number, unit in enumerate(self.of_unit)
                  if unit not in self.found.going_on}  # fmt: skip
        units = {each.address: unit for unit, each in self.found.going_on.items()}
        agencies = [self.after(each, units.get(each.address)) for each in self.directory.agencies]
        agencies += [to_come(kind, name, self.now(parent), address)
                     for (kind, name, parent), address in coming.items()]  # fmt: skip
        right = expected_agencies(replace(self.directory, agencies=tuple(agencies)))
        coming |= {unit: self.now(each.address) for unit, each in self.found.going_on.items()}
        return {unit: right.get(address) or self.proposal(unit) for unit, address in coming.items()}

    def after(self, agency: Agency, unit: Unit | None) -> Agency:
        """An agency of today as it will be."""
        if unit is not None:
            kind, name, parent = unit
            address = self.now(agency.address)
            return replace(agency, address=address, kind=kind, name=name, parent=self.now(parent))
        if agency.address in self.of_old and not agency.closed:
            agency = replace(agency, closed=Closure(self.reform.first, "", (), None, 0))
        return replace(agency, parent=self.now(agency.parent))

    def now(self, address: str) -> str:
        return self.found.renamed.get(address, address)

    def proposal(self, unit: Unit) -> str | None:
        return naming.proposal(unit[1]) if naming.KINDS[unit[0]].form == "free" else None

    def ask_about_parents(self) -> None:
        """Each is an agency of today, or one of the table."""
        known = {*self.agencies, *self.found.founded.values(), *self.found.renamed.values()}
        for unit, lines in self.of_unit.items():
            if unit[2] and unit[2] not in known:
                self.ask(lines, f"there is no agency {unit[2]} for {unit[1]} to belong to: write "
                                "the address of the parent")  # fmt: skip

    def tell_who_ends(self) -> None:
        stay = {each.address for each in self.found.going_on.values()}
        for old, lines in self.of_old.items():
            if old in stay or old not in self.agencies:
                continue
            heirs = [line for line in lines if line.name]
            if len(heirs) > 1:
                heirs = self.first_heir(old, heirs)
            self.found.ended[old] = [each for each in map(self.address_of, heirs) if each]

    def first_heir(self, old: str, heirs: list[Line]) -> list[Line]:
        """Of several, the one whose line names a decision comes first."""
        decided = [line for line in heirs if line.decision]
        if len(decided) > 1:  # that beside an address may be the address's
            decided = [line for line in decided if not line.address]
        if len(decided) != 1:
            names = " and ".join(line.name for line in heirs)
            self.ask(heirs, f"{self.agencies[old].name} ({old}) goes to {names}: give the decision "
                            "on the line of the one that gets its mail and staff")  # fmt: skip
            return heirs
        return [*decided, *(line for line in heirs if line is not decided[0])]

    def address_of(self, line: Line) -> str:
        going_on = self.found.going_on.get(line.unit)
        return self.now(going_on.address) if going_on else self.found.founded.get(line.unit, "")

    def ask_about_the_staff(self) -> None:
        for old, heirs in self.found.ended.items():
            staff = [each for each in self.agencies[old].staff
                     if not each.status or each.status.kind != "withdrawn"]  # fmt: skip
            successors = [line for line in self.of_old[old] if line.name]
            if staff and not heirs and not successors:
                self.ask(self.of_old[old], f"{self.agencies[old].name} ({old}) has {len(staff)} of "
                         "staff and no successor: name one, or transfer them before")  # fmt: skip


def summary(outcome: Outcome, agencies: Mapping[str, Agency]) -> Iterator[str]:
    """The outcome in lines to read before anything is written."""
    for (kind, name, _), agency in outcome.going_on.items():
        now = outcome.renamed.get(agency.address, agency.address)
        was = "" if (agency.kind, agency.name) == (kind, name) else f", until now {agency.name}"
        was += f" <{agency.address}>" if now != agency.address else ""
        yield f"goes on: {name} <{now}>{was}"
    for (_, name, _), address in outcome.founded.items():
        yield f"new: {name} <{address}>"
    for old, heirs in outcome.ended.items():
        yield f"ends: {agencies[old].name} <{old}> -> {', '.join(heirs) or 'nobody'}"


def _alike(agency: Agency, unit: Unit) -> bool:
    """May the agency be the unit: by its name, and kinds that may turn into each other?"""
    kind, name, _ = unit
    same_form = naming.KINDS[agency.kind].form == naming.KINDS[kind].form
    return same_form and _key(agency.kind, agency.name) == _key(kind, name)


def _key(kind: str, name: str) -> str:
    return naming.plain_name(kind, name).casefold()
