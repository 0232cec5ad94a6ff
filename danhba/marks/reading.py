"""Messages are read in processes of their own: what one does to its reader harms no other mail.

A reader has little memory, little time and nothing to write to. What it could not read passes and
is said in the log, for it would be the same at every further try; see Unable for what is deferred.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from typing import Any

from . import message as messages
from .message import Mark, Skipped

SECONDS = 20
"""For one message, of a clock."""
MEMORY, TIMES = 768 << 20, 12
"""Bytes that a reader, or the pdftotext that it starts, may map, and for each byte of the message
so many more: Python's email needs up to ten."""
AT_ONCE = 4
OF_ONE = 1
"""Messages of one account at once: the other places are for others."""
WAITS = 20
"""Seconds for which a message waits until it may be read."""


class Unable(Exception):
    """Nobody can tell now whether there is a mark: headers and texts were not read. To be deferred,
    for it is the edge that is out of order or busy, or the message is built to hang readers."""


class TooDeep(Exception):
    """Parts within parts, more than can be read: to be refused, for it would be so every time."""


@dataclass(frozen=True)
class Verdict:
    """mark: the first that was found. skipped: attachments that were not read to their end."""

    mark: Mark | None
    skipped: tuple[Skipped, ...] = ()


class Readers:
    """At most AT_ONCE messages are in memory, OF_ONE of one account; for a place one waits WAITS
    seconds."""

    def __init__(self, seconds: float = SECONDS, waits: float = WAITS, at_once: int = AT_ONCE):
        self._seconds, self._waits, self._at_once = seconds, waits, at_once
        self._inside: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__])
        self._starting = threading.Lock()

    def enter(self, account: str) -> None:
        """Take a place, before the message is taken. Raises Unable."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_free(account), self._waits):
                raise Unable("too many messages at once")
            self._inside[account] += 1

    def _is_free(self, account: str) -> bool:
        return self._inside.total() < self._at_once and self._inside[account] < OF_ONE

    def leave(self, account: str) -> None:
        with self._changed:
            self._inside[account] -= 1
            self._inside += Counter()  # who has none is forgotten
            self._changed.notify_all()

    def read(self, message: bytes) -> Verdict:
        """What a message bears. Raises Unable, TooDeep."""
        deadline = time.monotonic() + self._seconds
        texts_done = False
        skipped: list[Skipped] = []
        with self._reader(message) as reports:
            for report in _until(deadline, reports):
                if "mark" in report:
                    return Verdict(Mark(**report["mark"]), tuple(skipped))
                if "end" in report:
                    return Verdict(None, tuple(skipped))
                if "deep" in report and not texts_done:
                    raise TooDeep
                texts_done |= "texts" in report
                if "skipped" in report:
                    skipped.append(Skipped(**report["skipped"]))
        if not texts_done:
            raise Unable("a message that its reader did not survive, or not in time")
        return Verdict(None, (*skipped, Skipped(0, "the reader came to no end")))

    @contextmanager
    def _reader(self, message: bytes) -> Iterator[Connection]:
        ours, theirs = self._context.Pipe()
        with ours:
            with theirs, self._starting:  # multiprocessing looks at all its children meanwhile
                process = self._context.Process(target=_read, args=(theirs,), daemon=True)
                process.start()
            try:
                with suppress(OSError):  # it is dead: there will be no report either
                    ours.send_bytes(message)
                yield ours
            finally:
                _end(process.pid)
                with self._starting:
                    process.join()


def _end(pid: int | None) -> None:
    """The reader and what it has started."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            kill(pid or 0, signal.SIGKILL)


def _until(deadline: float, reports: Connection) -> Iterator[dict[str, Any]]:
    with suppress(EOFError, OSError):
        while reports.poll(max(0.0, deadline - time.monotonic())):
            yield json.loads(reports.recv_bytes())


def _read(reports: Connection) -> None:
    """In the process of a reader."""
    os.setsid()
    message = reports.recv_bytes()
    limit(resource.RLIMIT_AS, MEMORY + TIMES * len(message))
    limit(resource.RLIMIT_CPU, SECONDS)
    limit(resource.RLIMIT_FSIZE, 32 << 20)
    limit(resource.RLIMIT_CORE, 0)

    def report(**what: object) -> None:
        reports.send_bytes(json.dumps(what).encode())

    with suppress(MemoryError):
        try:
            for found in messages.look(message):
                if found is None:
                    report(texts=True)
                else:
                    report(**{type(found).__name__.lower(): asdict(found)})
        except RecursionError:
            report(deep=True)
        else:
            report(end=True)


def limit(what: int, most: int) -> None:
    resource.setrlimit(what, (most, most))
