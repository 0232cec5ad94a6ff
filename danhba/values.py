"""Nodes of directory.yaml to values of a type: text, days, names, lists, mappings of known keys."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import TypeAlias, TypeVar

from danhba.findings import Finding, shown
from danhba.letters import MARKS, code_of, is_seen
from danhba.naming import KINDS
from danhba.source import NOT_TEXT, Mapping, Node, Scalar, Sequence

T = TypeVar("T")
Day: TypeAlias = date
"""Values has a method of that name."""

NUMBER = re.compile(
    r"[-+]?0x[0-9a-f_]+|[-+]?(0[ob])?\.?[0-9][0-9a-f_.:]*(e[-+]?[0-9]+)?|[-+]?\.(inf|nan)", re.I
)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DOMAIN = re.compile(r"(?=.{4,120}\Z)((?=[^.]{1,63}\.)[a-z0-9]+(-+[a-z0-9]+)*\.)+[a-z]{2,}")
"""Labels of 63 octets at most (RFC 1035 2.3.4), and room for a local part before it."""
NETWORK = re.compile(r"[0-9a-f:.]{3,43}/[0-9]{1,3}")
TIMEZONE = re.compile(r"[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_-]+)*")
_LETTER = rf"[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff][{MARKS}]{{0,2}}"
NAME = re.compile(rf"{_LETTER}(?:{_LETTER}|['\u2019. -])*")
"""Latin letters: Vietnamese, and those of the province's other languages, which put Vietnamese
marks on letters where Unicode has not composed them."""
CONTACT = re.compile(rf"(?:{_LETTER}|[0-9 .,;:()+/@&'-]){{3,100}}")
"""What a reply of SMTP can say: one line of 512 octets (RFC 5321 4.5.3.1.5) has more to tell."""
_EARLIEST, _LATEST = date(1990, 1, 1), date(2100, 1, 1)

SHA256 = re.compile(r"[0-9a-f]{64}")
MANY = 1_000_000


class Values:
    """After a finding it goes on with a stand-in value."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []

    def refuse(self, line: int, message: str, remedy: str, clause: str = "") -> None:
        self.findings.append(Finding(self.file, line, "error", clause, message, remedy))

    # Values

    def text(self, node: Node, what: str) -> str:
        """Text that every YAML reader takes for text, printable, on one line."""
        if not isinstance(node, Scalar):
            self.refuse(node.line, f"{what} is not text", f"write one word or phrase for {what}")
            return ""
        text = node.text
        if node.plain and (text in NOT_TEXT or NUMBER.fullmatch(text)):
            self.not_text(node, what)
        else:
            self.visible(text, node.line, what)
        return text

    def visible(self, text: str, line: int, what: str) -> None:
        if not is_seen(text) or not text.strip():
            message = f"{what} is empty or holds unprintable characters: {shown(text)}"
            self.refuse(line, message, f"write {what} as plain letters on one line")

    def not_text(self, node: Scalar, what: str) -> None:
        if node.text in ("", "~"):
            self.refuse(node.line, f"{what} has no value", f"write {what}, or delete the key")
            return
        taken = "a number" if NUMBER.fullmatch(node.text) else "true, false or nothing"
        message = f"{what} is text, but YAML takes {node.text} for {taken}"
        self.refuse(node.line, message, f'write "{node.text}"')

    def matching(self, node: Node, what: str, pattern: re.Pattern[str], example: str) -> str:
        text = self.text(node, what)
        if text and not pattern.fullmatch(text):
            self.refuse(node.line, f"{what} cannot be {shown(text)}", f"write it like {example}")
        return text

    def name(self, node: Node) -> str:
        """Of a person. A letter of another script may look the same and is found by nobody."""
        before = len(self.findings)
        text = self.text(node, "the name of a person")
        if len(self.findings) == before and not NAME.fullmatch(text):
            fits = NAME.match(text)
            place = fits.end() if fits else 0
            odd = code_of(text[place])
            message = f"the name {shown(text)} cannot have {odd}, as its character {place + 1}"
            self.refuse(node.line, message, "type it in Vietnamese letters (TCVN 6909)", "Điều 3.1")
        return text

    def code(self, node: Node) -> str:
        """A staff code: one that only looks like another one would be a second mailbox."""
        text = self.text(node, "id")
        plain = unicodedata.normalize("NFKC", text).strip()
        if text and text.strip() and plain != text:
            self.refuse(
                node.line, f"the staff code is {shown(text)}", f'write "{plain}"', "Điều 5.3"
            )
        return text

    def positive(self, node: Node, what: str, limit: int) -> int:
        if isinstance(node, Scalar) and re.fullmatch("[1-9][0-9]{0,6}", node.text) and node.plain:
            if int(node.text) > limit:
                message = f"{what} is {node.text}: too much"
                self.refuse(node.line, message, f"write at most {limit}")
            return int(node.text)
        remedy = "write a whole number above 0 without quotes"
        self.refuse(node.line, f"{what} is not a whole number", remedy)
        return 1

    def date(self, node: Node, what: str) -> date:
        text = node.text if isinstance(node, Scalar) else ""
        try:
            if DATE.fullmatch(text) and _EARLIEST <= (day := date.fromisoformat(text)) < _LATEST:
                return day
            problem = f"{what} is not a date: {shown(text)}"
        except ValueError:
            problem = f"{what} is a date that does not exist: {text}"
        self.refuse(node.line, problem, "write the day as YYYY-MM-DD, as in 2026-11-05")
        return date.min

    def texts(self, node: Node, what: str) -> tuple[str, ...]:
        return tuple(self.text(item, f"an entry of {what}") for item in self.items(node, what))

    def items(self, node: Node, what: str) -> list[Node]:
        if isinstance(node, Sequence):
            return node.items
        self.refuse(node.line, f"{what} is not a list", f"write a list, as in {what}: [a, b]")
        return []

    def once(self, node: Node, what: str, read: Callable[[Node], str]) -> tuple[str, ...]:
        """A list in which nothing is there twice."""
        found: list[str] = []
        for item in self.items(node, what):
            value = read(item)
            if value in found:
                self.refuse(item.line, f"{value} is there twice", "keep one")
            found.append(value)
        return tuple(found)

    def entries(self, node: Node, what: str) -> dict[str, Node]:
        if isinstance(node, Mapping):
            return node.entries
        self.refuse(node.line, f"{what} is not a mapping", "write entries like {key: value}")
        return {}

    def fields(
        self,
        node: Node,
        what: str,
        needed: frozenset[str],
        optional: frozenset[str] = frozenset(),
        hint: str = "",
    ) -> dict[str, Node] | None:
        """The entries, when all needed ones are there; unknown ones are findings."""
        before = len(self.findings)
        entries = self.entries(node, what)
        if len(self.findings) > before:
            return None
        if entries.keys() == needed:
            return entries
        for key in entries.keys() - needed - optional:
            known = ", ".join(sorted(needed | optional))
            message = f"{what} has the unknown key {shown(key)}"
            self.refuse(entries[key].line, message, f"delete it or use one of: {known}")
        missing = sorted(needed - entries.keys())
        if missing:
            keys = ", ".join(missing)
            self.refuse(node.line, f"{what} lacks {keys}", f"add {keys}{hint}")
            return None
        return entries

    def each(self, node: Node, what: str, read: Callable[[str, Node], T | None]) -> tuple[T, ...]:
        """read for every key of a mapping, without those it could not read."""
        entries = self.entries(node, what)
        self.keys(entries, what)
        read_all = (read(key, value) for key, value in entries.items())
        return tuple(entry for entry in read_all if entry is not None)

    def keys(self, entries: dict[str, Node], what: str) -> None:
        """Text like any other: what names an entry is read in every diff."""
        for key, value in entries.items():
            self.visible(key, value.line, f"a key of {what}")

    def no_kind(self, kind: str, line: int) -> None:
        message = f"there is no kind of agency {shown(kind)}"
        self.refuse(line, message, f"use one of: {', '.join(KINDS)}", "Điều 5.3.a")
