"""Findings as programs and merge requests read them."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from danhba.commands import main
from danhba.findings import Finding, shown
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


BAD = (Path(__file__).parent / "bad/unknown_kind.yaml").read_bytes()


@pytest.mark.parametrize("form", ["json", "github", "gitlab"])
def test_a_merge_request_is_told_the_path_in_the_repository(form: str, tmp_path: Path) -> None:
    said = []
    for checkout in ("here", "there"):
        file = tmp_path / checkout / "data" / "directory.yaml"
        file.parent.mkdir(parents=True)
        file.write_bytes(BAD)
        subprocess.run(["git", "init", "-q", str(tmp_path / checkout)], check=True)
        done = CliRunner().invoke(main, ["--directory", str(file), "check", "--format", form])
        assert "data/directory.yaml" in done.stdout
        assert str(tmp_path) not in done.stdout
        said.append(done.stdout)
    assert said[0] == said[1]


def test_a_file_of_no_repository_is_named_as_given(tmp_path: Path) -> None:
    prints = []
    for folder in ("one", "two"):
        file = tmp_path / folder / "directory.yaml"
        file.parent.mkdir()
        file.write_bytes(BAD)
        done = CliRunner().invoke(main, ["--directory", str(file), "check", "--format", "gitlab"])
        [row, *_] = json.loads(done.stdout)
        assert row["location"]["path"] == str(file)
        prints.append(row["fingerprint"])
    assert prints[0] == prints[1]


def test_a_letter_that_looks_like_another_is_named() -> None:
    assert shown("nvan") == "'nvan'"
    assert shown("Nguyễn Đức Ơn") == "'Nguyễn Đức Ơn'"
    assert shown("\u0441hoi") == "'\u0441hoi' (\u0441 is U+0441, CYRILLIC SMALL LETTER ES)"
    assert "U+0131" in shown("nv\u0131n")
    assert shown("a\n\x1b\u202e\u2800") == r"'a\n\x1b\u202e\u2800'"
