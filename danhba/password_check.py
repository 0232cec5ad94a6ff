"""Asked by slapd: may this account have this password? The rule is danhba.password_rule's.

Runs on the people hosts, where systemd hands it the socket and, opened, the entries of the address
book: so it needs no rights. It ends when nobody asks, and starts with the next question: what it
knows is never older than LIFE.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

from danhba.password_rule import Rule

IDLE, LIFE, PATIENCE = 10.0, 60.0, 5.0
"""Seconds: without a question, altogether, for a question to come in whole."""
JUDGING = 1.0
"""Seconds of the processor: slapd takes no other change meanwhile. Not seconds of the clock, or a
host that is busy would refuse what is good."""

ACCEPTED = "+"
FAILED = "Không kiểm tra được mật khẩu; hãy thử lại sau."
"""An unjudged password is not accepted."""


def main() -> None:
    """Answer until nobody asks."""
    given = dict(zip(os.environ["LISTEN_FDNAMES"].split(":"), range(3, 99), strict=False))
    facts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    rule = Rule(facts["min_length"], tuple(facts["known"]))
    with open(given["people"], encoding="utf-8") as tree:
        people = by_account(tree.read())
    door = socket.socket(fileno=given["slapd"])
    door.settimeout(IDLE)
    end = time.monotonic() + LIFE
    with contextlib.suppress(TimeoutError):
        while time.monotonic() < end:
            connection, _ = door.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(PATIENCE)
                connection.sendall(_judged(connection, rule, people).encode())


def by_account(tree: str) -> dict[str, str]:
    """Lines of a tree file (deploys/people.py) by uid; few of them are ever looked into."""
    return {found[1]: row for row in tree.splitlines() if (found := _DN.match(row))}


_DN = re.compile(r'\{"dn": "uid=([^,"]+),')


def _judged(connection: socket.socket, rule: Rule, people: Mapping[str, str]) -> str:
    try:
        question = b""
        while question.count(b"\0") < 2:
            if not (more := connection.recv(65536)):
                return FAILED
            question += more
        return answer(question, rule, people)
    except Exception:
        traceback.print_exc(limit=-1, file=sys.stderr)  # a line of code: never what was asked
        return FAILED


def answer(question: bytes, rule: Rule, people: Mapping[str, str]) -> str:
    """To a DN, a zero, a password, a zero (templates/people/password.c): ACCEPTED, or why not."""
    whose, password, _ = question.split(b"\0")
    try:
        plain = password.decode()
    except UnicodeDecodeError:
        return "Mật khẩu không phải UTF-8."
    try:
        with _limited():
            return rule.objection(plain, about(whose.decode(), people)) or ACCEPTED
    except _TooLong:
        return "Không kiểm tra kịp mật khẩu này; hãy chọn mật khẩu khác."


class _TooLong(Exception):
    pass


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def end(*_: object) -> None:
        raise _TooLong

    signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, JUDGING)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def about(dn: str, people: Mapping[str, str]) -> list[str]:
    """What is no secret about an account."""
    account = dn.partition(",")[0].partition("=")[2]
    entry = json.loads(people.get(account, '{"attrs": {}}'))["attrs"]
    keys = ("cn", "mail", "uid", "employeeNumber", "o", "departmentNumber")
    return [account, *(text for key in keys for text in entry.get(key, []))]


if __name__ == "__main__":
    main()
