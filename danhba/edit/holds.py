"""Holds that authorities ask for (Điều 8.9), as entries of the directory."""

from __future__ import annotations

from datetime import date

from danhba.edit.draft import Draft, EditError
from danhba.fmt import word
from danhba.model import Hold


def add_hold(draft: Draft, hold: Hold) -> None:
    """One hold more, where it belongs. Raises EditError."""
    if any(hold.case == each.case for each in draft.directory.holds):
        raise EditError(
            f"the case {hold.case} is there already: give the new letter its own number"
        )
    parts = [
        f"authority: {word(hold.authority)}",
        f"request: {word(hold.request)}",
        f"date: {hold.asked}",
        f"addresses: [{', '.join(map(word, hold.addresses))}]",
        f"from: {hold.first}",
        *([f"to: {hold.last}"] if hold.last else []),
        *([f"note: {word(hold.note)}"] if hold.note else []),
    ]
    there = {each.case: each.line for each in draft.directory.holds}
    draft.put("holds", f"  {word(hold.case)}: {{{', '.join(parts)}}}\n", hold.case, there)


def release_hold(draft: Draft, case: str, since: date, decision: str) -> Hold:
    """The line stays, with its end. Raises EditError."""
    for hold in draft.directory.holds:
        if hold.case == case:
            break
    else:
        raise EditError(f"there is no hold {case}: danhba hold list")
    if hold.released:
        raise EditError(f"{case} ended on {hold.released.since}, by {hold.released.decision}")
    end = f"{{from: {since}, decision: {word(decision)}}}"
    draft.set_entry(hold.line, {"released": end}, "hold")
    return hold
