"""Tables to a roster: which rows are people, who they are, and why the others are none.

Nothing is dropped: a row that may be a person and cannot be read is a refusal, row by row.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from danhba.lists import header
from danhba.lists.encodings import TITLES, Converted, Evidence, Undecided, convert, gather
from danhba.lists.grid import Cell, Row, Table, Tables, Unreadable
from danhba.lists.header import Header, distinct
from danhba.lists.names import NotAName, name_of
from danhba.lists.roster import Column, Listed, NonRow, Refusal, Roster
from danhba.lists.words import (
    DITTO,
    TICKS,
    Field,
    Wish,
    is_closing,
    is_leader,
    is_office,
    is_title,
    is_total,
    is_unit,
    is_wish,
    wish_of,
    without_leader,
)

_COUNT_OF_COLUMN = re.compile(r"\(?(?:[0-9]{1,2}|[A-Za-z])\)?")
_PEOPLE = re.compile(r"\b([0-9]{1,5})\b")
_MAX_HEADING = 80
"""Letters; what is longer and goes across the table is a remark."""

_TYPED = "typed in "
_AGAIN = "ask for this row typed in Unicode (font Times New Roman, Unikey: Unicode)"
_ONE_PERSON = "ask for one row for each person, with family, middle and given name and nothing else"


class _Refused(Exception):
    """Why a row cannot be read, and what to ask for."""

    def __init__(self, reason: str, ask: str) -> None:
        super().__init__(reason)
        self.reason, self.ask = reason, ask


def understand(tables: Tables, data: bytes, file: str) -> Roster:
    """The roster in tables, which are those of the file called file with the contents data.

    Raises Unreadable where nothing looks like a list.
    """
    reader = _Reader(gather(tables.cells(), tables.single))
    shown_tables = [table for table in tables.tables if not all(row.hidden for row in table.rows)]
    heads = {table.name for table in shown_tables if reader.head(table.rows) is not None}
    if not heads:
        raise Unreadable(header.missing(row for table in tables.tables for row in table.rows))
    for table in tables.tables:
        if table.name in heads:
            _List(reader, table).read()
        else:
            reader.without_header(table)
    return Roster(
        file,
        hashlib.sha256(data).hexdigest(),
        tables.kind,
        tuple(reader.columns),
        tuple(reader.people),
        tuple(reader.refusals),
        tuple(reader.nonrows),
        (*tables.notices, *reader.notices, *reader.conversions()),
    )


@dataclass
class _Reader:
    """Collects what is found; knows how the text of this file is to be read."""

    evidence: Evidence
    columns: list[Column] = field(default_factory=list)
    people: list[Listed] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    nonrows: list[NonRow] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def text(self, cell: Cell) -> Converted:
        """The text of cell. Raises _Refused."""
        if cell.flaw:
            raise _Refused(f"{cell.place} holds {cell.flaw}", "ask for the value as plain text")
        try:
            return convert(cell.pieces, self.evidence)
        except Undecided as error:
            raise _Refused(f"{cell.place}: {error}", _AGAIN) from error

    def labels(self, cell: Cell) -> Sequence[str]:
        """The texts that cell may have; never fails."""
        if cell.flaw:
            return (cell.raw,)
        try:
            return (convert(cell.pieces, self.evidence).text,)
        except Undecided as error:
            return error.readings or (cell.raw,)

    def line(self, row: Row) -> str:
        """All of row for a message."""
        return " | ".join(" ".join(self.labels(cell)[0].split()) for cell in distinct(row))

    def head(self, rows: Sequence[Row], start: int = 0) -> int | None:
        """The index of the first header in rows from start on."""
        places = range(start, len(rows))
        seen = (place for place in places if not rows[place].hidden)
        return next((place for place in seen if header.starts(rows[place], self.labels)), None)

    def no_person(self, row: Row, reason: str) -> None:
        self.nonrows.append(NonRow(row.place, self.line(row), reason))

    def refuse(self, row: Row, reason: str, ask: str) -> None:
        self.refusals.append(Refusal(row.place, self.line(row), reason, ask))

    def without_header(self, table: Table) -> None:
        for row in table.rows:
            if row.hidden:
                self.no_person(row, row.hidden)
            elif len(distinct(row)) < 3:
                self.no_person(row, f"{table.name} has no header")
            else:
                ask = "ask for all people in one table under one header"
                self.refuse(row, f"{table.name} has no header, so its columns are not known", ask)

    def conversions(self) -> list[str]:
        remarks = (remark for person in self.people for remark in person.remarks)
        counts = Counter(remark for remark in remarks if remark.startswith(_TYPED))
        return [f"{count} names were {remark}" for remark, count in counts.items()]


@dataclass
class _List:
    """Reads one table that has a header."""

    reader: _Reader
    table: Table
    head: Header = field(init=False)
    unit: str = ""
    wish: str = ""
    ended: bool = False
    above: Row | None = None
    last: Listed | None = None
    stated: int | None = None

    def read(self) -> None:
        rows, done, found = self.table.rows, 0, len(self.reader.people)
        while (start := self.reader.head(rows, done)) is not None:
            for row in rows[done:start]:
                self.row(row) if done else self._title(row)
            done = self._start(rows, start)
        for row in rows[done:]:
            self.row(row)
        found = len(self.reader.people) - found
        if self.stated not in (None, found):
            counted = f"the list says it has {self.stated} people; {found} were read"
            self.reader.notices.append(f"{self.table.name}: {counted}")

    def _title(self, row: Row) -> None:
        """A title says what is asked for, where the list has no column for it."""
        titles = [text for cell in distinct(row) if is_title(text := self._plain(cell))]
        self.wish = next((title for title in titles if is_wish(title)), self.wish)
        self.reader.no_person(row, "above the header")

    def _start(self, rows: Sequence[Row], start: int) -> int:
        """Takes the header at start; the index of the first row below it."""
        self.head = header.read(rows[start : start + header.MAX_ROWS], self.reader.labels)
        known = {(column.label, column.field) for column in self.reader.columns}
        self.reader.columns += [
            column
            for column in dict.fromkeys(self.head.columns.values())
            if (column.label, column.field) not in known
        ]
        self.ended, self.above = False, None
        below = start + self.head.rows
        for row in rows[start:below]:
            self.reader.no_person(row, "header")
        return below

    # Rows

    def row(self, row: Row) -> None:
        above, self.above = self.above, row
        reader = self.reader
        if row.hidden:
            self._hidden(row)
        elif above and all(above.cells.get(place) == cell for place, cell in row.cells.items()):
            reader.no_person(row, "part of the merged row above")
        elif (
            row.cells.keys() <= set(self.head.of("number"))
            and self._plain(distinct(row)[0]).strip(" .)").isdecimal()
        ):
            reader.no_person(row, "a number and nothing else")
        elif self._counts_columns(row):
            reader.no_person(row, "numbers of the columns")
        elif not self._is_numbered(row) and self._below(row):
            reader.no_person(row, "below the list")
        elif not self._heading(row):
            self._person(row, above)

    def _hidden(self, row: Row) -> None:
        if any(place in row.cells for place in self.head.of("name", "family", "given")):
            ask = "ask whether the agency means this row, which it does not see"
            self._refuse(row, row.hidden, ask)
        else:
            self.reader.no_person(row, row.hidden)

    def _counts_columns(self, row: Row) -> bool:
        cells = distinct(row)
        named = bool(self._name_cells(row))
        return (
            named
            and len(cells) > 1
            and all(_COUNT_OF_COLUMN.fullmatch(c.raw.strip()) for c in cells)
        )

    def _is_numbered(self, row: Row) -> bool:
        """Whether row has a number as people have."""
        cells = (row.cells[place] for place in self.head.of("number") if place in row.cells)
        number = next((cell.raw.strip(" .)") for cell in cells), "")
        names = any(place in row.cells for place in self.head.of("name", "family", "given"))
        return number.isdecimal() and names and len(distinct(row)) > 1

    def _below(self, row: Row) -> bool:
        """Whether row is a total or belongs to the signatures."""
        texts = [self._plain(cell) for cell in distinct(row)]
        named = self._name_cells(row)
        person = bool(named) and not any(
            is_closing(t) or is_office(t) or is_total(t) for t in named
        )
        if not person and any(is_total(text) for text in texts):
            numbers = _PEOPLE.findall(" ".join(texts))
            self.stated = int(numbers[0]) if len(numbers) == 1 else None
            return True
        if not person and any(is_closing(t) or is_office(t) for t in texts):
            self.ended = True
        return self.ended

    def _name_cells(self, row: Row) -> list[str]:
        places = self.head.of("name", "family", "given")
        return [self._plain(cell) for cell in _at(row, places)]

    def _plain(self, cell: Cell) -> str:
        return " ".join(self.reader.labels(cell)[0].split())

    def _heading(self, row: Row) -> bool:
        """Whether row is a heading, a remark across the table, or neither."""
        texts = [(self._plain(cell), cell) for cell in distinct(row)]
        led = len(texts) > 1 and is_leader(texts[0][0])
        counted = led and texts[0][0].strip(" .)").isdecimal()
        if len(texts) != (2 if led else 1):
            return False
        text, cell = texts[-1]
        label = without_leader(text)
        across = sum(1 for each in row.cells.values() if each == cell) > 2
        led = led or label != text
        if is_wish(label) and not is_unit(label) and not counted:
            self.wish = label
        elif is_unit(label) or (led and not counted and not self._is_name(label)):
            self.unit = label
        elif not across or counted:
            return False
        elif len(label) <= _MAX_HEADING and ":" not in label:
            self.unit = label
        else:
            self.reader.no_person(row, "a remark across the table")
            return True
        self.reader.no_person(row, "heading")
        return True

    def _is_name(self, text: str) -> bool:
        try:
            return bool(name_of(text))
        except NotAName:
            return False

    # People

    def _person(self, row: Row, above: Row | None) -> None:
        try:
            if above and self._shares_name(row, above):
                raise _Refused("its name is merged with the row above", _ONE_PERSON)
            person = self._listed(row)
        except _Refused as error:
            self._refuse(row, error.reason, error.ask)
        except NotAName as error:
            self._refuse(row, str(error), _ONE_PERSON)
        else:
            self.last = person
            self.reader.people.append(person)

    def _refuse(self, row: Row, reason: str, ask: str) -> None:
        self.last = None  # nobody may be "the same as" a row that was not read
        self.reader.refuse(row, reason, ask)

    def _shares_name(self, row: Row, above: Row) -> bool:
        places = self.head.of("name", "given")
        return any(
            place in row.cells and row.cells[place] == above.cells.get(place) for place in places
        )

    def _listed(self, row: Row) -> Listed:
        """The person in row. Raises _Refused and NotAName."""
        written, remarks = self._name(row)
        name = name_of(written)
        wish, wish_text = self._wish(row)
        person = Listed(
            row.place,
            name.text,
            number=self._joined(row, "number").strip(" .)"),
            staff_id=self._joined(row, "staff_id"),
            title=self._joined(row, "title", ", "),
            unit=self._joined(row, "unit", ", ") or self.unit,
            phone=self._joined(row, "phone", "; "),
            wish=wish,
            wish_text=wish_text,
            birth=self._joined(row, "birth"),
            mail=self._joined(row, "mail"),
            note=" ".join(self._plain(cell) for cell in _at(row, self.head.of("note"))),
            remarks=(*remarks, *name.remarks),
        )
        return self._without_ditto(person)

    def _name(self, row: Row) -> tuple[str, list[str]]:
        """The name as written, in Unicode, and what it was converted from."""
        places = self.head.of("name", "family") + self.head.of("given")
        cells = [self.reader.text(cell) for cell in _at(row, places)]
        if not cells:
            raise _Refused("the row has no name", "ask who is meant, or whether the row is to go")
        sources = list(dict.fromkeys(TITLES[code] for cell in cells for code in cell.encodings))
        return " ".join(cell.text for cell in cells), [_TYPED + title for title in sources]

    def _joined(self, row: Row, what: Field, between: str = " ") -> str:
        cells = _at(row, self.head.of(what))
        texts = (" ".join(self.reader.text(cell).text.split()) for cell in cells)
        return between.join(text for text in texts if text)

    def _wish(self, row: Row) -> tuple[Wish, str]:
        texts = []
        for place in self.head.of("wish"):
            text = self._joined_at(row, place)
            if text and text.lower() in TICKS and place in self.head.ticks:
                text = self.head.ticks[place]
            texts.append(text)
        text = "; ".join(text for text in texts if text) or self.wish
        return wish_of(text), text

    def _joined_at(self, row: Row, place: int) -> str:
        return (
            " ".join(self.reader.text(row.cells[place]).text.split()) if place in row.cells else ""
        )

    def _without_ditto(self, person: Listed) -> Listed:
        """person with what "như trên" means: the same as in the row above."""
        fields = ("title", "unit", "wish_text")
        ditto = [name for name in fields if getattr(person, name).lower() in DITTO]
        if not ditto:
            return person
        if self.last is None:
            reason = "it says the same as above, but no one was read above"
            raise _Refused(reason, "ask for it in full")
        same = {name: getattr(self.last, name) for name in ditto}
        done = replace(person, **same)
        return replace(done, wish=wish_of(done.wish_text))


def _at(row: Row, places: Sequence[int]) -> list[Cell]:
    """The cells of row at places, merged ones once."""
    return list(dict.fromkeys(row.cells[place] for place in places if place in row.cells))
