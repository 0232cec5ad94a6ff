"""What a change means for the stores: where new mailboxes are, and which ones were moved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from danhba.compiled import Mailbox
from danhba.diff import Change
from danhba.inventory import Environment


def with_places(
    changes: Iterable[Change],
    before: Environment,
    after: Environment,
    old: Iterable[Mailbox],
    new: Iterable[Mailbox],
) -> list[Change]:
    """The changes of a directory with home and standby of who is new, and those who have another
    home than before. before, after: the inventory with what was and is remembered."""
    boxes = {box.address: box for box in new}
    there = {box.account for box in old}
    said = [
        replace(change, mail=f"{change.mail}; {_words(after, boxes[address])}")
        if change.kind == "new" and (address := _address(change)) in boxes
        else change
        for change in changes
    ]  # fmt: skip
    moved: list[Change] = []
    for box in boxes.values():
        was, now = before.place(box), after.place(box)
        if box.account in there and was.home != now.home:
            detail = f"{was.home} -> {now.home}"
            moved.append(Change(box.agency, "moved", f"{box.name} <{box.address}>", detail,
                                _words(after, box)))  # fmt: skip
    return _by_agency(said, moved)


def _by_agency(changes: list[Change], moved: list[Change]) -> list[Change]:
    """Each move with the other changes of its agency; the order stays."""
    of_agency: dict[str, list[Change]] = {}
    for change in (*changes, *moved):
        of_agency.setdefault(change.agency, []).append(change)
    return [change for group in of_agency.values() for change in group]


def _address(change: Change) -> str:
    """Of "Lê Thị Thu Hà <lttha>"."""
    return change.who.rpartition("<")[2].rstrip(">")


def _words(env: Environment, box: Mailbox) -> str:
    place = env.place(box)
    return f"home {place.home}, standby {place.standby or 'none'}"
