"""The succession table of a reform of units (UC13): which old unit becomes part of which new one.

CSV in UTF-8 with the header old,kind,name,parent,address,decision. A line without a name: the old
unit ends without successor. One without an old unit: a new one that nothing went into.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from danhba.errors import DanhbaError
from danhba.naming import KINDS

COLUMNS = ("old", "kind", "name", "parent", "address", "decision")


class BadTable(DanhbaError):
    """The table cannot be read; the message says which line and why."""


@dataclass(frozen=True)
class Line:
    """One line. old: address of today, or "". kind, name, parent, address: of the unit to come;
    address only where the rule's is not to be had. decision: on it rests that address, and, of
    several successors, that this one gets mail and staff."""

    number: int
    old: str
    kind: str
    name: str
    parent: str
    address: str
    decision: str

    @property
    def unit(self) -> tuple[str, str, str]:
        return self.kind, self.name, self.parent


def read_table(path: Path) -> list[Line]:
    """Raises BadTable."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadTable(f"{path}: {error}") from None
    lines: list[Line] = []
    reader = csv.reader(io.StringIO(text, newline=""))
    header: list[str] | None = None
    for cells in reader:
        if any("\n" in cell or "\r" in cell for cell in cells):
            raise BadTable(f"{path}:{reader.line_num}: a line ends within a cell: write it as one")
        if not any(cells) or cells[0].lstrip().startswith("#"):
            continue
        if header is None:
            header = [cell.strip() for cell in cells]
            _check_header(path, header)
            continue
        values = dict(zip(header, (" ".join(cell.split()) for cell in cells), strict=False))
        line = Line(reader.line_num, *(values.get(column, "") for column in COLUMNS))
        _check(path, line)
        lines.append(line)
    if not lines:
        raise BadTable(f"{path}: the table has no lines")
    return lines


def _check_header(path: Path, header: list[str]) -> None:
    if unknown := set(header) - set(COLUMNS):
        raise BadTable(f"{path}: unknown column {sorted(unknown)[0]!r}; there are {COLUMNS}")
    if missing := {"old", "kind", "name"} - set(header):
        raise BadTable(f"{path}: the column {sorted(missing)[0]} is missing")


def _check(path: Path, line: Line) -> None:
    where = f"{path}:{line.number}"
    if not line.old and not line.name:
        raise BadTable(f"{where}: neither an old unit nor a new one")
    if line.name and line.kind not in KINDS:
        raise BadTable(f"{where}: there is no kind {line.kind!r}; use one of {', '.join(KINDS)}")
