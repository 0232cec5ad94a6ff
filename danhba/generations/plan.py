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
from danhba.generations.host.common import due_again, keys, service_actions, sha256, values
from danhba.generations.host.entries import differences, is_removed, read_tree
from danhba.generations.host.ldap import Attributes


@dataclass(frozen=True)
class FileChange:
    """action: add, change, remove or mend (was edited on the host). rows: a diff, the rows of a
    lookup table that go and come, or where a link leads; none for a secret."""

    path: str
    action: str
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class EntryChange:
    """An LDAP entry to add, to modify or to delete; attributes as they will be.

    was: as they are, never a password. drift: names of those that somebody edited by hand, "entry"
    when he deleted or added the whole; the other changes come from the directory.
    """

    dn: str
    action: str
    attributes: Attributes
    was: Attributes = field(default_factory=dict)
    drift: tuple[str, ...] = ()

    @property
    def stray(self) -> bool:
        """Did somebody add it by hand?"""
        return self.action == "delete" and bool(self.drift)


@dataclass(frozen=True)
class BoxChange:
    """A mailbox to archive, to keep beside its archive or to remove, because its time has passed.
    why: the dates, and what is known of the archive."""

    account: str
    action: str
    why: str


@dataclass(frozen=True)
class Plan:
    """Everything an apply would do on one host. Nothing else happens there.

    archived: mailboxes that wait to be removed, with which nothing is done.
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
    if facts["accounts"] or path in generation.manifest["tables"] or path == tree:
        # One row an address: order says nothing, and there are many.
        before, after = set(old), set(new)
        gone = [f"-{row}" for row in old if row not in after]
        return (*gone, *(f"+{row}" for row in new if row not in before))
    return tuple(unified_diff(old, new, "live", "wanted", lineterm="", n=1))


@dataclass(frozen=True)
class TreeChange:
    """What LDAP needs: entries, the mark of a full load, and what it has beyond the directory.

    unread: slapd does not run, so its entries will be compared on the host once it does.
    """

    entries: tuple[EntryChange, ...] = ()
    mark: bool = False
    vanished: tuple[str, ...] = ()
    unread: bool = False


def compare_tree(generation: Generation, report: Mapping[str, Any]) -> TreeChange:
    state = report["entries"]
    if state is None:
        return TreeChange()
    if not state["ready"]:
        there, wanted = _differing(_live_tree(generation, report), generation.tree_text)
        return TreeChange(mark=True, unread=True, vanished=tuple(_handed_on(there, wanted)))
    if state["entries"] is None:  # as the last load left it
        if state["loaded"] == _tree_digest(generation):
            return TreeChange()
        there, wanted = _differing(_live_tree(generation, report), generation.tree_text)
    else:
        there, wanted = state["entries"], read_tree(generation.tree_text)
    last = _loaded_last(generation, report)
    left = there if state["entries"] is None else last
    ours = OPTIONAL.union(*wanted.values())
    beyond = _beyond(generation, report, there, wanted)
    strays = [dn for dn, writer in beyond.items() if writer == _BY_HAND]
    entries = tuple(
        EntryChange(change["dn"], action, {}, drift=("entry",) * (change["dn"] in strays))
        if action == "delete"
        else _entry(change["dn"], action, change[word], there, left, ours)
        for change in differences(wanted, there, generation.manifest["tree"]["top"],
                                  last, generation.removed, strays)
        for action, word in _WORDS.items() if word in change
    )  # fmt: skip
    gone = (f"{dn}{writer}" for dn, writer in beyond.items() if writer != _BY_HAND)
    vanished = [*gone, *_handed_on(there, wanted)]
    mark = bool(entries) or state["loaded"] != _tree_digest(generation)
    return TreeChange(entries, mark, tuple(sorted(vanished)))


_BY_HAND = "by hand"
_OURS = ""
DOUBTFUL = " (danhba's, or added by hand: not known)"
"""Behind a DN that LDAP has beyond the directory, when what was loaded last is not known."""


def _beyond(
    generation: Generation,
    report: Mapping[str, Any],
    there: Mapping[str, Attributes],
    wanted: Mapping[str, Attributes],
) -> dict[str, str]:
    """DNs that LDAP has and the directory has not, to who wrote them.

    Of danhba is whatever the live tree file or a table of accounts of this host names, also under a
    name that somebody gave it. Anything else is by hand, but only when LDAP says that the live tree
    is the one it was loaded with, to the end: else a load of another tree may have left it.
    """
    found = {
        dn: _OURS for dn in there if dn not in wanted and not is_removed(dn, generation.removed)
    }
    if not found or report["entries"]["entries"] is None:  # of two tree files, both danhba's
        return found
    text = _whole_live_tree(generation, report)
    live = read_tree(text)
    is_whole = report["entries"]["loaded"] == sha256(text.encode())
    names = {dn.lower() for dn in live} | _names_of_tables(generation, report)
    missing = {word for dn in live.keys() - there.keys() for word in _identity(live[dn])}
    for dn in found:
        ours = {dn.lower(), *_identity(there[dn]), _account(dn)}
        if names.isdisjoint({dn.lower(), _account(dn)}) and missing.isdisjoint(ours):
            found[dn] = _BY_HAND if is_whole else DOUBTFUL
    return found


def _account(dn: str) -> str:
    return dn.partition(",")[0].partition("=")[2].lower()


def _identity(attributes: Attributes) -> Iterator[str]:
    """By what an entry is known again that somebody has renamed."""
    for name in ("uid", "mail", "employeeNumber"):
        yield from (value.lower() for value in attributes.get(name, []))


def _names_of_tables(generation: Generation, report: Mapping[str, Any]) -> set[str]:
    """Local parts of all accounts and addresses of this host's tables, live and wanted, and of
    mailboxes that wait to be removed."""
    manifests = generation.manifest, report["manifest"] or {"files": {}}
    paths = {path for each in manifests for path, facts in each["files"].items()
             if facts["accounts"]}  # fmt: skip
    texts = [generation.text(path) for path in paths if path in generation.manifest["files"]]
    texts += [report["contents"].get(name, "") for path in paths for name in (path, f"{path}.cdb")]
    boxes = [each.get("boxes") or {"leaving": []} for each in manifests]
    waiting = {row["account"] for each in boxes for row in each["leaving"]}
    found = {key for text in texts for key in keys(text)}.union(waiting, report["forgotten"])
    return {key.partition("@")[0].lower() for key in found}


def _whole_live_tree(generation: Generation, report: Mapping[str, Any]) -> str:
    """The live tree file, also when it did not come along because it is the same as wanted."""
    path = generation.manifest["tree"]["path"]
    files = (report["manifest"] or {"files": {}})["files"]
    if path in report["contents"] or files.get(path) != generation.manifest["files"][path]:
        return _live_tree(generation, report)
    return generation.tree_text


def _entry(
    dn: str,
    action: str,
    attributes: Attributes,
    there: Mapping[str, Attributes],
    left: Mapping[str, Attributes] | None,
    ours: Collection[str],
) -> EntryChange:
    """A change with what it finds. left: what the last load left, None when that is not known:
    then nothing is called drift. ours: names of the attributes that danhba writes."""
    if action != "change":
        by_hand = action == "add" and left is not None and dn in left
        return EntryChange(dn, action, attributes, drift=("entry",) if by_hand else ())
    found, before = there[dn], (left or {}).get(dn, {})
    was = {
        # Of anything else no value is shown: somebody may keep a secret there.
        name: found[name] if name in ours or name in before else ["(not shown)"]
        for name in attributes
        if name in found
    }
    drift = tuple(
        name
        for name in attributes
        if left is not None and sorted(found.get(name, [])) != sorted(before.get(name, []))
    )
    return EntryChange(dn, action, attributes, was, drift)


def _loaded_last(generation: Generation, report: Mapping[str, Any]) -> dict[str, Attributes] | None:
    """The entries that the last full load left in LDAP; None when only LDAP itself knows."""
    state = report["entries"]
    if state["entries"] is None:
        return None
    text = _live_tree(generation, report)
    for candidate in (generation.tree_text, text):
        if state["loaded"] == sha256(candidate.encode()):
            return read_tree(candidate)
    return None


def _handed_on(there: Mapping[str, Attributes], wanted: Mapping[str, Attributes]) -> list[str]:
    """Accounts whose address would go to somebody else, with mailbox and password: who holds an
    account is told by the staff code, which an agency has not."""
    found = []
    for dn, attributes in wanted.items():
        if dn not in there or "uid" not in attributes:
            continue
        before, after = (
            each.get("employeeNumber", ["an agency"])[0] for each in (there[dn], attributes)
        )
        if before != after:
            found.append(f"{dn} (of {before}, would be of {after})")
    return found


def _live_tree(generation: Generation, report: Mapping[str, Any]) -> str:
    """The live tree file; when it is the same as wanted it did not come along."""
    text: str = report["contents"].get(generation.manifest["tree"]["path"], "")
    return text


def _differing(old: str, new: str) -> tuple[dict[str, Attributes], dict[str, Attributes]]:
    """Of two tree files what is not in both; of 100,000 entries few are read."""
    before, after = old.splitlines(), new.splitlines()
    same = set(before).intersection(after)
    only = ("\n".join(row for row in rows if row not in same) for rows in (before, after))
    there, wanted = map(read_tree, only)
    return there, wanted


def _tree_digest(generation: Generation) -> str:
    manifest = generation.manifest
    digest: str = manifest["files"][manifest["tree"]["path"]]["sha256"]
    return digest


OPTIONAL = frozenset({"employeeNumber", "employeeType", "title"})
"""Attributes of deploys/people.py that no entry may have at the moment."""

_WORDS = {"add": "add", "change": "replace", "delete": "delete"}
"""Of the plan, and of host/entries.py."""


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
        {"dn": entry.dn, _WORDS[entry.action]: entry.attributes or True} for entry in plan.entries
    ]
    return {
        "due": plan.mark, "changes": None if plan.unread else changes, "seen": seen,
        "path": tree["path"], "base": tree["base"], "top": tree["top"],
        "count": tree["count"], "peers": tree["peers"], "wanted": _tree_digest(generation),
        "removed": sorted(generation.removed),
        "strays": [entry.dn for entry in plan.entries if entry.stray], **run,
    }  # fmt: skip
