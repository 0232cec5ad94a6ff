"""What an edge asks about mail, each killed and hung: what becomes of mail (docs/edge.md)."""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from attackers import known
from doors import SUBMISSIONS, Refused, enter
from people import OUTSIDE_CLIENT, Person, trusting
from province import Province, wait_for

from staging.config import OUTSIDE

ASKED = (
    "rspamd.service", "clamav-daemon.service", "valkey-server.service", "danhba-senders.service",
    "danhba-marks.service",
)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def client_is_known(edge: str) -> None:
    known(edge, [OUTSIDE_CLIENT])


def _outside(edge: str, official: Person) -> str:
    """The server's last word to a message from outside."""
    message = official.write([official.address], "Thử", "Chào anh\n", f"lan@{OUTSIDE}")
    with smtplib.SMTP(edge, 25, "may.ngoaitinh.test", 60, (OUTSIDE_CLIENT, 0)) as smtp:
        smtp.ehlo()
        for code, text in (smtp.mail(f"lan@{OUTSIDE}"), smtp.rcpt(official.address)):
            if code >= 400:
                return f"{code} {text.decode()}"
        code, text = smtp.data(message.as_bytes())
        return f"{code} {text.decode()}"


def _inside(official: Person, colleague: Person) -> str:
    try:
        official.send(official.write([colleague.address], "Thử", "Chào anh\n"))
    except smtplib.SMTPResponseException as told:
        return f"{told.smtp_code} {told.smtp_error!r}"
    return "250"


def _timed(send: Callable[[], str]) -> tuple[str, float]:
    began = time.monotonic()
    try:
        said = send()
    except (smtplib.SMTPServerDisconnected, ssl.SSLError, OSError) as error:
        said = f"hung up: {error}"
    return said, time.monotonic() - began


def _both(edge: str, official: Person, colleague: Person) -> list[tuple[str, float]]:
    ways = (lambda: _outside(edge, official), lambda: _inside(official, colleague))
    with ThreadPoolExecutor() as pool:
        return list(pool.map(_timed, ways))


@pytest.mark.parametrize("unit", ASKED)
def test_who_was_killed_is_back_and_mail_was_put_off_at_most(
    unit: str, province: Province, edge: str, official: Person, colleague: Person
) -> None:
    province.lab.run("mx1", ["systemctl", "kill", "-s", "KILL", unit])
    began, answers = time.monotonic(), set()

    def accepted() -> bool:
        said = [said[:3] for said, _ in _both(edge, official, colleague)]
        answers.update(said)
        return said == ["250", "250"]

    wait_for(accepted, f"mail is accepted without {unit}", 60)
    print(f"{unit} killed: {time.monotonic() - began:.1f} s until all is accepted, {answers}")
    assert answers <= {"250", "451", "454"}


# Passwords


def _auth(province: Province, signal: str) -> None:
    """To the process of the edge's Dovecot that checks passwords for sending."""
    province.lab.run("mx1", ["sh", "-c", f"kill -{signal} $(pgrep -x auth)"])


def test_when_passwords_cannot_be_checked_nobody_is_told_that_his_is_wrong(
    province: Province, edge: str, official: Person, colleague: Person
) -> None:
    _auth(province, "STOP")
    began = time.monotonic()
    try:
        assert _outside(edge, official).startswith("250")
        took = time.monotonic() - began
        with pytest.raises(Refused) as told:
            enter(SUBMISSIONS, edge, official.login, official.password, trusting())
    finally:
        _auth(province, "CONT")
    waited = time.monotonic() - began
    print(f"auth hung: 250 after {took:.1f} s; submitted {told.value} after {waited:.1f} s")
    assert took < 5 and str(told.value).startswith("454") and waited < 20, told.value
    wait_for(lambda: _inside(official, colleague) == "250", "passwords are checked again")


def test_who_checks_passwords_is_back_at_once(
    province: Province, edge: str, official: Person, colleague: Person
) -> None:
    _auth(province, "KILL")
    began = time.monotonic()
    wait_for(lambda: _timed(lambda: _inside(official, colleague))[0] == "250", "he is logged in")
    print(f"auth killed: {time.monotonic() - began:.1f} s")
    assert _outside(edge, official).startswith("250")


# The resolver


@contextmanager
def _no_answers(province: Province, before: str, after: str) -> Iterator[None]:
    province.lab.run("mx1", ["systemctl", *before.split(), "unbound"])
    try:
        yield
    finally:
        province.lab.run("mx1", ["systemctl", *after.split(), "unbound"])


@pytest.mark.parametrize(
    ("before", "after", "limit"), [("stop", "start", 10), ("kill -s STOP", "kill -s CONT", 50)]
)
def test_without_dns_strangers_come_again_and_officials_write_to_each_other(
    before: str, after: str, limit: float,
    province: Province, edge: str, official: Person, colleague: Person,
) -> None:  # fmt: skip
    with _no_answers(province, before, after):
        (outside, took), (inside, waited) = _both(edge, official, colleague)
    print(f"DNS {before}: {outside} after {took:.1f} s; submitted {inside} after {waited:.1f} s")
    assert outside.startswith("450 4.7.1") and took < limit, outside
    assert inside == "250" and waited < 5
    wait_for(lambda: _outside(edge, official).startswith("250"), "mail comes in again")
