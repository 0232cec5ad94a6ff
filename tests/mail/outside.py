"""Mail as servers outside make it: signed (DKIM), sealed by a list (ARC), sent from here."""

from __future__ import annotations

import secrets
import smtplib
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

import dkim
from clients import client
from people import OUTSIDE_CLIENT

from staging.outsiders import SELECTOR, key

_SIGNED = [b"from", b"to", b"subject", b"date", b"message-id"]


def identity() -> str:
    return f"<{secrets.token_hex(8)}@may.test>"


def written(author: str, message_id: str, text: str = "Kính gửi anh chị\n") -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = author, "official@may.test"
    message["Subject"], message["Date"] = "Gửi anh chị", formatdate()
    message["Message-ID"] = message_id
    message.set_content(text, cte="base64")
    return message.as_bytes()


def signed(raw: bytes, domain: str) -> bytes:
    """With a DKIM signature of the domain (RFC 6376)."""
    pem = key(domain).read_bytes()
    header: bytes = dkim.sign(raw, SELECTOR.encode(), domain.encode(), pem, include_headers=_SIGNED)
    return header + raw


def sealed(raw: bytes, domain: str, results: str) -> bytes:
    """As a mailing list of the domain hands it on (RFC 8617). results: what it has seen."""
    pem, name = key(domain).read_bytes(), domain.encode()
    seen = f"Authentication-Results: {domain}; {results}\r\n".encode() + raw
    added = dkim.arc_sign(seen, SELECTOR.encode(), name, pem, name, include_headers=_SIGNED)
    return b"".join(header for header in added) + seen


def said(
    edge: str, sender: str, to: str, raw: bytes, source: str = OUTSIDE_CLIENT
) -> tuple[int, str]:
    """The server's last word: to the sender's or the recipient's address or to the message."""
    with client(edge, source) as smtp:
        return _last(smtp, sender, to, raw)


def _last(smtp: smtplib.SMTP, sender: str, to: str, raw: bytes) -> tuple[int, str]:
    for code, text in (smtp.mail(sender), smtp.rcpt(to)):
        if code >= 400:
            return code, text.decode()
    code, text = smtp.data(raw)
    return code, text.decode()
