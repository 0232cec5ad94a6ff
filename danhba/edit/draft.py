"""The text of a directory with changes noted by line, to be written out once.

All changes name lines of the text as it was loaded, whose numbers the model knows, so that they may
be made in any order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile

from danhba.edit.row import parts_of, set_parts
from danhba.errors import DanhbaError
from danhba.fmt import ORDER, comment_behind, list_rows, word
from danhba.model import Agency, Directory, Person


class EditError(DanhbaError):
    """The change cannot be made; the message says why and what to do."""


_STAFF = re.compile(r"( *staff:)(?: *\[ *\])?( *(?: #.*)?\n)")
_LAST = "\U0010ffff"
"""Orders what comes behind everything else that is put in one place."""


class Draft:
    """text: what `directory` was loaded from. keepers: who keeps each agency's mailbox by now."""

    def __init__(self, text: str, directory: Directory) -> None:
        self.directory = directory
        self.keepers = {agency.address: agency.keepers for agency in directory.agencies}
        self._lines = (text if text.endswith("\n") else f"{text}\n").splitlines(keepends=True)
        self._changed: dict[int, str] = {}
        self._new: dict[int, list[tuple[str, str]]] = {}
        self._staff = {agency.address: len(agency.staff) for agency in directory.agencies}
        self._founded = 0

    def text(self) -> str:
        """With all changes. Of rows for one place those that were put there with a smaller order
        come first."""
        parts = []
        for line in range(1, len(self._lines) + 2):
            parts += [row for _, row in sorted(self._new.get(line, []), key=lambda new: new[0])]
            if line <= len(self._lines):
                parts.append(self.row(line))
        return "".join(parts)

    def row(self, line: int) -> str:
        return self._changed.get(line, self._lines[line - 1])

    def change(self, line: int, row: str) -> None:
        """row "" removes the line."""
        self._changed[line] = row

    def insert(self, before: int, row: str, order: str = "") -> None:
        """Above the comments of the line that stands there: they are its own."""
        self._new.setdefault(self._first(before), []).append((order, row))

    def _first(self, line: int) -> int:
        """Where the comments above a line begin, as danhba.fmt has them: a blank line within them
        or below belongs to them."""
        first = line
        for above in range(line - 1, 0, -1):
            text = self._lines[above - 1].strip()
            if text and not text.startswith("#"):
                break
            first = above if text else first
        return first

    # Finding places

    def agency(self, address: str) -> Agency:
        """Raises EditError."""
        for agency in self.directory.agencies:
            if agency.address == address:
                return agency
        raise EditError(f"there is no agency {address}")

    def person(self, who: str) -> Person:
        """By address, with the domain or without, or staff code. Raises EditError."""
        people = self.directory.people
        domain = f"@{self.directory.province.domain}"
        who = who.lower().removesuffix(domain) if who.lower().endswith(domain) else who
        found = [person for person in people if person.address == who]  # no staff code hides it
        for person in found or [person for person in people if person.id == who]:
            return person
        raise EditError(f"there is nobody with the address or staff code {who}")

    def block(self, line: int) -> range:
        """The lines below the one that opens a block, up to the next of its depth; comments before
        that one too."""
        depth = _depth(self._lines[line - 1])

        def within(number: int) -> bool:
            text = self._lines[number - 1].strip()
            deeper = _depth(self._lines[number - 1]) > depth
            return not text or text.startswith("#") or deeper

        rows = takewhile(within, range(line + 1, len(self._lines) + 1))
        return range(line + 1, line + 1 + sum(1 for _ in rows))

    def section(self, key: str) -> int | None:
        """The line of a key of the top level."""
        found = (n for n, row in enumerate(self._lines, 1) if row.startswith(f"{key}:"))
        return next(found, None)

    # Entries of one line

    def person_row(self, person: Person) -> str:
        """The line of somebody, when it is a line. Raises EditError."""
        row = self.row(person.line)
        if row.lstrip(" -").startswith("{"):
            written = parts_of(row).get("address")
            of_now = written is not None and person.line in self._changed
            if of_now or (written or "").strip("\"'") == person.address:
                return row
        raise EditError(f"{person.name} is not written on line {person.line} alone: run danhba fmt")

    def set_person(self, person: Person, values: Mapping[str, str | None]) -> None:
        """Keys of a person's line; None removes one."""
        row = set_parts(self.person_row(person), _words(values), ORDER["person"])
        self.change(person.line, row)

    def add_entry(self, key: str, name: str, values: Mapping[str, str]) -> None:
        """A line `name: {...}` in a section whose entries are sorted by their names."""
        sort = {"aliases": "alias", "approve": "approval"}.get(key, key)
        fields = {each: values[each] for each in ORDER[sort] if each in values}
        self.put(key, f"  {word(name)}: {_flow(fields)}\n", name, self._names(key))

    def set_entry(self, line: int, values: Mapping[str, str | None], sort: str) -> None:
        """Keys of a line `name: {...}`. Raises EditError."""
        self._set(line, _words(values), sort)

    def _set(self, line: int, values: Mapping[str, str | None], sort: str) -> None:
        row = self.row(line)
        if not parts_of(row) or not row.startswith(" "):
            raise EditError(f"line {line} does not hold one whole entry: run danhba fmt")
        self.change(line, set_parts(row, values, ORDER[sort]))

    def put(self, key: str, row: str, order: str, there: Mapping[str, int]) -> None:
        """A row of a section, before the first entry that comes behind it. there: order of each
        entry to its line."""
        head = self.section(key)
        if head is None:
            self._open(key, row, order)
            return
        if head in there.values():
            raise EditError(f"the entries of {key} are not on lines of their own: run danhba fmt")
        if not there:
            self.change(head, self.row(head).replace(": {}", ":"))
            self._append(head, row, order)
        elif behind := [line for each, line in there.items() if each > order]:
            self.insert(min(behind), row, order)
        else:
            self._append(self._end(max(there.values())), row, order)

    def _end(self, line: int) -> int:
        """The last line of an entry; a comment below it belongs to what follows."""
        texts = {each: self._lines[each - 1].strip() for each in self.block(line)}
        last = max([line, *(each for each, text in texts.items() if text and text[0] != "#")])
        after = max([line, *texts]) + 1
        return after if "".join(self._lines[after - 1 : after]).strip() == "]" else last

    def _append(self, last: int, row: str, order: str) -> None:
        self._new.setdefault(last + 1, []).append((order, row))

    def _open(self, key: str, row: str, order: str) -> None:
        """A section that is not there yet, before the one that follows in the canonical order."""
        keys = ORDER["directory"]
        found = (self.section(each) for each in keys[keys.index(key) + 1 :])
        before = next(line for line in found if line is not None)
        if not any(new == f"{key}:\n" for _, new in self._new.get(self._first(before), [])):
            self.insert(before, f"{key}:\n", f"{_LAST}{key} ")
        self.insert(before, row, f"{_LAST}{key} {order}")

    def _names(self, key: str) -> dict[str, int]:
        if key == "approve":
            return {each.decision: each.line for each in self.directory.approve}
        entries = self.directory.aliases if key == "aliases" else self.directory.retired
        return {each.address: each.line for each in entries}

    # Keys of an agency

    def add_agency(self, lines: Sequence[str]) -> None:
        """Below all others."""
        agencies = self.directory.agencies
        block = "".join(f"{line}\n" for line in lines)
        self._founded += 1
        order = f"{self._founded:08d}"
        if agencies:
            last = max(agencies, key=lambda agency: agency.line)
            self._append(self._end(last.line), block, f"{_LAST}{order}")
        else:
            self.put("agencies", block, order, {})

    def set_closed(self, agency: Agency, values: Mapping[str, str | None]) -> None:
        """Keys of how an agency is closed; values as YAML. Raises EditError."""
        if line := self._keys(agency).get("closed"):
            self._set(line, values, "closed")

    def set_agency(self, agency: Agency, key: str, value: str | None) -> None:
        """A key of an agency that stands on one line; value in YAML, None removes it. A comment
        behind it stays. Raises EditError."""
        keys = self._keys(agency)
        if key in keys:
            self._change_key(agency, keys[key], key, value)
        elif value is not None:
            order = ORDER["agency"]
            before = [keys[each] for each in order[: order.index(key)] if each in keys]
            last = max(map(self._end, before), default=agency.line)
            place = f"{order.index(key):02d}"
            rows = [row for row in self._new.get(last + 1, []) if row[0] != place]
            self._new[last + 1] = [*rows, (place, self._key_rows(agency, key, value))]

    def _key_rows(self, agency: Agency, key: str, value: str, comment: str = "") -> str:
        """value: YAML, of a list a flow of words."""
        words = value[1:-1].split(", ") if value.startswith("[") else []
        first, *more = list_rows(f"{key}:", words) if any(words) else [f"{key}: {value}"]
        return "".join(f"{self._margin(agency)}{row}\n" for row in (first + comment, *more))

    def _change_key(self, agency: Agency, line: int, key: str, value: str | None) -> None:
        row = self._lines[line - 1]
        comment = _comment_behind(row)
        written = row.rstrip("\n").removesuffix(comment).partition(":")[2].strip()
        rest = range(line + 1, self._end(line) + 1)
        itemised = written == "[" and rest and self._lines[rest[-1] - 1].strip() == "]"
        if not itemised and (not written or rest or written.count("[") != written.count("]")):
            raise EditError(f"{key} of {agency.address} is not on one line: run danhba fmt")
        kept = self._key_rows(agency, key, value, comment) if value is not None else None
        self.change(line, self._comment_alone(agency, line) if kept is None else kept)
        for each in rest:
            self.change(each, self._comment_alone(agency, each))

    def _comment_alone(self, agency: Agency, line: int) -> str:
        """What is left of a line whose entry goes."""
        row = self._lines[line - 1]
        comment = row if row.strip().startswith("#") else _comment_behind(row)
        return f"{self._margin(agency)}{comment.strip()}\n" if comment else ""

    def _margin(self, agency: Agency) -> str:
        return " " * (_depth(self._lines[agency.line - 1]) + 2)

    def _keys(self, agency: Agency) -> dict[str, int]:
        """Lines of the agency's own keys."""
        margin = self._margin(agency)
        return {
            self._lines[line - 1].strip().partition(":")[0]: line
            for line in self.block(agency.line)
            if self._lines[line - 1].startswith(margin)
            and self._lines[line - 1][len(margin)] not in " #"
        }

    # Staff

    def staff_line(self, agency: Agency) -> int:
        """Of the key `staff`. Raises EditError."""
        for line in self.block(agency.line):
            if _STAFF.fullmatch(self._lines[line - 1]):
                return line
        raise EditError(f"the staff of {agency.address} is not on lines of its own: run danhba fmt")

    def put_person(self, agency: Agency, address: str, row: str) -> None:
        """Where the address belongs among the staff."""
        self._count(agency, 1)
        lines = {each.address: each.line for each in agency.staff}
        if behind := [line for each, line in lines.items() if each > address]:
            self.insert(min(behind), row, address)
        else:
            last = self._end(max(lines.values())) if lines else self.staff_line(agency)
            self._append(last, row, address)

    def take_person(self, person: Person) -> str:
        """The line of somebody, as it is by now, with the comments above it, which are his own; it
        is gone from there. Raises EditError."""
        last = self.person_row(person)
        own = range(self._first(person.line), person.line)
        rows = "".join([*map(self.row, own), last])
        for line in (*own, person.line):
            self.change(line, "")
        self._count(self.agency(person.agency), -1)
        return rows

    def _count(self, agency: Agency, more: int) -> None:
        """Whoever has no staff is written with an empty list."""
        line = self.staff_line(agency)
        had = self._staff[agency.address]
        self._staff[agency.address] = count = had + more
        if bool(had) != bool(count):
            empty = "" if count else " []"
            self.change(line, _STAFF.sub(rf"\g<1>{empty}\g<2>", self.row(line)))


def _comment_behind(row: str) -> str:
    comment = comment_behind(row.rstrip("\n"))
    return f" {comment}" if comment else ""


def _words(values: Mapping[str, str | None]) -> dict[str, str | None]:
    return {key: value if value is None else word_of(key, value) for key, value in values.items()}


def word_of(key: str, value: str) -> str:
    """A value as it is written in a line. Dates stand without quotes; so do figures."""
    return value if key in _AS_IS else word(value)


_AS_IS = frozenset(
    (
        "quota",
        "since",
        "changed",
        "from",
        "locked",
        "until",
        "confirm_by",
        "date",
        "exception",
        "leave",
        "people",
        "released",
    )
)
"""Keys whose values are not text; what is given for them is YAML already."""


def _flow(values: Mapping[str, str]) -> str:
    pairs = ", ".join(f"{key}: {word_of(key, value)}" for key, value in values.items())
    return "{" + pairs + "}"


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
