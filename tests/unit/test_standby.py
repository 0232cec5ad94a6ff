"""The daemon of standby copies, with a doveadm that only writes down what it is asked."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from test_deploys import DIRECTORY, ENV

from danhba.standby import copying
from danhba.standby.__main__ import main
from danhba.standby.config import Config
from danhba.standby.copying import sync, sync_all
from danhba.standby.daemon import RETRY, Backoff, Daemon
from danhba.standby.former import queued
from danhba.standby.health import LATE, SILENT, health
from danhba.standby.mailboxes import WATCHED, left_behind, signature
from danhba.standby.memory import Memory
from deploys import program, standby

DOVEADM = """\
#!/bin/sh
echo "$@" >>{log}
while [ "$1" != -F ]; do shift; done
if grep -q bad "$2"; then echo "Error: bad is broken" >&2; exit 75; fi
"""


class Desk:
    """A store with mailboxes on a disk, and another one that listens."""

    def __init__(self, place: Path, port: int) -> None:
        self.place, self.log = place, place / "log"
        self.config = Config(
            host="store1", domain="x.vn", stores={"store2": "localhost"}, port=port,
            table=str(place / "places"), leaving=str(place / "leaving"),
            mail=str(place / "mail"), state=str(place / "state"),
            ways={"store2": "127.2.0.2:4192"},
        )  # fmt: skip
        (place / "leaving").write_text("")
        self.daemon = Daemon(self.config, Memory(self.config.state))

    def holds(self, *rows: str) -> None:
        (self.place / "places").write_text("".join(f"{row}\n" for row in rows))

    def change(self, account: str, name: str = "mail/subscriptions", at: int = 1) -> None:
        path = self.place / "mail" / account / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        os.utime(path, ns=(at, at))

    def round(self, now: float = 1000.0) -> set[str]:
        """One turn of the loop; the accounts it tried."""
        due = self.daemon.look(now)
        self.daemon.round(due)
        return {account for account, _ in due}

    def asked(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        desk = Desk(tmp_path, listening.getsockname()[1])
        program = tmp_path / "bin" / "doveadm"
        program.parent.mkdir()
        program.write_text(DOVEADM.format(log=desk.log))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        desk.holds("an@x.vn store1 store2", "binh@x.vn store2 store1", "chi@x.vn store1 -")
        yield desk


@pytest.mark.parametrize("name", WATCHED)
def test_every_watched_file_tells_of_a_change(tmp_path: Path, name: str) -> None:
    assert signature(str(tmp_path)) == ""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    before = signature(str(tmp_path))
    assert before
    os.utime(path, ns=(5, 5))
    assert signature(str(tmp_path)) != before


def test_a_change_is_synchronised_once_and_only_by_the_home(desk: Desk) -> None:
    for account in ("an", "binh", "chi"):
        desk.change(account)
    assert desk.round() == {"an"}
    assert desk.round() == set()
    [asked] = desk.asked()
    assert "tcp:127.2.0.2:4192" in asked and " -f " not in asked
    desk.change("an", at=2)
    assert desk.round() == {"an"}


def test_what_a_store_gets_runs_there_without_any_package(desk: Desk) -> None:
    """The very files, in a place of their own, with nothing but Debian's python3 beside them."""
    store = next(host for host in ENV.hosts if "store" in host.roles)
    files = [file for file in standby.part(DIRECTORY, ENV, store).files
             if file.path.startswith(f"{program.HOME}/standby/")]  # fmt: skip
    home = desk.place / "lib"
    for file in files:
        path = home / Path(file.path).relative_to(program.HOME)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    config = desk.place / "standby.json"
    config.write_text(json.dumps(vars(desk.config)))
    *_, python, bare, module, name, _ = standby.PROGRAM
    argv = [python, "-S", bare, module, name, str(config)]
    desk.holds("an@x.vn store1 store2", "bad@x.vn store1 store2")
    desk.change("an")
    desk.change("bad")
    for word, status, said in (("check", 0, ""), ("health", 0, "standby"), ("all", 1, "bad\n")):
        done = subprocess.run(
            [*argv, word], capture_output=True, text=True, check=False, cwd="/",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(home)},
        )  # fmt: skip
        assert done.returncode == status and said in done.stdout, done.stderr


def test_what_was_seen_is_remembered_over_a_restart(desk: Desk) -> None:
    desk.change("an")
    desk.round()
    desk.daemon = Daemon(desk.config, Memory(desk.config.state))
    desk.daemon.seen = desk.daemon.memory.seen()
    assert desk.round() == set()
    desk.change("an", at=3)
    assert desk.round() == {"an"}


def test_a_standby_that_comes_back_with_an_empty_disk_gets_its_copies_again(desk: Desk) -> None:
    desk.change("an")
    assert desk.round() == {"an"}
    desk.holds("an@x.vn store1 -")  # store2 is failed over
    assert desk.round() == set()
    desk.holds("an@x.vn store1 store2")
    assert desk.daemon.memory.seen() == {}
    assert desk.round() == {"an"}


def test_who_left_is_no_reason_any_more_why_copies_lag(desk: Desk) -> None:
    desk.holds("bad@x.vn store1 store2")
    desk.change("bad")
    desk.round()
    assert "bad" in desk.daemon.memory.noted("lag")["why"]
    desk.holds("an@x.vn store1 store2")
    desk.round()
    assert desk.daemon.memory.noted("lag")["why"] == {}
    assert desk.daemon.stuck == {}


def test_a_mailbox_that_fails_holds_up_no_other_and_is_tried_later(desk: Desk) -> None:
    desk.holds(*(f"{name}@x.vn store1 store2" for name in ("an", "bad", "chi")))
    for account in ("an", "bad", "chi"):
        desk.change(account)
    assert desk.round() == {"an", "bad", "chi"}
    assert {account for account, _ in desk.daemon.seen} == {"an", "chi"}
    assert desk.round() == set()
    assert desk.round(now=time.time() + 100) == {"bad"}


def test_a_standby_that_is_down_costs_one_try_not_one_a_mailbox(desk: Desk) -> None:
    rows = [f"a{number}@x.vn store1 store2" for number in range(200)]
    desk.holds(*rows)
    for row in rows:
        desk.change(row.partition("@")[0])
    desk.daemon.config = Config(**{**vars(desk.config), "port": 1})
    assert len(desk.round()) == 200
    assert desk.asked() == []
    assert desk.round() == set()
    desk.daemon.config = desk.config
    assert len(desk.round(now=time.time() + 100)) == 200
    assert desk.round(now=time.time() + 200) == set()


def test_waiting_grows_to_its_limit() -> None:
    wait = Backoff()
    seen = []
    for _ in range(8):
        wait.failed(0.0)
        seen.append(wait.wait)
    assert seen[0] == RETRY[0]
    assert seen[-1] == RETRY[1]
    assert seen == sorted(seen)


def test_the_nightly_comparison_is_full_and_covers_everybody_who_has_mail(desk: Desk) -> None:
    desk.holds(*(f"{name}@x.vn store1 store2" for name in ("an", "bad", "none")))
    for account in ("an", "bad"):
        desk.change(account)
    failed = sync_all(desk.config, desk.daemon.memory)
    assert [list(each.accounts) for each in failed] == [["bad"]]
    assert all(" -f " in row for row in desk.asked())
    desk.daemon._tell()
    _, said = health(desk.config, desk.daemon.memory, time.time())
    assert said.startswith("1 of 2 mailboxes failed in the full comparison (Error: bad is broken)")


def test_health_names_a_copy_that_lags_and_what_to_do(desk: Desk) -> None:
    memory = desk.daemon.memory
    now = time.time()
    [silent] = health(desk.config, memory, now)
    assert "systemctl status danhba-standby.service" in silent
    desk.round()
    assert list(health(desk.config, memory, now)) == ["ok: standby: 0 waiting"]
    desk.change("an")
    desk.daemon.config = Config(**{**vars(desk.config), "port": 1})
    desk.round(now - LATE + 10)
    assert list(health(desk.config, memory, now)) == ["ok: standby: 1 waiting, oldest 110 s"]
    count, late = health(desk.config, memory, now + 40)
    assert count == "ok: standby: 1 waiting, oldest 150 s"
    assert late.startswith("1 standby copies lag, an on store2 by 150 s (")
    assert "refused" in late and "journalctl -u danhba-standby.service" in late
    [stopped] = health(desk.config, memory, now + SILENT + 60)
    assert "standby copies are not kept" in stopped


def test_a_store_without_copies_to_keep_has_its_line_too(desk: Desk) -> None:
    """As two stores are while one of them is failed over."""
    desk.holds("binh@x.vn store2 store1")
    [said] = health(desk.config, desk.daemon.memory, 0.0)
    assert said == "ok: standby: no mailbox has its home here"
    desk.holds("an@x.vn store1 -", "bad@x.vn store1 -")
    [said] = health(desk.config, desk.daemon.memory, 0.0)
    assert said == "ok: standby: none, for no other store serves; 2 mailboxes are here alone"


def test_health_names_mailboxes_that_the_store_should_not_have_any_more(desk: Desk) -> None:
    desk.round()
    for account in ("an", "binh", "chi"):
        desk.change(account)
    (desk.place / "mail/lost+found").mkdir()
    desk.change(".an.removed")
    assert left_behind(desk.config) == []
    desk.holds("binh@x.vn store2 store1")
    said, *_ = health(desk.config, desk.daemon.memory, 0.0)
    assert said.startswith("2 mailboxes in ") and "(an, chi): see docs/stores.md" in said
    (desk.place / "leaving").write_text("an\n")  # archived: it goes on its day
    said, *_ = health(desk.config, desk.daemon.memory, 0.0)
    assert said.startswith("1 mailboxes in ") and "(chi)" in said
    (desk.place / "leaving").write_text("")
    for number in range(6):
        desk.change(f"b{number}")
    said, *_ = health(desk.config, desk.daemon.memory, 0.0)
    assert "(an, b0, b1, b2, b3, ...)" in said


def test_a_batch_that_succeeds_is_one_command(desk: Desk) -> None:
    assert sync(desk.config, "store2", [f"a{number}" for number in range(50)], True) == []
    assert len(desk.asked()) == 1


def test_whoever_is_named_is_compared_for_his_first_mail_may_be_on_the_other_side(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_doveadm", lambda config, store, accounts, full: tried(accounts))
    monkeypatch.setattr("sys.stdin", io.StringIO("an\nnever.used\n"))
    seen: list[str] = []

    def tried(accounts: Sequence[str]) -> str:
        seen.extend(accounts)
        return ""

    path = desk.place / "standby.json"
    path.write_text(json.dumps(vars(desk.config)))
    desk.change("an")
    assert main(["standby", str(path), "sync", "store2"]) == 0
    assert seen == ["an", "never.used"]


def test_a_power_cut_cannot_damage_what_is_remembered(desk: Desk) -> None:
    """Pages of an open log that are lost are a round; a checkpoint half written is the file."""
    normal = 1
    assert desk.daemon.memory.base.execute("pragma synchronous").fetchone() == (normal,)


def test_who_has_mail_in_the_queue(desk: Desk) -> None:
    rows = [{"recipients": [{"address": "An@x.vn"}, {"address": "xa@ngoai"}]}]
    program = desk.place / "bin" / "postqueue"
    program.write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(map(json.dumps, rows)) + "\nEND\n")
    program.chmod(0o755)
    assert queued(["an", "binh"]) == ["an"]


def test_two_never_synchronise_one_mailbox_at_once_and_others_do_not_wait(desk: Desk) -> None:
    slow = desk.place / "bin" / "doveadm"
    chi = f'grep -q "begin .*chi@" {desk.log}'
    slow.write_text(  # nobody ends before the one whose turn it is at once has begun
        '#!/bin/sh\nwhile [ "$1" != -F ]; do shift; done\n'
        f"echo begin $(cat $2) >>{desk.log}\n"
        f"for i in $(seq 300); do {chi} && break; sleep 0.1; done\n"
        f"echo end $(cat $2) >>{desk.log}\n"
    )
    calls = (["an", "binh"], ["binh", "an"], ["chi"])
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda accounts: sync(desk.config, "store2", accounts, True), calls))
    rows = desk.asked()
    assert [row.split()[0] for row in rows if "an@" in row] == ["begin", "end", "begin", "end"]
    began = next(at for at, row in enumerate(rows) if row.startswith("begin") and "chi@" in row)
    assert began < next(at for at, row in enumerate(rows) if row.startswith("end"))
