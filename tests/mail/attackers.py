"""Attacks from outside, and the ordinary mail that has to get through meanwhile."""

from __future__ import annotations

import errno
import selectors
import smtplib
import socket
import ssl
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from clients import addresses
from people import OUTSIDE_CLIENT, Person, trusting

from staging.config import INTERNET4, OUTSIDE

CROWD = range(200, 240)
"""Last octets of addresses that have names (staging/zones.py): forty servers outside."""


@contextmanager
def crowd(count: int = len(CROWD)) -> Iterator[list[str]]:
    """Addresses of so many servers outside, which this machine has meanwhile."""
    numbers = CROWD[:count]
    with addresses(*numbers):
        yield [str(INTERNET4[number]) for number in numbers]


def known(edge: str, sources: Sequence[str]) -> None:
    """Has the edge's postscreen remember them: behind it they are at once."""
    with ExitStack() as stack:
        lines = [
            stack.enter_context(socket.create_connection((edge, 25), 30, (source, 0)))
            for source in sources
        ]
        for line in lines:
            with line.makefile("rb") as answers:
                while not answers.readline().startswith((b"220 ", b"421 ")):
                    pass


# Many slow ones


@dataclass
class Drip:
    """Connections that say a byte a second and never come to an end.

    patient: they wait for the greeting. said: codes of answers, and how often.
    """

    host: str
    port: int
    patient: bool = True
    said: Counter[str] = field(default_factory=Counter)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _lines: dict[socket.socket, int] = field(default_factory=dict)
    _greeted: set[socket.socket] = field(default_factory=set)

    def open(self, source: str, count: int) -> None:
        for _ in range(count):
            line = socket.socket()
            line.setblocking(False)
            line.bind((source, 0))
            if line.connect_ex((self.host, self.port)) not in (0, errno.EINPROGRESS):
                raise OSError(f"no way to {self.host}:{self.port}")
            self._lines[line] = 0

    @property
    def alive(self) -> int:
        return len(self._lines)

    def run(self, words: bytes) -> None:
        """Until stopped: each says `words` byte by byte, over and over."""
        with selectors.DefaultSelector() as selector:
            for line in self._lines:
                selector.register(line, selectors.EVENT_READ)
            due = time.monotonic()
            while not self._stopped.is_set():
                for key, _ in selector.select(0.2):
                    self._hear(selector, key.fileobj)  # type: ignore[arg-type]
                if time.monotonic() >= due:
                    due = time.monotonic() + 1
                    for line in list(self._greeted if self.patient else self._lines):
                        self._say(selector, line, words)
        for line in self._lines:
            line.close()

    def _say(self, selector: selectors.BaseSelector, line: socket.socket, words: bytes) -> None:
        at = self._lines[line]
        try:
            line.send(words[at % len(words) :][:1])
            self._lines[line] = at + 1
        except BlockingIOError:
            pass
        except OSError:
            self._gone(selector, line)

    def _hear(self, selector: selectors.BaseSelector, line: socket.socket) -> None:
        try:
            heard = line.recv(4096)
        except OSError:
            heard = b""
        if not heard:
            return self._gone(selector, line)
        self._greeted.add(line)
        self.said[heard[:3].decode("ascii", "replace")] += 1

    def _gone(self, selector: selectors.BaseSelector, line: socket.socket) -> None:
        selector.unregister(line)
        del self._lines[line]
        self._greeted.discard(line)
        line.close()
        self.said["closed"] += 1

    def stop(self) -> None:
        self._stopped.set()


@contextmanager
def dripping(
    host: str, port: int, sources: Sequence[str], each: int, words: bytes, patient: bool = True
) -> Iterator[Drip]:
    """So many connections of each source, which are slow until the end of the block."""
    drip = Drip(host, port, patient)
    for source in sources:
        drip.open(source, each)
    thread = threading.Thread(target=drip.run, args=(words,))
    thread.start()
    try:
        yield drip
    finally:
        drip.stop()
        thread.join()


# Ordinary mail


@dataclass
class Probe:
    """Ordinary mail while something goes on.

    seconds: by its way, from the first attempt to send to where its reader, who logs in for it, has
    it. away: how often a server was told to come again, and did.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    away: Counter[str] = field(default_factory=Counter)
    errors: list[BaseException] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self, way: str, send: Callable[[], EmailMessage], reader: Person) -> None:
        try:
            while not self.stopped.is_set():
                began = time.monotonic()
                reader.reads(self._sent(way, send, began))
                self.seconds.setdefault(way, []).append(time.monotonic() - began)
                self.stopped.wait(0.3)
        except BaseException as error:  # told by `mail_flows`
            self.errors.append(error)

    def _sent(self, way: str, send: Callable[[], EmailMessage], began: float) -> EmailMessage:
        while True:
            try:
                return send()
            except (smtplib.SMTPException, OSError):
                assert time.monotonic() - began < 120, f"{way}: nothing is accepted"
                self.away[way] += 1
                time.sleep(1)  # as servers and people do: they do not try at once

    def __str__(self) -> str:
        return "; ".join(
            f"{way}: {len(took)} in {statistics.median(took):.1f} s, at most {max(took):.1f} s"
            + (f", told to come again {self.away[way]} times" if self.away[way] else "")
            for way, took in sorted(self.seconds.items())
        )


@contextmanager
def mail_flows(within: float, people: Sequence[Person], outsider: Person) -> Iterator[Probe]:
    """Ordinary mail, three ways at once, is read within so many seconds each time.

    people: three officials, whose server is the edge that is attacked. It knows OUTSIDE_CLIENT.
    """
    probe = Probe()
    first, second, third = people

    def to_the_edge() -> EmailMessage:
        message = outsider.write([first.address], "Thư thường", "Chào anh\n")
        source = (OUTSIDE_CLIENT, 0)
        with smtplib.SMTP(first.server, 25, "may.ngoaitinh.test", 30, source) as smtp:
            assert not smtp.send_message(message)
        return message

    def from_net1() -> EmailMessage:
        return outsider.send(outsider.write([second.address], "Thư thường", "Chào anh\n"))

    def inside() -> EmailMessage:
        return first.send(first.write([third.address], "Thư thường", "Chào anh\n"))

    ways = (
        ("a server outside to this edge", to_the_edge, first),
        ("net1", from_net1, second),
        ("official to official", inside, third),
    )
    threads = [threading.Thread(target=probe.run, args=way) for way in ways]
    for thread in threads:
        thread.start()
    try:
        yield probe
        while not probe.errors and len(probe.seconds) < len(ways):
            time.sleep(0.1)
    finally:
        probe.stopped.set()
        for thread in threads:
            thread.join()
    print(probe)
    assert not probe.errors, probe.errors
    slowest = max(max(took) for took in probe.seconds.values())
    assert slowest < within, str(probe)


# What a server says


class Raw:
    """A connection to a server of SMTP, byte for byte."""

    def __init__(self, host: str, port: int, source: str = "", tls: bool = False) -> None:
        self.sock: socket.socket = socket.create_connection(
            (host, port), 60, (source, 0) if source else None
        )
        if tls:
            self.sock = trusting().wrap_socket(self.sock, server_hostname=host)
        self.file = self.sock.makefile("rb")

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.sock.close()

    def say(self, data: bytes) -> None:
        self.sock.sendall(data)

    def hear(self) -> str:
        """The last line of the next answer; "" when the server has hung up."""
        try:
            while True:
                line = self.file.readline()
                if line[3:4] != b"-":
                    return line.decode("utf-8", "replace").strip()
        except (ConnectionError, ssl.SSLError):
            return ""

    def ask(self, command: str | bytes) -> str:
        self.say((command.encode() if isinstance(command, str) else command) + b"\r\n")
        return self.hear()

    def rest(self, limit: float = 1.0) -> list[str]:
        """All further answers, until there is none for so long."""
        self.sock.settimeout(limit)
        found = []
        try:
            while said := self.hear():
                found.append(said)
        except TimeoutError:
            pass
        return found


@contextmanager
def raw(edge: str, source: str, to: str, sender: str = f"lan@{OUTSIDE}") -> Iterator[Raw]:
    """One that has named sender and recipient and is about to send a message."""
    with Raw(edge, 25, source) as line:
        line.hear()
        line.ask("EHLO may.ngoaitinh.test")
        line.ask(f"MAIL FROM:<{sender}>")
        said = line.ask(f"RCPT TO:<{to}>")
        assert said.startswith("250"), said
        yield line
