"""Texts of office documents and of archives: docx, xlsx, pptx, odt and their kin.

They are zip files of XML, and come from anybody: nothing is unpacked beyond a budget, and no entity
is expanded.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Literal, TypeVar
from xml.parsers import expat

from .hypertext import is_capitals_font

Kind = Literal["text", "label", "name", "file"]
"""Of what is found: text; a title; the name of a file in an archive; such a file itself."""

_CHUNK = 1 << 16
_MOST_MEMBERS = 5000
_READ = re.compile(
    r"(?:word|xl|ppt)/(?:[^/]+/)?[^/]+\.xml|docProps/[^/]+\.xml|(?:content|styles|meta)\.xml"
)
_SKIPPED = re.compile(
    r"(?:word|xl|ppt)/(?:[^/]+/)?(?:theme|fontTable|settings|webSettings|numbering|styles|calcChain)[^/]*"
)
_MEMBER = re.compile(r".*\.(?:docx|docm|dotx|xlsx|xlsm|pptx|pptm|od[tsp]|pdf|txt|html?|csv)", re.I)
_CODES = re.compile(r'&(?:"[^"]*"|K[0-9A-F]{6}|[0-9]+|[A-Z])')
"""In the header of a sheet: &C&"Arial,Bold"&14."""
_BROKEN = (
    zipfile.BadZipFile, zlib.error, expat.ExpatError, NotImplementedError, RuntimeError, EOFError,
    ValueError, LookupError, OSError,
)  # fmt: skip


class Unread(Exception):
    """Of a document, or of a part of it. The message says why, and nothing of the content."""


@dataclass
class Budget:
    """Of one message: how many bytes may yet be unpacked."""

    left: int = 64 << 20

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise Unread("larger unpacked than is read")


_R = TypeVar("_R", bound="_Handler")


def is_zip(data: bytes) -> bool:
    return data.startswith(b"PK\x03\x04")


def texts(data: bytes, budget: Budget) -> Iterator[tuple[Kind, str | bytes]]:
    """What a zip file holds, kind by kind; bytes of a "file", which was unpacked within the budget.
    Raises Unread, after whatever could be read."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as package:
            members = [info for info in package.infolist() if not info.is_dir()]
            if len(members) > _MOST_MEMBERS:
                raise Unread("an archive of too many files")
            names = {info.filename for info in members}
            if "[Content_Types].xml" in names or "content.xml" in names:
                yield from _office(package, names, budget)
            else:
                yield from _archive(package, members, budget)
    except _BROKEN as error:
        raise Unread(f"broken ({type(error).__name__})") from error


def _archive(
    package: zipfile.ZipFile, members: list[zipfile.ZipInfo], budget: Budget
) -> Iterator[tuple[Kind, str | bytes]]:
    for info in members:
        yield "name", _name(info)
    if any(info.flag_bits & 1 for info in members):
        raise Unread("an encrypted archive")
    for info in sorted(members, key=lambda info: info.file_size):
        if _MEMBER.fullmatch(info.filename):
            yield "file", b"".join(_unpacked(package, info.filename, budget))


def _name(info: zipfile.ZipInfo) -> str:
    """Without a flag for UTF-8 zipfile takes the name for CP437; most are UTF-8 all the same."""
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _office(
    package: zipfile.ZipFile, names: set[str], budget: Budget
) -> Iterator[tuple[Kind, str | bytes]]:
    wanted = sorted(name for name in names if _READ.fullmatch(name) and not _SKIPPED.match(name))
    strings: list[str] = []
    if "xl/sharedStrings.xml" in wanted:
        wanted.remove("xl/sharedStrings.xml")
        strings = _parsed(package, "xl/sharedStrings.xml", budget, _Strings()).strings
    for name in wanted:
        if name.startswith("xl/worksheets/"):
            yield "text", "".join(_parsed(package, name, budget, _Sheet(strings)).found)
        elif name == "xl/workbook.xml":
            yield from (("label", each) for each in _parsed(package, name, budget, _Names()).names)
        elif name.startswith("docProps/") or name == "meta.xml":
            about = "".join(_parsed(package, name, budget, _Properties()).found)
            yield from (("label", line) for line in about.splitlines() if line.strip())
        else:
            open_document = name in ("content.xml", "styles.xml")
            yield "text", "".join(_parsed(package, name, budget, _Words(open_document)).found)


def _unpacked(package: zipfile.ZipFile, name: str, budget: Budget) -> Iterator[bytes]:
    with package.open(name) as member:
        while chunk := member.read(_CHUNK):
            budget.take(len(chunk))
            yield chunk


class _Handler:
    """Elements of an XML file by their names without prefix."""

    def start(self, name: str, attrs: dict[str, str]) -> None: ...
    def end(self, name: str) -> None: ...
    def data(self, text: str) -> None: ...


def _parsed(package: zipfile.ZipFile, name: str, budget: Budget, reader: _R) -> _R:
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise Unread("XML with a document type, as no office program writes it")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda tag, attrs: reader.start(
        _local(tag), {_local(key): value for key, value in attrs.items()}
    )
    parser.EndElementHandler = lambda tag: reader.end(_local(tag))
    parser.CharacterDataHandler = reader.data
    for chunk in _unpacked(package, name, budget):
        parser.Parse(chunk, False)
    parser.Parse(b"", True)
    return reader


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _Words(_Handler):
    """Text with its lines and columns: of Word, PowerPoint, drawings, OpenDocument."""

    def __init__(self, open_document: bool) -> None:
        self.found: list[str] = []
        self._open_document = open_document
        self._cells = 0
        self._in_text = 0
        self._in_properties = self._capitals = False

    def start(self, name: str, attrs: dict[str, str]) -> None:
        if name in ("p", "h"):
            self._break()  # of a text box within another paragraph
            self._in_text += self._open_document
        elif name == "t":
            self._in_text += not self._open_document
        elif name in ("tc", "table-cell"):
            self._cells += 1
        elif name == "tab":
            self.found.append("\t")
        elif name in ("br", "cr", "line-break"):
            self.found.append("\n")
        elif name == "s" and self._open_document:
            self.found.append(" " * min(int(attrs.get("c", "1")), 99))
        elif name == "textpath":  # WordArt; a watermark is one
            self.found.append(f"\n{attrs.get('string', '')}\n")
        elif name == "rPr":
            self._in_properties = True
            self._capitals = attrs.get("cap") == "all"
        elif self._in_properties:
            self._property(name, attrs)

    def _property(self, name: str, attrs: dict[str, str]) -> None:
        if name == "caps":
            self._capitals |= attrs.get("val", "1") not in ("0", "false", "off")
        elif name == "rFonts":
            self._capitals |= is_capitals_font(attrs.get("hAnsi") or attrs.get("ascii") or "")
        elif name == "latin":
            self._capitals |= is_capitals_font(attrs.get("typeface", ""))

    def end(self, name: str) -> None:
        if name in ("p", "h"):
            self._in_text -= self._open_document
            self._break()
        elif name == "t":
            self._in_text -= not self._open_document
        elif name in ("tc", "table-cell"):
            self._cells -= 1
        elif name in ("tr", "table-row"):
            self.found.append("\n")
        elif name == "rPr":
            self._in_properties = False
        elif name == "r":
            self._capitals = False

    def data(self, text: str) -> None:
        if self._in_text > 0:
            self.found.append(text.upper() if self._capitals else text)

    def _break(self) -> None:
        self.found.append("\t" if self._cells else "\n")


class _Strings(_Handler):
    """The texts that cells of a workbook share."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._parts: list[str] = []
        self._in_text = False

    def start(self, name: str, attrs: dict[str, str]) -> None:
        if name == "si":
            self._parts = []
        self._in_text = name == "t"

    def end(self, name: str) -> None:
        self._in_text = False
        if name == "si":
            self.strings.append("".join(self._parts))

    def data(self, text: str) -> None:
        if self._in_text:
            self._parts.append(text)


class _Sheet(_Handler):
    """A row a line, a cell a column; what is printed above and below the sheet as well."""

    def __init__(self, strings: list[str]) -> None:
        self.found: list[str] = []
        self._strings = strings
        self._shared = self._in_text = False
        self._value: list[str] = []

    def start(self, name: str, attrs: dict[str, str]) -> None:
        if name == "c":
            self._shared = attrs.get("t") == "s"
        elif name in ("v", "t") or name.endswith(("Header", "Footer")):
            self._in_text, self._value = True, []

    def end(self, name: str) -> None:
        text = "".join(self._value) if self._in_text else ""
        self._in_text = False
        if name == "v" and self._shared:
            self.found.append(self._strings[int(text)])
        elif name in ("v", "t"):
            self.found.append(text)
        elif name == "c":
            self.found.append("\t")
        elif name == "row":
            self.found.append("\n")
        elif text:
            self.found.append(f"\n{_CODES.sub(chr(10), text)}\n")

    def data(self, text: str) -> None:
        if self._in_text:
            self._value.append(text)


class _Names(_Handler):
    """Of the sheets of a workbook."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def start(self, name: str, attrs: dict[str, str]) -> None:
        if name == "sheet":
            self.names.append(attrs.get("name", ""))


class _Properties(_Handler):
    """Title, subject and the rest of what a document says about itself, one a line."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def start(self, name: str, attrs: dict[str, str]) -> None:
        if name in ("property", "user-defined"):
            self.found.append(f"{attrs.get('name', '')}: ")

    def end(self, name: str) -> None:
        self.found.append("\n")

    def data(self, text: str) -> None:
        self.found.append(text)
