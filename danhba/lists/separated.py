"""Text with columns (csv) to a table: the character code, the delimiter, the cells."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator

from danhba.lists.encodings import WESTERN, Piece
from danhba.lists.grid import (
    MAX_COLUMNS,
    Row,
    Table,
    Tables,
    Unreadable,
    cell_of,
    rows_of,
    too_large,
)

DELIMITERS = "\t;,"
_SAMPLE_ROWS = 200


def read(data: bytes) -> Tables:
    """The one table of a text file. Raises Unreadable."""
    text, single = decoded(data)
    if (
        text.count("\0")
        or sum(not char.isprintable() for char in text[:4096]) > len(text[:4096]) / 3
    ):
        raise Unreadable("this is neither xlsx nor docx nor text. Ask for the list as xlsx.")
    delimiter, text = _delimiter(text)
    try:
        rows = rows_of(_rows(text, delimiter))
    except csv.Error as error:
        raise Unreadable(f"the table is broken ({error}). Ask for the list as xlsx.") from error
    return Tables("csv", (Table("text", rows),), single)


def decoded(data: bytes) -> tuple[str, bool]:
    """The text of data, and whether each byte is one character of an unknown code page."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), False
    if data[1:200:2].count(0) > len(data[1:200:2]) / 2:
        return data.decode("utf-16-le", "replace"), False
    if data[0:200:2].count(0) > len(data[0:200:2]) / 2:
        return data.decode("utf-16-be", "replace"), False
    try:
        return data.decode("utf-8-sig"), False
    except UnicodeDecodeError:
        return "".join(WESTERN.get(code, chr(code)) for code in data), True


def _delimiter(text: str) -> tuple[str, str]:
    """The delimiter, and text without the line with which Excel names it (sep=;)."""
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and first[4:5] in DELIMITERS:
        return first[4], rest
    return max(DELIMITERS, key=lambda delimiter: _columns(text, delimiter)), text


def _columns(text: str, delimiter: str) -> tuple[int, int]:
    """In how many rows delimiter makes the same number of columns, more than one; and this."""
    try:
        rows = zip(range(_SAMPLE_ROWS), _records(text, delimiter), strict=False)
        widths = Counter(len(row) for _, row in rows if len(row) > 1)
    except csv.Error:
        return 0, 0
    width, count = widths.most_common(1)[0] if widths else (0, 0)
    return count, width


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    for number, record in enumerate(_records(text, delimiter), 1):
        if len(record) > MAX_COLUMNS:
            raise too_large(f"more than {MAX_COLUMNS} columns in row {number}")
        found = (
            (column, cell_of(f"row {number}, column {column + 1}", [Piece(value)]))
            for column, value in enumerate(record)
        )
        yield Row(f"row {number}", {column: cell for column, cell in found if cell})
