"""A file that is replaced stays what it is: its mode, its links, its line ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from drafts import CANONICAL

from danhba.commands import main
from danhba.files import replace

RENAME = ("rename", "ttkngan", "--decision", "7/QĐ", "--name")


def run(file: Path, *arguments: str) -> str:
    done = CliRunner().invoke(main, ["--directory", str(file), *arguments])
    return f"{done.exit_code} {done.output}"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real" / "d.yaml", tmp_path / "directory.yaml"
    real.parent.mkdir()
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to("real/d.yaml")
    replace(link, b"new")
    assert link.is_symlink() and real.read_bytes() == b"new"
    assert real.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in real.parent.iterdir()] == ["d.yaml"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_edit_keeps_the_line_ends(end: str, tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    before = CANONICAL.replace("\n", end).encode()
    file.write_bytes(before)
    said = run(file, *RENAME, "Trần Thị Kim Loan")
    assert said.startswith("0"), said
    after = file.read_bytes()
    assert after != before
    assert after.count(b"\n") == after.count(end.encode())


@pytest.mark.parametrize("name", ["", "Иван", "---"])
def test_a_wrong_name_is_told_as_a_wrong_name(name: str, tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(CANONICAL, encoding="utf-8")
    said = run(file, *RENAME, name)
    assert said.startswith("1") and "danhba fmt" not in said
    assert "name" in said
    assert file.read_text(encoding="utf-8") == CANONICAL
