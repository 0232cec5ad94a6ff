"""Text of directory.yaml to a tree of nodes that remember their lines.

Built on PyYAML's events, not on its loaders: they drop duplicate keys and line numbers, turn `no`
into false and expand anchors. Here a scalar stays the text that was written, and what the
directory language leaves out of YAML is a finding.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from danhba.findings import Finding, shown

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Only asked for events. Without libyaml they are the same, and come about ten times slower."""

MAX_LINE = 4000
"""Bytes. The longest entry, a person with every key, needs a tenth; more is damage or an attack."""

MAX_DEPTH = 8
"""Mappings and lists inside each other; the directory language needs 5."""

MANY = 20
"""So many findings of one sort about bytes are enough: the file is not what it should be."""

NOT_TEXT = frozenset(
    word
    for plain in ("no", "yes", "on", "off", "true", "false", "null", "y", "n")
    for word in (plain, plain.capitalize(), plain.upper())
) | {"~", ""}
"""Plain scalars that some YAML reader takes for a boolean or for nothing."""

_TAB = re.compile(rb"^ *\t", re.MULTILINE)
_LONG = re.compile(rb"^[^\n]{%d,}" % (MAX_LINE + 1), re.MULTILINE)
_UNSEEN = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
    "|\r(?!\n)"
)
"""Characters an editor does not show, or that only YAML takes for the end of a line."""

_MARK = "\ue000"
_VALUE = r"""(\w[\w/.-]*(?: [\w/.-]+)*)|"([^"\\\n]+)\""""
_PAIR = re.compile(rf"([a-z_]+): (?:{_VALUE})")
_ENTRY = re.compile(rf"( *- )\{{({_PAIR.pattern}(?:, {_PAIR.pattern})*)\}}")
"""A list's item that is a mapping of simple words on one line."""


@dataclass(slots=True)
class Scalar:
    """A piece of text as written. plain: it stood without quotes."""

    text: str
    line: int
    plain: bool


@dataclass(slots=True)
class Sequence:
    """A list."""

    items: list[Node]
    line: int


@dataclass(slots=True)
class Mapping:
    """Keys in the order of the file. The line of an entry is the line of its key."""

    entries: dict[str, Node]
    line: int


Node: TypeAlias = Scalar | Sequence | Mapping


def parse(data: bytes, file: str) -> tuple[Node | None, list[Finding]]:
    """The tree of one YAML document in UTF-8, or None and what stands in the way.

    file names the text in findings. Never raises on any bytes; text is normalised to NFC.
    """
    text, findings = _decode(data, file)
    if text is None or findings:
        return None, findings
    shorter, entries = _set_aside(text)
    builder = _Builder(shorter, file, entries)
    root = builder.run()
    if builder.findings or builder.entries:
        # Not all of them were items of lists, or something is wrong: the words of YAML decide.
        builder = _Builder(text, file, {})
        root = builder.run()
    return (None if builder.findings else root), builder.findings


def _set_aside(text: str) -> tuple[str, dict[str, Mapping]]:
    """text with a mark in place of every plain one-line entry, and the entries by their marks.

    A directory is nearly all such lines, one for each person; a pattern reads them in about half
    the time of libyaml's events. A mark is text that stands for itself only where the entry would
    have been an item of a list: anywhere else it comes out with something before or after it.
    """
    entries: dict[str, Mapping] = {}
    if _MARK in text:
        return text, entries
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        found = _ENTRY.fullmatch(line)
        if found is None:
            continue
        pairs = _PAIR.findall(found[2])
        fields: dict[str, Node] = {
            key: Scalar(plain or quoted, number, not quoted) for key, plain, quoted in pairs
        }
        if len(fields) == len(pairs) and NOT_TEXT.isdisjoint(fields):
            mark = f"{_MARK}{number}"
            entries[mark] = Mapping(fields, number)
            lines[number - 1] = found[1] + mark
    return "\n".join(lines), entries


def _decode(data: bytes, file: str) -> tuple[str | None, list[Finding]]:
    def finding(offset: int, message: str, remedy: str) -> Finding:
        line = data.count(b"\n", 0, offset) + 1
        return Finding(file, line, "error", "", message, remedy)

    found = [
        finding(
            long.start(),
            f"the line is {long.end() - long.start()} bytes long, at most {MAX_LINE} are read",
            "write one entry per line, or restore the file from git",
        )
        for long in islice(_LONG.finditer(data), MANY)
    ]
    try:
        text = unicodedata.normalize("NFC", data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        remedy = "save the file as UTF-8 (TCVN 6909), not as TCVN3, VNI or UTF-16"
        return None, [*found, finding(error.start, "the text is not UTF-8", remedy)]
    if not text.strip():
        return None, [finding(0, "the file is empty", "restore it from git")]
    found += [
        finding(tab.start(), "a tab indents the line", "indent with spaces")
        for tab in islice(_TAB.finditer(data), MANY)
    ]
    found += [
        Finding(
            file,
            text.count("\n", 0, match.start()) + 1,
            "error",
            "",
            f"the line holds the unprintable character U+{ord(match[0]):04X}",
            "delete the character",
        )
        for match in islice(_UNSEEN.finditer(text), MANY)
    ]
    return text, found


class _Stop(Exception):
    """Nothing sensible can be said about the rest of the file."""


class _Builder:
    """One pass over the events. What is refused is noted and read on where that makes sense."""

    def __init__(self, text: str, file: str, entries: dict[str, Mapping]) -> None:
        self.text = text
        self.file = file
        self.entries = entries
        self.findings: list[Finding] = []

    def run(self) -> Node | None:
        try:
            # The constructor itself reads, and may already fail.
            self.next = _Parser(self.text).get_event
            return self.document()
        except yaml.MarkedYAMLError as error:
            self.syntax(error)
        except _Stop:
            pass
        return None

    def refuse(self, line: int, message: str, remedy: str) -> None:
        message = " ".join(message.split())
        self.findings.append(Finding(self.file, line, "error", "", message, remedy))

    def syntax(self, error: yaml.MarkedYAMLError) -> None:
        since = ""
        if error.context and error.context_mark:
            since = f", {error.context} that begins on line {error.context_mark.line + 1}"
        # libyaml finds the end of a truncated file one line below its last.
        last = self.text.rstrip("\n").count("\n") + 1
        mark = error.problem_mark
        self.refuse(
            last if mark is None else min(mark.line + 1, last),
            f"this is not YAML: {error.problem}{since}",
            "close what was opened and compare the indentation with the entry above; "
            "if the file ends too early, restore it from git",
        )

    def document(self) -> Node | None:
        self.next()  # start of the stream
        if type(self.next()) is StreamEndEvent:
            self.refuse(1, "the file holds nothing but comments", "restore it from git")
            return None
        root = self.node(self.next(), 0)
        self.next()  # end of the document
        after = self.next()
        line = after.start_mark.line + 1
        if isinstance(after, DocumentStartEvent):
            self.refuse(line, "a second document begins", "delete the line `---`")
        return root

    def node(self, event: Any, depth: int) -> Node:
        line = event.start_mark.line + 1
        kind = type(event)
        if kind is AliasEvent:
            self.no_anchor(line, f"*{event.anchor}")
            return Scalar("", line, False)
        if event.anchor is not None:
            self.no_anchor(line, f"&{event.anchor}")
        if event.tag is not None:
            self.refuse(line, f"the tag {shown(event.tag)} is not allowed", "delete the tag")
        if kind is ScalarEvent:
            return Scalar(event.value, line, not event.style)
        if depth == MAX_DEPTH:
            self.refuse(line, f"entries nest deeper than {MAX_DEPTH} levels", "indent it less")
            raise _Stop
        return self.mapping(line, depth) if kind is MappingStartEvent else self.list(line, depth)

    def no_anchor(self, line: int, name: str) -> None:
        if self.findings and self.findings[-1].line == line:
            return  # one is enough: a line may hold thousands
        remedy = "write the value out in every place"
        self.refuse(line, f"anchors and aliases ({shown(name)}) are not allowed", remedy)

    def list(self, line: int, depth: int) -> Sequence:
        items: list[Node] = []
        event = self.next()
        while type(event) is not SequenceEndEvent:
            item = self.node(event, depth + 1)
            if type(item) is Scalar and item.text in self.entries and depth + 1 < MAX_DEPTH:
                item = self.entries.pop(item.text)
            items.append(item)
            event = self.next()
        return Sequence(items, line)

    def mapping(self, line: int, depth: int) -> Mapping:
        entries: dict[str, Node] = {}
        event = self.next()
        while type(event) is not MappingEndEvent:
            key, key_line = self.key(event, depth)
            value = self.node(self.next(), depth + 1)
            value.line = key_line
            if key in entries:
                there = entries[key]
                message = f"the key {shown(key)} stands here again, first on line {there.line}"
                message += _named(there, value)
                self.refuse(key_line, message, "keep one of the two")
            entries.setdefault(key, value)
            event = self.next()
        return Mapping(entries, line)

    def key(self, event: Any, depth: int) -> tuple[str, int]:
        node = self.node(event, depth + 1)
        if not isinstance(node, Scalar):
            self.refuse(node.line, "a list or mapping stands where a key belongs", "write a word")
            raise _Stop
        if node.plain and node.text == "<<":
            self.refuse(node.line, "merge keys (<<) are not allowed", "write the entries out")
        elif node.plain and node.text in NOT_TEXT:
            remedy = f'write "{node.text}"'
            self.refuse(node.line, f"the key {shown(node.text)} is not text in YAML", remedy)
        return node.text, node.line


def _named(*nodes: Node) -> str:
    """What the entries call themselves: a conflict has two sides."""
    entries = [node.entries.get("name") for node in nodes if isinstance(node, Mapping)]
    names = [node.text for node in entries if isinstance(node, Scalar)]
    return f" ({' and '.join(names)})" if names else ""
