"""Ways in that take a password, spoken line by line: SMTP, IMAP, POP3, ManageSieve.

smtplib and imaplib hide what a server refuses, cannot all be told an address to connect from, and
do not know ManageSieve. Standard library only: a test also runs this file on a host of the lab.
"""

from __future__ import annotations

import base64
import socket
import ssl
from dataclasses import dataclass
from typing import Literal

TIMEOUT = 40
"""Seconds to wait for an answer; a refusal takes two on a machine with nothing else to do."""


@dataclass(frozen=True)
class Door:
    """A port, what is spoken there, and whether TLS starts with the first byte."""

    port: int
    protocol: Literal["smtp", "imap", "pop3", "sieve"]
    implicit_tls: bool = False

    def __str__(self) -> str:
        return f"{self.protocol}-{self.port}"


SUBMISSIONS = Door(465, "smtp", implicit_tls=True)
SUBMISSION = Door(587, "smtp")
IMAPS = Door(993, "imap", implicit_tls=True)
IMAP = Door(143, "imap")
POP3S = Door(995, "pop3", implicit_tls=True)
POP3 = Door(110, "pop3")
SIEVE = Door(4190, "sieve")
DOORS = (SUBMISSIONS, SUBMISSION, IMAPS, IMAP, POP3S, POP3, SIEVE)
IN_CLEAR = tuple(door for door in DOORS if not door.implicit_tls)

_GREETING_ENDS = {"smtp": "220 ", "imap": "* OK", "pop3": "+OK", "sieve": "OK"}


class Refused(Exception):
    """The server said no; the message is what it said."""


class Line:
    """A connection to a door. `greeting` is all the server said first."""

    def __init__(
        self,
        door: Door,
        host: str,
        context: ssl.SSLContext,
        source: str = "",
        name: str = "",
    ) -> None:
        """source: address of this machine to connect from. name: what the certificate is for."""
        self.door, self._context, self._name = door, context, name or host
        self.sock: socket.socket = socket.create_connection(
            (host, door.port), TIMEOUT, (source, 0) if source else None
        )
        if door.implicit_tls:
            self.sock = context.wrap_socket(self.sock, server_hostname=self._name)
        self._file = self.sock.makefile("rb")
        self.greeting = self._until(_GREETING_ENDS[door.protocol])

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self.sock.close()

    def ask(self, command: str) -> str:
        """Send a command and return the whole answer. Raises Refused."""
        tag = "a " if self.door.protocol == "imap" else ""
        self.sock.sendall(f"{tag}{command}\r\n".encode())
        return self.answer()

    def answer(self) -> str:
        """The whole answer to what was sent, under the tag "a" over IMAP. Raises Refused."""
        ends = {"smtp": ("2", "3", "4", "5"), "imap": ("a ",), "pop3": ("+", "-")}
        return self._until(*ends.get(self.door.protocol, ("OK", "NO", "BYE")))

    def capabilities(self) -> str:
        """What the server offers now, in capitals."""
        asks = {"smtp": "EHLO may.test", "imap": "CAPABILITY", "pop3": "CAPA", "sieve": ""}
        if self.door.protocol == "sieve":
            return self.greeting.upper()
        said = self.ask(asks[self.door.protocol])
        if self.door.protocol == "pop3":
            said += self._until(".")
        return said.upper()

    def start_tls(self) -> None:
        if self.door.implicit_tls:
            return
        if self.door.protocol == "smtp":
            self.ask("EHLO may.test")
        self.ask("STLS" if self.door.protocol == "pop3" else "STARTTLS")
        self._file.close()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._name)
        self._file = self.sock.makefile("rb")
        if self.door.protocol == "sieve":
            self.greeting = self._until("OK")

    def log_in(self, login: str, password: str) -> str:
        """Authenticate, with TLS or without. Raises Refused."""
        plain = base64.b64encode(f"\0{login}\0{password}".encode()).decode()
        match self.door.protocol:
            case "smtp":
                self.ask("EHLO may.test")
                return self.ask(f"AUTH PLAIN {plain}")
            case "imap":
                return self.ask(f"LOGIN {_quoted(login)} {_quoted(password)}")
            case "pop3":
                self.ask(f"USER {login}")
                return self.ask(f"PASS {password}")
            case "sieve":
                return self.ask(f'AUTHENTICATE "PLAIN" "{plain}"')

    def has_ended(self) -> bool:
        """Whether the server has ended the session."""
        try:
            self.ask("NOOP")
        except TimeoutError:  # it hangs
            return False
        except (OSError, Refused):
            return True
        return False

    def _until(self, *ends: str) -> str:
        """Lines up to one that starts with one of `ends`; of SMTP's, the one without a dash."""
        said = ""
        while True:
            line = self._file.readline().decode()
            said += line
            if not line:
                raise Refused(f"connection closed after: {said}")
            if line.startswith(ends) and not (self.door.protocol == "smtp" and line[3] == "-"):
                break
        word = line.removeprefix("a ").split()[0]
        if word in ("NO", "BAD", "BYE", "-ERR") or (word.isdigit() and word >= "400"):
            raise Refused(said.strip())
        return said


def enter(
    door: Door,
    host: str,
    login: str,
    password: str,
    context: ssl.SSLContext,
    source: str = "",
    name: str = "",
) -> str:
    """Connect, start TLS, log in, leave; returns what the server said. Raises Refused."""
    with Line(door, host, context, source, name) as line:
        line.start_tls()
        return line.log_in(login, password)


def upload_sieve(
    host: str, login: str, password: str, context: ssl.SSLContext, script: str
) -> None:
    """Make a script the active one (RFC 5804); an empty script means none. Raises Refused."""
    with Line(SIEVE, host, context) as line:
        line.start_tls()
        line.log_in(login, password)
        if script:
            line.ask(f'PUTSCRIPT "tests" {{{len(script.encode())}+}}\r\n{script}')
            line.ask('SETACTIVE "tests"')
        else:
            line.ask('SETACTIVE ""')
            line.ask('DELETESCRIPT "tests"')


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
