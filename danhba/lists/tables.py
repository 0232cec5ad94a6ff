"""A file of an agency to tables of text, every cell with its place and its fonts.

What the text means is not known here: danhba.lists.encodings converts it, danhba.lists.understand
makes people of it.
"""

from __future__ import annotations

import re

from danhba.lists import excel, package, separated, word
from danhba.lists.grid import MAX_FILE_BYTES, Tables, Unreadable, too_large


def tables_of(data: bytes) -> Tables:
    """The tables of a file with the contents data. Raises Unreadable."""
    if len(data) > MAX_FILE_BYTES:
        raise too_large(f"more than {MAX_FILE_BYTES >> 20} MB")
    if not data.strip(b"\0 \t\r\n"):
        raise Unreadable("the file is empty. Ask for it again.")
    for start, why in _REFUSED.items():
        if data.startswith(start):
            raise Unreadable(f"{why}. Ask for the list as xlsx or docx.")
    if data.startswith(_OLE):
        raise Unreadable(_ole(data))
    return _packed(data) if data.startswith(b"PK") else _text(data)


_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_REFUSED = {
    b"%PDF": "this is a PDF, and its text has no columns",
    b"{\\rtf": "this is rich text (RTF)",
    b"\x89PNG": "this is a picture",
    b"\xff\xd8\xff": "this is a picture",
    b"II*\0": "this is a picture",
    b"MM\0*": "this is a picture",
    b"Rar!": "this is a packed archive",
    b"7z\xbc\xaf": "this is a packed archive",
    b"\x1f\x8b": "this is a packed archive",
}
"""First bytes of files that are no tables."""


def _ole(data: bytes) -> str:
    """Why a compound file of Microsoft Office is refused; its directory names its streams."""

    def holds(stream: str) -> bool:
        return stream.encode("utf-16-le") in data

    if holds("EncryptedPackage"):
        return "the file is protected by a password. Ask for it without one."
    if holds("WordDocument"):
        return "this is a .doc of Word 97-2003. Ask for it saved as docx (Word 2007 or later)."
    if holds("Workbook") or holds("Book"):
        return "this is a .xls of Excel 97-2003. Ask for it saved as xlsx (Excel 2007 or later)."
    return "this is an Office file of an old kind. Ask for the list as xlsx or docx."


def _packed(data: bytes) -> Tables:
    """Of an xlsx or docx, after a look at its size and its XML."""
    readers = {"xl/workbook": excel.read, "word/document": word.read}
    return readers[package.examine(data, tuple(readers))](data)


def _text(data: bytes) -> Tables:
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if re.match(rb"<(!doctype|html|\?xml|table|meta)", head):
        message = "this is a web page or XML under the name of a table"
        raise Unreadable(f"{message}. Ask for it saved as xlsx (Excel: Save as, Excel Workbook).")
    return separated.read(data)
