"""A look into an xlsx or docx before openpyxl or python-docx opens it.

Both expand what a small file can make enormous: packed zeros, entities, a merged range of
seventeen billion cells. What passes here is safe to open.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from io import BytesIO
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml import DefusedXmlException
from defusedxml.sax import parseString

from danhba.lists import grid
from danhba.lists.grid import Unreadable, too_large

_MB = 1 << 20
_BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    zlib.error,
    LookupError,
)
_PASSWORD = "the file is protected by a password. Ask for it without one."
_XML = re.compile(rb"\s*<|\xef\xbb\xbf|\xff\xfe|\xfe\xff")
_RANGE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")


def examine(data: bytes, mains: tuple[str, ...]) -> str:
    """Which of mains, beginnings of the names of main parts, the package has. Raises Unreadable."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as package:
            kind = _kind(package.infolist(), mains)
            _examine_parts(package)
    except _BROKEN as error:
        raise Unreadable(f"the file is broken ({error}). Ask for it again.") from error
    return kind


def _kind(parts: list[zipfile.ZipInfo], mains: tuple[str, ...]) -> str:
    names = [part.filename for part in parts]
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > grid.MAX_PARTS or unpacked > grid.MAX_UNPACKED_MB * _MB:
        raise too_large(f"{len(parts)} parts with {unpacked / _MB:.0f} MB, far more than a list")
    if any(part.flag_bits & 1 for part in parts):
        raise Unreadable(_PASSWORD)
    for main in mains:
        if any(name.startswith(main) and name.endswith(".xml") for name in names):
            return main
    kind = "a packed archive"
    if "content.xml" in names:
        kind = "an OpenDocument file"
    if "xl/workbook.bin" in names:
        kind = "a binary workbook (xlsb)"
    raise Unreadable(f"this is {kind}. Ask for the list as xlsx or docx.")


def _examine_parts(package: zipfile.ZipFile) -> None:
    """Every part that an XML parser might take, whatever it is called."""
    handler, size = _Counter(), 0
    for part in package.infolist():
        content = package.read(part)
        if not _XML.match(content):
            continue
        size += len(content)
        if size > grid.MAX_XML_MB * _MB:
            raise too_large(f"more than {grid.MAX_XML_MB} MB of text")
        try:
            parseString(content, handler, forbid_dtd=True)
        except DefusedXmlException as error:
            message = f"{part.filename} in the file defines entities, as no office program does"
            raise Unreadable(f"{message}. Do not open it; ask where it comes from.") from error
        except SAXParseException as error:
            if part.filename.lower().endswith((".xml", ".rels")):
                message = f"the file is broken ({part.filename}: {error.getMessage()})"
                raise Unreadable(f"{message}. Ask for it again.") from error


class _Counter(ContentHandler):
    """Counts elements and the cells that ranges cover."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = self.cells = 0

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        self.elements += 1
        local = name.rpartition(":")[2]
        if local == "c":
            self.cells += 1
        elif local in ("mergeCell", "hyperlink") and "ref" in attrs:
            self.cells += _area(attrs["ref"])
        if self.elements > grid.MAX_ELEMENTS or self.cells > grid.MAX_CELLS:
            raise too_large(f"more than {grid.MAX_CELLS} cells, filled, formatted or merged")


def _area(ref: str) -> int:
    """How many cells the range ref, such as A1:C3, covers; one that is none counts as too many."""
    corners = [_RANGE.fullmatch(corner) for corner in ref.split(":")]
    places = [(_column(corner[1]), int(corner[2])) for corner in corners if corner]
    if len(places) != len(corners):
        return grid.MAX_CELLS + 1
    (left, top), (right, bottom) = places[0], places[-1]
    return (abs(right - left) + 1) * (abs(bottom - top) + 1)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
