"""Mailboxes in use, and what stores have of them."""

from __future__ import annotations

import imaplib
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from people import OUTSIDE_CLIENT, Person
from province import Province, wait_for

from staging.config import OUTSIDE


def on(province: Province, store: str, address: str, mailbox: str = "*") -> Counter[str]:
    """How often a store's copy of a mailbox has each message, by its Message-ID."""
    argv = ["doveadm", "-f", "flow", "fetch", "-u", province.mail(address), "--", "hdr.message-id"]
    done = province.lab.run(store, [*argv, "mailbox", mailbox, "all"])
    return Counter(
        row.partition("hdr.message-id=")[2].strip() for row in done.stdout.splitlines() if row
    )


def send(edge: str, address: str, subject: str) -> str:
    """One message from outside to an edge; its Message-ID."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"lan@{OUTSIDE}", address, subject
    message["Message-ID"] = f"<{subject}.{time.time_ns()}@{OUTSIDE}>"
    message.set_content("Xin chào\n")
    with smtplib.SMTP(edge, 25, timeout=30, source_address=(OUTSIDE_CLIENT, 0)) as smtp:
        assert not smtp.send_message(message)
    return str(message["Message-ID"])


def number_of(imap: imaplib.IMAP4_SSL, identity: str) -> str:
    imap.noop()
    _, found = imap.uid("SEARCH", "HEADER", "Message-ID", f'"{identity}"')
    return found[0].decode().split()[-1] if found[0] else ""


def idle(province: Province) -> bool:
    agent = "[d]anhba.generations.host.main"
    return all(
        province.lab.run(host.name, ["pgrep", "-f", agent]).returncode == 1
        for host in province.environment.hosts
    )


PAUSE = 0.5
"""Seconds: of one source an edge takes ten connections a second, and three of these have one."""


@dataclass
class Life:
    """A mailbox in use: mail comes in, and somebody reads. sent: Message-IDs."""

    edge: str
    person: Person
    sent: list[str] = field(default_factory=list)
    reconnected: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def deliver(self) -> None:
        while not self.stopped.wait(PAUSE):
            self.sent.append(send(self.edge, self.person.address, "dang-chuyen"))

    def read(self) -> None:
        """As a program for mail does: it connects again when the server ends the session."""
        while not self.stopped.is_set():
            try:
                with self.person.inbox() as imap:
                    while not self.stopped.wait(0.1):
                        imap.noop()
                        imap.uid("SEARCH", "UNSEEN")
            except (OSError, imaplib.IMAP4.error):
                self.reconnected += 1


@contextmanager
def in_use(edge: str, person: Person) -> Iterator[Life]:
    life = Life(edge, person)
    threads = [threading.Thread(target=work) for work in (life.deliver, life.read)]
    for thread in threads:
        thread.start()
    try:
        yield life
    finally:
        life.stopped.set()
        for thread in threads:
            thread.join()


@contextmanager
def room(province: Province, account: str, size: str) -> Iterator[None]:
    """For a while a mailbox has so much of it: less than the directory can say, so its store is
    told."""
    asked = ["doveadm", "user", "-f", "quota_storage_size", province.mail(account)]
    was = province.lab.run(province.home(account), asked).stdout.strip()
    _turn(province, account, was, size)
    try:
        yield
    finally:
        _turn(province, account, size, was)


def _turn(province: Province, account: str, was: str, now: str) -> None:
    store = province.home(account)
    rows = f"/^{account}@|userdb_user={account}@/s/={was}( |$)/={now}\\1/"
    province.lab.run(store, ["sed", "-Ei", rows, "/etc/dovecot/accounts", "/etc/dovecot/names"])
    asked = ["doveadm", "user", "-f", "quota_storage_size", province.mail(account)]
    wait_for(lambda: province.lab.run(store, asked).stdout.strip() == now, f"{account}: {now}")
