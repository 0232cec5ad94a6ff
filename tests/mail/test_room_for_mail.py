"""A mailbox has so much room: its holder is told in time, and senders at once (Điều 10.1)."""

from __future__ import annotations

import secrets
import smtplib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

import pytest
from mailboxes import room
from people import Person, rcpt
from province import Province, wait_for

from deploys.common import QUOTA_PORT

LARGE = 20_000_000
"""Bytes."""
UNIT = "stunnel@danhba-quota.service"

Fault: TypeAlias = Callable[[Province, str], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def full(province: Province, official: Person) -> Iterator[Person]:
    """Somebody whose room is a megabyte: less than the directory can say, so his store is told."""
    account = official.local
    store = province.home(account)
    # What an earlier run on this lab has left: nobody is told the same twice on one day.
    province.lab.run(store, ["sh", "-c", f"rm -f /var/lib/danhba-quota/{official.address}.*"])
    everything = ["mailbox", "*", "all"]
    province.lab.run(store, ["doveadm", "expunge", "-u", official.address, *everything])
    with room(province, account, "1M"):
        yield official


def _codes(edge: str, *to: str, size: int = 1000) -> list[int]:
    return [code for code, _ in rcpt(edge, *to, size=size)]


def _fill(person: Person, kilobytes: int) -> None:
    """Into his inbox over IMAP, which counts like any delivery."""
    body = "".join(f"{secrets.token_hex(35)}\r\n" for _ in range(kilobytes * 1024 // 72))
    with person.inbox() as imap:
        message = f"Subject: Day\r\n\r\n{body}".encode()
        assert imap.append("INBOX", "", "", message)[0] == "OK"


def _notices(person: Person) -> list[str]:
    with person.inbox() as imap:
        _, found = imap.uid("SEARCH", "FROM", "postmaster", "HEADER", "Auto-Submitted", "auto")
        return found[0].decode().split()


def _used(person: Person) -> tuple[int, int]:
    """Kilobytes, and how many there may be (RFC 9208)."""
    with person.inbox() as imap:
        said = imap.getquotaroot("INBOX")[1][1][0].decode()
    used, limit = said.rpartition("STORAGE ")[2].strip(")").split()
    return int(used), int(limit)


def test_who_runs_out_of_room_is_told_once_for_each_mark_and_then_senders_are(
    province: Province, edge: str, full: Person, colleague: Person
) -> None:
    assert _used(full)[1] == 1024
    for told, percent in enumerate((81, 91, 96), 1):
        _fill(full, percent * 1024 // 100 - _used(full)[0])
        wait_for(lambda told=told: len(_notices(full)) == told, f"the notice of {percent} %")  # type: ignore[misc]
    notice = full.reads_where("UID", _notices(full)[0])
    assert notice["Subject"] == "Hộp thư đã dùng hơn 80% dung lượng"
    assert notice["From"] == "Hệ thống thư điện tử An Giang <postmaster@angiang.gov.vn>"
    assert notice["Auto-Submitted"] == "auto-generated"
    assert notice["Message-ID"] and notice["Date"] and not notice.defects
    text = notice.get_content()
    assert "trên tổng số 1,0 MB" in text and "khoản 1 Điều 10" in text and '"Thùng rác"' in text

    assert _codes(edge, full.address, size=100_000) == [250]  # Dovecot lets the last one in
    full.reads(colleague.send(colleague.write([full.address], "Lớn", f"{'x' * 70}\n" * 1000)))
    [(code, said)] = rcpt(edge, full.address)
    assert code == 552 and said.startswith("5.2.2 ")
    assert "Hop thu da day" in said and said.isascii()
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        colleague.send(colleague.write([full.address], "Day", "x\n"))
    assert refused.value.recipients[full.address][0] == 552

    with full.inbox() as imap:
        imap.uid("STORE", "1:*", "+FLAGS", r"(\Deleted)")
        imap.expunge()
    assert _codes(edge, full.address) == [250]
    back = full.reads_where("FROM", "postmaster")
    assert back["Subject"] == "Hộp thư đã có chỗ trống trở lại"
    _fill(full, 830)  # across the mark again, on the same day
    full.reads(colleague.send(colleague.write([full.address], "Sau", "x\n")))
    assert len(_notices(full)) == 1


@pytest.mark.parametrize("name", ["mx1", "mx2"])
def test_a_message_larger_than_the_room_is_refused_before_it_is_sent(
    name: str, province: Province, full: Person
) -> None:
    assert _codes(province.lab.host(name).ipv4, full.address, size=LARGE) == [552]


def test_a_mailbox_is_as_full_under_any_of_its_names(province: Province, edge: str) -> None:
    """Mail for postmaster is kept under the name of an agency."""
    account = next(each.account for each in province.compiled.names if each.address == "postmaster")
    names = [province.mail("postmaster"), province.mail("postmaster").upper()]
    with room(province, account, "1M"):
        wait_for(lambda: _codes(edge, *names, size=LARGE) == [552, 552], "both are full")
    wait_for(lambda: _codes(edge, *names, size=LARGE) == [250, 250], "both have room")


def test_a_message_that_did_not_say_how_large_it_is_comes_back_with_the_reason(
    full: Person, colleague: Person
) -> None:
    sent = colleague.write([full.address], "Lớn", f"{'x' * 70}\n" * 170_000)
    with colleague.submission() as smtp:
        smtp.mail(colleague.address)
        smtp.rcpt(full.address)
        assert smtp.data(sent.as_bytes())[0] == 250
    bounce = colleague.reads_where("FROM", "MAILER-DAEMON", "TEXT", f'"{sent["Message-ID"]}"')
    report = bounce.as_string()
    assert "5.2.2" in report and "Hop thu da day" in report


@contextmanager
def _silent(province: Province, store: str) -> Iterator[None]:
    """What says that a mailbox is full is not reached, and nothing says so."""
    rule = ["nft", "insert", "rule", "inet", "danhba", "input", "tcp", "dport", str(QUOTA_PORT)]
    province.lab.run(store, [*rule, "drop"])
    try:
        yield
    finally:
        province.lab.run(store, ["systemctl", "reload", "nftables.service"])


@contextmanager
def _stopped(province: Province, store: str) -> Iterator[None]:
    province.lab.run(store, ["systemctl", "stop", UNIT])
    try:
        yield
    finally:
        province.lab.run(store, ["systemctl", "start", UNIT])


@pytest.mark.parametrize("fault", [_silent, _stopped])
def test_a_store_without_a_word_refuses_nobody_and_holds_nobody_up(
    fault: Fault, province: Province, edge: str, full: Person
) -> None:
    store = province.home(full.local)
    with fault(province, store):
        began = time.monotonic()
        assert _codes(edge, full.address, size=LARGE) == [250]
        assert time.monotonic() - began < 2
    wait_for(lambda: _codes(edge, full.address, size=LARGE) == [552], "the store speaks again")
