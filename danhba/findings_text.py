"""Findings for people, for programs, and for the merge requests of GitHub and GitLab."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path, PurePath

from danhba.findings import Finding


def in_repository(findings: Sequence[Finding]) -> list[Finding]:
    """With paths from the top of the git repository, as whoever shows its changes names files; as
    given where there is none."""
    names = {file: _from_top(Path(file)) for file in {finding.file for finding in findings}}
    return [replace(finding, file=names[finding.file]) for finding in findings]


def _from_top(file: Path) -> str:
    there = file.parent.resolve() / file.name  # a link is named by its own place
    argv = ["git", "-C", str(there.parent), "rev-parse", "--show-toplevel"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        top = done.stdout.removesuffix("\n")
        return there.relative_to(Path(top).resolve()).as_posix() if top else str(file)
    except (OSError, ValueError):
        return str(file)


def as_text(findings: Sequence[Finding]) -> str:
    return "".join(f"{finding}\n" for finding in findings)


def as_json(findings: Sequence[Finding]) -> str:
    """A list of objects with the fields of Finding."""
    return json.dumps(list(map(asdict, findings)), ensure_ascii=False, indent=1) + "\n"


def as_github(findings: Sequence[Finding]) -> str:
    """Workflow commands: GitHub shows each beside its line of the change."""
    return "".join(map(_command, findings))


def as_gitlab(findings: Sequence[Finding]) -> str:
    """A Code Quality report: GitLab shows what a change adds and what it mends.

    A fingerprint must outlive a move of the line and of the checkout, and differ between equal
    messages.
    """
    seen: dict[str, int] = {}
    rows = []
    for finding in findings:
        key = f"{PurePath(finding.file).name}\n{finding.message}"
        seen[key] = seen.get(key, 0) + 1
        rows.append(
            {
                "description": _sentence(finding),
                "check_name": finding.clause or "directory",
                "fingerprint": hashlib.sha256(f"{key}\n{seen[key]}".encode()).hexdigest(),
                "severity": "major" if finding.severity == "error" else "minor",
                "location": {"path": finding.file, "lines": {"begin": max(finding.line, 1)}},
            }
        )
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


FORMATS: dict[str, Callable[[Sequence[Finding]], str]] = {
    "text": as_text,
    "json": as_json,
    "github": as_github,
    "gitlab": as_gitlab,
}


def _sentence(finding: Finding) -> str:
    clause = f" ({finding.clause})" if finding.clause else ""
    return f"{finding.message}{clause}. Do: {finding.remedy}."


def _command(finding: Finding) -> str:
    place = f"file={_escaped(finding.file)},line={max(finding.line, 1)}"
    return f"::{finding.severity} {place}::{_plain(_sentence(finding))}\n"


def _plain(text: str) -> str:
    """Escaped as data of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped(text: str) -> str:
    """Escaped as a property of a workflow command."""
    return _plain(text).replace(":", "%3A").replace(",", "%2C")
