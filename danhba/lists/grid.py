"""Tables of text as a file has them, every cell with its place and its fonts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from danhba.lists.encodings import Piece

MAX_FILE_BYTES = 10 << 20
MAX_XML_MB = 32
"""Of all XML in an xlsx or docx, unpacked; a list of 10,000 officials has 8 MB."""
MAX_UNPACKED_MB = 64
"""Pictures too: python-docx holds them in memory."""
MAX_PARTS = 2_000
MAX_ELEMENTS = 1_000_000
"""Of XML in a file: about 300 MB of memory while it is read."""
MAX_CELLS = 200_000
"""In a file, empty ones with a border too; an agency of 2,000 with 20 columns has 40,000."""
MAX_COLUMNS = 1_024
MAX_TEXT = 2_000
"""Letters in a cell; the opening of a letter has 500."""


class Unreadable(Exception):
    """A file that is no list danhba can read. The message says why and what to ask for."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, or all of a merged range.

    place: as in "sheet DS, cell B7". flaw: why its text is not what the agency sees, or "".
    """

    place: str
    pieces: tuple[Piece, ...]
    flaw: str = ""

    @property
    def raw(self) -> str:
        """Its text as it is in the file."""
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Row:
    """cells: those with text or a flaw, by column from 0; a merged one stands in each of its
    places. hidden: why the agency does not see the row, or ""."""

    place: str
    cells: Mapping[int, Cell]
    hidden: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet, a table of a document, or a text file. rows: those that are not blank."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """All tables of a file. kind: xlsx, docx or csv. single: see encodings.Evidence. notices: what
    was left out."""

    kind: str
    tables: tuple[Table, ...]
    single: bool = False
    notices: tuple[str, ...] = ()

    def cells(self) -> Iterator[tuple[Piece, ...]]:
        rows = (row for table in self.tables for row in table.rows)
        return (cell.pieces for row in rows for cell in row.cells.values())


def cell_of(place: str, pieces: Sequence[Piece], flaw: str = "") -> Cell | None:
    """A cell, or None where there is nothing to see."""
    if not flaw and not any(piece.text.strip() for piece in pieces):
        return None
    letters = sum(len(piece.text) for piece in pieces)
    if letters > MAX_TEXT:
        return Cell(place, (Piece(pieces[0].text[:40]),), f"a text of {letters} letters")
    return Cell(place, tuple(pieces), flaw)


def rows_of(rows: Iterator[Row]) -> tuple[Row, ...]:
    """rows without blank ones; too many cells are Unreadable."""
    kept, count = [], 0
    for row in rows:
        count += len(row.cells)
        if count > MAX_CELLS:
            raise too_large(f"more than {MAX_CELLS} cells")
        if row.cells:
            kept.append(row)
    return tuple(kept)


def too_large(what: str) -> Unreadable:
    return Unreadable(f"the file has {what}. Ask for a file with nothing but the list.")
