"""A directory in hand, and changes made to it as the commands make them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from danhba.check import check_text
from danhba.edit.draft import Draft
from danhba.edit.requests import add_request
from danhba.findings import Finding
from danhba.fmt import comment_behind, formatted
from danhba.model import Agency, Directory, Person, Request
from danhba.project import ROOT

T = TypeVar("T")

GOOD = (ROOT / "tests/unit/good.yaml").read_text(encoding="utf-8")
CANONICAL = formatted(GOOD.encode(), "good.yaml")
DAY = date(2026, 11, 25)
"""Today, where a test does not say otherwise."""


def found(text: str, day: date = DAY) -> list[Finding]:
    return check_text(text.encode(), "x", day)[1]


def directory(text: str, day: date = DAY) -> Directory:
    """Without errors, or the test ends here."""
    loaded, findings = check_text(text.encode(), "x", day)
    assert loaded is not None, findings
    assert [each for each in findings if each.severity == "error"] == []
    return loaded


def edit(text: str, change: Callable[..., T], *arguments: Any) -> tuple[str, T]:
    """The text after a change that is made on its draft, and what the change returns."""
    draft = Draft(text, directory(text))
    said = change(draft, *arguments)
    return draft.text(), said


def edited(text: str, change: Callable[..., object], *arguments: Any) -> str:
    return edit(text, change, *arguments)[0]


def with_letter(text: str, number: str, agency: str, day: date = date(2026, 11, 20)) -> str:
    return edited(text, add_request, Request(number, agency, day, "Chánh Văn phòng", "", 0))


def person(text: str, who: str, day: date = DAY) -> Person:
    """By address or staff code; on line 0, so that two can be compared."""
    [one] = [each for each in directory(text, day).people if who in (each.address, each.id)]
    return replace(one, line=0)


def agency(text: str, address: str, day: date = DAY) -> Agency:
    [one] = [each for each in directory(text, day).agencies if each.address == address]
    return one


def row_of(text: str, address: str) -> str:
    """Somebody's line."""
    [row] = [row for row in text.splitlines() if f"address: {address}," in row]
    return row


def comments(text: str) -> list[str]:
    """All of them, in any order."""
    rows = [row.strip() for row in text.splitlines()]
    return sorted(row if row.startswith("#") else comment_behind(row) for row in rows if "#" in row)


def is_canonical(text: str) -> bool:
    return formatted(text.encode(), "x") == text
