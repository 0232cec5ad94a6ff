"""danhba keeper-log: what Dovecot says of keepers' logins, read and told."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from drafts import CANONICAL

from danhba.commands import keeper_log, main
from danhba.generations.host import keepers
from danhba.keeper_log import openings
from danhba.render import render

RIGHT: dict[str, Any] = {
    "event": "auth_request_finished", "end_time": "2026-11-25T21:11:52.653848Z",
    "fields": {
        "success": "yes", "protocol": "imap", "session": "zYup", "remote_ip": "198.18.0.1",
        "original_user": "ctly@angiang.gov.vn", "user": "sotaichinh@angiang.gov.vn",
        "login_user": "", "master_user": "ctly@angiang.gov.vn",
    },
}  # fmt: skip
WRONG: dict[str, Any] = {
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


def test_packing_that_was_cut_off_loses_nothing_and_is_done_again(
    collect: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gzip writes beside the plain file: killed, it leaves half of one."""
    script, journal = collect
    place = tmp_path / "place"
    plain = f"{line(RIGHT)}\n" * 1000
    (place / "log.17").write_text(plain)
    (place / "log.17.gz").write_bytes(gzip.compress(os.urandom(1000))[:300])
    done = subprocess.CompletedProcess([], 0, "", "")
    asked = {"unit": "danhba-keeper-log", "place": str(place), "since": 0.0}
    with monkeypatch.context() as patched:
        patched.setattr(keepers.subprocess, "run", lambda *_, **__: done)
        assert len(keepers.record(asked)["lines"]) == 1000
    (tmp_path / "gzip").write_text("#!/bin/sh\necho half\nkill -9 $$\n")
    (tmp_path / "gzip").chmod(0o755)
    journal.write_text("")
    with pytest.raises(subprocess.CalledProcessError):
        _run(script)
    (tmp_path / "gzip").unlink()
    assert (place / "log.17").read_text() == plain
    _run(script)
    assert gzip.decompress((place / "log.17.gz").read_bytes()).decode() == plain
    assert sorted(path.name for path in place.iterdir()) == ["cursor", "log", "log.17.gz"]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command, with what store1 has recorded."""
    nameless = {**WRONG, "fields": {**WRONG["fields"], "user": ""}}
    gone = {**RIGHT, "fields": {**RIGHT["fields"], "user": "xacu@angiang.gov.vn"}}
    answers = {"store1": {"lines": [line(each) for each in (RIGHT, nameless, gone)]}}
    file = tmp_path / "directory.yaml"
    file.write_text(CANONICAL, encoding="utf-8")

    def command(*options: str, absent: tuple[str, ...] = ()) -> Result:
        hosts = SimpleNamespace(each=lambda _: answers, absent=absent)
        monkeypatch.setattr(keeper_log, "session", lambda _, partly: nullcontext(hosts))
        argv = ["--directory", str(file), "keeper-log", "staging", *options]
        return CliRunner().invoke(main, argv)

    return command


@pytest.mark.parametrize(
    ("agency", "count"),
    [("sotaichinh", 2), ("SoTaiChinh@angiang.gov.vn", 2), ("xacu", 1), ("chomoi", 0)],
)
def test_an_agency_is_known_to_the_directory_or_to_the_record(
    ask: Callable[..., Result], agency: str, count: int
) -> None:
    done = ask("--agency", agency)
    assert (done.exit_code, len(done.output.splitlines())) == (0, count), done.output


def test_an_agency_that_neither_knows_is_an_error(ask: Callable[..., Result]) -> None:
    done = ask("--agency", "khongco")
    assert done.exit_code == 1
    assert "there is no agency khongco" in done.output


def test_a_dead_store_keeps_nobody_from_the_records_of_the_others(
    ask: Callable[..., Result],
) -> None:
    done = ask("--agency", "sotaichinh", absent=("mx1", "store2"))
    assert (done.exit_code, len(done.stdout.splitlines())) == (1, 2), done.output
    assert done.stderr.startswith("store2 does not answer: logins there are missing")
    assert "mx1" not in done.stderr, "an edge has no record"
    assert ask("--agency", "sotaichinh", absent=("mx1",)).exit_code == 0


def test_who_typed_no_name_of_a_keeper_is_told_as_none(ask: Callable[..., Result]) -> None:
    refused, _ = ask("--agency", "sotaichinh").output.splitlines()
    assert " sotaichinh (none) 198.18.0.1 imap refused store1" in refused
