"""What a blank vault takes of the second place."""

from __future__ import annotations

import os
import pwd
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from danhba.backup import vault_back
from danhba.backup.config import VaultConfig
from danhba.backup.restic import Failed

SECOND = '#!/bin/sh\ncase "$*" in\n{answers}\nesac\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VaultConfig:
    own = SimpleNamespace(pw_uid=os.getuid(), pw_gid=os.getgid())
    monkeypatch.setattr(pwd, "getpwnam", lambda name: own)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin", prepend=":")
    for name in ("bin", "state", "here/vault1/snapshots", "journal"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "secret").write_text('{"vault1": "x"}')
    (tmp_path / "bin/systemctl").write_text("#!/bin/sh\n")
    (tmp_path / "bin/systemctl").chmod(0o755)
    return VaultConfig(
        hosts={"vault1": False}, place=f"{tmp_path}/here", secret=f"{tmp_path}/secret",
        second=f"{tmp_path}/second", sftp="", keep={}, mail="/srv/mail", user="me",
        state=f"{tmp_path}/state", held=(), own="vault1", archive=f"{tmp_path}/journal",
    )  # fmt: skip


def restic(place: Path, answers: str) -> None:
    program = place / "bin/restic"
    program.write_text(SECOND.format(answers=answers))
    program.chmod(0o755)


@pytest.mark.parametrize("name", ["vault1", "archive"])
def test_what_cannot_be_reached_is_not_missing(
    config: VaultConfig, tmp_path: Path, name: str
) -> None:
    """12: a wrong password; 1: the network, the server's key, credentials."""
    for status in (1, 12):
        restic(
            tmp_path,
            f'*"second/{name} "*"cat config"*) echo "Fatal: no route" >&2; exit {status} ;;\n'
            "*snapshots*) echo '[]' ;;",
        )
        with pytest.raises(Failed, match="no route"):
            vault_back.bring(config)


def test_what_is_missing_is_said(config: VaultConfig, tmp_path: Path) -> None:
    restic(tmp_path, '*"cat config"*) exit 10 ;;')
    assert vault_back.bring(config) == {
        "snapshots": {},
        "missing": ["vault1"],
        "segments": 0,
        "copied": "",
    }


def test_segments_of_the_archive_are_counted(config: VaultConfig, tmp_path: Path) -> None:
    came = f"{config.state}/back/{config.archive}/2026/11/26"
    restic(
        tmp_path,
        '*snapshots*) echo \'[{"id": "a", "time": "2026-11-26T05:00:00+07:00"}]\' ;;\n'
        f"*restore*) mkdir -p {came}; touch {came}/0001.chain {came}/0001.data ;;",
    )
    (tmp_path / "here/vault1/snapshots").rmdir()
    config = replace(config, hosts={})
    done = vault_back.bring(config)
    assert (done["segments"], done["copied"][:10]) == (1, "2026-11-26")
    assert (Path(config.archive) / "2026/11/26/0001.data").exists()
