"""Where an official sits and with what program he writes is in no header of what he sends."""

from __future__ import annotations

import re
import smtplib
from email.message import EmailMessage
from email.utils import make_msgid

import pytest
from people import Person, parsed, trusting
from province import Province

from deploys.common import SCORE_HEADER
from staging.config import INTERNET4, INTERNET6, PROVINCE4, PROVINCE6

MACHINE = "may-cua-an.noibo.test"
PROGRAM = "Mozilla Thunderbird 128.4"
OURS = [str(net[1]) for net in (PROVINCE4, INTERNET4, PROVINCE6, INTERNET6)]
"""Addresses of the machine that the tests send from."""
TELLING = f"""\
Received: from {MACHINE} (localhost [10.1.2.3])
\tby {MACHINE} (Postfix) with ESMTP id 4ABC
\tfor <a@b.test>; Thu, 26 Nov 2026 08:00:00 +0700 (+07)
Received: by {MACHINE} (Postfix, from userid 1000)
X-Originating-IP: [10.1.2.3]
x-originating-ip : 10.1.2.3
X-Client-IP: 10.1.2.3
X-Source-IP: 10.1.2.3
X-Forwarded-For: 10.1.2.3
X-Sender-Host: {MACHINE}
X-Zimbra-Originating-IP: 10.1.2.3
X-Webmail-Client-IP: 10.1.2.3
X-MS-Exchange-Organization-OriginalClientIPAddress: 10.1.2.3
X-Received: by 10.1.2.3 with SMTP id x
Received-SPF: pass (client-ip=10.1.2.3)
X-Sender: an@{MACHINE}
X-AuthUser: an@{MACHINE}
X-Mail-Client: {PROGRAM}
X-Mail-Agent: {PROGRAM}
Mailer: {PROGRAM}
X-Library: {PROGRAM}
X-Roundcube-Version: {PROGRAM}
User-Agent: {PROGRAM}
X-User-Agent: {PROGRAM}
X-Mailer: {PROGRAM}
 folded {PROGRAM}
X-MimeOLE: Produced By {PROGRAM}
X-Mozilla-Draft-Info: {PROGRAM}
X-PHP-Originating-Script: 33:{PROGRAM}
X-Universally-Unique-Identifier: {PROGRAM}
X-Antivirus: {PROGRAM}
{SCORE_HEADER}: 3
MIME-Version: 1.0 (Mac OS X Mail 16.0 ({PROGRAM}))
"""
KEPT = "X-Priority: 1\nDisposition-Notification-To: {me}\nReply-To: {me}\nReferences: <a@b>\n"


def _message(sender: Person, *to: str) -> EmailMessage:
    """Forwards another one, whose headers are the sender's content."""
    inner = "From: lan@ngoaitinh.test\nUser-Agent: Inner\nReceived: from inner; x\n\nInner\n"
    message = EmailMessage()
    message["From"], message["To"] = sender.address, ", ".join(to)
    message["Message-ID"] = make_msgid(domain="angiang.gov.vn")
    message["Subject"] = "Báo cáo"
    message.set_content("User-Agent: in the text\n")
    message.add_attachment(parsed(inner.encode()))
    return message


def _submit(sender: Person, port: int, envelope: str, raw: bytes, *to: str) -> None:
    if port == 465:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            sender.server, 465, MACHINE, timeout=60, context=trusting()
        )
    else:
        smtp = smtplib.SMTP(sender.server, 587, MACHINE, timeout=60)
        smtp.starttls(context=trusting())
    with smtp:
        smtp.login(sender.login, sender.password)
        assert not smtp.sendmail(envelope, to, raw)


def _tells_nothing(text: str) -> None:
    for word in (MACHINE, PROGRAM, "10.1.2.3", *OURS):
        assert not re.search(rf"{re.escape(word)}(?![0-9a-f:])", text), f"{word} in\n{text}"


def _head(message: EmailMessage) -> str:
    return "".join(f"{name}: {value}\n" for name, value in message.items())


@pytest.mark.parametrize("port", [465, 587])
def test_no_header_tells_of_the_sender_inside_or_outside(
    port: int, official: Person, colleague: Person, outsider: Person, province: Province
) -> None:
    message = _message(official, outsider.address, colleague.address)
    raw = TELLING.encode() + KEPT.format(me=official.address).encode()
    raw += message.as_bytes().replace(b"MIME-Version: 1.0\n", b"", 1)
    _submit(official, port, official.address, raw, outsider.address, colleague.address)
    for reader in (outsider, colleague):
        read = reader.reads(message)
        _tells_nothing(_head(read))
        # Our own trace says when, where, and as what.
        traces = [" ".join(str(trace).split()) for trace in read.get_all("Received")]
        assert any(
            re.search(r"^by mx1\.angiang\.gov\.vn \(Postfix\) id \w+\W.* \d\d:\d\d:\d\d ", trace)
            for trace in traces
        ), traces
        # What was there before still counts as hops.
        assert traces[-2:] == [
            "by localhost; Thu, 26 Nov 2026 08:00:00 +0700 (+07)", "by localhost"
        ]  # fmt: skip
        assert read["MIME-Version"] == "1.0"
        # What edges count by (deploys/abuse.py), whoever has written one.
        assert read[SCORE_HEADER] is None
        assert read["X-Priority"] == "1" and read["References"] == "<a@b>"
        assert read["Reply-To"] == read["Disposition-Notification-To"] == official.address
        text, inner = read.iter_parts()
        assert "User-Agent: in the text" in text.get_content()
        assert inner.get_content()["User-Agent"] == "Inner"
        assert inner.get_content()["Received"] == "from inner; x"


def test_a_receipt_tells_nothing_either(official: Person, outsider: Person) -> None:
    """RFC 8098: it has no envelope sender, and its second part names the program."""
    identity = make_msgid(domain="angiang.gov.vn")
    raw = (
        f"{TELLING}From: {official.address}\nTo: {outsider.address}\nMessage-ID: {identity}\n"
        "Subject: Read\nContent-Type: multipart/report; report-type=disposition-notification;\n"
        ' boundary="b"\n\n--b\n\nRead.\n--b\nContent-Type: message/disposition-notification\n\n'
        f"Reporting-UA: {MACHINE}; {PROGRAM}\nFinal-Recipient: rfc822;{official.address}\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\n\n--b--\n"
    )
    _submit(official, 465, "", raw.encode(), outsider.address)
    read = outsider.reads_where("HEADER", "Message-ID", f'"{identity}"')
    _tells_nothing(read.as_string())
    assert "Final-Recipient" in read.as_string()
    assert read["Return-Path"] == "<>"


def test_a_bounce_of_what_he_sent_tells_nothing(official: Person, outsider: Person) -> None:
    message = _message(official, "khongcoai@ngoaitinh.test")
    raw = TELLING.encode() + message.as_bytes().replace(b"MIME-Version: 1.0\n", b"", 1)
    _submit(official, 465, official.address, raw, "khongcoai@ngoaitinh.test")
    bounce = official.reads_where("FROM", "MAILER-DAEMON", "TEXT", f'"{message["Message-ID"]}"')
    _tells_nothing(bounce.as_string())


def test_mail_from_outside_keeps_its_headers(official: Person, outsider: Person) -> None:
    message = outsider.write([official.address], "Hello", "How are you?\n")
    # Known programs' names count as forged where their other headers are missing.
    message["User-Agent"] = message["X-Mailer"] = "Bo Cau 2.1"
    message["X-Originating-IP"] = "[10.1.2.3]"
    message["Received"] = f"from {MACHINE}; Thu, 26 Nov 2026 08:00:00 +0700"
    read = official.reads(outsider.send(message))
    for name in ("User-Agent", "X-Mailer", "X-Originating-IP"):
        assert read[name] == message[name]
    assert MACHINE in str(read.get_all("Received"))
