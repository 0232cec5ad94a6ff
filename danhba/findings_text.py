"""Findings for people, for programs, and for the merge requests of GitHub and GitLab."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from danhba.findings import Finding


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

    A fingerprint must outlive a move of the line, and differ between equal messages.
    """
    seen: dict[str, int] = {}
    rows = []
    for finding in findings:
        key = f"{finding.file}\n{finding.message}"
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
