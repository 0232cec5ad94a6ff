"""Whom somebody's filter answers, how often, and until when (docs/incidents.md)."""

from __future__ import annotations

import secrets
import smtplib
from collections.abc import Iterator
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid

import pytest
from greylist import later
from outside import signed
from people import OUTSIDE_CLIENT, Person, filtering
from people import official as somebody
from province import Province, wait_for

from staging.config import OUTSIDE
from staging.outsiders import WATCHING

LAN = f"dmarc@{WATCHING}"
"""Whose domain says that no server sends for it (SPF), and has a key (DKIM)."""
PROVEN = "X-Auto-Response-Suppress"


@pytest.fixture(scope="module")
def away(province: Province, edge: str) -> Iterator[Person]:
    """Nobody has written to him."""
    name = province.stranger()
    province.choose_passwords([name])
    yield somebody(province, edge, name)
    province.danhba("incident", "release", "staging", name, check=False)


def _vacation() -> str:
    """Whoever was answered before is answered again."""
    return f'require "vacation"; vacation :handle "{secrets.token_hex(6)}" "Tôi nghỉ phép.";'


def _written(sender: str, to: Person, message_id: str) -> bytes:
    """A vacation answers nothing that is not for its owner (RFC 5230 4.5)."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Message-ID"] = sender, to.address, message_id
    message["Subject"], message["Date"] = "Hỏi", formatdate()
    message.set_content("Kính gửi anh chị\n", cte="base64")
    return message.as_bytes()


def _comes(person: Person, *messages: tuple[str, bytes]) -> None:
    """Sender and message, from a machine that may send for the outside domain."""
    source = (OUTSIDE_CLIENT, 0)
    with smtplib.SMTP(person.server, 25, timeout=60, source_address=source) as smtp:
        for sender, raw in messages:
            smtp.sendmail(sender, [person.address], raw)


def _said(province: Province, person: Person, what: str) -> int:
    """How often the store has refused an answer of his filter for that."""
    look = f"journalctl -u danhba-filters -q -o cat | grep -c 'refused: {what}' || true"
    return int(province.lab.run(province.home(person.local), ["sh", "-c", look]).stdout)


@pytest.mark.parametrize("does", ["vacation", "reject"])
def test_who_is_not_proven_is_not_answered(
    away: Person, outsider: Person, province: Province, does: str
) -> None:
    script = _vacation() if does == "vacation" else 'require "reject"; reject "Không nhận";'
    forged, proven = make_msgid(domain=WATCHING), make_msgid(domain=WATCHING)
    before = _said(province, away, "its sender")
    with filtering(away, script):
        with suppress(smtplib.SMTPDataError):  # a stranger's has to come again
            _comes(away, (LAN, _written(LAN, away, make_msgid())))
        later(province, "mx1")
        _comes(away, (LAN, _written(LAN, away, forged)))
        read = away.reads_where("HEADER", "Message-ID", f'"{forged}"')
        assert read[PROVEN] == "OOF, AutoReply"
        _comes(away, (LAN, signed(_written(LAN, away, proven), WATCHING)))
        field = "In-Reply-To" if does == "vacation" else "TEXT"
        criteria = (
            ("HEADER", field, f'"{proven}"') if does == "vacation" else (field, f'"{proven}"')
        )
        outsider.reads_where(*criteria)
    if does == "vacation":
        assert away.reads_where("HEADER", "Message-ID", f'"{proven}"')[PROVEN] is None
    else:
        assert _said(province, away, "its sender") > before
    with outsider.inbox() as box:
        assert box.search(None, "TEXT", f'"{forged}"')[1] == [b""]


def test_more_answers_than_the_limit_are_none(away: Person, province: Province) -> None:
    limit = province.compiled.sending.answers
    before = _said(province, away, "later")
    with filtering(away, _vacation()):
        for first in range(0, limit + 5, 11):
            _comes(away, *(
                (f"vang{number}@{OUTSIDE}", _written(f"vang{number}@{OUTSIDE}", away, make_msgid()))
                for number in range(first, first + 11)
            ))  # fmt: skip
        # Whoever was answered before is of this hour as well.
        wait_for(lambda: _said(province, away, "later") >= before + 5, "some are not answered")
    assert not province.danhba("incident", "list", "staging").stdout


def test_who_is_suspended_answers_nobody_from_then_on(
    away: Person, colleague: Person, province: Province
) -> None:
    sent = colleague.write([away.address], "Hỏi", "x\n")
    domain = province.compiled.domain
    with filtering(away, _vacation()):
        unknown = [
            f"khongcoai{n}@{domain}" for n in range(province.compiled.sending.incident_unknown)
        ]
        for first in range(0, len(unknown), 10):  # Postfix lets nobody try twenty
            with away.submission() as smtp:
                smtp.mail(away.address)
                for address in unknown[first : first + 10]:
                    smtp.rcpt(address)
        wait_for(lambda: bool(province.danhba("incident", "list", "staging").stdout), "suspended")
        before = _said(province, away, "suspended")
        colleague.send(sent)
        raw = _written(f"lan@{OUTSIDE}", away, make_msgid())
        _comes(away, (f"lan@{OUTSIDE}", raw))
        wait_for(lambda: _said(province, away, "suspended") == before + 2, "nobody is answered")
        province.danhba("incident", "release", "staging", away.local)
        away.reads(sent)
