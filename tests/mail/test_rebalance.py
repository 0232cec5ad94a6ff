"""Stores get equal shares of the mailboxes while people work, whatever happens to who does it."""

from __future__ import annotations

import imaplib
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from doors import IMAPS, upload_sieve
from mailboxes import Life, idle, in_use, number_of, on
from people import Person, gets_in, official, stays_out, trusting
from province import Province, wait_for

from danhba.check import check_file
from danhba.compile import compile_directory
from danhba.compiled import Mailbox
from danhba.placement_file import load
from danhba.project import ROOT
from danhba.rebalancing import uneven

FULL, EMPTY = "store1", "store2"
"""By the hash, one has a few more mailboxes of the directory than the other."""
WORDS = ("rebalance", "staging", "--tolerance", "1", "--yes")
FOLDER = '"C&AOA-ng vi&Hsc-c"'


@pytest.fixture(scope="module")
def moving(province: Province) -> list[Mailbox]:
    """What a rebalance will move, persons first; tests before have added and withdrawn some."""
    directory, findings = check_file(province.directory)
    assert directory is not None, findings
    boxes = compile_directory(directory).mailboxes
    accounts = uneven(boxes, province.environment, 0.01)
    assert set(accounts.values()) == {EMPTY} and 4 < len(accounts) < 60
    return sorted((box for box in boxes if box.account in accounts), key=lambda box: -len(box.kind))


def kept(person: Person) -> str:
    """Message-ID of what he has in his folder; an earlier run's is another one."""
    return f"<{os.getpid()}.{person.address}>"


@pytest.fixture(scope="module")
def users(province: Province, edge: str, moving: Sequence[Mailbox]) -> list[Person]:
    """Four whose mailboxes move, with a folder, flags and a filter of their own."""
    people = [box for box in moving if box.kind == "person" and box.state == "active"][:4]
    province.choose_passwords([box.address for box in people])
    found = []
    for box in people:
        person = official(province, edge, box.address, box.name)
        upload_sieve(edge, person.login, person.password, trusting(), "keep;\n")
        with person.inbox() as imap:
            imap.create(FOLDER)
            imap.subscribe(FOLDER)
            message = f"Message-ID: {kept(person)}\r\nSubject: cu\r\n\r\nCu\r\n".encode()
            assert imap.append(FOLDER, r"(\Seen \Flagged)", "", message)[0] == "OK"
        found.append(person)
    return found


@pytest.fixture
def lives(edge: str, users: Sequence[Person]) -> Iterator[list[Life]]:
    """Three of them work, and get mail all the time."""
    with ExitStack() as stack:
        yield [stack.enter_context(in_use(edge, person)) for person in users[:3]]


@pytest.fixture
def rebalanced(province: Province, moving: Sequence[Mailbox], placement: Path) -> Iterator[Path]:
    """The placement file; afterwards all mailboxes are where they were."""
    yield placement
    if "moving:" in placement.read_text():  # the test has failed
        province.danhba(*WORDS)
    accounts = [box.account for box in moving]
    province.danhba("move", *accounts, "--to", FULL, "--env", "staging")
    assert province.plan_status() == 0


def killed_after_the_copy(province: Province) -> None:
    """The placement file says that the mailboxes are on the other store; no edge knows."""
    process = province.start(*WORDS)
    assert process.stderr is not None
    for seen in ("Copy", "Stage and validate"):
        while not (line := process.stderr.readline()).startswith(seen):
            assert line, f"the rebalance ended before {seen!r}"
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    wait_for(lambda: idle(province), "the step on the hosts ends", 60)


def is_locked_meanwhile(province: Province, person: Person) -> None:
    """A password is known to others: by an apply the session ends, and none begins."""
    before = province.directory.read_text()
    province.danhba("lock", person.local, "--reason", "lộ mật khẩu")
    with pytest.raises(imaplib.IMAP4.abort), person.inbox() as session:
        done = province.danhba("apply", "staging", "--yes")
        assert "mailboxes are still on their way" in done.stderr
        for _ in range(100):
            session.noop()
            time.sleep(0.1)
    stays_out(person, [IMAPS])
    assert province.plan_status() == 0
    province.directory.write_text(before)


def as_it_was(province: Province, person: Person) -> None:
    """Folder, flags, subscription and filter, on the store that serves the mailbox now."""
    name = person.local
    assert on(province, EMPTY, name, "Càng việc")[kept(person)] == 1
    scripts = province.lab.run(EMPTY, ["doveadm", "sieve", "list", "-u", person.address]).stdout
    assert "tests ACTIVE" in scripts
    with person.inbox() as imap:
        _, [listed] = imap.lsub('""', FOLDER)
        assert listed
        imap.select(FOLDER)
        _, [flags] = imap.uid("FETCH", number_of(imap, kept(person)), "(FLAGS)")
        assert rb"\Seen" in flags and rb"\Flagged" in flags


def test_a_rebalance_is_killed_an_account_is_locked_meanwhile_and_it_is_completed(
    province: Province,
    moving: Sequence[Mailbox],
    users: Sequence[Person],
    lives: Sequence[Life],
    rebalanced: Path,
) -> None:
    """With real mail: every message exactly once, on the new store and nowhere else."""
    wait_for(lambda: all(len(life.sent) > 3 for life in lives), "mail flows", 90)
    killed_after_the_copy(province)
    before = {host: province.live(host) for host in ("mx1", FULL, EMPTY)}
    remembered, _ = load(rebalanced, [FULL, EMPTY])
    assert {each.account for each in remembered.moving} == {box.account for box in moving}
    plan = province.danhba("plan", "staging", check=False)
    assert plan.returncode == 2 and "a move that was cut off goes on: " in plan.stdout
    assert f"+{users[0].address} store:[{EMPTY}." in plan.stdout

    # Even of somebody whose mailbox is on its way.
    is_locked_meanwhile(province, users[3])
    status = province.danhba("status", "staging", check=False)
    assert f"{len(moving)} mailboxes are on their way" in status.stdout

    # It asks about the unlock, for that is more than the moves; WORDS say yes.
    assert "change entry" in province.danhba(*WORDS).stdout
    gets_in(users[3])
    assert "moving" not in rebalanced.read_text()
    sent = [len(life.sent) for life in lives]
    wait_for(lambda: all(len(life.sent) > was + 3 for life, was in zip(lives, sent, strict=True)),
             "mail flows on", 90)  # fmt: skip
    again = province.danhba(*WORDS)
    assert "nothing to move" in again.stdout
    for life in lives:
        life.stopped.set()
    # What came faster than a busy machine takes it is tried again later, by itself.
    province.lab.run(EMPTY, ["postqueue", "-f"])
    for life in lives:
        name = life.person.local
        wait_for(lambda: {*life.sent} <= on(province, EMPTY, name).keys(), "all arrive", 90)  # noqa: B023
        found = on(province, EMPTY, name)
        assert {each: found[each] for each in life.sent} == dict.fromkeys(life.sent, 1)
    for person in users:
        as_it_was(province, person)
    told = Province(province.lab, ROOT / "directory.yaml").danhba("diff", "--env", "staging").stdout
    known = {box.account for box in province.compiled.mailboxes}
    assert told.count(f"{FULL} -> {EMPTY}") == len([box for box in moving if box.account in known])

    # Back to when the mailboxes were elsewhere: neither edges nor stores go there.
    for host, digest in before.items():
        back = province.danhba("rollback", "staging", "--limit", host, "--to", digest, "--yes",
                               check=False)  # fmt: skip
        assert back.returncode == 1
        assert "mailboxes have moved since, with their mail" in back.stderr
