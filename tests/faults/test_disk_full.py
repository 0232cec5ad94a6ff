"""No room on a store's disk: mail waits on the edge and arrives when there is room, once."""

from __future__ import annotations

import secrets
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from province import Province, wait_for

NAME, OTHER = "dia.day", "dia.con"
BOX = f"/srv/mail/{NAME}"


@pytest.fixture
def full(province: Province) -> Iterator[None]:
    """The mailbox is on a disk of its own, and that is full: other mailboxes go on."""
    province.add_officials(NAME, OTHER)
    province.apply()
    script = (
        f"mkdir -p {BOX} && mount -t tmpfs -o size=256k,mode=700,uid=vmail,gid=vmail full {BOX}"
        f" && dd if=/dev/zero of={BOX}/ballast bs=1k 2>/dev/null; chown vmail:vmail {BOX}/ballast"
    )
    province.lab.run(province.home(NAME), ["sh", "-c", script])
    yield
    province.lab.run(province.home(NAME), ["umount", "-l", BOX])


def test_mail_is_neither_lost_nor_returned(province: Province, full: None) -> None:
    identity = hand_in(province, NAME)
    wait_for(lambda: "deferred" in log(province, identity), "the delivery is put off")
    assert "status=bounced" not in log(province, identity)
    assert not province.has(NAME, identity)
    province.deliver(OTHER)
    province.lab.run(province.home(NAME), ["mount", "-o", "remount,size=64m", BOX])
    for host in (province.home(NAME), "mx1"):
        province.lab.run(host, ["postqueue", "-f"])
    wait_for(lambda: province.has(NAME, identity), "the mail arrives", limit=60)
    query = ["mailbox", "*", "header", "message-id", identity]
    found = province.lab.run(
        province.home(NAME), ["doveadm", "search", "-u", province.mail(NAME), *query]
    )
    assert len(found.stdout.splitlines()) == 1


def hand_in(province: Province, address: str) -> str:
    """A message that the edge has taken; its Message-ID."""
    message = EmailMessage()
    message["From"], message["To"] = "lan@ngoaitinh.test", province.mail(address)
    message["Message-ID"] = f"<{secrets.token_hex(8)}@ngoaitinh.test>"
    message.set_content(secrets.token_hex(200_000))
    with smtplib.SMTP("198.18.0.11", 25, timeout=30) as smtp:
        smtp.send_message(message)
    return str(message["Message-ID"])


def log(province: Province, identity: str) -> str:
    """What the hosts' Postfix says of a message: by its queue number on each."""
    words = ""
    for host in ("mx1", province.home(NAME)):
        script = (
            f"id=$(journalctl -t postfix/cleanup -o cat -g '{identity}' | tail -1 | cut -d: -f1);"
            ' [ -z "$id" ] || journalctl -o cat -g "$id"'
        )
        words += province.lab.run(host, ["sh", "-c", script]).stdout
    return words
