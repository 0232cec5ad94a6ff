"""Changes of the directory for a terminal, for a merge request and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby

from danhba.diff import Change

LONG = 50
"""Entries of one agency from which on a merge request shows them folded."""

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
    blocks = [f"**{_total(changes)}**"]
    for agency, group in _groups(changes):
        rows = "\n".join(f"- {_escaped(_line(change))}" for change in group)
        title = _escaped(_title(agency, names))
        if len(group) > LONG:
            summary = f"<summary>{title}: {len(group)} changes</summary>"
            blocks.append(f"<details>{summary}\n\n{rows}\n\n</details>")
        else:
            blocks.append(f"### {title}\n\n{rows}")
    return "\n\n".join(blocks) + "\n"


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
    return f"{names[agency]} ({agency})" if agency in names else agency or "The province"


def _total(changes: Sequence[Change]) -> str:
    counts: dict[str, int] = {}
    for change in changes:
        counts[change.kind] = counts.get(change.kind, 0) + 1
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def _line(change: Change) -> str:
    basis = ", ".join(text for text in (change.request, change.clause) if text)
    parts = [f"{change.kind}: {change.who}", change.detail, change.mail]
    return "; ".join(part for part in parts if part) + (f" ({basis})" if basis else "")


def _escaped(text: str) -> str:
    """What Markdown would take for its own."""
    for sign in "\\`*_[]<>":
        text = text.replace(sign, f"\\{sign}")
    return text
