"""What a list says, typed. Everything knows its place in the file."""

from __future__ import annotations

from dataclasses import dataclass

from danhba.lists.words import Field, Wish


@dataclass(frozen=True, slots=True)
class Listed:
    """One person of a list. Whatever the list does not say is "".

    name: in NFC, capitals as names have them. number: as written (STT). wish: what is asked for,
    from wish_text, which may be of the heading above. phone, birth: as written. remarks: what was
    done to name, for the engineer to look at.
    """

    place: str
    name: str
    number: str = ""
    staff_id: str = ""
    title: str = ""
    unit: str = ""
    phone: str = ""
    wish: Wish = "unknown"
    wish_text: str = ""
    birth: str = ""
    mail: str = ""
    note: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that may be a person, but was not read. ask: what to ask the agency for."""

    place: str
    text: str
    reason: str
    ask: str


@dataclass(frozen=True, slots=True)
class NonRow:
    """A row that is no person: title, heading, total, signature."""

    place: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list. field: what it was taken for, None where it was not used."""

    place: str
    label: str
    field: Field | None


@dataclass(frozen=True, slots=True)
class Roster:
    """A list as understood. Each row of the file that is not blank is in one of people, refusals
    and nonrows. sha256: of the file, 64 hexadecimal digits. kind: xlsx, docx or csv. notices: what
    else an engineer should know."""

    file: str
    sha256: str
    kind: str
    columns: tuple[Column, ...]
    people: tuple[Listed, ...]
    refusals: tuple[Refusal, ...]
    nonrows: tuple[NonRow, ...]
    notices: tuple[str, ...]
