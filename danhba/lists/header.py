"""The header of a list: which row it is, which column holds what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from danhba.lists.grid import Cell, Row
from danhba.lists.roster import Column
from danhba.lists.words import Field, field_of, wish_of

Labels = Callable[[Cell], Sequence[str]]
"""The texts that a cell of a header may have: more than one where its encoding is not certain."""

MAX_ROWS = 3
_NAMES: tuple[Field, ...] = ("name", "family", "given")


@dataclass(frozen=True, slots=True)
class Header:
    """rows: how many it has. columns: by column from 0. ticks: columns whose own label is a wish,
    so that a tick in them means it."""

    rows: int
    columns: dict[int, Column]
    ticks: dict[int, str]

    def of(self, *fields: Field) -> list[int]:
        return [place for place, column in self.columns.items() if column.field in fields]


def starts(row: Row, labels: Labels) -> bool:
    """Whether a header begins with row: it has names and something else."""
    fields = {field for cell in distinct(row) if (field := _field(cell, labels))}
    named = "name" in fields or {"family", "given"} <= fields
    return named and (len(fields) > 1 or len(row.cells) == 1)


def read(rows: Sequence[Row], labels: Labels) -> Header:
    """The header that begins with the first of rows."""
    count = 1
    while count < min(MAX_ROWS, len(rows)) and _goes_on(rows[0], rows[count], labels):
        count += 1
    places = sorted({place for row in rows[:count] for place in row.cells})
    columns, ticks = {}, {}
    for place in places:
        cells = list(dict.fromkeys(row.cells[place] for row in rows[:count] if place in row.cells))
        columns[place] = Column(cells[0].place, _label(cells, labels), _meaning(cells, labels))
        own = labels(cells[-1])[0]
        if columns[place].field in ("wish", None) and wish_of(own) != "unknown":
            columns[place] = Column(cells[0].place, _label(cells, labels), "wish")
            ticks[place] = own
    return Header(count, columns, ticks)


def distinct(row: Row) -> list[Cell]:
    """The cells of a row, merged ones once, from left to right."""
    return list(dict.fromkeys(row.cells.values()))


def _goes_on(first: Row, row: Row, labels: Labels) -> bool:
    """Whether row is a second row of the header: merged with it, or of nothing but labels."""
    if any(first.cells.get(place) == cell for place, cell in row.cells.items()):
        return True
    cells = distinct(row)
    return len(cells) > 1 and all(
        _field(cell, labels) or wish_of(labels(cell)[0]) != "unknown" for cell in cells
    )


def _meaning(cells: Sequence[Cell], labels: Labels) -> Field | None:
    """What a column holds, from its labels downwards. The first one decides, as a phone of an
    office is no office; only names are told apart below."""
    found = [field for cell in cells if (field := _field(cell, labels))]
    if found and found[0] == "name" and found[-1] in _NAMES:
        return found[-1]
    return found[0] if found else None


def _field(cell: Cell, labels: Labels) -> Field | None:
    return next((field for label in labels(cell) if (field := field_of(label))), None)


def _label(cells: Sequence[Cell], labels: Labels) -> str:
    return " / ".join(" ".join(labels(cell)[0].split()) for cell in cells)


def missing(rows: Iterator[Row]) -> str:
    """What to say of a file without a header."""
    count = sum(1 for _ in rows)
    return (
        f"no row of {count} is a header with a column of names (Họ và tên) and another one (STT, "
        "Chức vụ, Phòng/Đơn vị). Ask for the list with a header above its columns."
    )
