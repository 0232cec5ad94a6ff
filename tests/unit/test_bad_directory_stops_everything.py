"""A bad directory: exit status 1, the finding on the screen, and no host is even connected to."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from danhba import engine
from danhba.commands import main

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))


@pytest.fixture(autouse=True)
def no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("a host was connected to")

    monkeypatch.setattr(engine, "connect_all", refuse)


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"]], ids=["plan", "apply"])
@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_nothing_is_applied(path: Path, command: list[str]) -> None:
    done = CliRunner().invoke(main, ["--directory", str(path), *command, "staging"])
    assert done.exit_code == 1
    assert f"{path.name}:" in done.output
    assert "Do: " in done.output
    assert "Nothing was done" in done.output


def test_the_file_must_be_there(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["--directory", str(tmp_path / "no.yaml"), "plan", "staging"])
    assert done.exit_code == 1
    assert "no.yaml" in done.output


def test_a_line_of_ten_megabytes_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "long.yaml"
    path.write_text("province: {name: " + "a" * 10_000_000 + "}\n")
    done = CliRunner().invoke(main, ["--directory", str(path), "apply", "--yes", "staging"])
    assert done.exit_code == 1
    assert "long.yaml:1: error" in done.output
    assert len(done.output) < 2000


def test_an_unknown_environment_is_named() -> None:
    done = CliRunner().invoke(main, ["plan", "nowhere"])
    assert done.exit_code == 1
    assert "nowhere.py: there is no such inventory" in done.output
