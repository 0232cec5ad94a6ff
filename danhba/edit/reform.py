"""A reform of units: many agencies end, become part of others, or go on under another name (UC13).

An address that a former unit holds is not given to another: whoever wants it asks for a decision.
A unit that goes on keeps its address, also where the rule would name it otherwise among its new
neighbours; an exception says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from danhba import naming
from danhba.check_naming import district_name, expected_agencies, holders
from danhba.edit.agencies import Ending, end_agency
from danhba.edit.draft import Draft, EditError
from danhba.fmt import word
from danhba.model import Agency, Directory
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
    agency of today, under their name of then. ended: agency to its successors, who gets its mail
    and staff first. questions: what somebody has to decide before anything is written."""

    founded: dict[Unit, str] = field(default_factory=dict)
    going_on: dict[Unit, Agency] = field(default_factory=dict)
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
    decisions = {line.unit: line.decision for line in reform.lines if line.address}
    for unit, address in outcome.founded.items():
        _found(draft, unit, address, reform.decision, decisions.get(unit, ""))
    for (kind, name, parent), agency in outcome.going_on.items():
        draft.set_agency(agency, "kind", kind)
        draft.set_agency(agency, "name", word(name))
        draft.set_agency(agency, "parent", word(parent) if parent else None)
        if (agency.kind, agency.name) != (kind, name):
            draft.set_agency(agency, "decision", word(reform.decision))
    text = draft.text()
    draft = Draft(text, load(text))
    lost = []
    for old, heirs in outcome.ended.items():
        until = reform.until if heirs else None
        ending = Ending(reform.first, reform.decision, tuple(heirs), until)
        lost += end_agency(draft, old, ending, day)
    text = draft.text()
    draft = Draft(text, load(text))
    _except_those_who_stay(draft, reform.decision)
    return draft, lost


def _found(draft: Draft, unit: Unit, address: str, decision: str, exceptional: str) -> None:
    kind, name, parent = unit
    lines = [f"  {word(address)}:", f"    kind: {kind}", f"    name: {word(name)}"]
    lines += [f"    parent: {word(parent)}"] if parent else []
    lines += ["    keepers: []", f"    decision: {word(decision)}"]
    if exceptional:
        lines.append(f"    exception: {_exception(exceptional, 'địa chỉ theo quyết định')}")
    draft.add_agency([*lines, "    staff: []"])


def _except_those_who_stay(draft: Draft, decision: str) -> None:
    expected = expected_agencies(draft.directory)
    for agency in draft.directory.agencies:
        right = expected.get(agency.address, agency.address)
        free = naming.KINDS[agency.kind].form == "free"
        if right != agency.address and not agency.exception and not free:
            reason = "giữ địa chỉ đã cấp trước khi sắp xếp"
            draft.set_agency(agency, "exception", _exception(decision, reason))


def _exception(decision: str, reason: str) -> str:
    return f"{{decision: {word(decision)}, reason: {word(reason)}}}"


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
        self.name_the_new()
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
        """A unit of the same kind and name, else one of the same name that becomes part of it."""
        ending = set(self.of_old)
        for unit, lines in self.of_unit.items():
            kind, name, _ = unit
            own = [self.agencies[line.old] for line in lines if line.old in self.agencies]
            others = (each for each in self.directory.agencies if each.address not in ending)
            same = [
                each for each in (*own, *others)
                if (each.kind, _key(each.kind, each.name)) == (kind, _key(kind, name))
                and not each.closed
            ]  # fmt: skip
            alike = [
                each for each in own
                if _key(each.kind, each.name) == _key(kind, name)
                and naming.KINDS[each.kind].form == naming.KINDS[kind].form
            ]  # fmt: skip
            if same or alike:
                self.found.going_on[unit] = (same or alike)[0]

    def name_the_new(self) -> None:
        fresh = [unit for unit in self.of_unit if unit not in self.found.going_on]
        right = self.right_addresses(fresh)
        for unit in fresh:
            lines = self.of_unit[unit]
            given = next((line for line in lines if line.address), None)
            address = given.address if given else right[unit]
            if given and given.address != right[unit] and not given.decision:
                self.ask(lines, f"{unit[1]}: the rule gives {right[unit]}, not {given.address}: "
                                "give the decision beside the address")  # fmt: skip
            elif address is None:
                self.ask(lines, f"the rule does not say which address {unit[1]} has: give one, "
                                "and the decision")  # fmt: skip
            elif address in self.held or address in RESERVED:
                holder, at = self.held.get(address, ("the mail system", 0))
                where = f" on line {at} of {self.directory.file}" if at else ""
                self.ask(lines, f"{unit[1]} wants {address}, which is held by {holder}{where}: "
                                "give another address, and the decision")  # fmt: skip
            elif address in self.found.founded.values():
                self.ask(lines, f"{unit[1]} and another new unit both want {address}")
            else:
                self.found.founded[unit] = address

    def right_addresses(self, fresh: Sequence[Unit]) -> dict[Unit, str | None]:
        """By the rule, among the units that there will be."""
        gone = set(self.of_old) - {each.address for each in self.found.going_on.values()}
        stay = [each for each in self.directory.agencies
                if not each.closed and each.address not in gone]  # fmt: skip
        now = {agency.address: unit for unit, agency in self.found.going_on.items()}
        names = [now.get(each.address, (each.kind, each.name, each.parent)) for each in stay]
        names += fresh
        districts = [naming.plain_name(kind, name) for kind, name, _ in names
                     if naming.KINDS[kind].form == "place"]  # fmt: skip
        communes = [unit for unit in names if naming.KINDS[unit[0]].form == "commune"]
        units = [naming.Commune(kind, name, self.district(parent, kind))
                 for kind, name, parent in communes]  # fmt: skip
        found = dict(zip(communes, naming.communes(units, districts), strict=True))
        for kind, name, parent in fresh:
            if naming.KINDS[kind].form != "commune":
                rule = naming.agency(kind, name, self.district(parent, kind))
                found[kind, name, parent] = rule or naming.proposal(name)
        return found

    def district(self, parent: str, kind: str) -> str:
        above = self.agencies.get(parent)
        if above is None:
            return ""
        if naming.KINDS[above.kind].form == "place":
            return naming.plain_name(above.kind, above.name)
        return district_name(above, self.agencies)

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
        decided = [line for line in heirs if line.decision and not line.address]
        if len(decided) != 1:
            names = " and ".join(line.name for line in heirs)
            self.ask(heirs, f"{self.agencies[old].name} ({old}) goes to {names}: give the decision "
                            "on the line of the one that gets its mail and staff")  # fmt: skip
            return heirs
        return [*decided, *(line for line in heirs if line is not decided[0])]

    def address_of(self, line: Line) -> str:
        going_on = self.found.going_on.get(line.unit)
        return going_on.address if going_on else self.found.founded.get(line.unit, "")

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
        was = "" if (agency.kind, agency.name) == (kind, name) else f", until now {agency.name}"
        yield f"goes on: {name} <{agency.address}>{was}"
    for (_, name, _), address in outcome.founded.items():
        yield f"new: {name} <{address}>"
    for old, heirs in outcome.ended.items():
        yield f"ends: {agencies[old].name} <{old}> -> {', '.join(heirs) or 'nobody'}"


def _key(kind: str, name: str) -> str:
    return naming.plain_name(kind, name).casefold()
