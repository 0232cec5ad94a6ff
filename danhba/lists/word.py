"""A Word document to tables, by python-docx. Only tables are read, nested ones too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from docx import Document
from docx.oxml.ns import qn

from danhba.lists.encodings import Piece
from danhba.lists.grid import (
    MAX_COLUMNS,
    Cell,
    Row,
    Table,
    Tables,
    Unreadable,
    cell_of,
    rows_of,
    too_large,
)

_Element = Any
"""Of lxml, which has no types."""

_BREAKS = {qn("w:tab"): " ", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_GONE = (qn("w:moveFrom"), qn("w:del"))
"""Where tracked changes keep what was there before."""


def read(data: bytes) -> Tables:
    """The tables of a document that package.examine has let through. Raises Unreadable."""
    try:
        document = Document(BytesIO(data))
        fonts = _Fonts.of(document.styles.element)
        elements = document.element.body.iter(qn("w:tbl"))
        found = [_table(table, f"table {n}", fonts) for n, table in enumerate(elements, 1)]
    except Unreadable:
        raise
    except Exception as error:  # it lets through whatever its parsers meet in a broken file
        message = f"python-docx cannot read this document ({type(error).__name__}: {error})"
        raise Unreadable(f"{message}. Ask for it saved again as docx by Word.") from error
    if not found:
        raise Unreadable("this document has no table. Ask for the list as a table, or as xlsx.")
    return Tables("docx", tuple(found))


@dataclass(frozen=True, slots=True)
class _Fonts:
    """Fonts that styles give to runs. own: style to font; based: style to the one it extends."""

    own: dict[str, str]
    based: dict[str, str]
    default: str
    normal: str

    @staticmethod
    def of(styles: _Element) -> _Fonts:
        own, based, normal = {}, {}, ""
        for style in styles.iter(qn("w:style")):
            name = style.get(qn("w:styleId"), "")
            own[name] = _font_in(style.find(qn("w:rPr")))
            based[name] = _value(style, "w:basedOn")
            if (
                style.get(qn("w:default")) in ("1", "true")
                and style.get(qn("w:type")) == "paragraph"
            ):
                normal = name
        default = next(styles.iter(qn("w:rPrDefault")), None)
        found = "" if default is None else _font_in(default.find(qn("w:rPr")))
        return _Fonts(own, based, found, normal)

    def of_style(self, name: str) -> str:
        """The font of a style or of those it extends, or ""."""
        seen = set()
        while name and name not in seen:
            if self.own.get(name):
                return self.own[name]
            seen.add(name)
            name = self.based.get(name, "")
        return ""

    def of_run(self, run: _Element, paragraph: _Element) -> str:
        properties = run.find(qn("w:rPr"))
        style = _value(paragraph.find(qn("w:pPr")), "w:pStyle") or self.normal
        return (
            _font_in(properties)
            or self.of_style(_value(properties, "w:rStyle"))
            or self.of_style(style)
            or self.default
        )


def _font_in(properties: _Element) -> str:
    """The font for Latin letters that run properties name, or ""."""
    fonts = None if properties is None else properties.find(qn("w:rFonts"))
    if fonts is None:
        return ""
    return str(fonts.get(qn("w:hAnsi")) or fonts.get(qn("w:ascii")) or "")


def _value(parent: _Element, tag: str) -> str:
    """The w:val of a child of parent, "" where either is not there."""
    child = None if parent is None else parent.find(qn(tag))
    return "" if child is None else str(child.get(qn("w:val"), ""))


def _own(parent: _Element, tag: str) -> Iterator[_Element]:
    """Descendants with tag that are in no other element like parent inside of parent."""
    for element in parent.iter(qn(tag)):
        if next(element.iterancestors(parent.tag)) is parent:
            yield element


def _table(table: _Element, name: str, fonts: _Fonts) -> Table:
    return Table(name, rows_of(_rows(table, name, fonts)))


def _rows(table: _Element, name: str, fonts: _Fonts) -> Iterator[Row]:
    above: dict[int, Cell | None] = {}
    for number, row in enumerate(_own(table, "w:tr"), 1):
        place = f"{name}, row {number}"
        above = _places(row, place, fonts, above)
        cells = {column: cell for column, cell in above.items() if cell is not None}
        properties = row.find(qn("w:trPr"))
        deleted = properties is not None and properties.find(qn("w:del")) is not None
        yield Row(place, cells, "the row is deleted in tracked changes" if deleted else "")


def _places(
    row: _Element, place: str, fonts: _Fonts, above: dict[int, Cell | None]
) -> dict[int, Cell | None]:
    """The cells of a row by column; one merged with the row above is the same as there."""
    cells: dict[int, Cell | None] = {}
    column = _number(_value(row.find(qn("w:trPr")), "w:gridBefore"), 0)
    for element in _own(row, "w:tc"):
        properties = element.find(qn("w:tcPr"))
        width = max(1, _number(_value(properties, "w:gridSpan"), 1))
        if column + width > MAX_COLUMNS:
            raise too_large(f"a row of more than {MAX_COLUMNS} columns ({place})")
        merge = None if properties is None else properties.find(qn("w:vMerge"))
        if merge is not None and merge.get(qn("w:val"), "continue") == "continue":
            cell = above.get(column)
        else:
            cell = cell_of(f"{place}, column {column + 1}", _pieces(element, fonts))
        cells |= dict.fromkeys(range(column, column + width), cell)
        column += width
    return cells


def _number(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else default


def _pieces(cell: _Element, fonts: _Fonts) -> list[Piece]:
    """The text of a cell, its paragraphs on lines of their own."""
    pieces: list[Piece] = []
    for paragraph in _own(cell, "w:p"):
        if pieces:
            pieces.append(Piece("\n"))
        pieces += [
            Piece(text, fonts.of_run(run, paragraph))
            for run in _own(paragraph, "w:r")
            if (text := _text(run)) and not any(True for _ in run.iterancestors(*_GONE))
        ]
    return pieces


def _text(run: _Element) -> str:
    return "".join(
        _BREAKS.get(child.tag, child.text or "") for child in run.iter(qn("w:t"), *_BREAKS)
    )
