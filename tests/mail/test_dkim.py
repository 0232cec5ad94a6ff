"""What leaves is signed twice and verifies at the receiver; keys change, and no mail suffers."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate, make_msgid

import dkim
import dns.resolver
import pytest
from people import Person, filtering, parsed, trusting
from province import Province

from deploys.signing import PLACE
from staging import dkim_keys
from staging.config import NET1_IPV4, OUTSIDE

NOBODY = f"khongcoai@{OUTSIDE}"


def _dns(name: bytes | str, timeout: int = 5) -> bytes | None:
    """A TXT record, as net1 has it now."""
    asked = dns.resolver.Resolver(configure=False)
    asked.nameservers = [NET1_IPV4]
    try:
        found = asked.resolve(name.decode() if isinstance(name, bytes) else name, "TXT")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return None
    return b"".join(found[0].strings)


def signatures(raw: bytes) -> list[str]:
    """Selectors of the signatures, each of which has been verified."""
    message = dkim.DKIM(raw)
    found = [value.decode() for name, value in message.headers if name.lower() == b"dkim-signature"]
    for number, text in enumerate(found):
        assert message.verify(idx=number, dnsfunc=_dns), text
        assert re.search(r"\bd=angiang\.gov\.vn;", text)
        # Else somebody could put a second From in front of it.
        assert len(re.findall(r"\bfrom\b", re.search(r"h=([^;]*);", text)[1])) == 2  # type: ignore[index]
    return [re.search(r"\bs=([^;]*);", text)[1] for text in found]  # type: ignore[index]


def assert_signed(raw: bytes, pair: str = "mx1-") -> None:
    """By both keys of a pair, whose name begins so."""
    found = signatures(raw)
    assert len(found) == 2, found
    assert {each.rpartition("-")[2] for each in found} == {"rsa", "ed25519"}
    assert all(each.startswith(pair) for each in found), found


def raw_of(reader: Person, identity: str) -> bytes:
    return reader.raw_where("HEADER", "Message-ID", f'"{identity}"')


def send(sender: Person, to: str, rest: bytes = b"\r\nXin chao\r\n") -> str:
    """Byte for byte, after the headers that every message has; its Message-ID."""
    identity = make_msgid(domain="angiang.gov.vn")
    head = (
        f"From: {sender.address}\r\nTo: {to}\r\nDate: {formatdate()}\r\nMessage-ID: {identity}\r\n"
    )
    with sender.submission() as smtp:
        smtp.sendmail(sender.address, [to], head.encode() + rest)
    return identity


TEXT = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
BODIES = {
    "plain": "Subject: Thu\r\n\r\nXin chao\r\n",
    "headers that do not leave": "User-Agent: X\r\nX-Originating-IP: [10.1.1.1]\r\nX-Mailer: X\r\n"
    "Received: from may.noibo.test; Thu, 26 Nov 2026 08:00:00 +0700\r\n"
    "MIME-Version: 1.0 (Apple)\r\nSubject: Thu\r\n\r\nXin chao\r\n.\r\n..\r\n",
    "8 bits": f"{TEXT}Content-Transfer-Encoding: 8bit\r\nSubject: =?utf-8?q?Th=E1=BB=AD?=\r\n\r\n"
    "Xin chào  các bạn \r\n\r\n\r\n",
    "UTF-8 in a header": f"{TEXT}Content-Transfer-Encoding: 8bit\r\nSubject: Thử\r\n\r\nChào\r\n",
    "8 bits that nobody announced": "Subject: Thu\r\n\r\nXin chào\r\n",
    "long lines": "Subject: Thu\r\n\r\n" + "Kinh gui " * 500 + "\r\n",
    "long lines of 8 bits": f"{TEXT}Content-Transfer-Encoding: 8bit\r\n\r\n{'Kính gửi ' * 500}\r\n",
    "parts": "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nXin chào\r\n"
    f"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: a\r\n\r\n{'x' * 3000}\r\n--b--\r\n",
}


@pytest.mark.parametrize("body", BODIES)
def test_what_an_official_sends_verifies_at_the_receiver(
    official: Person, outsider: Person, body: str
) -> None:
    assert_signed(raw_of(outsider, send(official, outsider.address, BODIES[body].encode())))


def test_from_the_other_edge_and_the_other_port_as_well(
    official: Person, outsider: Person, province: Province
) -> None:
    message = official.write([outsider.address], "Thử", "Xin chào\n")
    with smtplib.SMTP(province.lab.host("mx2").ipv4, 587, timeout=60) as smtp:
        smtp.starttls(context=trusting())
        smtp.login(official.login, official.password)
        smtp.send_message(message)
    assert_signed(raw_of(outsider, str(message["Message-ID"])), "mx2-")


def test_a_vacation_reply_is_signed(official: Person, outsider: Person) -> None:
    handle = f':handle "{make_msgid()}" :subject "Vắng mặt"'
    script = f'require "vacation";\nvacation {handle} "Tôi đi công tác.";\n'
    with filtering(official, script):
        sent = outsider.send(outsider.write([official.address], "Thử", "x\n"))
        reply = outsider.raw_where("HEADER", "In-Reply-To", f'"{sent["Message-ID"]}"')
    assert_signed(reply, "mx")


def test_a_bounce_is_signed(official: Person) -> None:
    identity = send(official, NOBODY)
    assert_signed(official.raw_where("FROM", "MAILER-DAEMON", "TEXT", f'"{identity}"'))


def test_what_comes_from_outside_is_not(official: Person, outsider: Person) -> None:
    sent = outsider.send(outsider.write([official.address], "Thử", "x\n"))
    assert b"dkim-signature" not in raw_of(official, str(sent["Message-ID"])).lower()


@contextmanager
def _away(province: Province, path: str) -> Iterator[None]:
    province.lab.run("mx1", ["mv", path, f"{path}.away"])
    try:
        yield
    finally:
        province.lab.run("mx1", ["mv", f"{path}.away", path])


def _pair(province: Province) -> str:
    """The name of the pair that mx1 signs with."""
    state = province.lab.run("mx1", ["cat", f"{PLACE}/state.json"]).stdout
    return re.search(r'"signing": "([^"]*)"', state)[1]  # type: ignore[index]


@pytest.mark.parametrize("what", ["rsa.key", "ed25519.key", "state.json"])
def test_what_cannot_be_signed_waits(
    province: Province, official: Person, outsider: Person, what: str
) -> None:
    """And does not leave unsigned, or with half of it; mail from outside comes in."""
    path = f"{PLACE}/{what}" if what == "state.json" else f"{PLACE}/{_pair(province)}/{what}"
    with _away(province, path):
        with pytest.raises(smtplib.SMTPDataError) as refused:
            send(official, outsider.address)
        assert refused.value.smtp_code == 451
        assert refused.value.smtp_error.startswith(b"4.7.1 Chua ky duoc thu")
        outsider.send(message := outsider.write([official.address], "Thử", "x\n"))
        official.reads(message)
        if what == "rsa.key":
            status = province.danhba("status", "staging", check=False)
            assert "no key to sign with (DKIM)" in status.stdout
    assert_signed(raw_of(outsider, send(official, outsider.address)))


# Rotation


@pytest.fixture(scope="module")
def published(province: Province) -> Iterator[str]:
    """DNS as it was before a rotation; afterwards it has what edges then use."""
    yield dkim_keys.records(province.lab)
    dkim_keys.publish(province.lab, dkim_keys.records(province.lab))


def test_keys_change_and_no_mail_suffers(
    province: Province, official: Person, outsider: Person, published: str
) -> None:
    rotate = ("dkim", "rotate", "staging")
    # Young keys are not changed unless somebody says so: called twice it is done once.
    assert "made" not in province.danhba(*rotate, "--wait", "1").stderr
    old = _pair(province)
    before = raw_of(outsider, send(official, outsider.address))
    begun = province.danhba(*rotate, "--again", "--edge", "mx1", check=False)
    assert begun.returncode == 2
    new = re.search(r"^mx1: made (\S+)$", begun.stderr, re.MULTILINE)[1]  # type: ignore[index]
    assert f"mx1: publish the records of {new}" in begun.stderr
    # DNS lacks it, or has another key under its name: nothing is switched, no third one is made.
    wrong = re.sub(r"p=\S{40}", "p=" + "A" * 40, begun.stdout)
    for records in (published, published + wrong):
        dkim_keys.publish(province.lab, records)
        again = province.danhba(*rotate, check=False)
        assert again.returncode == 2 and "made" not in again.stderr
        assert f"publish the records of {new}" in again.stderr
        assert _pair(province) == old
    dkim_keys.publish(province.lab, published + begun.stdout)
    done = province.danhba(*rotate, "--edge", "mx1", "--wait", "1")
    assert f"mx1: signs with {new}" in done.stderr
    after = raw_of(outsider, send(official, outsider.address))
    assert_signed(after, new)
    # Old mail verifies, and the old records are still asked for; the old keys are no more needed.
    assert_signed(before, old)
    shown = province.danhba("dkim", "show", "staging").stdout
    assert f"{old}: not used since" in shown and f"{old}-rsa._domainkey" in shown


def test_nobody_but_rspamd_and_root_reads_keys(province: Province) -> None:
    found = province.lab.run("mx1", ["find", PLACE, "-name", "*.key", "-printf", "%u %m\\n"])
    assert set(found.stdout.split("\n")) - {""} == {"_rspamd 400"}


def test_dns_says_where_to_report_on_tls(province: Province) -> None:
    shown = province.danhba("dkim", "show", "staging", check=False).stdout
    record = _dns("_smtp._tls.angiang.gov.vn")
    assert record == b"v=TLSRPTv1; rua=mailto:postmaster@angiang.gov.vn"
    assert record.decode() in shown


def test_what_sieve_passes_on_is_sealed_and_not_signed(
    official: Person, colleague: Person, outsider: Person
) -> None:
    """ARC (RFC 8617): a redirect within the province passes an edge, with somebody else's From."""
    with filtering(official, f'redirect "{colleague.address}";\n'):
        sent = outsider.send(outsider.write([official.address], "Thử", "Xin chào\n"))
        raw = raw_of(colleague, str(sent["Message-ID"]))
    verdict, chain, why = dkim.arc_verify(raw, dnsfunc=_dns)
    assert verdict == b"pass", why
    assert [row["as-domain"] for row in chain] == [b"angiang.gov.vn"]
    assert b"dkim-signature" not in raw.lower()
    # What was found out when it came.
    read = parsed(raw)
    for name in ("Authentication-Results", "ARC-Authentication-Results"):
        assert "spf=pass" in " ".join(read.get_all(name))


def test_nobody_has_his_own_results_sealed(official: Person, outsider: Person) -> None:
    message = outsider.write([official.address], "Thử", "Xin chào\n")
    message["X-Sieve-Redirected-From"] = official.address
    message["Authentication-Results"] = "mx1.angiang.gov.vn; dmarc=pass"
    read = official.reads(outsider.send(message))
    assert "ARC-Seal" not in read
    assert "dmarc=pass" not in " ".join(read.get_all("Authentication-Results"))
