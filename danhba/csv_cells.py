"""CSV that officials open in Excel."""

from __future__ import annotations

MARK = "\ufeff"
"""Comes first: without it, Excel takes letters with diacritics for others."""


def cell(text: str) -> str:
    """Excel would take some names for formulas."""
    return f"'{text}" if text[:1] in "=+-@" else text
