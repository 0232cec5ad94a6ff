"""Malformed mail is delivered or refused by a proper code, and what is delivered can be read."""

from __future__ import annotations

import imaplib
import re
import secrets
import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from attackers import known, mail_flows
from folders import named
from malformed import MALFORMED
from people import OUTSIDE_CLIENT, Person, trusting
from province import Province, wait_for

from staging.config import OUTSIDE

FOLDERS = ('"INBOX"', named("Thư rác"))
READING = ("BODYSTRUCTURE", "ENVELOPE", "RFC822.SIZE", "BODY.PEEK[]", "BODY.PEEK[HEADER]",
           "BODY.PEEK[1]", "BODY.PEEK[1.MIME]")  # fmt: skip
DEEP = "554 5.7.1 Thu bi tu choi: tep dinh kem qua lon hoac qua nhieu lop nen"
REFUSED = {
    "nested 1,000 deep": DEEP,
    "nested 1,000 deep, open": DEEP,
    "forwarded 1,000 times": DEEP,
}
"""By what. All others are delivered, be it to Junk, or refused as spam."""


def _said(smtp: smtplib.SMTP, sender: str, to: str, raw: bytes) -> str:
    smtp.rset()
    assert smtp.mail(sender)[0] == smtp.rcpt(to)[0] == 250
    code, text = smtp.data(raw)
    return f"{code} {text.decode()}"


def _filled(what: str, sender: str, to: str) -> bytes:
    raw = MALFORMED[what]()
    for word, value in (("{from}", sender), ("{to}", to), ("{mark}", secrets.token_hex(8))):
        raw = raw.replace(word.encode(), value.encode())
    return raw


@pytest.fixture(scope="module")
def reader(recipients: list[Person]) -> Person:
    return recipients[44]


@pytest.fixture(scope="module")
def said(edge: str, reader: Person, recipients: list[Person], outsider: Person) -> dict[str, str]:
    """What the edge says to each, from outside; ordinary mail flows meanwhile."""
    known(edge, [OUTSIDE_CLIENT])
    began = time.monotonic()
    with (
        mail_flows(30, recipients[40:43], outsider),
        smtplib.SMTP(edge, 25, "may.ngoaitinh.test", 90, (OUTSIDE_CLIENT, 0)) as smtp,
    ):
        smtp.ehlo()
        sender = f"lan@{OUTSIDE}"
        found = {
            what: _said(smtp, sender, reader.address, _filled(what, sender, reader.address))
            for what in MALFORMED
        }
    print(f"{len(found)} malformed messages in {time.monotonic() - began:.1f} s")
    return found


@dataclass
class _Sessions:
    """One after another: a session that a message has stopped is nobody else's trouble."""

    reader: Person
    imap: imaplib.IMAP4_SSL | None = None

    @contextmanager
    def one(self) -> Iterator[imaplib.IMAP4_SSL]:
        if self.imap is None:
            context = trusting()
            self.imap = imaplib.IMAP4_SSL(self.reader.server, ssl_context=context, timeout=10)
            self.imap.login(self.reader.login, self.reader.password)
        try:
            yield self.imap
        except BaseException:
            self.imap.shutdown()
            self.imap = None
            raise


@pytest.fixture(scope="module")
def sessions(said: dict[str, str], reader: Person) -> _Sessions:
    return _Sessions(reader)


def _where(imap: imaplib.IMAP4_SSL, queue_id: str) -> str:
    """The folder, which is open then, and the UID in it: our own trace header has the queue id."""
    for folder in FOLDERS:
        imap.select(folder)
        uids = imap.uid("SEARCH", "HEADER", "Received", f'"{queue_id}"')[1][0].split()
        if uids:
            return str(uids[0].decode())
    return ""


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_mail_is_refused_or_can_be_read(
    what: str, said: dict[str, str], sessions: _Sessions
) -> None:
    if not said[what].startswith("250"):
        assert said[what].startswith(REFUSED.get(what, "554 5.7.1")), said[what]
        return
    assert what not in REFUSED
    with sessions.one() as imap:
        queue_id = said[what].rpartition(" ")[2]
        wait_for(lambda: bool(_where(imap, queue_id)), f"{what}: {queue_id} is delivered")
        _read(imap, _where(imap, queue_id))


def _read(imap: imaplib.IMAP4_SSL, uid: str) -> None:
    """As programs do that show a message, look for it, and put it in order."""
    for item in READING:
        status, found = imap.uid("FETCH", uid, f"({item})")
        assert status == "OK" and found[0], (item, found)
    for criteria in (("TEXT", "khong-co"), ("SUBJECT", "khong-co"), ("SENTSINCE", "1-Jan-2027")):
        assert imap.uid("SEARCH", "UID", uid, *criteria)[0] == "OK"
    assert imap.uid("SORT", "(SUBJECT FROM DATE)", "UTF-8", f"UID {uid}")[0] == "OK"
    assert imap.uid("THREAD", "REFERENCES", "UTF-8", f"UID {uid}")[0] == "OK"


def test_malformed_mail_is_submitted_or_refused_and_never_put_off(
    official: Person, colleague: Person, province: Province
) -> None:
    """The daemons that read what officials submit read it to its end, and live."""
    units = ["danhba-senders.service", "danhba-marks.service", "rspamd.service"]
    argv = ["systemctl", "show", "--property=MainPID", *units]
    before = province.lab.run("mx1", argv).stdout
    said = {}
    with official.submission() as smtp:
        smtp.ehlo()
        for what in MALFORMED:
            raw = _filled(what, official.address, colleague.address)
            said[what] = _said(smtp, official.address, colleague.address, raw)
    assert all(re.match(r"250|55[04] 5\.[67]", text) for text in said.values()), said
    assert province.lab.run("mx1", argv).stdout == before


def test_nothing_crashed(said: dict[str, str], province: Province) -> None:
    for host in ("mx1", "store1", "store2"):
        argv = [
            "journalctl",
            "--since",
            "-10min",
            "-o",
            "cat",
            "-g",
            "(?i)panic|killed with signal (?!9|15)|segfault",
        ]
        found = province.lab.run(host, argv).stdout
        assert "-- No entries --" in found or not found.strip(), found
