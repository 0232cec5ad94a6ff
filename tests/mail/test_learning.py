"""What officials move to and from Thư rác is learned by the filters of all edges, once; strangers
in doubt come again.
"""

from __future__ import annotations

import imaplib
import secrets
import smtplib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.message import EmailMessage

import pytest
from doors import Refused, upload_sieve
from folders import named
from greylist import later, strangers
from junk_corpus import Kind, message, texts
from people import OUTSIDE_CLIENT, Person, trusting, wait_for
from province import Province
from province import wait_for as wait_until

from staging.config import OUTSIDE
from staging.host import Host

EDGES, STORES = ("mx1", "mx2"), ("store1", "store2")
SENDER = f"lan@{OUTSIDE}"
JUNK, TRASH = named("Thư rác"), named("Thùng rác")
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
AGAIN = "4.7.1 Xin gui lai sau vai phut"
TODAY = "/var/lib/danhba-learning/today"
FORGET = (
    "valkey-cli -s /run/valkey/valkey --scan --pattern '{}' |"
    " xargs -r valkey-cli -s /run/valkey/valkey unlink"
)

Learned = tuple[int, int]
"""Messages of spam, and of the other kind."""


@pytest.fixture(scope="module", autouse=True)
def _a_new_day(province: Province) -> Iterator[None]:
    """Nobody has taught yet. Afterwards edges know what they knew before: nothing."""

    def forget() -> None:
        for edge in EDGES:
            for keys in ("RS*", "learned_ids*", "BAYES*"):
                province.lab.run(edge, ["sh", "-c", FORGET.format(keys)])
        for store in STORES:
            province.lab.run(store, ["rm", "-f", TODAY])
            province.lab.run(store, ["systemctl", "restart", "danhba-learning"])

    forget()
    yield
    forget()


def _learned(province: Province, edge: str) -> Learned:
    argv = ["valkey-cli", "-s", "/run/valkey/valkey", "hmget", "RS", "learns_spam", "learns_ham"]
    spam, ham = province.lab.run(edge, argv).stdout.split("\n")[:2]
    return int(spam or 0), int(ham or 0)


class Lessons:
    """What every edge has learned since this was made."""

    def __init__(self, province: Province) -> None:
        self._province = province
        self._before = {edge: _learned(province, edge) for edge in EDGES}

    def of(self, edge: str) -> Learned:
        spam, ham = _learned(self._province, edge)
        return spam - self._before[edge][0], ham - self._before[edge][1]

    def are(self, spam: int, ham: int, *edges: str) -> None:
        """Wait until they are, and so on every edge."""
        for edge in edges or EDGES:
            self._wait(edge, (spam, ham))

    def _wait(self, edge: str, wanted: Learned) -> None:
        seen: list[Learned] = []

        def reached() -> bool:
            seen.append(self.of(edge))
            return seen[-1] == wanted

        try:
            wait_until(reached, f"{edge} has learned {wanted}", limit=60)
        except AssertionError as error:
            raise AssertionError(f"{error}, but {seen[-1]}") from None


@pytest.fixture
def lessons(province: Province) -> Lessons:
    return Lessons(province)


def _written(text: str = "") -> EmailMessage:
    """From outside; every one says something that was never said."""
    words = " ".join(secrets.token_hex(3) for _ in range(30))
    return message(text or f"Kính gửi anh chị {words}\n", SENDER, "official@may.test")


def _doubtful(text: str = "") -> bytes:
    """Without recipient and identifier: neither junk nor good. Every one is another message."""
    made = EmailMessage()
    made["From"], made["Date"] = SENDER, "Thu, 26 Nov 2026 08:00:00 +0000"
    made["Subject"] = "Chao"
    made.set_content(f"{text or 'Kinh gui anh chi'} {secrets.token_hex(8)}\n")
    return made.as_bytes()


def _outside(province: Province, edge: str, to: str, raw: bytes) -> tuple[int, str]:
    """The last word of an edge to a message from outside."""
    there = province.lab.host(edge).ipv4
    with smtplib.SMTP(there, 25, timeout=60, source_address=(OUTSIDE_CLIENT, 0)) as smtp:
        smtp.ehlo(f"mail.{OUTSIDE}")
        smtp.mail(SENDER)
        assert smtp.rcpt(to)[0] == 250
        code, said = smtp.data(raw)
        return code, said.decode()


def _arrived(province: Province, to: str) -> EmailMessage:
    sent = _written()
    assert _outside(province, "mx1", to, sent.as_bytes())[0] == 250
    return sent


def _do(imap: imaplib.IMAP4, command: str, *arguments: str) -> list[bytes]:
    status, said = imap.uid(command, *arguments)
    assert status == "OK", said
    return said


def _append(imap: imaplib.IMAP4, folder: str, raw: bytes) -> None:
    when = imaplib.Time2Internaldate(time.time())
    status, said = imap.append(folder, "", when, raw)
    assert status == "OK", said


def _find(imap: imaplib.IMAP4, folder: str, sent: EmailMessage) -> str:
    """UID of a message that is in a folder, or will be."""

    def look() -> bytes | None:
        imap.select(folder)
        found = _do(imap, "SEARCH", "HEADER", "Message-ID", f'"{sent["Message-ID"]}"')[0].split()
        return bytes(found[-1]) if found else None

    return wait_for(look, f"{sent['Message-ID']} in {folder}").decode()


def _move(imap: imaplib.IMAP4, sent: EmailMessage, source: str, target: str) -> float:
    """Seconds that it takes."""
    uid = _find(imap, source, sent)
    began = time.monotonic()
    _do(imap, "MOVE", uid, target)
    return time.monotonic() - began


def test_who_moves_to_junk_and_back_teaches_every_edge_and_once(
    province: Province, official: Person, lessons: Lessons
) -> None:
    sent = _arrived(province, official.address)
    with official.inbox() as imap:
        _move(imap, sent, "INBOX", JUNK)
        lessons.are(1, 0)
        _move(imap, sent, JUNK, "INBOX")
        lessons.are(0, 1)
        _do(imap, "COPY", _find(imap, "INBOX", sent), JUNK)
        lessons.are(1, 0)
        # The same message once more, and a new one after it.
        there = official.raw_where("HEADER", "Message-ID", f'"{sent["Message-ID"]}"')
        _append(imap, JUNK, there)
        _append(imap, JUNK, _written().as_bytes())
    lessons.are(2, 0)


def test_nothing_else_teaches(province: Province, official: Person, lessons: Lessons) -> None:
    """Neither the filter that files mail there itself, nor who throws junk away, deletes or marks
    it, nor a copy between stores."""
    filed, thrown, last = _written(), _written(), _written()
    for name in ("Date", "To", "Subject"):
        del filed[name]
    filed["Subject"] = "TRUNG THUONG 5.000.000.000 DONG!!!"
    del filed["From"]
    filed["From"], filed["X-Priority"] = SENDER, "1"
    raw = filed.as_bytes().replace(b"Message-ID", b"X-Mark")
    assert _outside(province, "mx1", official.address, raw)[0] == 250
    assert _outside(province, "mx1", official.address, thrown.as_bytes())[0] == 250
    home, standby = province.home(official.local), province.standby(official.local)
    with official.inbox() as imap:
        mark = f'"{filed["Message-ID"]}"'

        def look() -> bytes | None:
            imap.select(JUNK)
            return bytes(_do(imap, "SEARCH", "HEADER", "X-Mark", mark)[0]) or None

        uid = wait_for(look, "junk is filed as such").decode()
        _do(imap, "STORE", uid, "+FLAGS", r"(\Seen $Junk)")
        _do(imap, "MOVE", uid, TRASH)
        _move(imap, thrown, "INBOX", JUNK)
        uid = _find(imap, JUNK, thrown)
        _do(imap, "STORE", uid, "+FLAGS", r"(\Deleted)")
        _do(imap, "EXPUNGE", uid)
        _append(imap, JUNK, last.as_bytes())
    lessons.are(2, 0)
    wait_until(lambda: province.has(official.local, str(last["Message-ID"]), standby),
               "the standby has it")  # fmt: skip
    wait_until(lambda: not _spooled(province, home), "all is carried")
    assert not _spooled(province, standby)
    assert official.address not in province.lab.run(standby, ["cat", TODAY]).stdout
    assert [lessons.of(edge) for edge in EDGES] == [(2, 0)] * 2


def _spooled(province: Province, store: str) -> list[str]:
    argv = ["find", "/var/spool/danhba-learning", "-type", "f"]
    return province.lab.run(store, argv).stdout.split()


def test_a_keeper_teaches_for_his_agency_and_moving_is_all_he_does(
    province: Province, keeper: Person, agency: str, lessons: Lessons
) -> None:
    """What leaves an agency's folder is kept beside it: that is nobody's word on it."""
    sent = _arrived(province, agency)
    with keeper.inbox() as imap:
        _move(imap, sent, "INBOX", JUNK)
        lessons.are(1, 0)
        _move(imap, sent, JUNK, "INBOX")
        lessons.are(0, 1)


def test_a_dead_edge_keeps_nobody_waiting_and_is_caught_up(
    province: Province, official: Person, lessons: Lessons
) -> None:
    first, second = (_arrived(province, official.address) for _ in range(2))
    store = province.home(official.local)
    with official.inbox() as imap:
        _find(imap, "INBOX", second)
        province.lab.cut("mx2")
        try:
            took = _move(imap, first, "INBOX", JUNK)
            lessons.are(1, 0, "mx1")
            status = province.lab.run(store, _HEALTH).stdout
        finally:
            province.lab.join("mx2")
        print(f"moved in {took:.3f} s while mx2 was cut off")
        assert took < 1
        assert "learning: 1 waiting for mx2" in status, status
        # Where valkey is down nothing is lost either.
        province.lab.run("mx1", ["systemctl", "stop", "valkey-server"])
        try:
            _move(imap, second, "INBOX", JUNK)
            lessons.are(2, 0, "mx2")
        finally:
            province.lab.run("mx1", ["systemctl", "start", "valkey-server"])
    lessons.are(2, 0)


_HEALTH = [
    "env", "PYTHONPATH=/usr/local/lib/danhba", "python3", "-B", "-m", "learning",
    "/etc/danhba/learning-carry.json", "health",
]  # fmt: skip


def test_without_a_spool_mail_is_moved_all_the_same(
    province: Province, official: Person, store: Host
) -> None:
    sent, new = _arrived(province, official.address), "/var/spool/danhba-learning/new"
    with official.inbox() as imap:
        _find(imap, "INBOX", sent)
        province.lab.run(store.name, ["chmod", "0", new])
        try:
            assert _move(imap, sent, "INBOX", JUNK) < 1
            _find(imap, JUNK, sent)
        finally:
            province.lab.run(store.name, ["chmod", "2770", new])


# Officials teach, and the filter tells junk from mail


def _teach(person: Person, kind: Kind, lines: list[str]) -> None:
    with person.inbox() as imap:
        for line in lines:
            _append(imap, JUNK, message(line, SENDER, person.address).as_bytes())
        if kind == "ham":
            imap.select(JUNK)
            _do(imap, "MOVE", "1:*", "INBOX")


@pytest.fixture(scope="module")
def taught(province: Province, recipients: list[Person], _a_new_day: None) -> None:
    """Twenty-one officials, of whom none teaches more than counts in a day."""
    spam, ham = texts("spam", 210), texts("ham", 210)
    work: list[tuple[Person, Kind, list[str]]] = []
    work += [(recipients[10 + n], "spam", spam[30 * n : 30 * n + 30]) for n in range(7)]
    work += [(recipients[17 + n], "ham", ham[15 * n : 15 * n + 15]) for n in range(14)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: _teach(*each), work))
    for edge in EDGES:
        _all_learned(province, edge)


def _all_learned(province: Province, edge: str) -> None:
    def look() -> bool:
        spam, ham = _learned(province, edge)
        return spam >= 210 and ham >= 210

    wait_until(look, f"{edge} has learned all", limit=90)


@pytest.mark.parametrize("edge_name", EDGES)
def test_what_was_taught_tells_new_junk_from_new_mail(
    province: Province, official: Person, taught: None, edge_name: str
) -> None:
    """By sentences that nobody taught; alone it makes no message junk, and refuses none."""
    strangers(province)
    (spam,), (ham,) = (texts(kind, 1, taught=False, seed=edge_name) for kind in ("spam", "ham"))
    bad, good = message(spam, SENDER, official.address), message(ham, SENDER, official.address)
    code, said = _outside(province, edge_name, official.address, bad.as_bytes())
    assert code == 451 and said.startswith(AGAIN), (code, said)
    del bad["Date"]
    raw = b"X-Priority: 1\r\n" + bad.as_bytes()
    assert _outside(province, edge_name, official.address, raw)[0] == 250
    assert _outside(province, edge_name, official.address, good.as_bytes())[0] == 250
    with official.inbox() as imap:
        _find(imap, JUNK, bad)
        _find(imap, "INBOX", good)


def test_an_edge_that_has_lost_everything_takes_it_from_the_other(
    province: Province, taught: None
) -> None:
    known = _learned(province, "mx1")
    province.lab.run("mx2", ["valkey-cli", "-s", "/run/valkey/valkey", "flushall"])
    wait_until(lambda: _learned(province, "mx2") == known, f"mx2 has learned {known}")
    role = ["valkey-cli", "-s", "/run/valkey/valkey", "info", "replication"]
    wait_until(lambda: "role:master" in province.lab.run("mx2", role).stdout, "it is its own again")


def test_officials_own_scripts_start_no_programs(official: Person) -> None:
    script = 'require ["vnd.dovecot.pipe", "copy"];\npipe :copy "spool" ["spam", "x"];\n'
    mine = (official.server, official.login, official.password, trusting())
    with pytest.raises(Refused):
        upload_sieve(*mine, script)


# Greylisting


def test_a_stranger_in_doubt_comes_again_wherever_he_likes_and_is_known_then(
    province: Province, official: Person
) -> None:
    strangers(province)
    raw = _doubtful()

    def says(edge: str, what: bytes) -> tuple[int, str]:
        return _outside(province, edge, official.address, what)

    assert says("mx1", raw)[1].startswith(AGAIN)
    keys = ["valkey-cli", "-s", "/run/valkey/valkey", "keys", "grey:m:*"]
    wait_until(lambda: "grey:m:" in province.lab.run("mx2", keys).stdout, "mx2 has heard of it")
    assert says("mx2", raw)[1].startswith(AGAIN), "the other edge has let him in at once"
    later(province, "mx2")
    assert says("mx2", raw)[0] == 250
    began = time.monotonic()
    for edge in EDGES:
        assert says(edge, _doubtful())[0] == 250, f"{edge} does not know him"
    print(f"two more of a known sender: {time.monotonic() - began:.2f} s")


def test_what_is_in_doubt_is_looked_at_all_the_same(province: Province, official: Person) -> None:
    strangers(province)
    for _ in range(2):
        code, said = _outside(province, "mx1", official.address, _doubtful(EICAR))
        assert code == 554 and said.startswith("5.7.1 Thu bi tu choi: co vi rut"), said


def test_who_logs_in_never_comes_again(official: Person, colleague: Person) -> None:
    raw = _doubtful().replace(SENDER.encode(), official.address.encode())
    with official.submission() as smtp:
        smtp.ehlo()
        smtp.mail(official.address)
        smtp.rcpt(colleague.address)
        assert smtp.data(raw)[0] == 250


@contextmanager
def _valkey(province: Province, before: str, after: str) -> Iterator[None]:
    for edge in EDGES:
        province.lab.run(edge, ["systemctl", *before.split(), "valkey-server"])
    try:
        yield
    finally:
        for edge in EDGES:
            province.lab.run(edge, ["systemctl", *after.split(), "valkey-server"])


@pytest.mark.parametrize(("before", "after"), [("stop", "start"), ("kill -s STOP", "kill -s CONT")])
def test_without_valkey_nobody_is_sent_away(
    province: Province, official: Person, before: str, after: str
) -> None:
    with _valkey(province, before, after):
        began = time.monotonic()
        assert _outside(province, "mx1", official.address, _doubtful())[0] == 250
        took = time.monotonic() - began
    print(f"valkey {before}: accepted after {took:.2f} s")
    assert took < 10
