"""Backups: mailboxes are frozen, what has changed is taken, and what looks wrong is refused."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import re
import shutil
import sqlite3
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from test_deploys import DIRECTORY, ENV

from danhba.backup import freezing, host, mail
from danhba.backup.ages import age
from danhba.backup.config import Config
from danhba.backup.freezing import Busy, freeze, manifest, signature
from danhba.backup.health import LATE, health
from danhba.backup.mail import Refused, accept
from danhba.backup.memory import Memory
from danhba.backup.restic import Failed, Repository, Saved, last_word
from deploys import backup

INBOX = "mail/mailboxes/INBOX/dbox-Mails"


@dataclass
class Stub:
    """A repository that notes what it is given. during: is called while restic reads."""

    id: str = "one"
    taken: list[tuple[str, list[str], str]] = field(default_factory=list)
    during: Callable[[], None] = lambda: None
    counts: dict[str, int] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)

    def identity(self) -> str:
        return self.id

    def snapshots(self) -> list[dict[str, Any]]:
        rows = [{"id": str(n), "tags": [tag], "time": f"2026-11-2{n}"}
                for n, (tag, _, _) in enumerate(self.taken)]  # fmt: skip
        return rows or [{"id": "old", "tags": [mail.ALL], "time": "2026"}] * bool(self.counts)

    def must(self, *words: str) -> str:
        assert words[0] == "dump"
        return json.dumps(self.counts)

    def backup(
        self, host: str, tag: str, paths: Sequence[str], apart: Sequence[str],
        parent: str = "", seconds: float | None = None,
    ) -> Saved:  # fmt: skip
        self.during()
        self.paths = [*paths]
        accounts = sorted(Path(path).name for path in paths if "/srv/" in path)
        self.taken.append((tag, accounts, parent))
        return Saved(f"snapshot{len(self.taken)}", 1, 1, 1, ())


class Store:
    """With mailboxes on a disk."""

    def __init__(self, place: Path) -> None:
        self.config = Config(
            host="store1", vault="vault1", port=1, ca="", secret="", homes=str(place / "homes"),
            mail=str(place / "srv/mail"), state=str(place / "state"),
            paths=(str(place / "records*"),), apart=(), ldap=(),
        )  # fmt: skip
        self.memory, self.repository = Memory(self.config.state), Stub()
        self.homes("an", "binh", "chi", "dung", "giang", "ha")

    def homes(self, *accounts: str) -> None:
        Path(self.config.homes).write_text("".join(f"{each}\n" for each in accounts))

    def folder(self, account: str, name: str = INBOX) -> Path:
        place = Path(self.config.mail, account, name)
        place.mkdir(parents=True, exist_ok=True)
        return place

    def deliver(self, *accounts: str, count: int = 1) -> None:
        for account in accounts:
            place = self.folder(account)
            for _ in range(count):
                (place / f"u.{len(list(place.glob('u.*'))) + 1}").write_bytes(os.urandom(9))
            with (place / freezing.LOG).open("ab") as log:
                log.write(b"record")

    def run(self, everything: bool = False) -> mail.Done:
        return mail.run(self.config, self.memory, self.repository, everything)  # type: ignore[arg-type]

    def freeze(self, account: str) -> freezing.Frozen:
        return freeze(self.config.mail, f"{self.config.state}/mail", account)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.mark.parametrize(("seconds", "said"), [
    (34 * 86400 + 5, "34 days"), (4 * 86400, "4 days"), (47.9 * 3600, "47 hours"),
    (48 * 3600, "2 days"), (34 * 3600, "34 hours"), (3 * 3600, "3 hours"),
    (119 * 60, "119 minutes"),
    (34, "34 seconds"), (-5, "0 seconds"),
])  # fmt: skip
def test_an_age_is_said_in_words_that_nobody_takes_for_less(seconds: float, said: str) -> None:
    assert age(seconds) == said


# A mailbox at one moment


def test_what_is_copied_is_what_the_locks_hold(store: Store) -> None:
    store.deliver("an", count=3)
    (store.folder("an") / "dovecot.index.cache").write_text("made anew")
    assert store.freeze("an").messages == 3
    copies = Path(store.config.state, "mail", "an")
    assert sorted(path.name for path in copies.rglob("*") if path.is_file()) == [
        freezing.LOG, freezing.MANIFEST,
    ]  # fmt: skip
    assert list(manifest(copies)) == [f"{INBOX}/u.{n}" for n in (1, 2, 3)]


def test_who_writes_is_waited_for(store: Store) -> None:
    store.deliver("an")
    log = (store.folder("an") / freezing.LOG).open("r+b")
    lock = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0)
    fcntl.fcntl(log, fcntl.F_OFD_SETLK, lock)  # as Dovecot's, of another open file

    def commit() -> None:
        time.sleep(0.2)
        store.deliver("an")
        log.close()

    writer = threading.Thread(target=commit)
    writer.start()
    frozen = store.freeze("an")
    writer.join()
    assert frozen.messages == 2
    copied = Path(store.config.state, "mail", "an", INBOX, freezing.LOG).read_bytes()
    assert copied == b"recordrecord"


def test_who_never_lets_go_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freezing, "PATIENCE", 0.1)
    store.deliver("an", "binh")
    with (store.folder("an") / freezing.LOG).open("r+b") as log:
        fcntl.fcntl(log, fcntl.F_OFD_SETLK, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0))
        with pytest.raises(Busy):
            store.freeze("an")
        done = store.run()
    assert store.repository.taken == [(mail.ALL, ["binh"], "")]
    assert done.trouble and done.trouble[0].startswith("an: ")
    assert store.run().mailboxes == 1  # it was missed, and is not forgotten


def test_only_what_is_new_is_read_for_its_hash(store: Store) -> None:
    store.deliver("an")
    store.freeze("an")
    copies = Path(store.config.state, "mail", "an")
    [first] = manifest(copies).values()
    path = Path(store.config.mail, "an", first.path)
    times = path.stat()
    path.write_bytes(b"x" * first.size)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    store.deliver("an")
    store.freeze("an")
    again = [*manifest(copies).values()]
    assert again[0] == first and again[1].sha256


def test_what_is_held_for_a_mailbox_does_not_grow_with_its_messages(store: Store) -> None:
    store.deliver("an", count=40)
    store.deliver("binh")
    many, one = (len(pickle.dumps(store.freeze(each))) for each in ("an", "binh"))
    assert many - one < 9


def test_a_message_that_is_gone_is_seen_by_the_list_on_disk(store: Store) -> None:
    store.deliver("an", count=2)
    frozen = store.freeze("an")
    assert not frozen.vanished(store.config.mail)
    (store.folder("an") / "u.1").unlink()
    assert frozen.vanished(store.config.mail)
    frozen = store.freeze("an")
    (frozen.copies / freezing.MANIFEST).unlink()
    assert frozen.vanished(store.config.mail)


def test_a_signature_is_of_times_that_nobody_sets(store: Store) -> None:
    assert signature(f"{store.config.mail}/an") == ""
    store.deliver("an")
    log = store.folder("an") / freezing.LOG
    before, times = signature(f"{store.config.mail}/an"), log.stat()
    with log.open("ab") as file:
        file.write(b"more")
    os.utime(log, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert signature(f"{store.config.mail}/an") != before


# Runs


def test_hourly_what_has_changed_and_daily_all(store: Store) -> None:
    store.deliver("an", "binh", "chi")
    store.run()
    store.run()
    store.deliver("chi")
    store.run()
    store.run(everything=True)
    assert store.repository.taken == [
        (mail.ALL, ["an", "binh", "chi"], ""),  # the first one is of all
        (mail.CHANGED, [], "snapshot1"),
        (mail.CHANGED, ["chi"], "snapshot1"),
        (mail.ALL, ["an", "binh", "chi"], "snapshot1"),
    ]


def test_a_mailbox_that_came_here_is_taken_though_it_has_not_changed(store: Store) -> None:
    store.deliver("an", "lan")
    store.run()
    store.homes("an", "lan")
    store.run()
    assert store.repository.taken[-1][:2] == (mail.CHANGED, ["lan"])
    store.homes("an")
    store.run()
    store.homes("an", "lan")
    store.run()
    assert store.repository.taken[-1][:2] == (mail.CHANGED, ["lan"])  # it was away


def test_copies_of_standbys_are_not_backed_up(store: Store) -> None:
    store.deliver("an", "khac")
    store.run(everything=True)
    assert store.repository.taken[0][1] == ["an"]


def test_a_run_that_finds_nothing_new_is_seen_by_the_vault(store: Store) -> None:
    """By a snapshot of no mailbox, which nobody restores from."""
    store.deliver("an")
    store.run()
    done = store.run()
    assert done.snapshot == "snapshot2" and done.mailboxes == 0
    accounts = f"{store.config.state}/{mail.ACCOUNTS}"
    assert store.repository.paths == [accounts] and Path(accounts).exists()
    store.repository.paths.clear()
    store.deliver("an")
    store.run()
    assert accounts not in store.repository.paths


@pytest.mark.parametrize("everything", [False, True])
def test_one_that_could_not_take_what_is_new_is_not(
    store: Store, monkeypatch: pytest.MonkeyPatch, everything: bool
) -> None:
    """It would make the old ones look young."""
    monkeypatch.setattr(freezing, "PATIENCE", 0.1)
    store.deliver("an")
    store.run()
    store.deliver("an")
    with (store.folder("an") / freezing.LOG).open("r+b") as log:
        fcntl.fcntl(log, fcntl.F_OFD_SETLK, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0))
        done = store.run(everything)
    assert done.trouble and not done.snapshot and len(store.repository.taken) == 1


def test_a_store_without_a_mailbox_says_so(store: Store) -> None:
    for everything in (False, False, True):
        store.run(everything)
    assert [each[:2] for each in store.repository.taken] == [
        (mail.ALL, []), (mail.CHANGED, []), (mail.ALL, []),
    ]  # fmt: skip
    store.deliver("an")
    store.run()
    assert store.repository.taken[-1][:2] == (mail.CHANGED, ["an"])


def test_a_new_repository_gets_everything(store: Store) -> None:
    store.deliver("an", "binh")
    store.run()
    store.repository = Stub(id="two")
    store.run()
    assert store.repository.taken == [(mail.ALL, ["an", "binh"], "")]


def test_a_message_that_goes_meanwhile_makes_it_again(store: Store) -> None:
    """It may have been moved: from where restic came too late, to where it had been already."""
    store.deliver("an", "binh", count=2)
    moved: list[int] = []

    def move() -> None:
        if not moved:
            moved.append(1)
            target = store.folder("an", "mail/mailboxes/Khac/dbox-Mails")
            (store.folder("an") / "u.1").rename(target / "u.1")

    store.repository.during = move
    done = store.run()
    assert [each[:2] for each in store.repository.taken] == [
        (mail.ALL, ["an", "binh"]), (mail.CHANGED, ["an"]),
    ]  # fmt: skip
    assert done.again == 1 and not done.trouble
    assert "mail/mailboxes/Khac/dbox-Mails/u.1" in manifest(Path(store.config.state, "mail/an"))


def test_who_never_keeps_still_is_held(store: Store) -> None:
    store.deliver("an", count=9)
    held: list[bool] = []

    def expunge() -> None:
        """As Dovecot: only with the lock."""
        with (store.folder("an") / freezing.LOG).open("r+b") as log:
            try:
                lock = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0)
                fcntl.fcntl(log, fcntl.F_OFD_SETLK, lock)
            except BlockingIOError:
                held.append(True)
                return
            min(store.folder("an").glob("u.*")).unlink()
            held.append(False)

    store.repository.during = expunge
    done = store.run()
    assert held == [False] * mail.FREE + [True]
    assert done.again == mail.FREE and not done.trouble
    assert len(manifest(Path(store.config.state, "mail/an"))) == 9 - mail.FREE


@pytest.mark.parametrize("name", ["Văn bản.lock", "dovecot.index", ".temp", "subscriptions.lock"])
def test_no_folder_is_left_out_for_its_name(name: str) -> None:
    """restic leaves out all that is below what a pattern matches; ** is any number of folders."""
    message = Path(f"/an/mail/mailboxes/{name}/Con.lock/dbox-Mails/u.1")
    for pattern in freezing.APART:
        words = re.escape(pattern).replace(r"/\*\*/", "/(.*/)?").replace(r"\*", "[^/]*")
        matched = [
            str(each) for each in (message, *message.parents) if re.fullmatch(words, str(each))
        ]
        assert not matched, pattern


# What looks wrong


def test_a_blank_disk_is_not_backed_up(store: Store) -> None:
    store.deliver("an", "binh", "chi", "dung", "giang")
    store.run()
    shutil.rmtree(store.config.mail)
    store.deliver("an")
    with pytest.raises(Refused, match=r"4 of 5 mailboxes .* not on the disk"):
        store.run(everything=True)
    assert len(store.repository.taken) == 1


def test_nor_one_whose_memory_is_blank_too(store: Store) -> None:
    """A host that was set up anew knows from its repository what it had."""
    store.repository.counts = {"an": 9, "binh": 9, "chi": 9, "dung": 9}
    store.deliver("ha")
    with pytest.raises(Refused, match="4 of 4 mailboxes"):
        store.run()
    assert not store.repository.taken
    accept(store.config, store.memory, store.repository)  # type: ignore[arg-type]
    store.run()
    assert store.repository.taken == [(mail.ALL, ["ha"], "")]


def test_nor_one_with_mailboxes_that_were_made_anew(store: Store) -> None:
    store.deliver("an", "binh", count=60)
    store.run()
    shutil.rmtree(store.config.mail)
    store.deliver("an", "binh")
    with pytest.raises(Refused, match="of 120 messages that were backed up 118"):
        store.run()


def test_who_leaves_the_store_is_not_missed(store: Store) -> None:
    store.deliver("an", "binh", "chi", "dung", "giang")
    store.run()
    shutil.rmtree(store.config.mail)
    store.deliver("an")
    store.homes("an")
    store.run()
    assert store.repository.taken[-1][1] == ["an"]


# What else a host has


def test_databases_are_copied_by_their_own_means(store: Store, tmp_path: Path) -> None:
    place = tmp_path / "records-of-access"
    place.mkdir()
    base = sqlite3.connect(place / "usage.sqlite", isolation_level=None)
    base.execute("pragma journal_mode = wal")
    base.execute("create table t (a)")
    base.execute("insert into t values (7)")  # in the log, not in the file
    (place / "notes.db").write_text("no database")
    asked: list[tuple[Sequence[str], Sequence[str]]] = []

    class Given(Stub):
        def backup(self, host: str, tag: str, paths: Any, apart: Any, *_: Any) -> Saved:  # type: ignore[override]
            asked.append((paths, apart))
            return Saved("1", 1, 1, 1, ())

    host.run(store.config, Given())  # type: ignore[arg-type]
    [(paths, apart)] = asked
    assert paths == [str(place), f"{store.config.state}/host"]
    assert f"{place}/usage.sqlite" in apart and f"{place}/notes.db" not in apart
    copy = sqlite3.connect(f"{store.config.state}/host{place}/usage.sqlite")
    assert copy.execute("select a from t").fetchall() == [(7,)]


# What is said of it


def test_an_old_backup_is_said_to_be_old(store: Store) -> None:
    now = 100 * 86400.0
    store.memory.note("began", now - 40 * 86400)
    store.memory.note("good mail", {"at": now - 34 * 86400, "why": ""})
    store.memory.note("last mail", {"at": now, "why": "vault1 does not answer"})
    [line] = health(store.memory, ["mail"], now)
    assert "mail is 34 days old (vault1 does not answer)" in line and not line.startswith("ok: ")
    store.memory.note("good mail", {"at": now - 300, "why": ""})
    store.memory.note("last mail", {"at": now - 300, "why": ""})
    assert list(health(store.memory, ["mail"], now)) == ["ok: backup: mail 5 minutes ago"]
    late = list(health(store.memory, ["mail"], now + LATE["mail"]))
    assert "185 minutes" not in late[0] and "3 hours old" in late[0]


def test_never_is_said_as_well(store: Store) -> None:
    assert list(health(store.memory, ["host"], 5.0)) == []  # it comes in the night
    store.memory.note("began", 5.0)
    assert "never backed up" in next(health(store.memory, ["host"], 6.0 + LATE["host"]))


def test_a_parent_that_was_mended_away_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = {
        "message_type": "summary", "snapshot_id": "new", "total_files_processed": 1,
        "files_new": 1, "files_changed": 0, "data_added_packed": 5,
    }  # fmt: skip
    program = tmp_path / "restic"
    program.write_text(
        '#!/bin/sh\ncase "$*" in *--parent*) echo \'Fatal: failed to load snapshot 0123abcd:'
        f" it does not exist' >&2; exit 1 ;; esac\necho '{json.dumps(summary)}'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}", prepend=":")
    saved = Repository("x", {}).backup("h", "mail", ["/x"], [], parent="0123abcdef")
    assert saved.snapshot == "new"
    with pytest.raises(Failed, match="0123abcd"):
        Repository("x", {}).backup("h", "mail", ["/x"], ["--parent"], parent="")


def test_the_last_word_of_restic_is_found() -> None:
    from subprocess import CompletedProcess

    said = (
        '{"message_type":"error","error":{"message":"x"}}\n'
        '{"message_type":"exit_error","code":1,"message":"Fatal: wrong password"}\n'
    )
    assert last_word(CompletedProcess([], 1, "", said)) == "wrong password"
    assert last_word(CompletedProcess([], 1, "", "")) == "exit status 1"


def test_damaged_packs_are_named() -> None:
    """As a check says it; who mends has to name them."""
    from subprocess import CompletedProcess

    packs = [f"{n:064x}" for n in range(7)]
    rows = [f"pack {packs[0]}: does not exist", f"pack {packs[0]} contains 2 errors: [blob x]"]
    end = f"restic repair packs {packs[0]}\nFatal: repository contains errors\n"
    said = "\n".join([*rows, end])
    word = last_word(CompletedProcess([], 1, "", said))
    assert word == f"repository contains errors: packs {packs[0]}"
    many = "".join(f"pack {each}: does not exist\n" for each in packs) + end
    word = last_word(CompletedProcess([], 1, "", many))
    assert word.endswith(f"{packs[4]} and 2 more")


# What hosts are told


def test_a_store_backs_up_whose_home_it_is() -> None:
    stores = ENV.having("store")
    rows = [backup.homes_of(DIRECTORY, ENV, each).decode().split() for each in stores]
    accounts = sorted(box.account for box in DIRECTORY.mailboxes)
    assert sorted(rows[0] + rows[1]) == accounts and all(rows)


def test_without_a_vault_there_is_nothing() -> None:
    alone = replace(ENV, hosts=ENV.hosts[:4])
    assert backup.part(DIRECTORY, alone, alone.hosts[1]).files == ()
