"""Changes of the directory for a terminal, for a merge request and for programs.

Whatever does not show is escaped: a name with an end of line in it must not look like a change.
"""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby

from danhba.diff import Change
from danhba.letters import escaped

LONG = 50
"""Entries, of one agency or in all, from which on a merge request shows them folded."""

Names = Mapping[str, str]
"""Address of an agency to its name."""


def as_text(changes: Sequence[Change], names: Names) -> str:
    if not changes:
        return "no change\n"
    lines = [_total(changes)]
    for agency, group in _groups(changes):
        lines += ["", _title(agency, names), *(f"  {_line(change)}" for change in group)]
    return "\n".join(lines) + "\n"


def as_markdown(changes: Sequence[Change], names: Names) -> str:
    if not changes:
        return "No change.\n"
    blocks = [_table(changes)]
    for agency, group in _groups(changes):
        rows = "\n".join(f"- {_marked(_line(change))}" for change in group)
        title = _title(agency, names)
        if len(changes) > LONG:
            count = f"{len(group)} change{'s' * (len(group) > 1)}"
            summary = f"<summary>{html.escape(title)}: {count}</summary>"
            blocks.append(f"<details>{summary}\n\n{rows}\n\n</details>")
        else:
            blocks.append(f"### {_marked(title)}\n\n{rows}")
    return "\n\n".join(blocks) + "\n"


def _table(changes: Sequence[Change]) -> str:
    rows = [f"| {kind} | {count} |" for kind, count in _counts(changes).items()]
    return "\n".join(["| change | |", "|---|---:|", *rows])


def as_json(changes: Sequence[Change], names: Names) -> str:
    """Stable: keys sorted, one object a change."""
    return (
        json.dumps(list(map(asdict, changes)), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    )


FORMATS: dict[str, Callable[[Sequence[Change], Names], str]] = {
    "text": as_text, "markdown": as_markdown, "json": as_json,
}  # fmt: skip


def _groups(changes: Sequence[Change]) -> Iterator[tuple[str, list[Change]]]:
    for agency, group in groupby(changes, key=lambda change: change.agency):
        yield agency, list(group)


def _title(agency: str, names: Names) -> str:
    title = f"{names[agency]} ({agency})" if agency in names else agency or "The province"
    return escaped(title)


def _total(changes: Sequence[Change]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in _counts(changes).items())


def _counts(changes: Sequence[Change]) -> Mapping[str, int]:
    return Counter(change.kind for change in changes)


def _line(change: Change) -> str:
    basis = ", ".join(text for text in (change.request, change.clause) if text)
    parts = [f"{change.kind}: {change.who}", change.detail, change.mail]
    line = "; ".join(part for part in parts if part) + (f" ({basis})" if basis else "")
    return escaped(line)


def _marked(text: str) -> str:
    """With a backslash before what Markdown would take for its own."""
    for sign in "\\`*_[]<>&~$#@!|":
        text = text.replace(sign, f"\\{sign}")
    return text
