"""Which messages there are of somebody: from the index alone, so that nobody reads a letter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import entry
from .index import NAME, Index
from .selection import Selection

SHOWN = 200
"""Rows of an answer; all are counted."""


def search(root: Path, selection: Selection) -> dict[str, Any]:
    """{"count", "size": bytes of all, "rows": the newest ones, each {"n", "time", "passed", "id",
    "from", "to", "agencies", "message_id", "size", "class", "expired"}}. Raises sqlite3.Error."""
    index = Index(root / NAME, readonly=True)
    try:
        where, values = _where(selection)
        count, size = index.db.execute(
            f"SELECT count(*), coalesce(sum(size), 0) FROM entries WHERE {where}", values
        ).fetchone()
        asked = (
            "SELECT n, time, passed, id, message_id, size, class, gone FROM entries"
            f" WHERE {where} ORDER BY n DESC LIMIT {SHOWN}"
        )
        rows = [_row(index, found) for found in index.db.execute(asked, values)]
    finally:
        index.close()
    return {"count": count, "size": size, "rows": rows}


def _where(selection: Selection) -> tuple[str, list[str]]:
    """The narrowest table first: its rows name the entries."""
    terms, values = ["kind = ?"], [entry.MAIL]
    time = "time" if selection.written else "passed"
    role = " AND role = 'to'" if selection.received else ""
    for given, text in (
        (selection.addresses, f"n IN (SELECT n FROM parties WHERE address IN ({{}}){role})"),
        (selection.agencies, "n IN (SELECT n FROM agencies WHERE agency IN ({}))"),
        (selection.ids, "id IN ({})"),
        (selection.message_ids, "message_id IN ({})"),
    ):
        if given:
            terms.append(text.format(", ".join("?" * len(given))))
            values += sorted(given)
    for stamp, text in ((selection.first, f"{time} >= ?"), (selection.until, f"{time} < ?")):
        if stamp:
            terms.append(text)
            values.append(stamp)
    return " AND ".join(terms), values


def _row(index: Index, found: tuple[Any, ...]) -> Mapping[str, Any]:
    n, time, passed, identity, message_id, size, kept_as, gone = found
    parties = index.db.execute("SELECT address, role FROM parties WHERE n = ?", (n,)).fetchall()
    agencies = index.db.execute("SELECT agency FROM agencies WHERE n = ?", (n,))
    return {
        "n": n, "time": time, "passed": passed, "id": identity, "message_id": message_id,
        "size": size, "class": kept_as, "expired": gone, "agencies": [each for (each,) in agencies],
        "from": next((address for address, role in parties if role == "from"), ""),
        "to": [address for address, role in parties if role == "to"],
    }  # fmt: skip
