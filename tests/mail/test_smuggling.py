"""Where a message ends, edges and every server behind them see alike: no second one is smuggled in
within the text of the first, nor out (RFC 5321 4.1.1.4; 2.3.8)."""

from __future__ import annotations

import re
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

import pytest
from attackers import Raw, raw
from people import OUTSIDE_CLIENT, Person, trusting, wait_for

from staging.config import OUTSIDE

ENDS = {
    "LF . LF": b"\n.\n",
    "LF . CRLF": b"\n.\r\n",
    "CRLF . LF": b"\r\n.\n",
    "CR . CR": b"\r.\r",
    "CR . CRLF": b"\r.\r\n",
    "CRLF . CR": b"\r\n.\r",
    "CR . LF": b"\r.\n",
    "LF . CR": b"\n.\r",
    "CRLF . CR CRLF": b"\r\n.\r\r\n",
    "CR CRLF . CR CRLF": b"\r\r\n.\r\r\n",
    "LF CR . CRLF": b"\n\r.\r\n",
    "LF LF . CRLF": b"\n\n.\r\n",
    "CRLF . blank CRLF": b"\r\n. \r\n",
    "CRLF . . CRLF": b"\r\n..\r\n",
    "next line of Unicode": b"\xc2\x85.\xc2\x85",
    "CRLF NUL . CRLF": b"\r\n\0.\r\n",
    "CRLF . NUL CRLF": b"\r\n.\0\r\n",
}
"""What some server or other has taken for the end of a message."""
WITH_NUL = {name for name, end in ENDS.items() if b"\0" in end}


def _message(mark: str, sender: str, to: str, end: bytes) -> bytes:
    """One message, by the standard; two for a server that ends it at `end`."""
    head = f"From: {sender}\r\nTo: {to}\r\nSubject: {mark}\r\nMessage-ID: <{mark}@may.test>\r\n\r\n"
    second = (
        f"MAIL FROM:<{sender}>\r\nRCPT TO:<{to}>\r\nDATA\r\n"
        f"From: {sender}\r\nSubject: smuggled-{mark}\r\n\r\nsecond\r\n.\r\n"
    )
    return f"{head}first".encode() + end + second.encode()


# In


@pytest.fixture(scope="module")
def received(edge: str, official: Person) -> dict[str, tuple[str, list[str]]]:
    """By form: its mark, and what the edge has said to it."""
    found = {}
    for name, end in ENDS.items():
        mark = secrets.token_hex(8)
        with raw(edge, OUTSIDE_CLIENT, official.address) as line:
            assert line.ask("DATA").startswith("354")
            line.say(_message(mark, f"lan@{OUTSIDE}", official.address, end) + b"QUIT\r\n")
            found[name] = mark, line.rest()
    return found


@pytest.mark.parametrize("form", ENDS)
def test_one_message_comes_in(
    form: str, received: dict[str, tuple[str, list[str]]], official: Person
) -> None:
    mark, said = received[form]
    codes = [answer[:3] for answer in said]
    if form in WITH_NUL:
        assert codes[0] == "550" and len(codes) <= 2, said
    else:
        assert codes == ["250", "221"], said
        read = official.reads_where("HEADER", "Message-ID", f'"<{mark}@may.test>"')
        assert "second" in read.get_content()
    with official.inbox() as imap:
        _, found = imap.uid("SEARCH", "SUBJECT", f"smuggled-{mark}")
        assert not found[0]


def test_chunks_end_where_they_say_and_hold_any_text(edge: str, official: Person) -> None:
    """RFC 3030: the dot means nothing in them."""
    mark = secrets.token_hex(8)
    message = _message(mark, f"lan@{OUTSIDE}", official.address, b"\r\n.\r\n")
    with raw(edge, OUTSIDE_CLIENT, official.address) as line:
        for chunk, last in ((message[:100], ""), (message[100:], " LAST")):
            line.say(f"BDAT {len(chunk)}{last}\r\n".encode() + chunk)
            assert line.hear().startswith("250")
        assert line.ask("QUIT").startswith("221")
    read = official.reads_where("HEADER", "Message-ID", f'"<{mark}@may.test>"')
    assert "second" in read.get_content()


# Out


class _Simple:
    """A careless server outside that writes down what it is sent, byte for byte."""

    def __init__(self, door: socket.socket) -> None:
        self.door, self.got = door, b""

    def serve(self) -> None:
        while True:
            try:
                line, _ = self.door.accept()
            except OSError:
                return
            with suppress(ConnectionError), line, line.makefile("rb") as commands:
                line.sendall(b"220 may.ngoaitinh.test ESMTP\r\n")
                self._session(line, commands)

    def _session(self, line: socket.socket, commands: BinaryIO) -> None:
        for command in commands:
            if command.upper().startswith(b"DATA"):
                line.sendall(b"354 go on\r\n")
                while not self.got.endswith(b"\r\n.\r\n"):
                    self.got += commands.read(1)
            line.sendall(b"250 ok\r\n")


@contextmanager
def _simple() -> Iterator[_Simple]:
    with socket.create_server(("::", 25), family=socket.AF_INET6, dualstack_ipv6=True) as door:
        simple = _Simple(door)
        thread = threading.Thread(target=simple.serve)
        thread.start()
        try:
            yield simple
        finally:
            door.shutdown(socket.SHUT_RDWR)
            thread.join()


def _submitted(official: Person, to: str, mark: str, end: bytes) -> list[str]:
    with official.submission() as smtp:
        smtp.ehlo()
        assert smtp.mail(official.address)[0] == smtp.rcpt(to)[0] == 250
        assert smtp.docmd("DATA")[0] == 354
        smtp.send(_message(mark, official.address, to, end) + b"QUIT\r\n")
        said = []
        while not said or (said[-1] != 221 and len(said) < 3):
            said.append(smtp.getreply()[0])
        return [str(code) for code in said]


@pytest.mark.parametrize("form", [name for name in ENDS if name not in WITH_NUL])
def test_one_message_goes_out(form: str, official: Person) -> None:
    """Whatever the next server takes for an end is in it no more."""
    mark = secrets.token_hex(8)
    with _simple() as simple:
        codes = _submitted(official, f"x@may.{OUTSIDE}", mark, ENDS[form])
        assert codes == ["250", "221"], codes
        wait_for(lambda: simple.got if simple.got.endswith(b"\r\n.\r\n") else None, "it is sent")
    text = simple.got.removesuffix(b"\r\n.\r\n")
    assert mark.encode() in text and b"second" in text
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\r\n\.\r\n|\0", text), text


def test_nul_is_not_submitted(official: Person, colleague: Person) -> None:
    for form in WITH_NUL:
        assert _submitted(official, colleague.address, "a", ENDS[form])[0] == "550"


@pytest.mark.parametrize("form", ["LF . CRLF", "CR . CR"])
def test_who_receives_it_outside_sees_one(form: str, official: Person, outsider: Person) -> None:
    mark = secrets.token_hex(8)
    assert _submitted(official, outsider.address, mark, ENDS[form]) == ["250", "221"]
    assert "second" in outsider.reads_where("SUBJECT", mark).get_content()
    with outsider.inbox() as imap:
        assert not imap.uid("SEARCH", "SUBJECT", f"smuggled-{mark}")[1][0]


# Between the lines


def test_what_is_said_before_tls_counts_for_nothing_behind_it(edge: str) -> None:
    """CVE-2011-0411: commands in the packet of STARTTLS."""
    with Raw(edge, 587) as line:
        line.hear()
        line.ask("EHLO may.ngoaitinh.test")
        line.say(b"STARTTLS\r\nRSET\r\nNOOP\r\n")
        said = line.hear()
        assert said[:3] in ("220", "554"), said
        if said.startswith("220"):
            line.sock = trusting().wrap_socket(line.sock, server_hostname=edge)
            line.file = line.sock.makefile("rb")
            assert "STARTTLS" not in line.ask("EHLO may.ngoaitinh.test")
            line.sock.settimeout(1)
            with pytest.raises(TimeoutError):
                line.file.readline()
