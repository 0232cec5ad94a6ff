"""A message that its reader does not survive harms no other one."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from marked import attach, mail, packed

from danhba.marks.message import Mark, Skipped
from danhba.marks.reading import Readers, TooDeep, Unable, Verdict


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def _children() -> set[str]:
    """Processes below this one that have something to do with reading."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                parent, group = stat.read().rpartition(")")[2].split()[1:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if group == pid and parent != "1" and _ancestor(parent):
            found.add(pid)
    return found


def _ancestor(pid: str) -> bool:
    while pid not in ("0", "1"):
        if pid == str(os.getpid()):
            return True
        try:
            with open(f"/proc/{pid}/stat") as stat:
                pid = stat.read().rpartition(")")[2].split()[1]
        except (FileNotFoundError, ProcessLookupError):
            return False
    return False


def test_a_message_is_read() -> None:
    readers = Readers()
    assert readers.read(mail("text", "TỐI MẬT").as_bytes()) == Verdict(Mark("TỐI MẬT", "text"))
    assert readers.read(mail("text", "bảo mật").as_bytes()) == Verdict(None)
    assert readers.read(b"") == Verdict(None)


def test_texts_that_take_too_long_are_deferred_and_their_reader_is_gone() -> None:
    slow = mail("text", "MAT\n" * 3_000_000).as_bytes()
    before = _children()
    with within(6), pytest.raises(Unable):
        Readers(seconds=1).read(slow)
    assert _children() <= before


def test_attachments_that_take_too_long_pass_and_are_named() -> None:
    """At the next try they would take as long."""
    letter = mail("text", "Kính gửi\n")
    attach(letter, packed({"[Content_Types].xml": "<a/>", "word/document.xml":
                           f"<a>{'<p><t>MAT</t></p>' * 3_000_000}</a>"}), "zip", "a")  # fmt: skip
    with within(6):
        verdict = Readers(seconds=2).read(letter.as_bytes())
    assert verdict == Verdict(None, (Skipped(0, "the reader came to no end"),))


def test_a_text_is_judged_before_an_attachment_that_kills_the_reader() -> None:
    letter = mail("text", "MẬT\n")
    attach(letter, b"PK\x03\x04" * 100_000, "zip", "a")
    assert Readers().read(letter.as_bytes()).mark == Mark("MẬT", "text")


def test_parts_within_parts_without_end() -> None:
    depth = 3000
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth)
    )
    with within(15), pytest.raises(TooDeep):
        Readers(seconds=5).read(head + b"\nMAT")


def test_so_many_are_read_at_once_and_no_more() -> None:
    readers = Readers(waits=0.2, at_once=2)
    readers.enter("a")
    readers.enter("b")
    with within(2), pytest.raises(Unable):
        readers.enter("c")
    readers.leave("a")
    readers.enter("c")


def test_one_account_leaves_places_for_others() -> None:
    readers = Readers(waits=0.2)
    readers.enter("a")
    with within(2), pytest.raises(Unable):
        readers.enter("a")
    with within(0.1):
        readers.enter("b")
    readers.leave("a")
    with within(0.1):
        readers.enter("a")


def test_many_threads_read_at_once() -> None:
    readers, found = Readers(waits=60), []

    def work(number: int) -> None:
        text = "TỐI MẬT" if number % 2 else "bảo mật"
        readers.enter(str(number))
        try:
            found.append(
                (number % 2 == 1) == bool(readers.read(mail("text", text).as_bytes()).mark)
            )
        finally:
            readers.leave(str(number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [True] * 24


def test_a_message_of_30_mb_takes_seconds() -> None:
    letter = mail("text", "Kính gửi\n")
    attach(letter, os.urandom(21 << 20), "octet-stream", "anh.bin")
    with within(15):
        assert Readers().read(letter.as_bytes()) == Verdict(None)
