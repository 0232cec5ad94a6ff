"""Port 25: who is not heard at all, and that nobody relays (docs/port-25.md)."""

from __future__ import annotations

import smtplib
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from clients import addresses, client, reply
from people import OUTSIDE_CLIENT, Person, rcpt, trusting
from province import Province

from staging.config import INTERNET4, INTERNET6, NET1_IPV4, NET1_IPV6, OUTSIDE
from staging.zones import BLOCK_LIST, LISTED, REFUSING_LIST, SILENT_LIST, SILENT_SERVER

NEWCOMER, HASTY, CROWD, RUSH = (str(INTERNET4[number]) for number in (171, 172, 173, 174))
NAMELESS = str(INTERNET4[185])
SENDER = f"lan@{OUTSIDE}"


@pytest.fixture(scope="module", autouse=True)
def sources(province: Province) -> Iterator[None]:
    with addresses(*range(170, 175), 180, 185):
        yield


def _greeting(edge: str, source: str) -> float:
    """Seconds until a server is greeted."""
    began = time.monotonic()
    with smtplib.SMTP(edge, 25, timeout=30, source_address=(source, 0)):
        return time.monotonic() - began


# Before the greeting


def test_who_speaks_at_once_is_refused_and_told_so(edge: str, official: Person) -> None:
    with socket.create_connection((edge, 25), 30, (HASTY, 0)) as line:
        line.sendall(b"EHLO khach172.ngoaitinh.test\r\n")
        answers = line.makefile("rb")
        while not answers.readline().startswith(b"250 "):
            pass
        for command in (f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{official.address}>"):
            line.sendall(f"{command}\r\n".encode())
            answer = answers.readline()
    assert answer.startswith(b"550 5.5.1 ")


def test_an_honest_sender_waits_once_and_never_again(edge: str) -> None:
    first = _greeting(edge, NEWCOMER)
    later = [_greeting(edge, NEWCOMER) for _ in range(10)]
    print(f"greeted after {first:.2f} s, then after {statistics.median(later) * 1000:.0f} ms")
    assert first < 3
    assert statistics.median(later) < 0.1


def test_a_host_is_no_stranger_to_itself(province: Province, edge: str) -> None:
    """An apply asks Postfix of every edge whether it answers."""
    asks = (
        "import smtplib, sys, time; began = time.monotonic(); smtplib.SMTP(sys.argv[1], 25).quit();"
        "print(time.monotonic() - began)"
    )
    took = province.lab.run("mx1", ["python3", "-c", asks, edge]).stdout
    assert float(took) < 1


# Names


GREETINGS = {
    "edge": ("mx1.angiang.gov.vn", (550, "5.7.1")),
    "other edge": ("MX2.angiang.gov.vn", (550, "5.7.1")),
    "domain": ("angiang.gov.vn", (550, "5.7.1")),
    "address of the edge": ("[198.18.0.11]", (550, "5.7.1")),
    "IPv6 address of the edge": ("[IPv6:2001:db8:18::11]", (550, "5.7.1")),
    "one word": ("localhost", (504, "5.5.2")),
    "Windows": ("WIN-7Q2", (504, "5.5.2")),
    "no name": ("-.-", (501, "5.5.2")),
    "bare address": ("198.19.0.1", (504, "5.5.2")),
    "its own": ("may.ngoaitinh.test", None),
    "its address": ("[198.19.0.1]", None),
    "unknown": ("mail.noibo.local", None),
    "underscore": ("mail_1.noibo.local", None),
    "an agency's own server": ("mail.sotaichinh.angiang.gov.vn", None),
}


@pytest.mark.parametrize("greeting", GREETINGS)
def test_a_greeting_is_a_name_of_the_sender(greeting: str, edge: str, official: Person) -> None:
    said, wanted = GREETINGS[greeting]
    with client(edge, OUTSIDE_CLIENT, said) as smtp:
        smtp.mail(SENDER)
        answer = smtp.rcpt(official.address)
    assert (answer[0] == 250) if wanted is None else (reply(answer) == wanted), answer


def test_an_address_without_a_name_is_refused(edge: str, official: Person) -> None:
    with client(edge, NAMELESS) as smtp:
        smtp.mail(SENDER)
        answer = smtp.rcpt(official.address)
    assert reply(answer) == (550, "5.7.1")
    assert b"reverse hostname" in answer[1]


# Nobody relays


RELAYS = {
    "plain": (SENDER, "x@{out}"),
    "null sender": ("", "x@{out}"),
    "an official's name": ("{me}", "x@{out}"),
    "postmaster's name": ("postmaster@{own}", "x@{out}"),
    "the server's name": ("root@mx1.{own}", "x@{out}"),
    "no domain as sender": ("root", "x@{out}"),
    "percent hack": (SENDER, "x%{out}@{own}"),
    "percent hack on the server": (SENDER, "x%{out}@mx1.{own}"),
    "percent hack on its address": (SENDER, "x%{out}@[198.18.0.11]"),
    "percent hack in quotation marks": (SENDER, '"x%{out}"@{own}'),
    "quoted": (SENDER, '"x@{out}"@{own}'),
    "quoted without a domain": (SENDER, '"x@{out}"'),
    "two domains": (SENDER, "x@{out}@{own}"),
    "source route": (SENDER, "@{own}:x@{out}"),
    "source route of two": (SENDER, "@mx1.{own},@{own}:x@{out}"),
    "bang path": (SENDER, "{out}!x"),
    "bang path with a domain": (SENDER, "{out}!x@{own}"),
    "address literal": (SENDER, "x@[{v4}]"),
    "IPv6 literal": (SENDER, "x@[IPv6:{v6}]"),
    "dot behind it": (SENDER, "x@{out}."),
    "capitals": (SENDER, "X@{OUT}"),
    "sub-domain": (SENDER, "x@la.{own}"),
    "domain of the same end": (SENDER, "x@xangiang.gov.vn"),
}


@pytest.mark.parametrize("form", RELAYS)
def test_nobody_relays(form: str, edge: str, official: Person, province: Province) -> None:
    words = {
        "out": OUTSIDE, "OUT": OUTSIDE.upper(), "own": province.compiled.domain,
        "me": official.address, "v4": NET1_IPV4, "v6": NET1_IPV6,
    }  # fmt: skip
    sender, to = (each.format(**words) for each in RELAYS[form])
    with client(edge, OUTSIDE_CLIENT) as smtp:
        smtp.docmd("MAIL", f"FROM:<{sender}>")
        code, _ = smtp.docmd("RCPT", f"TO:<{to}>")
        assert 500 <= code < 560
        assert smtp.docmd("DATA")[0] in (503, 554)


def test_nobody_relays_over_ipv6(province: Province, official: Person) -> None:
    server = province.environment.host("mx1").ipv6
    with client(server, str(INTERNET6[1])) as smtp:
        smtp.mail(SENDER)
        assert reply(smtp.rcpt(f"x@{OUTSIDE}")) == (554, "5.7.1")
        assert smtp.rcpt(official.address)[0] == 250


def test_nobody_is_believed_to_be_somebody_else(edge: str, official: Person) -> None:
    with client(edge, OUTSIDE_CLIENT) as smtp:
        for command in ("XCLIENT ADDR=127.0.0.1", "XFORWARD ADDR=127.0.0.1"):
            assert smtp.docmd(command)[0] >= 500
        smtp.docmd("MAIL", f"FROM:<{official.address}> AUTH={official.address}")
        assert smtp.rcpt(f"x@{OUTSIDE}")[0] >= 500


def test_who_is_logged_in_relays_as_nobody_else(official: Person, colleague: Person) -> None:
    for sender in (colleague.address, SENDER, f"{official.address}.{OUTSIDE}"):
        with official.submission() as smtp:
            smtp.mail(sender)
            assert reply(smtp.rcpt(f"x@{OUTSIDE}")) == (553, "5.7.1")


# Limits


def test_recipients_above_the_limit_are_to_come_in_a_second_message(
    edge: str, official: Person, province: Province
) -> None:
    most = province.compiled.message_recipients
    with client(edge, OUTSIDE_CLIENT) as smtp:
        smtp.mail(SENDER)
        answers = [smtp.rcpt(official.address) for _ in range(most + 1)]
        assert {code for code, _ in answers[:most]} == {250}
        assert reply(answers[most]) == (452, "4.5.3")
        smtp.rset()
        smtp.mail(SENDER)
        assert smtp.rcpt(official.address)[0] == 250


def test_one_source_has_twenty_connections_and_others_get_through(
    edge: str, official: Person, province: Province
) -> None:
    _greeting(edge, CROWD)
    with ExitStack() as open_ones:
        for _ in range(20):
            open_ones.enter_context(smtplib.SMTP(edge, 25, timeout=30, source_address=(CROWD, 0)))
        with pytest.raises(smtplib.SMTPConnectError) as told:
            smtplib.SMTP(edge, 25, timeout=30, source_address=(CROWD, 0))
        assert told.value.smtp_code == 421
        assert rcpt(edge, official.address)[0][0] == 250
        began = time.monotonic()
        province.deliver(official.local)
        print(f"others' mail arrives within {time.monotonic() - began:.1f} s")


def test_a_source_in_a_rush_is_slowed_down_and_others_are_not(edge: str, official: Person) -> None:
    _greeting(edge, RUSH)
    codes = set()
    for _ in range(1300):
        with socket.create_connection((edge, 25), 30, (RUSH, 0)) as line:
            codes.add(line.recv(512)[:3])
            line.sendall(b"QUIT\r\n")
        if b"421" in codes:
            break
    assert codes == {b"220", b"421"}
    assert rcpt(edge, official.address)[0][0] == 250


# Block lists


def test_block_lists_refuse_who_is_on_one_and_nobody_else_whatever_becomes_of_them(
    edge: str, official: Person, province: Province
) -> None:
    before = province.directory.read_text(encoding="utf-8")
    lists = f"[{BLOCK_LIST}, {REFUSING_LIST}, {SILENT_LIST}]"
    province.edit("  secrecy: {", f"  block_lists: {lists}\n  secrecy: {{")
    # It takes questions and never answers.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((SILENT_SERVER, 53))
        province.danhba("fmt")
        province.apply()
        try:
            answer = _answer(edge, LISTED, official.address)
            assert answer[0] == 550 and BLOCK_LIST in answer[1]
            took = _greeting(edge, NEWCOMER)
            print(f"with a silent list, a newcomer is greeted after {took:.1f} s")
            assert took < 4
            assert _answer(edge, NEWCOMER, official.address)[0] == 250
            assert silent.recv(512), "the silent list was not asked"
        finally:
            province.directory.write_text(before, encoding="utf-8")
            province.apply()
    assert _answer(edge, LISTED, official.address)[0] == 250


def _answer(edge: str, source: str, to: str) -> tuple[int, str]:
    with client(edge, source) as smtp:
        smtp.mail(SENDER)
        code, text = smtp.rcpt(to)
    return code, text.decode()


def test_tls_is_offered_behind_postscreen(edge: str) -> None:
    with client(edge, OUTSIDE_CLIENT) as smtp:
        assert smtp.starttls(context=trusting())[0] == 220


def test_nobody_outside_is_told_that_his_message_was_delivered(
    province: Province, edge: str, official: Person
) -> None:
    """The report would go to whom a spammer has named, and name stores (RFC 3461)."""
    for each in (edge, province.lab.host("mx2").ipv4):
        with client(each, OUTSIDE_CLIENT) as smtp:
            assert not smtp.has_extn("dsn")
            assert smtp.mail(SENDER, ["RET=FULL"])[0] == 501
            assert smtp.mail(SENDER)[0] == 250
            assert smtp.rcpt(official.address, ["NOTIFY=SUCCESS"])[0] == 501
            assert smtp.rcpt(official.address)[0] == 250
    with official.submission() as smtp:
        smtp.ehlo()
        assert smtp.has_extn("dsn")
