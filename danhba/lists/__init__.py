"""Reads the lists with which agencies ask for mail addresses (QĐ 50/2009, Điều 6.1).

A file as it came (xlsx, docx, csv) goes through three steps: danhba.lists.tables makes cells of
it, danhba.lists.encodings makes Unicode of old fonts, danhba.lists.understand makes people. What
would need a guess is refused with its place and what to ask the agency for. Nothing here knows the
directory.
"""

from __future__ import annotations

from pathlib import Path

from danhba.lists.grid import MAX_FILE_BYTES, Unreadable
from danhba.lists.roster import Column, Listed, NonRow, Refusal, Roster
from danhba.lists.tables import tables_of
from danhba.lists.understand import understand

__all__ = ["Column", "Listed", "NonRow", "Refusal", "Roster", "Unreadable", "read"]


def read(path: Path) -> Roster:
    """The list in the file at path. Raises Unreadable, and nothing else, with what to do."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"{error.strerror}. Name a readable file.") from error
    return understand(tables_of(data), data, str(path))
