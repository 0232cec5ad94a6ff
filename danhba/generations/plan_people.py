"""What of a plan is LDAP's: entries to write, what was edited there by hand, who would vanish.

Pure, no connection; the comparison itself is host/entries.py, as the host makes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from danhba.generations.generation import Generation
from danhba.generations.host.common import keys, sha256
from danhba.generations.host.entries import differences, is_removed, read_tree
from danhba.generations.host.ldap import Attributes


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
        if state["loaded"] == tree_digest(generation):
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
        for action, word in WORDS.items() if word in change
    )  # fmt: skip
    gone = (f"{dn}{writer}" for dn, writer in beyond.items() if writer != _BY_HAND)
    vanished = [*gone, *_handed_on(there, wanted)]
    mark = bool(entries) or state["loaded"] != tree_digest(generation)
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


def tree_digest(generation: Generation) -> str:
    manifest = generation.manifest
    digest: str = manifest["files"][manifest["tree"]["path"]]["sha256"]
    return digest


OPTIONAL = frozenset({"employeeNumber", "employeeType", "title"})
"""Attributes of deploys/people.py that no entry may have at the moment."""

WORDS = {"add": "add", "change": "replace", "delete": "delete"}
"""Of the plan, and of host/entries.py."""
