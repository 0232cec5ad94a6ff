"""The archive's way to the second place, and when nothing of it is forgotten there."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from danhba.backup import archive
from danhba.backup.config import VaultConfig
from danhba.backup.jobs import Jobs
from danhba.backup.vault import ARCHIVE, Vault
from danhba.backup.vault_health import health

RESTIC = """\
#!/bin/sh
echo "$@" >>{place}/log
case "$*" in
*" backup "*)
    cat >/dev/null
    [ -e "$2/config" ] || exit 10
    echo '{{"message_type": "summary", "snapshot_id": "a", "total_files_processed": 1,
            "files_new": 1, "files_changed": 0, "data_added_packed": 1}}' | tr -d '\\n' ;;
*" init"*) mkdir -p "$2"; touch "$2/config" ;;
*"cat config"*) [ -e "$2/config" ] || exit 10 ;;
*" snapshots "*) cat "$2/said" 2>/dev/null || echo '[]' ;;
*" check "*) [ ! -e "$2/damaged" ] || {{ echo "Fatal: broken" >&2; exit 1; }} ;;
*" ls "*) cat "$2/listed" ;;
esac
"""


class Cellar:
    """A vault with an archive of two days."""

    def __init__(self, place: Path) -> None:
        self.place, self.root = place, place / "journal"
        for name in ("repositories/vault1/snapshots", "state", "bin", "second"):
            (place / name).mkdir(parents=True)
        (place / "bin/restic").write_text(RESTIC.format(place=place))
        (place / "bin/restic").chmod(0o755)
        config = VaultConfig(
            hosts={"vault1": False}, place=str(place / "repositories"), secret="",
            second=str(place / "second"), sftp="", keep={"days": 14, "weeks": 8, "months": 12},
            mail="/srv/mail", user="", state=str(place / "state"), held=(), own="vault1",
            archive=str(self.root),
        )  # fmt: skip
        self.vault = Vault(config, {"vault1": "x"})
        self.jobs = Jobs(self.vault)
        for day in ("25", "26"):
            self.write(f"2026/11/{day}/0001.chain", b'{"n":1,"kind":"mail"}\n')
            self.write(f"2026/11/{day}/0001.data", b"sealed")

    def write(self, name: str, content: bytes) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_bytes(content)

    def asked(self) -> str:
        path = self.place / "log"
        said = path.read_text() if path.exists() else ""
        path.unlink(missing_ok=True)
        return said


@pytest.fixture
def cellar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cellar:
    monkeypatch.setenv("PATH", f"{tmp_path}/bin", prepend=":")
    return Cellar(tmp_path)


def test_every_hour_what_has_come_is_one_command(cellar: Cellar) -> None:
    assert cellar.jobs.archive() == {}
    assert " init" in cellar.asked()
    assert cellar.jobs.archive() == {}
    [asked] = cellar.asked().splitlines()
    assert " backup " in asked and f"--exclude={cellar.root}/index.db*" in asked


def test_the_daily_copy_forgets_there_what_is_old(cellar: Cellar) -> None:
    assert cellar.jobs.copy() == {}
    assert "forget --tag archive --keep-within 14d --prune" in cellar.asked()


@pytest.mark.parametrize("lost", ["2026/11/25/0001.data", "2026/11/26/0001.chain", "2026"])
def test_what_is_gone_without_a_rule_stays_there(cellar: Cellar, lost: str) -> None:
    """A disk that is not mounted, or a vault that came back without its archive."""
    cellar.jobs.copy()
    cellar.asked()
    shutil.rmtree(cellar.root / lost, ignore_errors=True)
    (cellar.root / lost).unlink(missing_ok=True)
    for _ in range(2):  # it is not the new measure
        failed = cellar.jobs.copy()
        assert "nothing of the archive is forgotten" in failed["vault1"]
    asked = cellar.asked()
    assert asked.count(" backup ") == 2 and f"forget --tag {ARCHIVE}" not in asked
    failed = cellar.jobs.archive()
    cellar.jobs.note("archive", failed)
    assert any("the archive: copied" in line and "no rule" in line
               for line in health(cellar.vault, time.time()))  # fmt: skip
    cellar.jobs.accept_archive()
    assert cellar.jobs.copy() == {}
    assert f"forget --tag {ARCHIVE}" in cellar.asked()


def test_one_that_is_shorter_is_gone_as_well(cellar: Cellar) -> None:
    """Of the newest segment what a power cut left half done is cut off."""
    cellar.jobs.archive()
    os.truncate(cellar.root / "2026/11/26/0001.data", 3)
    assert cellar.jobs.archive() == {}
    os.truncate(cellar.root / "2026/11/25/0001.data", 3)
    assert "2026/11/25/0001.data" in cellar.jobs.archive()["vault1"]


def test_what_went_by_a_rule_is_let_go(cellar: Cellar) -> None:
    cellar.jobs.archive()
    (cellar.root / "2026/11/25/0001.data").unlink()
    rows = [{"n": 2, "kind": "expired", "segment": "2026/11/25/0001"}, {"n": 3, "kind": "mail"}]
    text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    cellar.write("2026/11/26/0001.chain", text.encode() + b'{"kind":"expired","seg')
    assert cellar.jobs.copy() == {}
    assert f"forget --tag {ARCHIVE}" in cellar.asked()


def test_a_new_vault_asks_what_the_one_before_had(cellar: Cellar) -> None:
    second = cellar.place / "second" / ARCHIVE
    second.mkdir()
    (second / "config").touch()
    (second / "said").write_text(json.dumps([
        {"id": "new", "time": "2026-11-26T05:00:00+07:00"},
        {"id": "old", "time": "2026-11-25T05:00:00.123456789+07:00"},
    ]))  # fmt: skip
    rows = [{"path": f"{cellar.root}/2026/11/{name}", "size": 6}
            for name in ("24/0001.data", "25/0001.data")]  # fmt: skip
    listed = [{"struct_type": "snapshot"}, {"path": str(cellar.root)}, *rows]
    (second / "listed").write_text("".join(f"{json.dumps(row)}\n" for row in listed))
    assert "1 of its files" in cellar.jobs.archive()["vault1"]
    asked = cellar.asked()
    assert " ls new " in asked and asked.index(" ls ") < asked.index(" backup ")
    assert "1 of its files" in cellar.jobs.archive()["vault1"]
    assert " ls " not in cellar.asked()


def test_the_second_place_is_checked_as_well(cellar: Cellar) -> None:
    """Also the archive there, which nobody else reads; what is damaged is told apart."""
    assert cellar.jobs.verify_second() == {}
    asked = cellar.asked().splitlines()
    assert [row.split()[1].rpartition("/")[2] for row in asked] == ["vault1", ARCHIVE]
    assert all(" check --no-lock --read-data-subset=" in row for row in asked)
    (cellar.place / "second" / ARCHIVE).mkdir()
    (cellar.place / "second" / ARCHIVE / "damaged").touch()
    failed = cellar.jobs.verify_second()
    cellar.jobs.note("verify-second", failed)
    cellar.jobs.note("verify", {})
    said = list(health(cellar.vault, time.time()))
    assert any("vault1: checked in the second place never (broken" in line for line in said), said
    assert any(line.startswith("ok: backups checked 0") for line in said)


def test_where_there_is_no_archive_nothing_is_asked(cellar: Cellar) -> None:
    cellar.vault.config = replace(cellar.vault.config, archive="")
    assert cellar.jobs.copy() == {} and f"second/{ARCHIVE}" not in cellar.asked()


def test_of_two_chains_the_longer_one_stays(tmp_path: Path) -> None:
    """What the second place had of a day may be older or newer than what the host's backup has."""
    source, target = tmp_path / "back", tmp_path / "journal"
    for folder, first, second in ((source, "ab", "c"), (target, "a", "cd")):
        (folder / "26").mkdir(parents=True)
        (folder / "26" / "0001.chain").write_text(first)
        (folder / "26" / "0002.chain").write_text(second)
    (source / "27").mkdir()
    (source / "27" / "0001.data").write_text("x")
    archive.lay(source, target)
    laid = {str(p.relative_to(target)): p.read_text() for p in target.rglob("*") if p.is_file()}
    assert laid == {"26/0001.chain": "ab", "26/0002.chain": "cd", "27/0001.data": "x"}
    archive.lay(tmp_path / "none", tmp_path / "no-vault")
