"""Misused accounts are limited, suspended on all hosts and released (docs/incidents.md)."""

from __future__ import annotations

import json
import smtplib
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest
from doors import IMAPS, POP3S, SUBMISSIONS, Door, Refused, enter
from people import Person, session, trusting
from people import official as somebody
from province import Province, wait_for

from staging.config import OUTSIDE

EDGES = ("mx1", "mx2")
DAEMONS = ("danhba-lockout.service", "danhba-suspending.service", "danhba-abuse.service")
SECONDS = 10.0
"""Within which a suspension holds everywhere; usually it is two."""
SCAM = (
    "Your password is known. Send 1000 USD in bitcoin to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa."
    " I recorded you through your camera.\n"
)
LATER, SUSPENDED = "4.7.1 Ban da gui qua nhieu thu", "4.7.1 Tai khoan tam khoa gui thu"


@dataclass(frozen=True)
class Cast:
    """fast, spam, lost: accounts that are misused. doic: keeps the mailbox that is told of all.
    officers: of the others' agencies, by their account."""

    fast: Person
    spam: Person
    lost: Person
    doic: Person
    officers: dict[str, Person]


@pytest.fixture(scope="module")
def cast(province: Province, edge: str, released: None) -> Cast:
    boxes = {box.account: box for box in province.compiled.mailboxes}
    officers, keepers = dict(province.compiled.officers), {
        grant.keeper for grant in province.compiled.grants
    }  # fmt: skip
    chosen = []
    while len(chosen) < 3:
        name = province.stranger()
        officer = officers.get(boxes[name].agency, name)
        if name not in keepers and officer != name:
            chosen.append(name)
    keeper = next(each.keeper for each in province.compiled.grants if each.agency == "sotttt")
    told = {name: officers[boxes[name].agency] for name in chosen}
    province.choose_passwords([*dict.fromkeys((*chosen, keeper, *told.values()))])
    people = [somebody(province, edge, name) for name in chosen]
    doic = somebody(province, edge, keeper).as_keeper_of(province.mail("sotttt"))
    return Cast(*people, doic=doic, officers={
        person.address: somebody(province, edge, told[person.local]) for person in people
    })  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def released(province: Province) -> Iterator[None]:
    """A lab that is used again may have incidents of before."""
    _release_all(province)
    yield
    _release_all(province)


def _release_all(province: Province) -> None:
    for line in province.danhba("incident", "list", "staging").stdout.splitlines():
        province.danhba("incident", "release", "staging", line.partition(": ")[0], "--return-queue")


def _at(person: Person, province: Province, edge: str) -> Person:
    return replace(person, server=province.lab.host(edge).ipv4)


def _said(smtp: smtplib.SMTP, sender: str, to: list[str], raw: bytes) -> list[tuple[int, str]]:
    """What each recipient is told, and then the message, if any was accepted."""
    answers = [smtp.mail(sender)]
    if answers[0][0] == 250:
        answers = [smtp.rcpt(each) for each in to]
        if any(code == 250 for code, _ in answers):
            answers.append(smtp.data(raw))
        else:
            smtp.rset()
    return [(code, text.decode()) for code, text in answers]


def _refused(person: Person, province: Province) -> bool:
    """At three doors of both edges; all at once, for every refusal takes two seconds."""

    def is_in(tried: tuple[str, Door]) -> bool:
        name, door = tried
        try:
            enter(door, province.lab.host(name).ipv4, person.login, person.password, trusting())
        except Refused:
            return False
        return True

    doors = [(name, door) for name in EDGES for door in (IMAPS, POP3S, SUBMISSIONS)]
    with ThreadPoolExecutor(len(doors)) as pool:
        return not any(pool.map(is_in, doors))


def _queue(province: Province, edge: str, sender: str) -> dict[str, list[str]]:
    """Names of queues to the messages of a sender there."""
    lines = province.lab.run(edge, ["postqueue", "-j"]).stdout.splitlines()
    found: dict[str, list[str]] = {}
    for item in map(json.loads, lines):
        if item["sender"] == sender:
            found.setdefault(item["queue_name"], []).append(item["queue_id"])
    return found


def _incident(province: Province, person: Person) -> str:
    """Its line in the list, "" when there is none."""
    lines = province.danhba("incident", "list", "staging").stdout.splitlines()
    return next((line for line in lines if f": {person.address}, " in line), "")


def test_an_agency_writes_to_three_hundred_officials(
    province: Province, keeper: Person, agency: str
) -> None:
    """Several times a day, and as 300 letters: tests/unit/test_misuse.py."""
    own = replace(keeper, login=keeper.address)
    assert own.password  # a new one ends all sessions for sending
    people = [box for box in province.compiled.mailboxes if box.kind == "person"]
    to = [province.mail(box.address) for box in people if box.state == "active"][:300]
    message = own.write([], "Giấy mời", "Kính mời\n", sender=agency)
    with own.submission() as smtp:
        assert smtp.send_message(message, agency, to) == {}
    assert not _incident(province, own)


def test_somebody_writes_to_so_many_officials_at_once(province: Province, cast: Cast) -> None:
    """Then no more of them; who goes on: tests/unit/test_misuse.py."""
    people = [box for box in province.compiled.mailboxes if box.kind == "person"]
    to = [province.mail(box.address) for box in people if box.state == "active"]
    most = province.compiled.sending.inside_burst
    with cast.lost.submission() as smtp:
        smtp.mail(cast.lost.address)
        said = [smtp.rcpt(each) for each in to[: most + 2]]
    assert [code for code, _ in said] == [250] * most + [450] * 2
    assert said[-1][1].decode().startswith(LATER)


def test_a_stolen_account_is_suspended_everywhere_and_released(
    province: Province, cast: Cast, outsider: Person
) -> None:
    thief, lab = cast.fast, province.lab
    lab.run("net1", ["postfix", "stop"])  # what is sent outside stays in the queues
    try:
        with ExitStack() as stack:
            reading = stack.enter_context(session(thief, IMAPS))
            letter = thief.write([outsider.address], "Hỏi", "Xin hỏi\n")
            sending = stack.enter_context(_at(thief, province, "mx2").submission())
            sending.send_message(letter)
            took = _writes_to_four_hundred(province, thief)
            with pytest.raises(smtplib.SMTPResponseException) as told:
                sending.ehlo_or_helo_if_needed()
                code, text = sending.mail(thief.address)
                raise smtplib.SMTPResponseException(code, text)
            assert told.value.smtp_code == 421
            assert told.value.smtp_error.decode().startswith(SUSPENDED)
            begun = time.monotonic()
            wait_for(reading.has_ended, "the session for reading ends", limit=SECONDS)
            wait_for(lambda: _all_held(province, thief), "its mail is held", limit=SECONDS)
            assert _refused(thief, province)
            took += time.monotonic() - begun
            assert took < SECONDS, took
    finally:
        lab.run("net1", ["postfix", "start"])
    line = _incident(province, thief)
    assert "400 addresses outside in an hour (limit 400)" in line and _held(line) >= 5
    shown = json.loads(province.danhba("incident", "show", "staging", thief.local).stdout)
    assert shown["why"] == "recipients" and {held["host"] for held in shown["held"]} == set(EDGES)

    _is_told(cast, thief)
    assert province.plan_status() == 0  # no apply knows of it
    province.danhba("incident", "release", "staging", thief.local)
    outsider.reads(letter)
    with thief.submission():
        pass
    done = province.danhba("incident", "list", "staging", "--all").stdout
    assert f"{thief.address}, " in done and "; released " in done and " by root@" in done
    for edge in EDGES:
        assert "hold" not in _queue(province, edge, thief.address)
    assert not _incident(province, thief)  # bounces of what was let go are no new alarm


def _writes_to_four_hundred(province: Province, thief: Person) -> float:
    """200 outside are accepted, on both edges; of the others every one is refused, and counted.
    Seconds from the last one to the first refusal of a session on the other edge."""
    raw = thief.write([f"x@{OUTSIDE}"], "Chào", "Xin chào\n").as_bytes()
    for n in range(4):
        with _at(thief, province, EDGES[n % 2]).submission() as smtp:
            to = [f"khach{50 * n + k}@{OUTSIDE}" for k in range(50 - (n == 3))]
            smtp.ehlo()
            assert _said(smtp, thief.address, to, raw)[-1][0] == 250

    errors: list[smtplib.SMTPException] = []

    def push(n: int) -> set[str]:
        try:
            with _at(thief, province, EDGES[n % 2]).submission() as smtp:
                smtp.ehlo()
                to = [f"la{10 * n + k}@{OUTSIDE}" for k in range(10)]
                return {text[:30] for _, text in _said(smtp, thief.address, to, raw)}
        except smtplib.SMTPException as error:  # suspended meanwhile
            errors.append(error)
            return set()

    with ThreadPoolExecutor(5) as pool:
        said = set().union(*pool.map(push, range(20)))
    assert said <= {LATER, SUSPENDED} and LATER in said, said
    begun = time.monotonic()
    wait_for(lambda: _refused(thief, province), f"logins are refused ({errors})", limit=SECONDS)
    return time.monotonic() - begun


def _held(line: str) -> int:
    """How many messages. A lab that is used again may have some of before in its queues."""
    return int(line.rpartition("; ")[2].split()[0])


def _all_held(province: Province, person: Person) -> bool:
    queues = [_queue(province, edge, person.address) for edge in EDGES]
    return all(set(queue) == {"hold"} for queue in queues)


def _is_told(cast: Cast, thief: Person) -> None:
    """The department in charge and the agency's IT officer, in their own mailboxes."""
    for reader in (cast.doic, cast.officers[thief.address]):
        letter = reader.reads_where("FROM", "postmaster", "TEXT", f'"{thief.address}"')
        assert (
            str(letter["Subject"]) == f"Tài khoản {thief.address} bị tạm khóa vì nghi bị lợi dụng"
        )
        text = letter.get_content()
        assert "400 địa chỉ bên ngoài tỉnh" in text and "198.18.0.1" in text


def test_spam_goes_back_to_its_owner_and_an_edge_that_was_away_hears_of_it(
    province: Province, cast: Cast
) -> None:
    owner, lab = cast.spam, province.lab
    lab.run("net1", ["postfix", "stop"])
    lab.run("mx2", ["systemctl", "stop", *DAEMONS])
    try:
        message = owner.write([], "", SCAM)
        for name in ("To", "Subject", "Date", "Message-ID"):
            del message[name]
        message["To"] = "undisclosed-recipients: ;"
        with owner.submission() as smtp:
            smtp.ehlo()
            said = [_said(smtp, owner.address, [f"a{n}@{OUTSIDE}"], message.as_bytes())[-1]
                    for n in range(10)]  # fmt: skip
        assert [code for code, _ in said] == [250] * 9 + [421]
        assert "10 messages like spam" in _incident_of_living(province, owner)
        lab.run("mx2", ["systemctl", "start", *DAEMONS])
        wait_for(lambda: _refused(owner, province), "mx2 has heard of it", limit=30)
        wait_for(lambda: set(_queue(province, "mx1", owner.address)) == {"hold"}, "it is held")
        province.danhba("incident", "release", "staging", owner.address, "--return-queue")
    finally:
        lab.run("net1", ["postfix", "start"])
        lab.run("mx2", ["systemctl", "start", *DAEMONS])
    returned = owner.reads_where("FROM", "MAILER-DAEMON", "TEXT", '"bitcoin"')
    assert "Undelivered" in str(returned["Subject"])
    wait_for(lambda: not _queue(province, "mx1", owner.address), "nothing is left")


def _incident_of_living(province: Province, person: Person) -> str:
    """One host does not answer, and is named."""
    done = province.danhba("incident", "list", "staging", check=False)
    assert done.returncode == 1 and "mx2: " in done.stderr
    return next(line for line in done.stdout.splitlines() if person.address in line)


def test_addresses_that_nobody_has_are_an_alarm(province: Province, cast: Cast) -> None:
    guesser = cast.lost
    for n in range(3):
        with _at(guesser, province, EDGES[n % 2]).submission() as smtp:
            smtp.ehlo()
            said = _said(smtp, guesser.address, [
                province.mail(f"khong.ai{10 * n + k}") for k in range(10)
            ], b"")  # fmt: skip
            assert {code for code, _ in said} == {550}
    wait_for(lambda: _refused(guesser, province), "logins are refused", limit=SECONDS)
    assert "30 addresses inside that nobody has" in _incident(province, guesser)


@pytest.mark.parametrize("daemon", ["danhba-abuse.service", "danhba-lockout.service"])
def test_without_the_daemon_what_is_submitted_waits_and_nothing_else(
    province: Province, daemon: str, official: Person, colleague: Person
) -> None:
    message = official.write([colleague.address], "Thử", "Xin chào\n")
    assert official.password and colleague.password  # a new one ends all sessions for sending
    with official.submission() as smtp:
        _signal(province, daemon, "STOP")
        try:
            code, text = smtp.mail(official.address)
            assert code == 451, (code, text)
            province.deliver(colleague.local)
        finally:
            _signal(province, daemon, "KILL")

    def goes() -> bool:
        try:
            official.send(message)
        except (smtplib.SMTPException, ssl.SSLError, OSError):
            return False
        return True

    wait_for(goes, "it runs again")
    colleague.reads(message)


def _signal(province: Province, daemon: str, name: str) -> None:
    province.lab.run("mx1", ["systemctl", "kill", "--signal", name, daemon])
