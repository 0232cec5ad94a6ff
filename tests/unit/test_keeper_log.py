"""danhba keeper-log: what Dovecot says of keepers' logins, read and told."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from pathlib import Path

import pytest

from danhba.generations.host import keepers
from danhba.keeper_log import openings
from danhba.render import render

RIGHT = {
    "event": "auth_request_finished", "end_time": "2026-11-25T21:11:52.653848Z",
    "fields": {
        "success": "yes", "protocol": "imap", "session": "zYup", "remote_ip": "198.18.0.1",
        "original_user": "ctly@angiang.gov.vn", "user": "sotaichinh@angiang.gov.vn",
        "login_user": "", "master_user": "ctly@angiang.gov.vn",
    },
}  # fmt: skip
WRONG = {
    "event": "auth_request_finished", "end_time": "2026-11-25T21:11:50.679735Z",
    "fields": {
        "protocol": "imap", "session": "cx+q", "remote_ip": "198.18.0.1",
        "original_user": "ndanh@angiang.gov.vn", "user": "ndanh@angiang.gov.vn",
        "login_user": "sotaichinh@angiang.gov.vn",
    },
}  # fmt: skip
OWN = {
    "event": "auth_request_finished", "end_time": "2026-11-25T21:11:53.679735Z",
    "fields": {"protocol": "imap", "success": "yes", "user": "ctly@angiang.gov.vn"},
}  # fmt: skip


def line(event: object) -> str:
    return json.dumps(event, separators=(",", ":"))


def test_a_login_is_told_once_with_the_keeper_and_what_became_of_it() -> None:
    rows = {"store1": [line(RIGHT), line(RIGHT), line(WRONG), '{"event":"auth_re'], "store2": []}
    told = [(each.agency, each.keeper, each.opened, each.store) for each in openings(rows)]
    assert told == [
        ("sotaichinh", "ndanh", False, "store1"), ("sotaichinh", "ctly", True, "store1"),
    ]  # fmt: skip


@pytest.fixture
def collect(tmp_path: Path) -> tuple[Path, Path]:
    """The script of a store, and a journal that says what the file `journal` holds."""
    fake = tmp_path / "journalctl"
    fake.write_text(
        "#!/bin/sh\nfor word; do case $word in --cursor-file=*) cursor=${word#*=};; esac; done\n"
        f"seen=$(cat $cursor 2>/dev/null || echo 0)\ntail -n +$((seen + 1)) {tmp_path}/journal\n"
        f"wc -l <{tmp_path}/journal >$cursor\n"
    )
    fake.chmod(0o755)
    (tmp_path / "place").mkdir()
    script = tmp_path / "collect"
    script.write_bytes(render("keepers/collect", place=tmp_path / "place", megabytes=1))
    script.chmod(0o755)
    return script, tmp_path / "journal"


def _run(script: Path) -> None:
    path = f"{script.parent}:{os.environ['PATH']}"
    subprocess.run([str(script)], check=True, env={"PATH": path})


def test_a_journal_that_cannot_be_read_is_told(collect: tuple[Path, Path], tmp_path: Path) -> None:
    script, _ = collect
    (tmp_path / "journalctl").write_text("#!/bin/sh\necho 'half a li'\nexit 1\n")
    with pytest.raises(subprocess.CalledProcessError):
        _run(script)
    assert not (tmp_path / "place/log").exists()


def test_nothing_but_keepers_logins_is_recorded_and_each_once(
    collect: tuple[Path, Path], tmp_path: Path
) -> None:
    script, journal = collect
    said = ["imap-login: Logged in: x", *(f"stats: {line(each)}" for each in (RIGHT, OWN, WRONG))]
    journal.write_text("".join(f"{each}\n" for each in said))
    _run(script)
    _run(script)
    assert (tmp_path / "place/log").read_text().splitlines() == [line(RIGHT), line(WRONG)]
    with journal.open("a") as more:
        more.write(f"stats: {line(RIGHT)}\n")
    _run(script)
    assert len((tmp_path / "place/log").read_text().splitlines()) == 3
    assert (tmp_path / "place/log").stat().st_mode & 0o077 == 0


def test_a_large_record_is_put_aside_and_still_read(
    collect: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, journal = collect
    many = 4000
    journal.write_text(f"stats: {line(RIGHT)}\n" * many)
    _run(script)
    [aside] = (tmp_path / "place").glob("log.*.gz")
    assert len(gzip.decompress(aside.read_bytes()).splitlines()) == many
    with journal.open("a") as more:
        more.write(f"stats: {line(WRONG)}\n")
    _run(script)
    done = subprocess.CompletedProcess([], 0, "", "")
    monkeypatch.setattr(keepers.subprocess, "run", lambda *_, **__: done)
    asked = {"unit": "danhba-keeper-log", "place": str(tmp_path / "place"), "since": 0.0}
    assert len(keepers.record(asked)["lines"]) == many + 1
