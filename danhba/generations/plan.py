"""The difference between a host and the generation it should have; pure, no connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import Any

from danhba.generations.generation import Generation
from danhba.generations.host.common import service_actions
from danhba.generations.host.entries import Attributes, differences, read_tree


@dataclass(frozen=True)
class FileChange:
    """action: add, change, remove or mend (was edited on the host). rows: a diff, or the rows of a
    lookup table that go and come; none for a secret."""

    path: str
    action: str
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class EntryChange:
    """An LDAP entry to add or to modify; attributes as they will be."""

    dn: str
    action: str
    attributes: Attributes


@dataclass(frozen=True)
class Plan:
    """Everything an apply would do on one host. Nothing else happens there."""

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
    vanished: tuple[str, ...] = ()
    locked: Mapping[str, Any] | None = field(default=None, compare=False)

    @property
    def changes(self) -> bool:
        """Is anything to do? A refusal (`vanished`) is no change; see there."""
        return (
            self.live != self.wanted or bool(self.drift or self.packages or self.files)
            or bool(self.entries or self.mark or self.services)
        )  # fmt: skip


def compare(host: str, generation: Generation, report: Mapping[str, Any]) -> Plan:
    """The plan for one host from its one answer (host/report.py)."""
    tree = compare_tree(generation, report["entries"])
    drift = tuple((item["path"], item["problem"]) for item in report["drift"])
    packages = [name for name in generation.manifest["packages"] if name not in report["packages"]]
    return Plan(
        host=host,
        live=report["live"],
        wanted=generation.digest,
        drift=drift,
        packages=tuple(packages),
        files=tuple(_file_changes(generation, report, {path for path, _ in drift})),
        entries=tree.entries,
        mark=tree.mark,
        unread=tree.unread,
        services=tuple(_services(generation, report, {path for path, _ in drift})),
        vanished=tree.vanished + _gone_accounts(generation, report),
        locked=report["lock"],
    )


def _services(
    generation: Generation, report: Mapping[str, Any], drifted: set[str]
) -> list[tuple[str, str]]:
    """As the host will decide it (host/common.py): who read an edited file is due again."""
    loaded = dict(report["loaded"])
    for service in (report["manifest"] or {"services": []})["services"]:
        if drifted & set(service["reads"]):
            loaded[service["unit"]] = {}
    return service_actions(generation.manifest["services"], report["units"], loaded)


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


def _gone_accounts(generation: Generation, report: Mapping[str, Any]) -> tuple[str, ...]:
    """Addresses in the live tables that the wanted ones lack: on every host, LDAP or not."""
    gone: set[str] = set()
    for path, facts in generation.manifest["files"].items():
        if facts["accounts"] and path in report["contents"]:
            gone |= _keys(report["contents"][path]) - _keys(generation.text(path))
    return tuple(sorted(gone))


def _keys(table: str) -> set[str]:
    return {re.split(r"[\s:]", row, maxsplit=1)[0] for row in table.splitlines() if row}


def _rows(generation: Generation, path: str, report: Mapping[str, Any]) -> tuple[str, ...]:
    facts = generation.manifest["files"][path]
    if facts["secret"]:
        return ("(secret: not shown)",)
    old = report["contents"].get(path, "").splitlines()
    new = generation.text(path).splitlines()
    if not old:
        return ()  # a new file speaks for itself; its length is told
    if facts["accounts"] or path == (generation.manifest["tree"] or {}).get("path"):
        # One row an account: order says nothing, and there are many.
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


def compare_tree(generation: Generation, state: Mapping[str, Any] | None) -> TreeChange:
    if state is None:
        return TreeChange()
    if not state["ready"]:
        return TreeChange(mark=True, unread=True)
    if state["entries"] is None:  # as the last load left it
        return TreeChange()
    wanted, there = read_tree(generation.tree_text), state["entries"]
    entries = tuple(
        EntryChange(change["dn"], "add" if "add" in change else "change",
                    change.get("add") or change["replace"])
        for change in differences(wanted, there, generation.manifest["tree"]["top"])
    )  # fmt: skip
    vanished = tuple(sorted(dn for dn in there if dn not in wanted))
    mark = bool(entries) or state["loaded"] != _tree_digest(generation)
    return TreeChange(entries, mark, vanished)


def _tree_digest(generation: Generation) -> str:
    manifest = generation.manifest
    digest: str = manifest["files"][manifest["tree"]["path"]]["sha256"]
    return digest


def batch(plan: Plan, generation: Generation) -> dict[str, Any] | None:
    """The one batch of LDAP changes of a plan (host/entries.py load), or None."""
    if not plan.mark:
        return None
    tree = generation.manifest["tree"]
    changes: list[dict[str, Any]] | None = [
        {"dn": entry.dn, ("add" if entry.action == "add" else "replace"): entry.attributes}
        for entry in plan.entries
    ]
    return {
        "changes": None if plan.unread else changes,
        "tree": tree["path"], "base": tree["base"], "top": tree["top"],
        "wanted": _tree_digest(generation),
    }  # fmt: skip
