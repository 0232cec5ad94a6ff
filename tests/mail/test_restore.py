"""What somebody has lost comes back from a snapshot, once, while he works (docs/restore.md)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from folders import named
from mailboxes import in_use, on, room
from people import Person, official, rcpt
from province import Province, wait_for

DECISION = ("--decision", "22/QĐ-THU")
COPIED = 30.0
"""Seconds within which a change is on the standby."""
WORKS, MOVED, LEFT, RENAMED, FULL, GONE, ODD = (
    f"phuc.{each}" for each in ("lam", "roi", "nghi", "ten", "day", "xoa", "la")
)
LARGE = 1_500_000
"""Bytes, more than a room of a megabyte."""


@dataclass(frozen=True)
class Lost:
    """Everybody's mail was backed up, and then much of it lost. at: in between. agency: account of
    one that somebody keeps. renamed: what RENAMED is called today."""

    province: Province
    at: datetime
    agency: str
    renamed: str

    def restore(self, who: str, *words: str, status: int = 0) -> str:
        at = self.at.isoformat(timespec="seconds")
        done = self.province.danhba(
            "restore", "mailbox", "staging", who, "--at", at, *words, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    @property
    def beside(self) -> str:
        return f"Khôi phục {self.at:%Y-%m-%d %H.%M}"


def doveadm(province: Province, account: str, word: str, *words: str, text: str = "") -> str:
    """On the store that serves the account; words that have a user."""
    user = ["-u", province.mail(account)]
    at = 1 if word in ("mailbox", "sieve", "flags") else 0
    argv = [word, *words[:at], *user, *words[at:]]
    done = province.lab.run(province.home(account), ["doveadm", *argv], input=text or None)
    assert done.returncode == 0, done.stderr
    return done.stdout


def put(province: Province, account: str, name: str, folder: str = "INBOX", size: int = 10) -> str:
    """A message that is there already; its Message-ID."""
    identity = f"<{name}.{time.time_ns()}@phuc.test>"
    body = "".join(f"{'x' * 70}\n" for _ in range(-(-size // 71)))
    text = f"From: lan@ngoaitinh.test\nMessage-ID: {identity}\nSubject: {name}\n\n{body}"
    doveadm(province, account, "save", "-m", folder, text=text)
    return identity


def back_up(province: Province) -> datetime:
    for store in province.environment.having("store"):
        done = province.lab.run(store.name, ["systemctl", "start", "danhba-backup-mail.service"])
        assert done.returncode == 0, province.lab.run(
            store.name, ["journalctl", "-n20", "-u", "danhba-backup-mail.service"]
        ).stdout
    time.sleep(1)  # the time of a snapshot has parts of a second, that of the command has none
    return datetime.now(ZoneInfo(province.compiled.timezone))


@pytest.fixture(scope="module")
def mail() -> dict[str, str]:
    """Message-IDs by what became of the message."""
    return {}


@pytest.fixture(scope="module")
def lost(province: Province, mail: dict[str, str]) -> Iterator[Lost]:
    people = (WORKS, MOVED, LEFT, RENAMED, FULL, GONE, ODD)
    agency = province.compiled.grants[0].agency
    province.add_officials(*people)
    province.apply()
    doveadm(province, WORKS, "mailbox", "create", "Càng việc", "Càng việc/Con")
    for name, folder in (("stays", "INBOX"), ("removed", "INBOX"), ("moved", "INBOX"),
                         ("with-folder", "Càng việc/Con")):  # fmt: skip
        mail[name] = put(province, WORKS, name, folder)
    query = ("mailbox", "INBOX", "header", "message-id", mail["removed"])
    doveadm(province, WORKS, "flags", "add", r"\Seen \Flagged viec", *query)
    for name in ("gone", "stays"):
        doveadm(province, WORKS, "sieve", "put", name, text="keep;\n")
    for who in (MOVED, LEFT, RENAMED, GONE, agency):
        mail[who] = put(province, who, who)
    mail[FULL] = put(province, FULL, FULL, size=LARGE)
    for folder in _odd(province):
        doveadm(province, ODD, "mailbox", "create", "--", folder)
        mail[folder] = put(province, ODD, "la", folder)
    at = back_up(province)
    doveadm(province, WORKS, "expunge", *query)
    query = ("mailbox", "INBOX", "header", "message-id", mail["moved"])
    doveadm(province, WORKS, "move", "Thùng rác", *query)
    doveadm(province, WORKS, "mailbox", "delete", "-r", "Càng việc")
    doveadm(province, WORKS, "sieve", "delete", "gone")
    for who in (MOVED, LEFT, RENAMED, FULL, agency):
        doveadm(province, who, "expunge", "mailbox", "INBOX", "header", "message-id", mail[who])
    for folder in _odd(province):
        doveadm(province, ODD, "mailbox", "delete", "-s", "--", folder)
    province.danhba("withdraw", LEFT, "--reason", "nghỉ hưu", *DECISION)
    said = province.danhba("rename", RENAMED, "--name", "Nguyễn Thử Phục Mới", *DECISION).stdout
    province.apply()
    yield Lost(province, at, agency, said.partition("@")[0])


def count(lost: Lost, account: str, identity: str, folder: str = "*") -> int:
    return on(lost.province, lost.province.home(account), account, folder)[identity]


def _odd(province: Province) -> list[str]:
    """Folders that anybody may have: their names are options and patterns of doveadm."""
    return [f"-u{province.mail(MOVED)}", "uid", "100%", "1000", "-", "--", 'Tôi & "bạn"']


# A mailbox that is used


def test_whatever_folders_are_called_their_mail_comes_back_there_once(
    lost: Lost, mail: dict[str, str]
) -> None:
    folders, others = _odd(lost.province), doveadm(lost.province, MOVED, "mailbox", "list")
    wanted = {mail[folder]: 1 for folder in folders}
    assert "1 messages came back" in lost.restore(ODD, "--in-place", "--folder", "100%")
    assert f"{len(folders) - 1} messages came back" in lost.restore(ODD, "--in-place")
    assert f"{len(folders)} messages came back" in lost.restore(ODD)
    home = lost.province.home(ODD)
    assert on(lost.province, home, ODD, f"{lost.beside}/*") == wanted
    for folder in set(folders) - {"100%"}:  # a pattern, here
        assert on(lost.province, home, ODD, folder) == {mail[folder]: 1}
    assert on(lost.province, home, ODD) == dict.fromkeys(wanted, 2)
    assert doveadm(lost.province, MOVED, "mailbox", "list") == others


def test_one_message_or_one_folder_comes_beside_what_is_there(
    lost: Lost, mail: dict[str, str]
) -> None:
    for _ in range(2):
        lost.restore(WORKS, "--message-id", mail["removed"])
        lost.restore(WORKS, "--folder", "Càng việc/Con")
        found = on(lost.province, lost.province.home(WORKS), WORKS, f"{lost.beside}/*")
        assert found == {mail["removed"]: 1, mail["with-folder"]: 1}
    said = lost.restore(WORKS, "--folder", "Khác", status=1)
    assert "the snapshot has no folder Khác; it has " in said and "Càng việc/Con" in said
    assert "has no message" in lost.restore(WORKS, "--message-id", "<x@y>", status=1)


def test_what_is_missing_comes_back_to_its_place_while_it_is_used(
    lost: Lost, mail: dict[str, str], edge: str
) -> None:
    province = lost.province
    province.choose_passwords([WORKS])
    person = official(province, edge, WORKS)
    with in_use(edge, person) as life:
        wait_for(lambda: len(life.sent) > 1, "mail flows")
        said = lost.restore(WORKS, "--in-place")
        known = len(life.sent)
        wait_for(lambda: len(life.sent) > known + 1, "mail flows on")
    assert "2 messages came back to where they were: Càng việc/Con 1, INBOX 1" in said
    assert "Thùng rác 1" in said
    assert "0 messages came back" in lost.restore(WORKS, "--in-place")
    here = {"INBOX": ["stays", "removed"], "Thùng rác": ["moved"], "Càng việc/Con": ["with-folder"]}
    for store in (province.home(WORKS), province.standby(WORKS)):
        for folder, names in here.items():
            wait_for(
                lambda store=store, folder=folder, names=names: [  # type: ignore[misc]
                    on(province, store, WORKS, folder)[mail[name]] for name in names
                ] == [1] * len(names),
                f"{names} in {folder} on {store}", COPIED,
            )  # fmt: skip
    wait_for(lambda: all(count(lost, WORKS, each, "INBOX") == 1 for each in life.sent),
             "mail that came meanwhile is there, once")  # fmt: skip
    query = ("mailbox", "INBOX", "header", "message-id", mail["removed"])
    flags = doveadm(province, WORKS, "fetch", "flags", *query)
    assert {r"\Seen", r"\Flagged", "viec"} <= {*flags.split()}
    with person.inbox() as imap:
        assert imap.select(named("Càng việc/Con"))[0] == "OK"
    scripts = doveadm(province, WORKS, "sieve", "list").split()
    assert sorted(scripts) == ["gone", "stays"]  # none was in force


def test_a_whole_mailbox_comes_beside_what_is_there_once(lost: Lost, mail: dict[str, str]) -> None:
    for _ in range(2):
        lost.restore(WORKS)
        found = on(lost.province, lost.province.home(WORKS), WORKS, f"{lost.beside}/*")
        names = ("stays", "removed", "moved", "with-folder")
        assert found == {mail[name]: 1 for name in names}


# Whoever it is today


def test_an_agencys_mail_comes_back_to_its_keepers(
    lost: Lost, mail: dict[str, str], keeper: Person
) -> None:
    said = lost.restore(lost.agency, "--in-place", "--message-id", mail[lost.agency])
    assert "1 messages came back" in said
    with keeper.inbox() as imap:
        _, found = imap.uid("SEARCH", "HEADER", "Message-ID", f'"{mail[lost.agency]}"')
        assert len(found[0].split()) == 1


def test_a_mailbox_that_has_moved_gets_it_where_it_is(
    lost: Lost, mail: dict[str, str], placement: Path
) -> None:
    """The snapshot is in the repository of the store that had it."""
    province = lost.province
    old, new = province.home(MOVED), province.standby(MOVED)
    province.danhba("move", MOVED, "--to", new, "--env", "staging")
    assert f"(of {old})" in lost.restore(MOVED, "--in-place")
    assert province.home(MOVED) == new
    assert count(lost, MOVED, mail[MOVED]) == 1
    province.danhba("move", MOVED, "--to", old, "--env", "staging")


def test_who_was_renamed_is_found_by_either_name(lost: Lost, mail: dict[str, str]) -> None:
    assert "1 messages came back" in lost.restore(lost.renamed, "--in-place")
    assert "0 messages came back" in lost.restore(RENAMED, "--in-place")
    assert count(lost, RENAMED, mail[RENAMED]) == 1


def test_who_was_withdrawn_gets_his_mail_and_nobody_else_does(
    lost: Lost, mail: dict[str, str]
) -> None:
    said = lost.restore(LEFT, "--in-place")
    assert f"{LEFT} is withdrawn: nobody logs in there" in said
    assert count(lost, LEFT, mail[LEFT]) == 1


def test_of_who_has_no_mailbox_any_more_it_comes_beside_the_archive(
    lost: Lost, mail: dict[str, str], tmp_path: Path
) -> None:
    province = lost.province
    text = province.directory.read_text().splitlines(keepends=True)
    later = tmp_path / "directory.yaml"
    later.write_text("".join(row for row in text if f"address: {GONE}," not in row))
    gone = Lost(Province(province.lab, later), lost.at, lost.agency, lost.renamed)
    store, before = province.home(GONE), count(lost, GONE, mail[GONE])
    said = gone.restore(GONE)
    place = f"/srv/archive/{GONE}.restored-{lost.at:%Y-%m-%dT%H%M}.tar"
    assert f"there is no mailbox any more: it is in {place} on {store}" in said
    names = province.lab.run(store, ["tar", "-tf", place]).stdout.splitlines()
    assert f"{GONE}/mail/mailboxes/INBOX/dbox-Mails/u.1" in names
    assert province.lab.run(store, ["stat", "-c", "%a %U", place]).stdout == "600 root\n"
    assert count(lost, GONE, mail[GONE]) == before
    province.lab.run(store, ["rm", place])


# What cannot be, and what is recorded


def test_without_a_snapshot_nothing_is_done(lost: Lost) -> None:
    before = Lost(lost.province, lost.at.replace(year=2001), lost.agency, lost.renamed)
    assert "no snapshot until 2001-" in before.restore(WORKS, status=1)
    assert "has a mailbox khong.ai" in lost.restore("khong.ai", status=1)


def test_who_restored_what_is_in_the_record(lost: Lost, mail: dict[str, str]) -> None:
    rows = lost.province.danhba("audit", "staging", "--since", f"{lost.at:%Y-%m-%d}").stdout
    own = [row for row in rows.splitlines() if f"account {RENAMED}" in row]
    begun, ended = (next(row for row in own if f" {what} " in row) for what in
                    ("restore", "restored"))  # fmt: skip
    assert "root@" in begun and "in_place True" in begun and "snapshot " in begun
    assert "messages 1" in ended


def test_a_mailbox_without_room_gets_all_and_still_no_mail(
    lost: Lost, mail: dict[str, str], edge: str
) -> None:
    # The last one: what tells the store so is no link into its generation any more.
    with room(lost.province, FULL, "1M"):
        said = lost.restore(FULL, "--in-place")
        assert "it has 1.5 MB of 1.0 MB now: its mail is refused until there is room" in said
        assert count(lost, FULL, mail[FULL]) == 1
        [(code, _)] = rcpt(edge, lost.province.mail(FULL))
        assert code == 552
