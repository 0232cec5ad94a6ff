"""The one canonical form of directory.yaml, so that a diff shows what changed and nothing else.

Order within entries is fixed; agencies stay as they are, for an engineer arranges them. What many
branches add to is sorted by what is added: staff by address, requests by agency and the last digits
of their numbers, aliases and reserved names by name. Two branches that add different people to one
agency thus touch different places, and git merges them, unless the two are neighbours in the order.

An entry stands on one line. A list or an approval that would make it longer than WIDTH stands on
several, an item each.

Comments stay: one on a line of its own belongs to the entry below it and moves with it, one behind
an entry stays behind it. The one that names the schema to an editor stays the first line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from danhba import source
from danhba.findings import Finding
from danhba.letters import escaped
from danhba.load import load_text
from danhba.source import NOT_TEXT, Mapping, Node, Scalar, Sequence
from danhba.values import NUMBER

ORDER = {
    "directory": ("province", "legal_basis", "policy", "requests", "agencies", "aliases",
                  "approve", "holds", "retired", "reserved"),
    "province": ("name", "domain", "timezone"),
    "policy": ("quota_gb", "agency_quota_gb", "kind_quota_gb", "message_mb",
               "message_recipients", "alias_months", "mailbox_kept_months", "mailbox_archived_days",
               "confirm_days", "password_min_length", "guard_people_percent",
               "guard_agency_percent", "lockout_guesses",
               "lockout_minutes", "lockout_accounts", "lockout_account_guesses",
               "lockout_known_days", "send_messages", "send_recipients", "send_burst",
               "send_inside", "send_inside_burst", "send_answers", "send_keeper_times",
               "incident_recipients", "incident_inside", "incident_spam", "incident_bounces",
               "incident_unknown", "spam_grey_score", "spam_junk_score", "spam_reject_score",
               "macros", "protected", "inactive_months", "usage_months", "holidays",
               "working_days", "secrecy", "block_lists", "own_networks", "free_mail",
               "archive",
               "incidents", "dmarc_reports", "arc_sealers", "bad_links", "link_lists",
               "backup", "engineers"),
    "free_mail": ("domains", "action"),
    "archive": ("years", "kinds"),
    "secrecy": ("contact",),
    "incidents": ("contact",),
    "backup": ("days", "weeks", "months"),
    "request": ("agency", "date", "signer", "sha256"),
    "agency": ("kind", "name", "account", "parent", "keepers", "it_officer", "decision", "closed",
               "exception", "quota", "staff"),
    "closed": ("from", "decision", "successors", "until"),
    "exception": ("decision", "reason"),
    "leave": ("until", "decision"),
    "quota": ("gb", "decision"),
    "person": ("id", "name", "given_name", "address", "account", "since", "request", "decision",
               "changed", "title", "status", "from", "reason", "locked", "confirm_by", "leave",
               "exception", "quota"),
    "alias": ("to", "until"),
    "approval": ("people", "agencies", "protected"),
    "hold": ("authority", "request", "date", "addresses", "from", "to", "note", "released"),
    "released": ("from", "decision"),
    "retired": ("was", "since"),
}  # fmt: skip
"""Keys of each sort of entry, in the order in which they are written."""

WIDTH = 200
"""Letters of a line beyond which a list is written item by item. Far below source.MAX_LINE, so that
what is written can be read, and above what people and agencies usually need."""

_LONG = 1000
"""Letters of a line from which on it is looked at whether it can be read: a key, at most 1024."""

_PLAIN = re.compile(r"[^\W_](?:[\w ./-]*[\w.])?")
_NUMBER = re.compile(r"[0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BEHIND = re.compile(
    r"""(?: [^"'#] | (?<=[\[{ ]) (?: "(?:[^"\\]|\\.)*" | '[^']*' )
          | (?<![\[{ ])["'] | (?<![ ])\# )*?  [ ] (\#.*)""",
    re.VERBOSE,
)
"""A comment at the end of a line: behind a blank, and not in quotes, which open behind a blank or a
bracket. An apostrophe within a name opens nothing."""
_ALWAYS_QUOTED = frozenset(("id",))
_TO_EDITOR = "# yaml-language-server:"


class Unformatted(Exception):
    """The text has errors of form; the findings say which."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(f"{len(findings)} findings")
        self.findings = findings


def formatted(data: bytes, file: str) -> str:
    """The canonical form of the bytes of a file called `file`. Raises Unformatted."""
    before, findings = load_text(data, file)
    root, _ = source.parse(data, file)
    if before is None or not isinstance(root, Mapping):
        raise Unformatted(findings)
    writer = _Writer(_comments(data.decode("utf-8-sig").splitlines()))
    writer.directory(root)
    if left := sorted(writer.comments.behind):
        remedy = "put it on a line of its own, above the entry"
        message = "the comment stands behind the end of an entry of several lines"
        raise Unformatted([Finding(file, line, "error", "", message, remedy) for line in left])
    text = "".join(f"{line}\n" for line in writer.lines)
    if writer.long and source.parse(text.encode(), file)[0] is None:
        said = ("in canonical form it would be too long a line to read", "write it in fewer words")
        raise Unformatted([Finding(file, line, "error", "", *said) for line in writer.long])
    return text


def request_order(agency: str, number: str) -> str:
    """Of the letters of one agency, those of one last digit stand together: two branches that each
    bring the next one then write in different places."""
    digits = re.match(r"[0-9]*", number)
    return "\0".join((agency, digits[0][::-1] if digits else "", number))


def list_rows(head: str, words: Iterable[str]) -> list[str]:
    """A key and its list in one row, or the list below it, an item each, where that is too wide."""
    words = list(words)
    row = f"{head} [{', '.join(words)}]"
    if len(row) <= WIDTH:
        return [row]
    indent = " " * (len(head) - len(head.lstrip()))
    return [f"{head} [", *(f"{indent}  {each}," for each in words), f"{indent}]"]


@dataclass
class _Comments:
    """above: line of a comment to its text, blank lines that follow one included. behind: line of
    an entry to the comment at its end."""

    above: dict[int, str] = field(default_factory=dict)
    behind: dict[int, str] = field(default_factory=dict)


def _comments(lines: list[str]) -> _Comments:
    found = _Comments()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("#") or (not text and number - 1 in found.above):
            found.above[number] = text
        elif comment := comment_behind(line):
            found.behind[number] = comment
    return found


def comment_behind(line: str) -> str:
    """The comment at the end of a line, with its sign, or ""."""
    match = _BEHIND.match(line) if "#" in line else None
    return match[1].rstrip() if match else ""


class _Writer:
    """Writes entry by entry; `first` and `last` line of each bring its comments along."""

    def __init__(self, comments: _Comments) -> None:
        self.comments = comments
        self.lines: list[str] = []
        self.long: list[int] = []
        self.owned: dict[int, list[int]] = {}

    def directory(self, root: Mapping) -> None:
        if self.comments.above.get(1, "").startswith(_TO_EDITOR):
            self.lines.append(self.comments.above.pop(1))
        self.owned = _owners(root, self.comments)
        for key in _ordered(root, "directory"):
            getattr(self, key)(root.entries[key])
        self.lines += [self.comments.above[line] for line in self.owned.get(0, [])]

    def entry(self, indent: str, node: Node, *rows: str) -> None:
        """One line or more, with the comments that belong to them."""
        above = [self.comments.above[line] for line in self.owned.pop(node.line, [])]
        self.lines += [f"{indent}{comment}" if comment else "" for comment in above]
        behind = [
            self.comments.behind.pop(line)
            for line in range(node.line, _last(node) + 1)
            if line in self.comments.behind
        ]
        self.lines.append(" ".join([f"{indent}{rows[0]}", *behind]))
        self.lines += [f"{indent}{row}" for row in rows[1:]]
        if len(self.lines[-1]) > _LONG or len(rows[0]) > _LONG:
            self.long.append(node.line)

    def head(self, indent: str, key: str, node: Node) -> None:
        """The line of a key whose entries follow on lines of their own."""
        self.entry(indent, Scalar("", node.line, True), f"{key}:")

    def province(self, node: Node) -> None:
        self.entry("", node, f"province: {_flow(node, 'province')}")

    def legal_basis(self, node: Node) -> None:
        self.listed("", "legal_basis", node)

    def policy(self, node: Node) -> None:
        self.head("", "policy", node)
        for key in _ordered(node, "policy"):
            self.value("  ", key, _entries(node)[key])

    def value(self, indent: str, key: str, node: Node) -> None:
        """A key with a word, a list or figures by name."""
        if isinstance(node, Sequence):
            self.listed(indent, key, node)
        elif isinstance(node, Mapping):
            self.entry(indent, node, f"{key}: {_flow(node, key)}")
        else:
            self.entry(indent, node, f"{key}: {_scalar(node)}")

    def listed(self, indent: str, key: str, node: Node) -> None:
        self.entry(indent, node, *list_rows(f"{key}:", list(map(_scalar, _items(node)))))

    def requests(self, node: Node) -> None:
        def order(item: tuple[str, Node]) -> str:
            return request_order(_text(_entries(item[1])["agency"]), item[0])

        self._flows("requests", node, "request", order)

    def aliases(self, node: Node) -> None:
        self._flows("aliases", node, "alias", lambda item: item[0])

    def approve(self, node: Node) -> None:
        self._flows("approve", node, "approval", lambda item: item[0])

    def holds(self, node: Node) -> None:
        self._flows("holds", node, "hold", lambda item: item[0])

    def retired(self, node: Node) -> None:
        self._flows("retired", node, "retired", lambda item: item[0])

    def _flows(
        self, key: str, node: Node, kind: str, order: Callable[[tuple[str, Node]], object]
    ) -> None:
        """A block of entries of one line each; an empty one is written {}."""
        if not _entries(node):
            self.entry("", node, f"{key}: {{}}")
            return
        self.head("", key, node)
        for name, value in sorted(_entries(node).items(), key=order):  # type: ignore[arg-type]
            row = f"{word(name)}: {_flow(value, kind)}"
            if kind == "approval" and len(row) > WIDTH:
                self._approval(word(name), value)
            else:
                self.entry("  ", value, row)

    def _approval(self, decision: str, node: Node) -> None:
        """Of many: each agency in a line of its own."""
        self.head("  ", decision, node)
        for key in _ordered(node, "approval"):
            value = _entries(node)[key]
            if isinstance(value, Mapping) and value.entries:
                self.head("    ", key, value)
                for name in sorted(value.entries):
                    self.value("      ", word(name), value.entries[name])
            elif isinstance(value, Mapping):
                self.entry("    ", value, f"{key}: {{}}")
            else:
                self.value("    ", key, value)

    def reserved(self, node: Node) -> None:
        """In one bracket: a file that ends too early then lacks it, or is no YAML."""
        self.listed("", "reserved", Sequence(sorted(_items(node), key=_text), node.line))

    def agencies(self, node: Node) -> None:
        if not _entries(node):
            self.entry("", node, "agencies: {}")
            return
        self.head("", "agencies", node)
        for address, agency in _entries(node).items():
            self.head("  ", word(address), agency)
            for key in _ordered(agency, "agency"):
                self._agency_key(key, _entries(agency)[key])

    def _agency_key(self, key: str, value: Node) -> None:
        if key == "staff" and _items(value):
            self.head("    ", key, value)
            for person in sorted(_items(value), key=lambda item: _text(_entries(item)["address"])):
                self.entry("      ", person, f"- {_flow(person, 'person')}")
        elif key in ("exception", "closed", "quota"):
            self.entry("    ", value, f"{key}: {_flow(value, key)}")
        else:
            self.value("    ", key, value)


def _owners(root: Mapping, comments: _Comments) -> dict[int, list[int]]:
    """For each entry's line the lines of the comments above or within it; 0: behind the last."""
    starts = sorted(set(_starts(root)))
    found: dict[int, list[int]] = {}
    place = 0
    for line in sorted(comments.above):
        while place < len(starts) and starts[place][1] < line:
            place += 1
        owner = starts[place][0] if place < len(starts) else 0
        found.setdefault(owner, []).append(line)
    return found


def _starts(root: Mapping) -> Iterator[tuple[int, int]]:
    """First and last line of everything that gets a line of its own."""
    for key, node in root.entries.items():
        if key in ("policy", "requests", "aliases", "approve", "holds", "retired") and _entries(
            node
        ):
            yield node.line, node.line
            yield from ((value.line, _last(value)) for value in _entries(node).values())
        elif key == "agencies" and _entries(node):
            yield node.line, node.line
            for agency in _entries(node).values():
                yield agency.line, agency.line
                yield from _agency_starts(agency)
        else:
            yield node.line, _last(node)


def _agency_starts(agency: Node) -> Iterator[tuple[int, int]]:
    for key, value in _entries(agency).items():
        if key == "staff" and _items(value):
            yield value.line, value.line
            yield from ((person.line, _last(person)) for person in _items(value))
        else:
            yield value.line, _last(value)


def _last(node: Node) -> int:
    """The last line that something of the node begins on."""
    if isinstance(node, Mapping):
        return max([node.line, *map(_last, node.entries.values())])
    if isinstance(node, Sequence):
        return max([node.line, *map(_last, node.items)])
    return node.line


def _ordered(node: Node, kind: str) -> list[str]:
    entries = _entries(node)
    return [key for key in ORDER.get(kind, sorted(entries)) if key in entries]


def _flow(node: Node, kind: str) -> str:
    entries = _entries(node)
    rows = []
    for key in _ordered(node, kind):
        value = entries[key]
        text = _value(value, key)
        quoted = key in _ALWAYS_QUOTED and not text.startswith('"')
        rows.append(f'{word(key)}: "{text}"' if quoted else f"{word(key)}: {text}")
    return "{" + ", ".join(rows) + "}"


def _value(node: Node, key: str) -> str:
    if isinstance(node, Mapping):
        return _flow(node, key)
    return _list(node) if isinstance(node, Sequence) else _scalar(node)


def _list(node: Node) -> str:
    return "[" + ", ".join(map(_scalar, _items(node))) + "]"


def _scalar(node: Node) -> str:
    text = _text(node)
    if (
        isinstance(node, Scalar)
        and node.plain
        and (_NUMBER.fullmatch(text) or _DATE.fullmatch(text))
    ):
        return text
    return word(text)


def word(text: str) -> str:
    """text as a YAML scalar that no reader takes for anything but text."""
    safe = _PLAIN.fullmatch(text) and text.lower() not in NOT_TEXT
    if safe and not NUMBER.fullmatch(text) and not _DATE.fullmatch(text):
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """As word, in quotes in any case, and on one line whatever it holds."""
    return '"' + escaped(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _text(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _entries(node: Node) -> dict[str, Node]:
    return node.entries if isinstance(node, Mapping) else {}


def _items(node: Node) -> list[Node]:
    return node.items if isinstance(node, Sequence) else []
