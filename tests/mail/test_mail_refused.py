"""What the servers refuse, with the reply code that whoever asked sees."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from doors import DOORS, IMAP, IN_CLEAR, POP3, SIEVE, SUBMISSION, Door, Line, Refused
from people import OUTSIDE_CLIENT, Person, trusting
from province import Province

from staging.config import OUTSIDE


@pytest.fixture
def mx(edge: str, province: Province) -> Iterator[smtplib.SMTP]:
    """Port 25 of the edge as an outside server sees it, after STARTTLS."""
    with smtplib.SMTP(edge, 25, timeout=30, source_address=(OUTSIDE_CLIENT, 0)) as smtp:
        smtp.starttls(context=trusting())
        smtp.ehlo("may.test")
        yield smtp


def _reply(answer: tuple[int, bytes]) -> tuple[int, str]:
    """Reply code and enhanced code."""
    return answer[0], answer[1].decode().split()[0]


def test_an_unknown_recipient_is_refused_at_rcpt(mx: smtplib.SMTP, province: Province) -> None:
    mx.mail(f"lan@{OUTSIDE}")
    assert _reply(mx.rcpt(province.mail("khong.co.ai"))) == (550, "5.1.1")
    assert mx.rcpt(province.mail(province.compiled.mailboxes[0].address))[0] == 250


def test_the_outside_sender_of_such_mail_reads_why(outsider: Person, province: Province) -> None:
    unknown = province.mail("khong.co.ai")
    sent = outsider.send(outsider.write([unknown], "Hello", "How are you?\n"))
    bounce = outsider.reads_where("FROM", "MAILER-DAEMON", "TEXT", f'"{sent["Message-ID"]}"')
    assert bounce["Return-Path"] == "<>"
    status = next(
        part for part in bounce.walk() if part.get_content_type() == "message/delivery-status"
    )
    about_recipient = status.get_payload()[-1]
    assert about_recipient["Final-Recipient"] == f"rfc822; {unknown}"
    assert about_recipient["Status"] == "5.1.1"
    assert about_recipient["Diagnostic-Code"].startswith("smtp; 550 5.1.1")


@pytest.mark.parametrize("sender", ["outside", "official", "nobody"])
def test_relaying_without_authentication_is_refused(
    sender: str, mx: smtplib.SMTP, official: Person
) -> None:
    mx.mail({"outside": f"lan@{OUTSIDE}", "official": official.address, "nobody": ""}[sender])
    assert _reply(mx.rcpt("somebody@elsewhere.test")) == (554, "5.7.1")
    assert _reply(mx.rcpt(f"lan@{OUTSIDE}")) == (554, "5.7.1")


@pytest.mark.parametrize("port", [465, 587])
def test_submission_without_authentication_is_refused(
    port: int, edge: str, official: Person, colleague: Person
) -> None:
    with _submission(edge, port) as smtp:
        smtp.mail(official.address)
        assert _reply(smtp.rcpt(colleague.address)) == (554, "5.7.1")
        assert _reply(smtp.rcpt(f"lan@{OUTSIDE}")) == (554, "5.7.1")


@pytest.mark.parametrize("port", [465, 587])
@pytest.mark.parametrize("sender", ["colleague", "agency", "unknown", "outside"])
def test_a_sender_address_not_the_users_own_is_refused(
    port: int, sender: str, edge: str, official: Person, colleague: Person, agency: str,
    province: Province,
) -> None:  # fmt: skip
    senders = {
        "colleague": colleague.address,
        "agency": agency,
        "unknown": province.mail("khong.co.ai"),
        "outside": f"lan@{OUTSIDE}",
    }
    with _submission(edge, port) as smtp:
        smtp.login(official.login, official.password)
        smtp.mail(senders[sender])
        assert _reply(smtp.rcpt(colleague.address)) == (553, "5.7.1")
        smtp.rset()
        smtp.mail(official.address)
        assert smtp.rcpt(colleague.address)[0] == 250


def test_a_keeper_may_send_as_his_agency(
    edge: str, keeper: Person, agency: str, outsider: Person
) -> None:
    with _submission(edge, 587) as smtp:
        smtp.login(keeper.address, keeper.password)
        smtp.mail(agency)
        assert smtp.rcpt(outsider.address)[0] == 250


@pytest.mark.parametrize("door", IN_CLEAR, ids=str)
def test_no_login_is_offered_nor_taken_without_tls(door: Door, official: Person) -> None:
    with Line(door, official.server, trusting()) as line:
        offered = line.capabilities()
        with pytest.raises(Refused) as refused:
            line.log_in(official.login, official.password)
    said = str(refused.value)
    if door == SUBMISSION:
        assert "STARTTLS" in offered and "AUTH" not in offered
        assert said.startswith("530 5.7.0")
    elif door == IMAP:
        assert "STARTTLS" in offered and "LOGINDISABLED" in offered and "AUTH=" not in offered
        assert said.startswith("a NO [PRIVACYREQUIRED]") or "PRIVACYREQUIRED" in said
    elif door == POP3:
        lines = offered.splitlines()
        assert "STLS" in lines and "USER" not in lines and "SASL" in lines  # of no mechanism
        assert said.startswith("-ERR")
    else:
        assert door == SIEVE
        assert '"STARTTLS"' in offered and '"SASL" ""' in offered
        assert said.startswith("NO")


def test_port_25_takes_no_authentication(mx: smtplib.SMTP, official: Person) -> None:
    assert not mx.has_extn("auth")
    assert mx.docmd("AUTH", "PLAIN")[0] == 503
    mx.mail(official.address)
    assert _reply(mx.rcpt(f"lan@{OUTSIDE}")) == (554, "5.7.1")


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_tls_1_1_is_refused_and_1_2_is_not(door: Door, edge: str, province: Province) -> None:
    with Line(door, edge, trusting(ssl.TLSVersion.TLSv1_2)) as line:
        line.start_tls()
        assert isinstance(line.sock, ssl.SSLSocket)
        assert line.sock.version() == "TLSv1.2"
    with (
        pytest.raises(ssl.SSLError, match="TLSV1_ALERT_PROTOCOL_VERSION"),
        Line(door, edge, trusting(ssl.TLSVersion.TLSv1_1)) as line,
    ):
        line.start_tls()


def test_tls_1_1_is_refused_to_outside_servers(edge: str, province: Province) -> None:
    with (
        smtplib.SMTP(edge, 25, timeout=30, source_address=(OUTSIDE_CLIENT, 0)) as smtp,
        pytest.raises(ssl.SSLError, match="TLSV1_ALERT_PROTOCOL_VERSION"),
    ):
        smtp.starttls(context=trusting(ssl.TLSVersion.TLSv1_1))


def test_vrfy_and_expn_tell_nobody_who_exists(mx: smtplib.SMTP, official: Person) -> None:
    answers = {mx.verify(address) for address in (official.address, "khong.co.ai")}
    assert len(answers) == 1
    assert _reply(answers.pop()) == (502, "5.5.1")
    assert mx.docmd("EXPN", official.address)[0] == 500


@contextmanager
def _submission(edge: str, port: int) -> Iterator[smtplib.SMTP]:
    if port == 465:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(edge, port, timeout=30, context=trusting())
    else:
        smtp = smtplib.SMTP(edge, port, timeout=30)
        smtp.starttls(context=trusting())
    with smtp:
        smtp.ehlo("may.test")
        yield smtp
