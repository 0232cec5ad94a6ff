"""Whatever happens to the vault, what was answered with 250 comes to the journal, once
(Điều 8.4)."""

from __future__ import annotations

import json
import secrets
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

import pytest
from journals import VAULT, Journal
from people import OUTSIDE_CLIENT
from province import Province, wait_for

from danhba.journal import entry
from staging.config import OUTSIDE

_UNIT = "danhba-journal.service"
_DROP_IN = f"/run/systemd/system/{_UNIT}.d"
_OTHER = "/srv/vault/journal-of-tests"
_CONFIG = "/run/danhba-journal-of-tests.json"
_OFFSET = "/run/danhba-journal-of-tests.offset"
_PROGRAM = f"""
import runpy, sys, time
real = time.time
time.time = lambda: real() + float(open("{_OFFSET}").read() or 0)
sys.argv = ["journal", "{_CONFIG}", "serve"]
runpy.run_module("journal", run_name="__main__")
"""
"""The daemon, by a clock that a test sets."""
_PAUSE = 0.1
"""Seconds: of one source an edge takes twenty messages a second."""
MANY = 2000
SIZE = 8192
RATE = 20.0
"""Messages a second of a province's busy hour (docs/journal.md)."""


@pytest.fixture(scope="module")
def journal(province: Province) -> Journal:
    return Journal(province)


@pytest.fixture
def apart(journal: Journal) -> Iterator[Journal]:
    """The daemon writes another journal, in a folder that is a disk of its own, with a clock of its
    own: the true one stays as it is."""
    journal.settled()
    journal.run(VAULT, "mkdir", "-p", _OTHER, _DROP_IN)
    journal.run(VAULT, "mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "of-tests", _OTHER)
    journal.run(VAULT, "chown", "danhba-journal:", _OTHER)
    config = json.loads(journal.run(VAULT, "cat", "/etc/danhba/journal.json"))
    own = {"root": _OTHER, "begun": f"{_OTHER}/begun", "floor": 0}
    _place(journal, _CONFIG, json.dumps(config | own))
    _place(journal, _OFFSET, "0")
    _place(journal, "/run/danhba-journal-of-tests.py", _PROGRAM)
    argv = "/usr/bin/python3 -B /run/danhba-journal-of-tests.py"
    text = f"[Service]\nExecStart=\nExecStart={argv}\nReadWritePaths={_OTHER}\n"
    _place(journal, f"{_DROP_IN}/of-tests.conf", text)
    _restart(journal)
    try:
        yield Journal(journal.province, _OTHER)
    finally:
        journal.shell(VAULT, f"rm -rf {_DROP_IN}")
        _restart(journal)
        journal.shell(VAULT, f"umount {_OTHER}; rm -rf {_OTHER} /run/danhba-journal-of-tests.*")
        for edge in ("mx1", "mx2"):
            journal.hurry(edge)
        journal.settled()


def _somebody(province: Province) -> str:
    """An official, who needs no password for this."""
    return next(
        province.mail(box.address) for box in province.compiled.mailboxes if box.kind == "person"
    )


def _place(journal: Journal, path: str, text: str) -> None:
    done = journal.lab.run(VAULT, ["tee", path], input=text)
    assert done.returncode == 0, done.stderr


def _restart(journal: Journal) -> None:
    journal.run(VAULT, "systemctl", "daemon-reload")
    journal.run(VAULT, "systemctl", "restart", _UNIT)


def _sent(edge: str, to: str, count: int = 1, stopped: threading.Event | None = None) -> list[str]:
    """Message-IDs that the edge has answered with 250, on one connection; until a word comes."""
    found: list[str] = []
    with smtplib.SMTP(edge, 25, timeout=60, source_address=(OUTSIDE_CLIENT, 0)) as smtp:
        while not stopped.wait(_PAUSE) if stopped else len(found) < count:
            message = EmailMessage()
            message["From"], message["To"] = f"lan@{OUTSIDE}", to
            message["Subject"] = "Thử lưu trữ"
            message["Message-ID"] = f"<{secrets.token_hex(8)}@{OUTSIDE}>"
            message.set_content(secrets.token_hex(10_000))  # more than a page of the disk has left
            assert not smtp.send_message(message)
            found.append(str(message["Message-ID"]))
    return found


@contextmanager
def _streams(province: Province, to: str) -> Iterator[list[str]]:
    """Mail through both edges at once; what they have answered."""
    stopped, found = threading.Event(), []  # type: ignore[var-annotated]

    def stream(edge: str) -> None:
        found.extend(_sent(edge, to, stopped=stopped))

    edges = [edge.ipv4 for edge in province.environment.having("edge")]
    threads = [threading.Thread(target=stream, args=(edge,)) for edge in edges]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def _holds(journal: Journal) -> int:
    """How many entries there are; every one names the one before."""
    prev, n = entry.FIRST, 0
    for raw in journal.raw():
        found = entry.parsed(raw.encode())
        assert (found["n"], found["prev"]) == (n + 1, prev), raw
        prev, n = entry.digest(raw.encode()), n + 1
    return n


def test_a_vault_killed_while_it_writes_has_all_once(journal: Journal, province: Province) -> None:
    journal.settled()
    begin = journal.end()
    to = _somebody(province)
    with _streams(province, to) as sent:
        for _ in range(2):
            before = journal.end()
            wait_for(lambda before=before: journal.end() > before + 10, "entries come", 180)  # type: ignore[misc]
            journal.lab.kill(VAULT)
            journal.lab.start(VAULT)
            wait_for(lambda: _serves(journal), "the vault is there again", 180)
    for edge in ("mx1", "mx2"):
        journal.hurry(edge)
    journal.settled(300)
    found = Counter(each["message_id"] for each in journal.entries(begin))
    assert len(sent) > 20
    assert {identity: found[identity] for identity in sent} == dict.fromkeys(sent, 1)
    assert _holds(journal) == journal.end()


def _serves(journal: Journal) -> bool:
    return journal.lab.run(VAULT, ["systemctl", "is-active", "--quiet", _UNIT]).returncode == 0


def test_a_full_disk_keeps_mail_on_the_edges(apart: Journal, province: Province) -> None:
    to = _somebody(province)
    edge = province.environment.host("mx1").ipv4
    sent = _sent(edge, to, 2)
    apart.settled()
    apart.shell(VAULT, f"dd if=/dev/zero of={_OTHER}/ballast bs=4k 2>/dev/null")
    sent += _sent(edge, to, 5)
    wait_for(lambda: apart.waiting("mx1") == 5, "the copies wait on the edge")
    wait_for(lambda: "452 4.3.1" in _queue(apart), "the vault says why")
    assert apart.end() == 2
    apart.run(VAULT, "rm", f"{_OTHER}/ballast")
    apart.hurry("mx1")
    apart.settled()
    assert Counter(each["message_id"] for each in apart.entries()) == Counter(sent)
    assert _holds(apart) == 7
    floor = json.loads(apart.run(VAULT, "cat", _CONFIG)) | {"floor": 1 << 50}
    _place(apart, _CONFIG, json.dumps(floor))
    _restart(apart)
    sent += _sent(edge, to, 1)
    wait_for(lambda: apart.waiting("mx1") == 1, "below the floor nothing is taken")
    assert "the journal takes nothing more" in _health(apart)


def _queue(journal: Journal) -> str:
    return journal.run("mx1", "postqueue", "-c", "/etc/postfix-journal", "-p")


def _health(journal: Journal) -> str:
    program = "PYTHONPATH=/usr/local/lib/danhba python3 -B -m journal"
    return journal.shell(VAULT, f"{program} {_CONFIG} health")


def test_a_clock_that_jumps_is_told_and_the_order_holds(apart: Journal, province: Province) -> None:
    to = _somebody(province)
    edge = province.environment.host("mx1").ipv4
    sent = []
    for offset in (0, 3 * 86400, -7200):
        _place(apart, _OFFSET, str(offset))
        sent += _sent(edge, to, 2)
        apart.settled()
    found = [each["message_id"] for each in apart.entries()]
    pairs = [(set(found[at : at + 2]), set(sent[at : at + 2])) for at in (0, 2, 4)]
    assert len(found) == len(sent) and all(came == went for came, went in pairs)
    leaps = [round(each["by"] / 3600) for each in apart.entries(kind=entry.CLOCK)]
    assert leaps == [72, -74]
    assert _holds(apart) == 8
    assert "the clock was set 2 times within a week" in _health(apart)


def test_a_vault_that_is_away_for_long_is_caught_up_with(apart: Journal) -> None:
    source = f"smtp-source -s 8 -m {MANY} -l {SIZE} -f lan@{OUTSIDE} -t ai=dau.test@journal.invalid"
    apart.run(VAULT, "systemctl", "stop", _UNIT)
    before, began = _used(apart), time.monotonic()
    apart.run("mx1", *source.split(), "127.0.0.1:10027")
    taken = MANY / (time.monotonic() - began)
    # While Postfix carries files from one folder to the next, some are counted twice or not.
    wait_for(lambda: apart.waiting("mx1") == MANY, "all wait", 120)
    growth = (_used(apart) - before) / MANY
    apart.run(VAULT, "systemctl", "start", _UNIT)
    wait_for(lambda: _serves(apart), "the daemon is there")
    began = time.monotonic()
    apart.hurry("mx1")
    apart.settled(300)
    caught = MANY / (time.monotonic() - began)
    print(f"taken {taken:.0f}/s, {growth:.0f} bytes each of {SIZE}, caught up {caught:.0f}/s")
    assert len(apart.entries()) == MANY == _holds(apart)
    assert growth < 2.5 * SIZE
    assert min(taken, caught) > RATE, (taken, caught)


def _used(journal: Journal) -> int:
    """Bytes on the edge's disk that the queue has."""
    return int(journal.shell("mx1", "du -s --block-size=1 /var/spool/postfix-journal").split()[0])
