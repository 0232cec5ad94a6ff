"""The units that apply what a day brings, on the control machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from danhba.commands import main, timer
from danhba.project import ROOT


def units(*options: str) -> str:
    done = CliRunner().invoke(main, ["timer", "staging", *options])
    assert done.exit_code == 0, done.output
    return done.output


def test_it_applies_by_date_and_nothing_else() -> None:
    program = f"{Path(sys.executable).with_name('danhba')} --directory {ROOT}/directory.yaml"
    rows = units().splitlines()
    assert f"ExecStart={program} apply staging --dated" in rows
    assert f"User={ROOT.owner()}" in rows


def test_systemd_takes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As systemd-analyze verifies units; it only complains of what is wrong."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd on this machine")
    said: list[list[str]] = []

    def systemctl(argv: list[str], check: bool) -> subprocess.CompletedProcess[str]:
        said.append(argv)
        return subprocess.CompletedProcess(argv, 0)

    monkeypatch.setattr(timer, "UNITS", tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(timer.subprocess, "run", systemctl)
        units("--install")
    assert said[-1] == ["systemctl", "enable", "--now", "danhba-dated-staging.timer"]
    paths = sorted(map(str, tmp_path.iterdir()))
    assert [Path(path).suffix for path in paths] == [".service", ".timer"]
    argv = ["systemd-analyze", "verify", *paths]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "danhba-dated" not in done.stderr, done.stderr


def test_there_must_be_such_an_inventory() -> None:
    assert CliRunner().invoke(main, ["timer", "nowhere"]).exit_code == 1
