"""inventory/ENV.placement.yaml: which mailboxes were moved, and which stores are failed over.

failed_over:
  store1: {since: 2026-11-25, by: an}
moving:
  ttkngan: {from: store1, to: store2}
moved:
  nvan: store2
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from danhba.files import replace
from danhba.findings import Finding, shown
from danhba.placement import Failure, Move, Moving, Remembered
from danhba.source import Mapping, Node, Scalar, parse

_HEAD = """\
# Written by danhba move, rebalance, failover and failback; commit it with what they did.
"""


def load(path: Path, stores: Sequence[str]) -> tuple[Remembered, list[Finding]]:
    """What the file remembers; nothing when there is none. Strict: findings name line and remedy.

    stores: names of the inventory's stores; others are findings.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Remembered(), []
    return read(data, str(path), stores)


def read(data: bytes, file: str, stores: Sequence[str]) -> tuple[Remembered, list[Finding]]:
    """As load. file: how findings name it."""
    if not _says_something(data):
        return Remembered(), []
    root, findings = parse(data, file)
    if root is None:
        return Remembered(), findings
    reader = _Reader(file, stores)
    return reader.read(root), reader.findings


def _says_something(data: bytes) -> bool:
    return any(row.strip() and not row.lstrip().startswith(b"#") for row in data.splitlines())


def save(path: Path, remembered: Remembered) -> None:
    """Write the file anew, sorted, a line a mailbox, so that branches merge. Raises OSError."""
    replace(path, text(remembered).encode())


def text(remembered: Remembered) -> str:
    failed = [
        f"  {each.store}: {{since: {each.since}, by: {each.by}"
        f"{f', returning: {each.returning}' if each.returning else ''}}}\n"
        for each in sorted(remembered.failed_over, key=lambda each: each.store)
    ]
    moving = [
        f"  {each.account}: {{from: {each.source}, to: {each.to}}}\n"
        for each in sorted(remembered.moving, key=lambda each: each.account)
    ]
    moved = [
        f"  {each.account}: {each.store}\n"
        for each in sorted(remembered.moved, key=lambda each: each.account)
    ]
    sections = (("failed_over", failed), ("moving", moving), ("moved", moved))
    return _HEAD + "".join(f"{name}:\n{''.join(rows)}" for name, rows in sections if rows)


class _Reader:
    def __init__(self, file: str, stores: Sequence[str]) -> None:
        self.file, self.stores = file, stores
        self.findings: list[Finding] = []

    def read(self, root: Node) -> Remembered:
        moved: list[Move] = []
        failed: list[Failure] = []
        moving: list[Moving] = []
        for key, node in self._entries(root, "the file"):
            if key == "moved":
                moved += self._moved(node)
            elif key == "failed_over":
                failed += self._failed(node)
            elif key == "moving":
                moving += self._moving(node)
            else:
                there = "there are failed_over, moving and moved"
                self._find(node, f"unknown key {shown(key)}", there)
        gone = {each.store for each in failed if not each.returning}
        if gone >= set(self.stores):
            self._find(root, "every store is failed over", "leave one that serves the mailboxes")
        return Remembered(
            tuple(sorted(moved, key=lambda each: each.account)),
            tuple(sorted(failed, key=lambda each: each.store)),
            tuple(sorted(moving, key=lambda each: each.account)),
        )

    def _moved(self, node: Node) -> Iterator[Move]:
        for account, value in self._entries(node, "moved"):
            store = self._text(value, f"the store of {account}")
            if store and self._is_store(store, value):
                yield Move(account, store, value.line)

    def _failed(self, node: Node) -> Iterator[Failure]:
        for store, value in self._entries(node, "failed_over"):
            facts = self._facts(store, value, ("since", "by"), ("returning",))
            if not facts or not self._is_store(store, value):
                continue
            since = self._day(facts["since"], value)
            returning = self._day(facts["returning"], value) if "returning" in facts else None
            if since:
                yield Failure(store, since, facts["by"], returning, value.line)

    def _moving(self, node: Node) -> Iterator[Moving]:
        for account, value in self._entries(node, "moving"):
            facts = self._facts(account, value, ("from", "to"))
            if facts and all(self._is_store(facts[key], value) for key in ("from", "to")):
                yield Moving(account, facts["from"], facts["to"], value.line)

    def _facts(
        self, name: str, node: Node, wanted: Sequence[str], further: Sequence[str] = ()
    ) -> dict[str, str]:
        """The words of an entry; none when it is not as it should be."""
        facts = dict(self._entries(node, name))
        there = " and ".join((*wanted, *further))
        for key in sorted(facts.keys() - {*wanted, *further}):
            self._find(facts.pop(key), f"unknown key {shown(key)}", f"there are {there}")
        if missing := [key for key in wanted if key not in facts]:
            self._find(node, f"{name} lacks {' and '.join(missing)}", "add it")
            return {}
        words = {key: self._text(value, f"{key} of {name}") for key, value in facts.items()}
        return words if all(words.values()) else {}

    def _entries(self, node: Node, what: str) -> Iterator[tuple[str, Node]]:
        if isinstance(node, Mapping):
            yield from node.entries.items()
        else:
            self._find(node, f"{what} is no mapping", "write KEY: VALUE")

    def _text(self, node: Node, what: str) -> str:
        if isinstance(node, Scalar) and node.text:
            return node.text
        self._find(node, f"{what} is no word", "write one")
        return ""

    def _is_store(self, name: str, node: Node) -> bool:
        if name not in self.stores:
            there = ", ".join(self.stores)
            self._find(node, f"{shown(name)} is no store of the inventory", f"name one of {there}")
        return name in self.stores

    def _day(self, text: str, node: Node) -> date | None:
        try:
            return date.fromisoformat(text)
        except ValueError:
            self._find(node, f"{shown(text)} is no day", "write it as 2026-11-25")
            return None

    def _find(self, node: Node, message: str, remedy: str) -> None:
        self.findings.append(Finding(self.file, node.line, "error", "", message, remedy))
