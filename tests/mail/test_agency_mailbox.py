"""A mailbox of an agency, read by its keepers (Điều 9.2.c): what they may, and that it is recorded.

Keepers work as Thunderbird and Outlook do, over the edge, as docs/agency-mailboxes.md says.
"""

from __future__ import annotations

import imaplib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from doors import IMAPS, POP3S, SIEVE, enter
from folders import named
from people import GUESSER, Person, stays_out, trusting
from province import Province

from deploys.common import FOLDERS, KEPT

YEAR = f"{FOLDERS['Archive']}/Năm 2026"
FILE = "Hồ sơ 2026"


@pytest.fixture(scope="module")
def imap(keeper: Person) -> Iterator[imaplib.IMAP4_SSL]:
    with keeper.inbox() as imap:
        yield imap


@pytest.fixture(scope="module")
def received(keeper: Person, agency: str, colleague: Person) -> str:
    """Message-ID of what the agency has received."""
    sent = colleague.send(colleague.write([agency], "Công văn đến", "Kính gửi\n"))
    keeper.reads(sent)
    return str(sent["Message-ID"])


def _uid(imap: imaplib.IMAP4_SSL, identity: str, folder: str = "INBOX") -> str:
    imap.select(named(folder))
    _, found = imap.uid("SEARCH", "HEADER", "Message-ID", f'"{identity}"')
    return found[0].decode()


def _answer(imap: imaplib.IMAP4_SSL, name: str, *rest: str) -> str:
    """OK, NO or BAD, with what was said."""
    try:
        status, said = getattr(imap, name)(*rest)
    except imaplib.IMAP4.error as error:
        return str(error)
    return f"{status} {said[0]!r}"


def test_a_keeper_reads_and_marks(imap: imaplib.IMAP4_SSL, received: str) -> None:
    uid = _uid(imap, received)
    assert uid
    imap.uid("STORE", uid, "+FLAGS", r"(\Seen \Answered \Flagged $label1)")
    flags = imap.uid("FETCH", uid, "(FLAGS)")[1][0].decode()
    assert all(flag in flags for flag in (r"\Seen", r"\Answered", r"\Flagged", "$label1"))


def test_a_keeper_files_into_folders_that_he_makes(imap: imaplib.IMAP4_SSL, received: str) -> None:
    for folder in (YEAR, FILE):
        if named(folder) not in str(imap.list()[1]):
            assert imap.create(named(folder))[0] == "OK"
        assert named(folder) in str(imap.list()[1])  # all keepers see it
    uid = _uid(imap, received)
    assert imap.uid("COPY", uid, named(YEAR))[0] == "OK"
    assert imap.uid("MOVE", uid, named(YEAR))[0] == "OK"
    assert not _uid(imap, received)
    assert len(_uid(imap, received, YEAR).split()) == 2
    uid = _uid(imap, received, YEAR).split()[0]
    assert imap.uid("MOVE", uid, "INBOX")[0] == "OK"
    assert _uid(imap, received)


def test_a_keeper_deletes_nothing_wherever_he_puts_it(
    imap: imaplib.IMAP4_SSL, received: str
) -> None:
    trash = FOLDERS["Trash"]
    assert imap.uid("MOVE", _uid(imap, received), named(trash))[0] == "OK"
    uid = _uid(imap, received, trash)
    imap.uid("STORE", uid, "+FLAGS", r"(\Deleted)")
    assert r"\Deleted" not in imap.uid("FETCH", uid, "(FLAGS)")[1][0].decode()
    imap.uid("EXPUNGE", uid)
    imap.expunge()
    assert _uid(imap, received, trash) == uid
    imap.close()
    assert _uid(imap, received, trash) == uid
    assert imap.uid("MOVE", uid, "INBOX")[0] == "OK"


@pytest.mark.parametrize("folder", ["INBOX", "Thư nháp", YEAR, FILE])
def test_a_message_cannot_come_already_deleted(imap: imaplib.IMAP4_SSL, folder: str) -> None:
    text = b"Subject: x\r\n\r\nx\r\n"
    assert imap.append(named(folder), r"(\Deleted)", "", text)[0] == "OK"
    imap.select(named(folder))
    assert imap.uid("SEARCH", "DELETED")[1] == [b""]


@pytest.mark.parametrize(
    "command",
    [
        ("delete", YEAR), ("delete", "Thư đã gửi"), ("rename", YEAR, "Khác"),
        ("delete", FILE), ("setacl", "INBOX", "anyone", "lrwstipekxa"),
        ("deleteacl", "INBOX", "group=keepers"), ("setquota", "Mailbox", "(STORAGE 1)"),
    ],
    ids=lambda command: command[0],
)  # fmt: skip
def test_a_keeper_changes_neither_folders_nor_rights_nor_room(
    keeper: Person, command: tuple[str, ...]
) -> None:
    """Each in a session of its own: Dovecot ends one after three commands that it does not know."""
    name, *names = command
    words = [named(word) if word[0] != "(" else word for word in names]
    with keeper.inbox() as imap:
        assert "OK" not in _answer(imap, name, *words)[:3]


def test_a_keeper_uploads_no_filters_and_fetches_nothing_away(keeper: Person) -> None:
    stays_out(keeper, [SIEVE, POP3S])


def test_what_a_keeper_replaces_is_kept_where_no_keeper_sees_it(
    province: Province, keeper: Person, agency: str, colleague: Person
) -> None:
    """REPLACE (RFC 8508) asks for no right to mark as deleted."""
    sent = colleague.send(colleague.write([agency], "Bị thay", "Kính gửi\n"))
    keeper.reads(sent)
    with keeper.inbox() as imap:
        uid = _uid(imap, str(sent["Message-ID"]))
        imap.send(f"r UID REPLACE {uid} INBOX {{4+}}\r\na: b\r\n".encode())
        while not imap.readline().startswith(b"r "):
            pass
        assert not _uid(imap, str(sent["Message-ID"]))
        assert KEPT not in str(imap.list()[1])
        assert imap.select(KEPT)[0] == "NO"
    assert province.has(agency.partition("@")[0], str(sent["Message-ID"]))


def test_what_is_sent_as_the_agency_is_saved_in_its_folder(
    imap: imaplib.IMAP4_SSL, keeper: Person, agency: str, colleague: Person
) -> None:
    """As a program does with an identity: the keeper's own name for SMTP, the agency in From."""
    me = replace(keeper, login=keeper.address)
    sent = me.write([colleague.address], "Trả lời", "Kính gửi\n", sender=agency)
    me.send(sent)
    assert colleague.reads(sent)["From"] == f"{keeper.name} <{agency}>"
    folder = FOLDERS["Sent"]
    assert imap.append(named(folder), r"(\Seen)", "", sent.as_bytes())[0] == "OK"
    assert _uid(imap, str(sent["Message-ID"]), folder)


def test_every_login_is_recorded_with_the_keeper_and_who_may_not_with_his_name(
    province: Province, keeper: Person, agency: str, colleague: Person
) -> None:
    stays_out(colleague.as_keeper_of(agency), [IMAPS])
    short = f"{agency.partition('@')[0]}*{keeper.local}"  # as in the guide
    enter(IMAPS, keeper.server, short, keeper.password, trusting())
    name = agency.partition("@")[0]
    found = _record(province, "--agency", name)
    last: dict[str, dict[str, Any]] = {row["keeper"]: row for row in found}
    mine, his = (last[person.local] for person in (keeper, colleague))
    assert (mine["agency"], mine["protocol"], mine["opened"]) == (name, "imap", True)
    assert (his["agency"], his["client"], his["opened"]) == (name, GUESSER, False)
    assert {row["agency"] for row in found} == {name}
    assert mine["store"] == province.home(name)
    assert _record(province, "--agency", name, "--since", "2099-01-01") == []
    text = province.danhba("keeper-log", "staging", "--agency", name).stdout.splitlines()
    assert len(text) == len(found) and text[-1].endswith(f"imap opened {mine['store']}")


def _record(province: Province, *options: str) -> list[dict[str, Any]]:
    done = province.danhba("keeper-log", "staging", "--format", "json", *options)
    return [json.loads(row) for row in done.stdout.splitlines()]


def test_the_record_is_roots_alone_and_outlives_the_journal(
    province: Province, agency: str
) -> None:
    store = province.home(agency.partition("@")[0])
    before = len(_record(province))
    assert before
    province.lab.run(store, ["journalctl", "--rotate"])
    province.lab.run(store, ["journalctl", "--vacuum-size=1"])
    assert len(_record(province)) >= before
    mode = province.lab.run(store, ["stat", "-c", "%U %a", "/var/lib/danhba-keepers/log"]).stdout
    assert mode == "root 600\n"
