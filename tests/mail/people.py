"""People who write and read mail, inside the province and outside, through their servers."""

from __future__ import annotations

import imaplib
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import formatdate, make_msgid

import pytest
from doors import DOORS, IMAPS, SUBMISSIONS, Door, Line, Refused, enter, upload_sieve
from province import Province

from staging.config import CA_FILE, OUTSIDE

ARRIVES = 60.0
"""Seconds within which mail must arrive; usually it is one."""

OUTSIDE_CLIENT = "198.19.0.1"
"""This machine's address on the "Internet": an outside mail server as the edge sees it."""
GUESSER = "198.19.0.1"
"""Where wrong passwords come from: it may get locked out, and nobody works there."""


def trusting(
    highest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
) -> ssl.SSLContext:
    """Trust in the lab's authority and in nothing else; certificates are checked by name."""
    context = ssl.create_default_context(cafile=CA_FILE)
    context.maximum_version = highest
    if highest == ssl.TLSVersion.TLSv1_1:
        context.minimum_version = highest
        context.set_ciphers("ALL:@SECLEVEL=0")  # else our own OpenSSL would be who refuses
    return context


@dataclass(frozen=True)
class Person:
    """Somebody with a mailbox: his address and name, his server, how he logs in there.

    secret: tells the password of now, which another test may have had him change.
    """

    address: str
    name: str
    server: str
    login: str
    secret: Callable[[], str]

    @property
    def password(self) -> str:
        return self.secret()

    @property
    def local(self) -> str:
        """The local part of his address."""
        return self.address.partition("@")[0]

    def as_keeper_of(self, agency: str) -> Person:
        """Him at an agency's mailbox, by its address (Điều 9.2.c)."""
        return replace(self, login=f"{agency}*{self.address}")

    def write(
        self, to: Sequence[str], subject: str, body: str, sender: str = "", attached: bytes = b""
    ) -> EmailMessage:
        """Compose a message; every one has an identifier of its own."""
        message = EmailMessage(policy=SMTP)  # smtplib turns to UTF-8 where an address needs it
        message["From"] = f"{self.name} <{sender or self.address}>"
        message["To"] = ", ".join(to)
        message["Subject"] = subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain="may.test")
        message.set_content(body)
        if attached:
            message.add_attachment(
                attached, maintype="application", subtype="zip", filename="báo cáo.zip"
            )
        return message

    @contextmanager
    def submission(self) -> Iterator[smtplib.SMTP]:
        """His server's port 465, logged in."""
        with smtplib.SMTP_SSL(self.server, 465, timeout=60, context=trusting()) as smtp:
            smtp.login(self.login, self.password)
            yield smtp

    def send(self, message: EmailMessage) -> EmailMessage:
        with self.submission() as smtp:
            refused = smtp.send_message(message)
        assert not refused
        return message

    @contextmanager
    def inbox(self, login: str = "") -> Iterator[imaplib.IMAP4_SSL]:
        """His inbox over IMAPS. login: another way to name himself."""
        with imaplib.IMAP4_SSL(self.server, ssl_context=trusting(), timeout=30) as imap:
            imap.login(login or self.login, self.password)
            imap.select("INBOX")
            yield imap

    def reads(self, message: EmailMessage, login: str = "") -> EmailMessage:
        """Wait for a message to arrive, and read it."""
        return self.reads_where("HEADER", "Message-ID", f'"{message["Message-ID"]}"', login=login)

    def reads_where(self, *criteria: str, login: str = "", folder: str = "INBOX") -> EmailMessage:
        """Wait for a message that an IMAP search finds, and read it."""
        return parsed(self.raw_where(*criteria, login=login, folder=folder))

    def raw_where(self, *criteria: str, login: str = "", folder: str = "INBOX") -> bytes:
        """As reads_where, every byte of it: all on one connection."""
        with self.inbox(login) as imap:
            imap.select(folder)

            def look() -> bytes | None:
                imap.noop()
                _, found = imap.uid("SEARCH", *criteria)
                if not found[0]:
                    return None
                _, parts = imap.uid("FETCH", found[0].split()[0].decode(), "(BODY.PEEK[])")
                raw: bytes = parts[0][1]
                return raw

            return wait_for(look, f"{criteria} for {self.address}")

    def has_none(self, message: EmailMessage) -> bool:
        """Whether a message is not in the inbox now."""
        with self.inbox() as imap:
            _, found = imap.uid("SEARCH", "HEADER", "Message-ID", f'"{message["Message-ID"]}"')
            return not found[0]


def official(province: Province, server: str, account: str, name: str = "Nguyễn Thử") -> Person:
    """An official by the local part of his address, with whatever password is his."""
    address = province.mail(account)
    return Person(address, name, server, address, lambda: province.password(account))


def gets_in(person: Person) -> None:
    for door in DOORS:
        enter(door, person.server, person.login, person.password, trusting())


def stays_out(person: Person, doors: Sequence[Door] = (SUBMISSIONS, IMAPS)) -> None:
    """Two doors: every refusal takes two seconds."""
    for door in doors:
        with pytest.raises(Refused):
            enter(door, person.server, person.login, person.password, trusting(), GUESSER)


@contextmanager
def filtering(person: Person, script: str) -> Iterator[None]:
    """His own filter, for a while."""
    mine = (person.server, person.login, person.password, trusting())
    upload_sieve(*mine, script)
    try:
        yield
    finally:
        upload_sieve(*mine, "")


@contextmanager
def session(person: Person, door: Door = IMAPS) -> Iterator[Line]:
    """One that the server may end: nobody says good-bye."""
    with Line(door, person.server, trusting()) as line:
        line.start_tls()
        line.log_in(person.login, person.password)
        yield line


def smtp_servers_are_fresh(province: Province) -> None:
    """A server in its first session: master takes its end for a bad command."""
    province.lab.run("mx1", ["systemctl", "reload", "postfix.service"])


def rcpt(edge: str, *to: str, size: int = 1000) -> list[tuple[int, str]]:
    """What an outside server is told of each recipient."""
    with smtplib.SMTP(edge, 25, timeout=30, source_address=(OUTSIDE_CLIENT, 0)) as smtp:
        smtp.ehlo("may.test")
        smtp.mail(f"lan@{OUTSIDE}", [f"size={size}"])
        return [(code, text.decode()) for code, text in map(smtp.rcpt, to)]


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=SMTPUTF8)
    assert isinstance(message, EmailMessage)
    return message


def wait_for(look: Callable[[], bytes | None], what: str, limit: float = ARRIVES) -> bytes:
    """Look again and again until there is something; fail when the time is up."""
    end = time.monotonic() + limit
    while (found := look()) is None:
        assert time.monotonic() < end, f"{what}: nothing after {limit:.0f} s"
        time.sleep(0.1)
    return found


def assert_same(read: EmailMessage, sent: EmailMessage) -> None:
    """What was read is what was written: the headers as people see them, and every part."""
    for header in ("From", "To", "Subject", "Date", "Message-ID"):
        # Python folds a long UTF-8 header right after its name, and keeps that space on reading
        got, wanted = str(read[header]).strip(), str(sent[header])
        assert got == wanted, f"{header}: {got!r}, not {wanted!r}"
    assert not read.defects, read.defects
    assert parts(read) == parts(sent), f"{parts(read)!r:.2000}, not {parts(sent)!r:.2000}"


def parts(message: EmailMessage) -> list[tuple[str, str | None, bytes]]:
    """Type, file name and decoded content of every part that has any; text with one line end."""
    return [
        (part.get_content_type(), part.get_filename(), _content(part))
        for part in message.walk()
        if not part.is_multipart()
    ]


def _content(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    is_text = part.get_content_maintype() == "text"
    return content.replace(b"\r\n", b"\n") if is_text else content
