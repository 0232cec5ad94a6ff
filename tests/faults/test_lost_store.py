"""A store is lost with its disk while mail comes in and people work: no message is lost, none is
there twice (docs/replay.md)."""

from __future__ import annotations

import imaplib
import itertools
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from doors import Refused
from folders import named
from lost import Holding
from mailboxes import on, send
from people import Person, official
from province import Province, wait_for

from deploys.common import FOLDERS
from staging import host as machines

LOST, OTHER = "store1", "store2"
AHEAD = 20
"""Messages that somebody works with before the loss."""
PAUSE = 0.15
ARCHIVE = named(FOLDERS["Archive"])
SENT = named(FOLDERS["Sent"])


@dataclass
class Work:
    """What one official has done over IMAP and was told to be done: Message-IDs."""

    person: Person
    flagged: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    appended: list[str] = field(default_factory=list)


@dataclass
class Stream:
    """Mail and work until it is stopped. taken: account and Message-ID of what was answered 250.
    refused: what was told to come again. broken: what ended the work of officials."""

    stopped: threading.Event = field(default_factory=threading.Event)
    taken: list[tuple[str, str]] = field(default_factory=list)
    refused: int = 0
    broken: list[BaseException] = field(default_factory=list)

    def from_outside(self, edges: list[str], people: list[Person]) -> None:
        turns = zip(itertools.cycle(edges), itertools.cycle(people), strict=False)
        for number, (edge, person) in enumerate(turns):
            if self.stopped.wait(PAUSE):
                return
            self._note([person], lambda: send(edge, person.address, f"ngoai{number}"))  # noqa: B023

    def from_inside(self, sender: Person, people: list[Person]) -> None:
        """To two at once, the second one in no header."""
        with sender.submission() as smtp:
            for number, person in enumerate(itertools.cycle(people)):
                if self.stopped.wait(PAUSE):
                    return
                hidden = people[(number + 1) % len(people)]
                message = sender.write([person.address], f"trong{number}", "Xin chào\n")
                to = [person.address, hidden.address]

                def hand_over() -> str:
                    assert not smtp.send_message(message, to_addrs=to)  # noqa: B023
                    return str(message["Message-ID"])  # noqa: B023

                self._note([person, hidden], hand_over)

    def _note(self, people: list[Person], hand_over: Callable[[], str]) -> None:
        try:
            identity = hand_over()
        except OSError:  # smtplib's errors are
            self.refused += 1
            return
        self.taken += [(person.local, identity) for person in people]

    def work(self, work: Work) -> None:
        """Flags, moves, deletes and appends, one after another, as long as his store is there."""
        try:
            with work.person.inbox() as imap:
                while not self.stopped.is_set():
                    self._turn(imap, work)
        except (OSError, imaplib.IMAP4.error, Refused) as error:
            self.broken.append(error)

    def _turn(self, imap: imaplib.IMAP4_SSL, work: Work) -> None:
        done = {*work.flagged, *work.moved, *work.deleted}
        imap.noop()
        fresh = [pair for pair in _inbox(imap) if pair[1] not in done][:3]
        for (number, identity), act in zip(fresh, (_flag, _move, _delete), strict=False):
            act(imap, number)
            getattr(work, {_flag: "flagged", _move: "moved", _delete: "deleted"}[act]).append(
                identity
            )
        copy = work.person.write(["lan@ngoaitinh.test"], "Đã gửi", "Xin chào\n")
        assert imap.append(SENT, r"(\Seen)", "", copy.as_bytes())[0] == "OK"
        work.appended.append(str(copy["Message-ID"]))


def _inbox(imap: imaplib.IMAP4_SSL) -> list[tuple[str, str]]:
    _, rows = imap.uid("FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
    found = []
    for row in rows:
        if isinstance(row, tuple):
            number = re.search(rb"UID (\d+)", row[0])
            identity = row[1].partition(b":")[2].strip().decode()
            if number and identity:
                found.append((number[1].decode(), identity))
    return found


def _flag(imap: imaplib.IMAP4_SSL, number: str) -> None:
    assert imap.uid("STORE", number, "+FLAGS", r"(\Flagged)")[0] == "OK"


def _move(imap: imaplib.IMAP4_SSL, number: str) -> None:
    assert imap.uid("MOVE", number, ARCHIVE)[0] == "OK"


def _delete(imap: imaplib.IMAP4_SSL, number: str) -> None:
    assert imap.uid("STORE", number, "+FLAGS", r"(\Deleted)")[0] == "OK"
    assert imap.uid("EXPUNGE", number)[0] == "OK"


def test_a_lost_store_loses_no_message(province: Province, placement: Path) -> None:
    """Two streams, from outside by both edges and from inside with a hidden recipient, and three
    officials who work. Every message that an edge has answered 250 is there exactly once; what of
    flags, moves, deletions and appended copies is lost is counted and printed."""
    # What other tests have deleted is not meant.
    since = ("--since", datetime.now(UTC).isoformat(timespec="milliseconds"))
    edges = [edge.ipv4 for edge in province.environment.having("edge")]
    people, sender = _people(province, edges[0])
    works = [Work(person) for person in people[:3]]
    holding = Holding.of(province, edges[0], people[5].local)
    wait_for(lambda: on(province, OTHER, people[5].local, "Viec")[holding.filed] == 1, "copied", 60)
    ahead = Stream()
    for number in range(AHEAD):
        person = people[number % 3]
        ahead._note([person], lambda: send(edges[0], person.address, f"truoc{number}"))  # noqa: B023
    stream = Stream(taken=ahead.taken)
    threads = [
        threading.Thread(target=stream.from_outside, args=(edges, people)),
        threading.Thread(target=stream.from_inside, args=(sender, people)),
        *(threading.Thread(target=stream.work, args=(work,)) for work in works),
    ]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(stream.taken) > AHEAD + 60, "mail flows", 60)
        wait_for(lambda: all(len(work.appended) > 5 for work in works), "people work", 180)
        province.lab.kill(LOST)
        machines.remove(LOST)  # and its disk
        at = len(stream.taken)
        began = time.monotonic()
        wait_for(lambda: len(stream.taken) > at + 20, "mail comes in all the same", 60)
        province.danhba("failover", "staging", LOST, "--yes")
        print(f"failover, the store dead for some seconds before: {time.monotonic() - began:.1f} s")
        began = time.monotonic()
        said = province.danhba("replay", "staging", LOST, *since, check=False)
        print(said.stdout, f"replay: {time.monotonic() - began:.1f} s")
        assert said.returncode == 0, said.stdout + said.stderr
        count = len(stream.taken)
        wait_for(lambda: len(stream.taken) > count + 10, "mail flows on", 60)
    finally:
        stream.stopped.set()
        for thread in threads:
            thread.join()
    _each_is_there_once(province, stream, people)
    _say_what_is_lost(province, works)
    again = province.danhba("replay", "staging", LOST, *since)
    assert "  0 came back" in again.stdout, again.stdout
    _each_is_there_once(province, stream, people)

    began = time.monotonic()
    province.lab.blank(LOST)
    province.danhba("rebuild", "staging", LOST, "--yes")
    print(f"a new machine in its place: {time.monotonic() - began:.1f} s")
    assert "failed_over" not in (placement.read_text() if placement.exists() else "")
    _each_is_there_once(province, stream, people)
    holding.is_there(province, LOST)
    with province.ldap(people[0].local, province.password(people[0].local), LOST):
        pass  # it is a people host as well
    assert province.plan_status() == 0


def _people(province: Province, edge: str) -> tuple[list[Person], Person]:
    """Six with the store as their home, and somebody on the other one."""
    boxes = province.officials(24)
    here = [box for box in boxes if province.home(box.account) == LOST][:6]
    sender = next(box for box in boxes if province.home(box.account) != LOST)
    assert len(here) == 6
    people = [official(province, edge, box.address, box.name) for box in here]
    return people, official(province, edge, sender.address, sender.name)


def _each_is_there_once(province: Province, stream: Stream, people: list[Person]) -> None:
    wanted = Counter(stream.taken)

    def found() -> Counter[tuple[str, str]]:
        there: Counter[tuple[str, str]] = Counter()
        for person in people:
            held = on(province, province.home(person.local), person.local)
            there |= Counter({(person.local, identity): n for identity, n in held.items()})
        return Counter({key: there[key] for key in wanted})

    def all_there() -> bool:
        """What was put off when the store died, or for want of a turn, waits for minutes:
        it is tried again now."""
        for host in province.environment.hosts:
            if {"edge", "store"} & set(host.roles):
                province.lab.run(host.name, ["postqueue", "-f"])
        return not wanted - found()

    wait_for(all_there, "all that was answered 250 is there", 120)
    assert found() == wanted, {key: n for key, n in found().items() if n != 1}
    print(f"{len(wanted)} messages were answered 250, each is there once")


def _say_what_is_lost(province: Province, works: list[Work]) -> None:
    lost: Counter[str] = Counter()
    done: Counter[str] = Counter()
    for work in works:
        store, name = province.home(work.person.local), work.person.local
        everywhere = on(province, store, name)
        archived = on(province, store, name, FOLDERS["Archive"])
        flagged = _flagged(province, store, name)
        lost["flags"] += sum(each not in flagged for each in work.flagged)
        lost["moves"] += sum(not archived[each] for each in work.moved)
        lost["deletions"] += sum(bool(everywhere[each]) for each in work.deleted)
        lost["copies"] += sum(not everywhere[each] for each in work.appended)
        done += Counter(
            flags=len(work.flagged), moves=len(work.moved), deletions=len(work.deleted),
            copies=len(work.appended),
        )  # fmt: skip
    print("lost:", ", ".join(f"{lost[each]} of {done[each]} {each}" for each in done))


def _flagged(province: Province, store: str, name: str) -> set[str]:
    argv = ["doveadm", "-f", "flow", "fetch", "-u", province.mail(name), "hdr.message-id"]
    said = province.lab.run(store, [*argv, "mailbox", "*", "flagged"]).stdout
    return {row.partition("=")[2].strip() for row in said.splitlines() if row}
