"""The difference between a host and the generation it should have; pure, no connection."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import unified_diff
from types import MappingProxyType
from typing import Any

from danhba import guards
from danhba.generations.generation import Generation
from danhba.generations.host.boxes import LEFT
from danhba.generations.host.common import due_again, keys, service_actions, values
from danhba.generations.plan_people import WORDS, EntryChange, compare_tree, tree_digest


@dataclass(frozen=True)
class FileChange:
    """action: add, change, remove or mend (was edited on the host). rows: a diff, the rows of a
    lookup table that go and come, or where a link leads; none for a secret."""

    path: str
    action: str
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class BoxChange:
    """A mailbox to archive, to keep beside its archive or to remove, because its time has passed.
    why: the dates, and what is known of the archive."""

    account: str
    action: str
    why: str


@dataclass(frozen=True)
class Expiry:
    """Messages in a segment of the archive whose years are over. kept_as: kind of agency, "" for
    all others; messages, size: of those that go, in bytes; held: case of a hold to how many stay
    for it."""

    segment: str
    kept_as: str
    years: int
    messages: int
    size: int
    held: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Plan:
    """Everything an apply would do on one host. Nothing else happens there.

    archived: mailboxes that wait to be removed, with which nothing is done.
    expiries: what goes from the archive; held: what stays there for a hold though its years are
    over; unfinished: an expiry that was cut off is to be ended; unknown: why nobody knows of any.
    vanished: addresses that it would lose, for which it is refused. displaced: rows that would send
    mail another way though the run moves nobody, excesses: what would be disturbed without an
    approval, for both of which it is refused as well. followed: addresses that go on on a way that
    another run began. arriving: new addresses. apart: seconds by which its clock is ahead of ours,
    so that an apply might be of a wrong day.
    """

    host: str
    live: str | None
    wanted: str
    drift: tuple[tuple[str, str], ...] = ()
    packages: tuple[str, ...] = ()
    files: tuple[FileChange, ...] = ()
    entries: tuple[EntryChange, ...] = ()
    mark: bool = False
    unread: bool = False
    services: tuple[tuple[str, str], ...] = ()
    boxes: tuple[BoxChange, ...] = ()
    archived: tuple[BoxChange, ...] = ()
    expiries: tuple[Expiry, ...] = ()
    held: tuple[Expiry, ...] = ()
    unfinished: bool = False
    unknown: str = ""
    vanished: tuple[str, ...] = ()
    displaced: tuple[str, ...] = ()
    excesses: tuple[str, ...] = ()
    followed: tuple[str, ...] = ()
    arriving: tuple[str, ...] = ()
    apart: int = 0
    locked: Mapping[str, Any] | None = field(default=None, compare=False)

    @property
    def refused(self) -> bool:
        """May it not be applied?"""
        return bool(self.vanished or self.displaced or self.excesses)

    @property
    def changes(self) -> bool:
        """Is anything to do? A refusal is no change; see there."""
        return (
            self.live != self.wanted or bool(self.drift or self.packages or self.files)
            or bool(self.entries or self.mark or self.services or self.boxes)
            or bool(self.expiries or self.unfinished)
        )  # fmt: skip


def compare(
    host: str,
    generation: Generation,
    report: Mapping[str, Any],
    moving: Collection[str] = (),
    regrouped: Collection[str] = (),
    followed: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    apart: int = 0,
) -> Plan:
    """The plan for one host from its one answer (host/report.py).

    moving: addresses that this run moves: their ways may change, and hosts may forget them.
    regrouped: addresses whose copies it gives to other hosts, which others may forget.
    followed: addresses that another run moves and has left half way: the old way and the new one.
    apart: see Plan.
    """
    tree = compare_tree(generation, report)
    gone, new, displaced = _accounts(generation, report)
    boxes = tuple(_boxes(generation, report))
    expiry = report.get("expiry") or {"due": [], "unfinished": False, "error": ""}
    old = tuple(_expiry(item) for item in expiry["due"])
    drift = tuple((item["path"], item["problem"]) for item in report["drift"])
    packages = [name for name in generation.manifest["packages"] if name not in report["packages"]]
    return Plan(
        host=host,
        live=report["live"],
        wanted=generation.digest,
        drift=drift,
        packages=tuple(packages),
        files=(
            *_file_changes(generation, report, {path for path, _ in drift}),
            *_link_changes(generation, report["manifest"]),
        ),
        entries=tree.entries,
        mark=tree.mark,
        unread=tree.unread,
        services=tuple(_services(generation, report, {path for path, _ in drift})),
        boxes=tuple(box for box in boxes if box.action != "keep"),
        archived=tuple(box for box in boxes if box.action == "keep"),
        expiries=tuple(each for each in old if each.messages),
        held=tuple(each for each in old if each.held),
        unfinished=expiry["unfinished"],
        unknown=expiry["error"],
        vanished=(
            *tree.vanished,
            *sorted(gone.difference(moving, regrouped)),
            *_forgotten(generation, report),
        ),
        displaced=tuple(
            f"{address} ({was} -> {now})"
            for address, (was, now) in sorted(displaced.items())
            if address not in moving and followed.get(address) != (was, now)
        ),
        followed=tuple(
            sorted(
                address
                for address, ways in displaced.items()
                if address not in moving and followed.get(address) == ways
            )
        ),
        excesses=unapproved(generation, report),
        arriving=tuple(sorted(new)),
        apart=apart,
        locked=report["lock"],
    )


def _services(
    generation: Generation, report: Mapping[str, Any], drifted: set[str]
) -> list[tuple[str, str]]:
    """As the host will decide it (host/stage.py): who read an edited file is due again, and all
    are when packages come or nobody knows what they read."""
    notes, live = dict(report["loaded"]), report["manifest"]
    again = due_again(live, drifted) if live else {}
    for unit, ways in again.items():
        note = notes.get(unit, {})
        notes[unit] = {way: digest for way, digest in note.items() if way not in ways}
    if not live or set(generation.manifest["packages"]) - report["packages"].keys():
        notes |= {service["unit"]: {} for service in generation.manifest["services"]}
    return service_actions(generation.manifest["services"], report["units"], notes)


def _boxes(generation: Generation, report: Mapping[str, Any]) -> Iterator[BoxChange]:
    """What becomes of mailboxes whose time has passed on this host (host/boxes.py): never more than
    one step in a run. Of a removal that was cut off there is no mailbox, and the rest goes if its
    archive is still whole, as the host demands."""
    boxes = generation.manifest["boxes"] or {"leaving": []}
    leaving = {row["account"]: row for row in boxes["leaving"]}
    for item in report["boxes"]:
        row = leaving[item["account"]]
        why = f"withdrawn since {row['since']}, kept until {row['until']}; "
        later = f"to be removed from {item['removal']}"
        again = f"its archive is {item['archive'] or 'missing'}; "
        if item["archive"] == "whole":
            action = "remove" if item["due"] else "keep"
            found = f"archive of {item['made']}" + (" verified" if item["due"] else f", {later}")
            yield BoxChange(item["account"], action, why + found)
        elif item["mailbox"]:
            again = again if item["archive"] else ""
            yield BoxChange(item["account"], "archive", why + again + later)
        else:
            rest = f"{boxes['mail']}/.{item['account']}{LEFT}"
            yield BoxChange(
                item["account"], "keep",
                f"{why}{again}what its removal has left, {rest}, stays until the archive is back in"
                f" {boxes['archive']}, or until it is removed by hand",
            )  # fmt: skip


def _expiry(item: Mapping[str, Any]) -> Expiry:
    return Expiry(
        item["segment"], item["class"], item["years"], item["messages"], item["size"],
        tuple(sorted(item["held"].items())),
    )  # fmt: skip


def _forgotten(generation: Generation, report: Mapping[str, Any]) -> Iterator[str]:
    """Whose mailbox waits to be removed, and of whom the directory says nothing any more: it would
    stay for ever. Who is back has his mailbox by the host's tables."""
    waiting = report["forgotten"]
    files = generation.manifest["files"] if waiting else {}
    tables = (generation.text(path) for path, facts in files.items() if facts["accounts"])
    back = {name.partition("@")[0] for text in tables for name in keys(text)}
    for account in waiting:
        if account not in back:
            yield f"{account} (its mailbox is not yet removed)"


def _file_changes(
    generation: Generation, report: Mapping[str, Any], drifted: set[str]
) -> list[FileChange]:
    wanted = generation.manifest["files"]
    live = (report["manifest"] or {"files": {}})["files"]
    changes = []
    for path, facts in sorted(wanted.items()):
        old = live.get(path)
        if path in drifted and old == facts:
            changes.append(FileChange(path, "mend", _rows(generation, path, report)))
        elif old != facts:
            action = "change" if old else "add"
            changes.append(FileChange(path, action, _rows(generation, path, report)))
    changes += [FileChange(path, "remove") for path in sorted(live.keys() - wanted.keys())]
    return changes


def _link_changes(generation: Generation, live: Mapping[str, Any] | None) -> Iterator[FileChange]:
    wanted = generation.manifest["links"]
    there = live["links"] if live else {}
    for path in sorted(wanted.keys() | there.keys()):
        old, new = there.get(path), wanted.get(path)
        if old != new:
            action = "remove" if new is None else "change" if old else "add"
            yield FileChange(
                path, action, tuple(f"{sign}{to}" for sign, to in (("-", old), ("+", new)) if to)
            )


def _accounts(
    generation: Generation, report: Mapping[str, Any]
) -> tuple[set[str], set[str], dict[str, tuple[str, str]]]:
    """Addresses that leave the host's tables, that come, and the ways through the mail system, old
    and new, of those that would get another one: on every host, LDAP or not.

    A table that the host would have no more, because it loses a role, loses all of them.
    """
    wanted = generation.manifest["files"]
    live = (report["manifest"] or {"files": {}})["files"]
    gone: set[str] = set()
    new: set[str] = set()
    other: dict[str, tuple[str, str]] = {}
    for path, facts in (live | wanted).items():
        if facts["accounts"] and path in report["contents"]:  # else it stays as it is
            names = (path, f"{path}.cdb")
            held = set().union(*(keys(report["contents"].get(name, "")) for name in names))
            text = generation.text(path) if path in wanted else ""
            left = keys(text)
            held = {name for name in held if name.partition("@")[0] not in generation.removed}
            gone, new = gone | (held - left), new | (left - held)
            if facts.get("ways"):  # generations before it have no such word
                other |= _changed(report["contents"][path], text)
    return gone, new, other


def _changed(old: str, new: str) -> dict[str, tuple[str, str]]:
    """Keys that both tables have, with other values: both values by key."""
    before, after = old.splitlines(), new.splitlines()
    same = set(before).intersection(after)
    was, now = (values(row for row in rows if row not in same) for rows in (before, after))
    return {key: (was[key], now[key]) for key in was.keys() & now.keys()}


def unapproved(generation: Generation, report: Mapping[str, Any]) -> tuple[str, ...]:
    """What the change disturbs beyond its approvals, by the host's own guard (deploys/base.py)."""
    if guards.FILE not in report["contents"]:  # the usual case: read nothing
        return ()
    if guards.FILE not in generation.manifest["files"]:
        return ()
    wanted = json.loads(generation.text(guards.FILE))
    live = _live_guard(wanted, report)
    return tuple(map(str, guards.on_host(live, wanted, **generation.sizes)))


def _live_guard(wanted: dict[str, Any], report: Mapping[str, Any]) -> dict[str, Any]:
    """As wanted where the host has none that is whole: of what was approved there nothing is known.
    A damaged one is drift, and mended."""
    files = (report["manifest"] or {"files": {}})["files"]
    if guards.FILE in files and guards.FILE not in report["contents"]:
        return wanted
    with suppress(ValueError):
        live = json.loads(report["contents"].get(guards.FILE, ""))
        if isinstance(live, dict) and live.keys() == wanted.keys():
            return live
    return wanted | {"approvals": {}}


def _rows(generation: Generation, path: str, report: Mapping[str, Any]) -> tuple[str, ...]:
    facts = generation.manifest["files"][path]
    if facts["secret"]:
        return ("(secret: not shown)",)
    if path not in report["contents"]:
        return ()  # a new file speaks for itself; its length is told
    old = report["contents"][path].splitlines()
    new = generation.text(path).splitlines()
    tree = (generation.manifest["tree"] or {}).get("path")
    rows = facts["accounts"] or facts.get("rows")  # not of a generation of before, gone back to
    if rows or path in generation.manifest["tables"] or path == tree:
        # One row an address: order says nothing, and there are many.
        before, after = set(old), set(new)
        gone = [f"-{row}" for row in old if row not in after]
        return (*gone, *(f"+{row}" for row in new if row not in before))
    return tuple(unified_diff(old, new, "live", "wanted", lineterm="", n=1))


def batch(
    plan: Plan, generation: Generation, seen: Mapping[str, str] | None, **run: Any
) -> dict[str, Any] | None:
    """The one batch of LDAP changes of a plan (host/entries.py load); None without a tree.

    seen: stamps of the tree that the plan was made from. run: {"here": the other people hosts of
    this run, "writes": is this the host that is to write}.
    """
    tree = generation.manifest["tree"]
    if not tree:
        return None
    changes: list[dict[str, Any]] | None = [
        {"dn": entry.dn, WORDS[entry.action]: entry.attributes or True} for entry in plan.entries
    ]
    return {
        "due": plan.mark, "changes": None if plan.unread else changes, "seen": seen,
        "path": tree["path"], "base": tree["base"], "top": tree["top"],
        "count": tree["count"], "peers": tree["peers"], "wanted": tree_digest(generation),
        "removed": sorted(generation.removed),
        "strays": [entry.dn for entry in plan.entries if entry.stray], **run,
    }  # fmt: skip
