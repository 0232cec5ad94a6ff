"""Findings as programs and merge requests read them."""

import json

from danhba.findings import Finding
from danhba.findings_text import as_github, as_gitlab, as_json, as_text

TWO = [
    Finding("a,b:c.yaml", 3, "error", "Điều 5.3", "100% wrong", "write nvan"),
    Finding("a,b:c.yaml", 0, "warning", "", "100% wrong", "write nvan"),
]


def test_text_is_a_line_each() -> None:
    assert as_text(TWO).splitlines() == [str(finding) for finding in TWO]


def test_json_has_every_field() -> None:
    [first, _] = json.loads(as_json(TWO))
    assert first == {
        "file": "a,b:c.yaml", "line": 3, "severity": "error", "clause": "Điều 5.3",
        "message": "100% wrong", "remedy": "write nvan",
    }  # fmt: skip


def test_github_escapes_what_would_end_a_property() -> None:
    [first, second] = as_github(TWO).splitlines()
    assert first == ("::error file=a%2Cb%3Ac.yaml,line=3::100%25 wrong (Điều 5.3). Do: write nvan.")
    assert second.startswith("::warning file=a%2Cb%3Ac.yaml,line=1::")


def test_gitlab_tells_equal_findings_apart_and_knows_a_moved_one_again() -> None:
    here = json.loads(as_gitlab(TWO))
    moved = [Finding(f.file, f.line + 7, f.severity, f.clause, f.message, f.remedy) for f in TWO]
    there = json.loads(as_gitlab(moved))
    prints = [row["fingerprint"] for row in here]
    assert len(set(prints)) == 2
    assert prints == [row["fingerprint"] for row in there]
    assert here[0]["location"] == {"path": "a,b:c.yaml", "lines": {"begin": 3}}
    assert [row["severity"] for row in here] == ["major", "minor"]
