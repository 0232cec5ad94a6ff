"""An Excel workbook to tables, by openpyxl."""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time
from io import BytesIO

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell as ExcelCell
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from danhba.lists.encodings import Piece
from danhba.lists.grid import Cell, Row, Table, Tables, Unreadable, cell_of, rows_of

_PADDED = re.compile(r"[0\\ -]+")
"""A number format that shows leading zeros: 00000, 0000 000 000."""


def read(data: bytes) -> Tables:
    """The sheets of a workbook that package.examine has let through. Raises Unreadable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what openpyxl cannot keep when writing
            book, formulas = _load(data, data_only=True), _load(data, data_only=False)
        notices: list[str] = []
        found = [_sheet(sheet, formulas, notices) for sheet in book.worksheets]
    except Unreadable:
        raise
    except Exception as error:  # it lets through whatever its parsers meet in a broken file
        message = f"openpyxl cannot read this workbook ({type(error).__name__}: {error})"
        raise Unreadable(f"{message}. Ask for it saved again as xlsx by Excel.") from error
    if not found:
        raise Unreadable("this workbook has no sheet of cells. Ask for it again.")
    return Tables("xlsx", tuple(found), notices=tuple(notices))


def _load(data: bytes, data_only: bool) -> Workbook:
    return load_workbook(BytesIO(data), data_only=data_only, rich_text=True, keep_links=False)


def _sheet(sheet: Worksheet, formulas: Workbook, notices: list[str]) -> Table:
    hidden = _hidden_columns(sheet)
    rows: dict[int, dict[int, Cell]] = defaultdict(dict)
    left_out = set()
    for (row, column), cell in _cells(sheet, formulas[sheet.title]):
        if column in hidden:
            left_out.add(get_column_letter(column))
        else:
            rows[row][column - 1] = cell
    notices += [
        f"sheet {sheet.title}, column {name}: hidden, not read" for name in sorted(left_out)
    ]
    return Table(f"sheet {sheet.title}", rows_of(_rows(sheet, rows)))


def _rows(sheet: Worksheet, rows: dict[int, dict[int, Cell]]) -> Iterator[Row]:
    for number in sorted(rows):
        hidden = "" if sheet.sheet_state == "visible" else "the sheet is hidden"
        if number in sheet.row_dimensions and sheet.row_dimensions[number].hidden:
            hidden = hidden or "the row is hidden"
        place = f"sheet {sheet.title}, row {number}"
        yield Row(place, dict(sorted(rows[number].items())), hidden)


def _hidden_columns(sheet: Worksheet) -> frozenset[int]:
    return frozenset(
        column
        for dimension in sheet.column_dimensions.values()
        if dimension.hidden and dimension.min and dimension.max
        for column in range(dimension.min, dimension.max + 1)
    )


def _cells(sheet: Worksheet, formulas: Worksheet) -> Iterator[tuple[tuple[int, int], Cell]]:
    """The cells to see, by row and column from 1, merged ones at each of their places."""
    spans = {
        (span.min_row, span.min_col): (span.max_row, span.max_col)
        for span in sheet.merged_cells.ranges
    }
    # The public iterators visit every place up to the last cell, which may be XFD1048576.
    for (row, column), cell in sheet._cells.items():
        if not isinstance(cell, ExcelCell):
            continue  # inside a merged range
        read = _cell(sheet, cell, formulas._cells.get((row, column)))
        if read is None:
            continue
        last_row, last_column = spans.get((row, column), (row, column))
        for each_row in range(row, last_row + 1):
            for each_column in range(column, last_column + 1):
                yield (each_row, each_column), read


def _cell(sheet: Worksheet, cell: ExcelCell, formula: object) -> Cell | None:
    place = f"sheet {sheet.title}, cell {cell.coordinate}"
    font = cell.font.name or ""
    value = cell.value
    if value is None:
        computed = isinstance(formula, ExcelCell) and formula.data_type == "f"
        return cell_of(place, [], "a formula without its result" if computed else "")
    if cell.data_type == "e":
        return cell_of(place, [Piece(str(value))], f"an error of Excel ({value})")
    if isinstance(value, CellRichText):
        return cell_of(place, [_run(part, font) for part in value])
    return cell_of(place, [Piece(_shown(value, cell.number_format), font)])


def _run(part: str | TextBlock, font: str) -> Piece:
    if isinstance(part, str):
        return Piece(part, font)
    return Piece(part.text, part.font.rFont or font)


def _shown(value: object, number_format: str) -> str:
    """value about as Excel shows it: 1.0 as 1, a staff code with the zeros of its format."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, int) and value >= 0 and _PADDED.fullmatch(number_format):
        return str(value).zfill(number_format.count("0"))
    if isinstance(value, datetime) and value.time() != time():
        return value.strftime("%d/%m/%Y %H:%M")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    return str(value)
