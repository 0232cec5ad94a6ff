"""What officials submit is in the header from themselves, or from an agency that they keep."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from people import Person, trusting, wait_for
from people import official as somebody
from province import Province

UNIT = "danhba-senders.service"

FORGED = {
    "colleague": "From: Giám đốc <{other}>",
    "outside": "From: lan@ngoaitinh.test",
    "agency": "From: {agency}",
    "one of two": "From: {me}, {other}",
    "group": "From: Phong: {me}, {other};",
    "name": 'From: "{other}" <{me}>',
    "encoded name": "From: =?utf-8?q?giamdoc=40angiang=2Egov=2Evn?= <{me}>",
    "comment": "From: {me} ({other})",
    "folded": "From: Nguyen\n <{other}>",
    "blank before the colon": "X-A: b\nFrom : {other}",
    "blank before the first colon": "From : {other}",
    "small letters": "from: {other}",
    "UTF-8": "From: <giámđốc@angiang.gov.vn>",
    "IDN": "From: <nvan@angiang.gov.việt>",
    "unquoted": "From: {other} <{me}>",
    "two": "From: {me}\nFrom: {other}",
    "two, the second first": "From: {other}\nFrom: {me}",
    "none": "X-Nothing: a",
    "empty": "From:",
    "null": "From: <>",
    "sender": "From: {me}\nSender: {other}",
    "sent again": "From: {me}\nResent-From: {other}",
    "sent again by somebody": "From: {me}\nResent-Sender: {other}",
    "in its first line": "From {other} Thu Nov 26 06:00:00 2026\nFrom: {other}",
    "carriage return": "From: {me}\rFrom: {other}",
}


@contextmanager
def _submission(sender: Person, port: int) -> Iterator[smtplib.SMTP]:
    password = sender.password  # a new one ends all sessions for sending
    if port == 465:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(sender.server, 465, timeout=60, context=trusting())
    else:
        smtp = smtplib.SMTP(sender.server, 587, timeout=60)
        smtp.starttls(context=trusting())
    with smtp:
        smtp.login(sender.login, password)
        yield smtp


def _send(smtp: smtplib.SMTP, envelope: str, to: str, head: str) -> tuple[int, str]:
    """What the server says to a message as it is, letter for letter."""
    smtp.ehlo_or_helo_if_needed()
    assert smtp.mail(envelope, ["SMTPUTF8"])[0] == 250
    assert smtp.rcpt(to)[0] == 250
    assert smtp.docmd("DATA")[0] == 354
    text = head.replace("\n", "\r\n") + f"\r\nTo: {to}\r\nSubject: A\r\n\r\nB\r\n.\r\n"
    smtp.send(text.encode())
    code, said = smtp.getreply()
    return code, said.decode("ascii")


def _filled(head: str, official: Person, colleague: Person, agency: str) -> str:
    return head.format(me=official.address, other=colleague.address, agency=agency)


@pytest.mark.parametrize("form", FORGED)
@pytest.mark.parametrize("port", [465, 587])
def test_another_name_in_the_header_is_refused(
    form: str, port: int, official: Person, colleague: Person, agency: str
) -> None:
    head = _filled(FORGED[form], official, colleague, agency)
    with _submission(official, port) as smtp:
        code, said = _send(smtp, official.address, colleague.address, head)
        assert (code, said.split()[0]) == (550, "5.7.1"), said
        assert " / " in said and colleague.address not in said
        # The session goes on, and what is right passes.
        own = f"From: Nguyễn <{official.address}>"
        assert _send(smtp, official.address, colleague.address, own)[0] == 250


def test_a_receipt_without_an_envelope_sender_is_held_to_its_header(
    official: Person, colleague: Person
) -> None:
    with _submission(official, 465) as smtp:
        forged = f"From: {colleague.address}"
        assert _send(smtp, "", colleague.address, forged)[0] == 550
        assert _send(smtp, "", colleague.address, f"From: {official.address}")[0] == 250


def test_keepers_send_as_their_agency_and_in_their_own_name(
    keeper: Person, agency: str, official: Person
) -> None:
    own = keeper.address
    with _submission(replace(keeper, login=own), 465) as smtp:
        for envelope in (own, agency):
            for head in (f"From: {agency}", f"From: {own}", f"From: {agency}\nSender: {own}"):
                assert _send(smtp, envelope, official.address, head)[0] == 250


def test_the_log_names_who_tried_and_nothing_of_the_message(
    province: Province, official: Person, colleague: Person
) -> None:
    with _submission(official, 465) as smtp:
        head = f"From: Giám đốc bí mật <{colleague.address}>"
        assert _send(smtp, official.address, colleague.address, head)[0] == 550
    log = province.lab.run("mx1", ["journalctl", "-o", "cat", "-u", UNIT]).stdout
    _, _, last = log.splitlines()[-1].partition(": ")
    assert last == f"refused: From foreign, login {official.address}"


# Without the daemon


@contextmanager
def _told(province: Province, before: str, after: str) -> Iterator[None]:
    province.lab.run("mx1", ["systemctl", *before.split(), UNIT])
    try:
        yield
    finally:
        province.lab.run("mx1", ["systemctl", *after.split(), UNIT])


@pytest.mark.parametrize("way", [("stop", "start"), ("kill -s STOP", "kill -s CONT")], ids=str)
def test_without_the_daemon_mail_is_deferred_and_comes_in_all_the_same(
    way: tuple[str, str], province: Province, official: Person, colleague: Person, outsider: Person
) -> None:
    with _told(province, *way):
        with pytest.raises((smtplib.SMTPException, ssl.SSLError)) as told:
            official.send(official.write([colleague.address], "Chào", "Chào anh\n"))
        code = getattr(told.value, "smtp_code", 451)
        assert 400 <= code < 500, told.value
        official.reads(outsider.send(outsider.write([official.address], "Hello", "Hello\n")))

    def look() -> bytes | None:
        try:
            official.send(official.write([colleague.address], "Chào", "Chào anh\n"))
        except smtplib.SMTPException:
            return None
        return b"sent"

    wait_for(look, "mail is accepted again")


def test_who_keeps_a_mailbox_for_a_while_sends_as_it_for_that_while(
    province: Province, official: Person
) -> None:
    """An apply only puts another table into the place of this one: nothing is restarted."""
    keepers = {grant.keeper for grant in province.compiled.grants}
    person = next(
        each
        for each in province.compiled.mailboxes
        if each.kind == "person" and each.address == each.account and each.address not in keepers
    )
    new = somebody(province, official.server, person.address)
    before = province.directory.read_text(encoding="utf-8")
    argv = ["systemctl", "show", "-P", "MainPID", UNIT]
    daemon = province.lab.run("mx1", argv).stdout

    def as_agency() -> int:
        with _submission(new, 465) as smtp:
            head = f"From: {province.mail(person.agency)}"
            return _send(smtp, new.address, official.address, head)[0]

    assert as_agency() == 550
    province.danhba("keeper", person.agency, "--add", person.address)
    province.apply()
    try:
        assert as_agency() == 250
    finally:
        province.directory.write_text(before, encoding="utf-8")
        province.apply()
    assert as_agency() == 550
    assert province.lab.run("mx1", argv).stdout == daemon
