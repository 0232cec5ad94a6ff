"""A diff says what a change means; what means nothing is no change."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from danhba.check import check_text
from danhba.diff import Change, compare
from danhba.diff_text import as_json, as_markdown, as_text
from danhba.fmt import formatted
from danhba.model import Directory
from danhba.project import ROOT

GOOD = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")
AN = next(row for row in GOOD.splitlines() if "address: nvan," in row)


def directory(text: str) -> Directory:
    found, findings = check_text(text.encode(), "x")
    assert found is not None, findings
    return found


def diff(*pairs: tuple[str, str]) -> list[Change]:
    text = GOOD
    for old, new in pairs:
        assert text.count(old) == 1, (text.count(old), old)
        text = text.replace(old, new)
    return compare(directory(GOOD), directory(text))


def test_another_order_another_form_and_a_moved_block_are_no_change() -> None:
    agencies = GOOD.index("  sotaichinh:\n"), GOOD.index("  chomoi:\n")
    block = GOOD[slice(*agencies)]
    moved = GOOD.replace(block, "").replace("aliases:\n", f"{block}aliases:\n")
    keys = moved.replace(
        AN, AN.replace('id: "10234", name: Nguyễn Văn An', 'name: Nguyễn Văn An, id: "10234"')
    )
    assert keys != moved != GOOD
    for text in (moved, keys, formatted(keys.encode(), "x")):
        assert compare(directory(GOOD), directory(text)) == []


NEW = '      - {id: "7", name: Lê Thị Bé, address: ltbe, since: 2026-11-06, request: 12/CV-STC}'

CASES: dict[str, tuple[list[tuple[str, str]], list[tuple[str, str, str]]]] = {
    "new": (
        [(AN, f"{AN}\n{NEW}")],
        [("new", "Lê Thị Bé <ltbe>", "staff code 7, since 2026-11-06")],
    ),
    "gone": ([(f"{AN}\n", "")], [("gone", "Nguyễn Văn An <nvan>", "staff code 10234")]),
    "transferred": (
        [(f"{AN}\n", ""), ("- {id: \"20001\"", f"- {AN.strip()[2:]}\n      - {{id: \"20001\"")],
        [("transferred", "Nguyễn Văn An <nvan>", "from sotaichinh")],
    ),
    "another address": (
        [("address: dddat,", "address: dddat02,"), ("[dddat]", "[dddat02]")],
        [("new address", "Đặng Đức Đạt <dddat02>", "dddat -> dddat02")],
    ),
    "another name": (
        [("Đặng Đức Đạt", "Đặng Đạo Đạt")],
        [("renamed", "Đặng Đạo Đạt <dddat>", "was Đặng Đức Đạt")],
    ),
    "another title": (
        [("title: Chuyên viên", "title: Trưởng phòng")],
        [("title", "Trần Thị Kim Ngân <ttkngan>", "Chuyên viên -> Trưởng phòng")],
    ),
    "policy": ([("message_mb: 30", "message_mb: 40")], [("policy", "message_mb", "30 -> 40")]),
    "agency renamed": (
        [("name: Phòng Nội vụ", "name: Phòng Nội vụ và Lao động")],
        [("agency renamed", "Phòng Nội vụ và Lao động", "was Phòng Nội vụ")],
    ),
    "agency with another address": (
        [("  noivu.chomoi:", "  pnv.chomoi:")],
        [("new address", "Phòng Nội vụ", "noivu.chomoi -> pnv.chomoi")],
    ),
    "alias": (
        [("taichinh: {to: sotaichinh}", "taichinh: {to: chomoi}")],
        [("alias", "postmaster", "sotaichinh -> chomoi"),
         ("alias", "taichinh", "sotaichinh -> chomoi")],
    ),
    "reserved": ([("[hotro]", "[hotro, tinh]")], [("reserved", "tinh", "new")]),
    "request": (
        [("date: 2026-11-02", "date: 2026-11-03")],
        [("request corrected", "12/CV-STC", "date 2026-11-02 -> 2026-11-03")],
    ),
    "exception": (
        [("    exception: {decision: 7/QĐ-STTTT, reason: tên cũ}\n", "")],
        [("exception", "Phòng Nội vụ", "no longer")],
    ),
    "it officer": (
        [("it_officer: ttkngan", "it_officer: nvan")],
        [("it officer", "Sở Tài chính", "ttkngan -> nvan")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_a_change_means(case: str) -> None:
    pairs, expected = CASES[case]
    found = diff(*pairs)
    assert [(change.kind, change.who, change.detail) for change in found] == expected


def test_who_leaves_the_file_is_said_not_to_leave_the_servers() -> None:
    [gone] = diff((f"{AN}\n", ""))
    assert "an address is not removed by leaving it out" in gone.mail


def test_forms() -> None:
    names = {"sotaichinh": "Sở Tài chính"}
    changes = [
        Change("sotaichinh", "new", f"A_{number} <a>", clause="Điều 6") for number in range(51)
    ]
    text = as_text(changes, names)
    assert text.startswith("51 new\n\nSở Tài chính (sotaichinh)\n  new: A_0 <a> (Điều 6)\n")
    folded, short = as_markdown(changes, names), as_markdown(changes[:50], names)
    assert folded.startswith("| change | |\n|---|---:|\n| new | 51 |\n\n<details>")
    assert "<details><summary>Sở Tài chính (sotaichinh): 51 changes</summary>" in folded
    assert "<details>" not in short
    assert "A\\_0 \\<a\\>" in short
    wide = [Change(f"so{number}", "new", "A") for number in range(51)]
    assert as_markdown(wide, names).count("<details>") == 51
    assert json.loads(as_json(changes, names))[0]["who"] == "A_0 <a>"
    assert as_text([], names) == "no change\n"


@pytest.mark.parametrize("seed", range(5))
def test_a_shuffled_province_has_not_changed(seed: int) -> None:
    text = (ROOT / "directory.yaml").read_text(encoding="utf-8")
    head, mark, rest = text.partition("agencies:\n")
    rows, tail = rest.split("aliases:", 1)
    blocks = [f"  {block}" for block in rows.removeprefix("  ").split("\n  ") if block[:1] != " "]
    assert len(blocks) > 1
    lines = rows.splitlines(keepends=True)
    starts = [n for n, line in enumerate(lines) if line[:2] == "  " and line[2] != " "]
    parts = ["".join(lines[a:b]) for a, b in zip(starts, [*starts[1:], len(lines)], strict=True)]
    random.Random(seed).shuffle(parts)
    shuffled = f"{head}{mark}{''.join(parts)}aliases:{tail}"
    assert shuffled != text
    assert compare(directory(text), directory(shuffled)) == []


def test_revisions_and_files(tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")
    for argv in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@x.test",
                                               "commit", "-qm", "one"]):  # fmt: skip
        subprocess.run(["git", "-C", str(tmp_path), *argv], check=True)
    file.write_text(GOOD.replace("Chuyên viên", "Kế toán"), encoding="utf-8")

    def said(*arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "danhba", "--directory", str(file), "diff", *arguments]
        return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)

    for arguments in ((), ("HEAD",), ("HEAD", str(file))):
        done = said(*arguments)
        assert done.returncode == 0, done.stderr
        assert "Chuyên viên -> Kế toán" in done.stdout
    assert said("HEAD", "HEAD").stdout == "no change\n"
    wrong = said("--", "--help")
    assert wrong.returncode == 1
    assert "no such revision" in said("nowhere").stderr
    file.write_text("province: [", encoding="utf-8")
    assert f"{file}:1: error" in said().stderr


ODD = "x\n\n### Sở Y tế\n\n- gone\x1b[1m\u202e\u3164<img src=a>&lt;"


@pytest.mark.parametrize("form", [as_text, as_markdown])
def test_no_name_passes_for_a_change(
    form: Callable[[Sequence[Change], dict[str, str]], str],
) -> None:
    """load refuses such names; whatever comes by another way is escaped all the same."""
    plain = form([Change("a", "new", "x", "y", request="1/QĐ")], {"a": "x"})
    for changes in ([Change("a", "new", ODD, ODD, request=ODD)], [Change(ODD, "new", "x")] * 51):
        said = form(changes, {"a": ODD})
        assert len(said.splitlines()) == len(form(_plain(changes), {"a": "x"}).splitlines())
        assert not {"\x1b", "\u202e", "\u3164"} & set(said)
        assert form is as_text or "<img" not in said.replace("\\<img", "")
    assert "new: x; y" in plain


def _plain(changes: list[Change]) -> list[Change]:
    return [Change(each.agency and "a", "new", "x", "x", request="x") for each in changes]
