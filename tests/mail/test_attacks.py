"""Attacks on an edge from outside: it stays up, says a proper code, and ordinary mail flows.

The delays of ordinary mail are printed; docs/edge.md has them.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import secrets
import smtplib
import tarfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial

import pytest
from attackers import Raw, crowd, dripping, known, mail_flows, raw
from clients import addresses, client, reply
from marked import attach, docx
from people import OUTSIDE_CLIENT, Person
from province import Province

from staging.config import INTERNET4, INTERNET6, OUTSIDE

SENDER = f"lan@{OUTSIDE}"
WITHIN = 60
"""Seconds that ordinary mail may take during an attack, on a machine that also runs the attack;
usually it is one."""
MEGABYTE = 1 << 20
TLS_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 500
"""How a client begins TLS."""
EHLO = b"EHLO may.ngoaitinh.test\r\n"


@pytest.fixture(scope="module")
def people(edge: str, recipients: list[Person]) -> list[Person]:
    known(edge, [OUTSIDE_CLIENT])
    return recipients[40:43]


@pytest.fixture(scope="module")
def sources(edge: str) -> Iterator[list[str]]:
    """Forty servers outside that the edge knows."""
    with crowd() as found:
        known(edge, found)
        yield found


@pytest.fixture(scope="module", autouse=True)
def nothing_dies(province: Province, edge: str) -> Iterator[None]:
    """Whatever was done to them, all services of the edge are the same processes afterwards."""
    argv = ["systemctl", "show", "--property=Id,MainPID,NRestarts", "postfix.service"]
    argv += ["rspamd.service", "clamav-daemon.service", "valkey-server.service", "dovecot.service"]
    argv += ["danhba-senders.service", "danhba-marks.service"]
    before = province.lab.run("mx1", argv).stdout
    yield
    assert province.lab.run("mx1", argv).stdout == before


# Slow and many


SLOW = {
    "before postscreen": (25, 25, 20, EHLO, False),
    "behind postscreen": (25, 25, 20, EHLO, True),
    "465, within TLS": (465, 10, 50, TLS_HELLO, False),
    "587": (587, 10, 50, EHLO, True),
    "993, within TLS": (993, 10, 50, TLS_HELLO, False),
    "500 of one source, 25": (25, 1, 500, EHLO, True),
    "500 of one source, 465": (465, 1, 500, TLS_HELLO, False),
    "500 of one source, 993": (993, 1, 500, TLS_HELLO, False),
}
"""Port, sources, connections of each, what they drip, whether they wait for the greeting first."""


@pytest.mark.parametrize("case", SLOW)
def test_500_slow_connections_keep_nobody_from_writing(
    case: str, edge: str, sources: list[str], people: list[Person], outsider: Person
) -> None:
    port, count, each, words, patient = SLOW[case]
    with dripping(edge, port, sources[:count], each, words, patient) as drip:
        with mail_flows(WITHIN, people, outsider):
            time.sleep(1)
        assert set(drip.said) <= {"220", "250", "421", "550", "closed"}, drip.said
        if (port, count) == (25, 1):
            assert drip.said["220"] <= 20 and drip.said["421"] > 100, drip.said


def test_newcomers_get_in_though_500_others_are_slow(
    edge: str, sources: list[str], people: list[Person], outsider: Person
) -> None:
    """Nobody whom postscreen does not know yet is turned away for the others' sake."""
    numbers = range(100, 126)
    places = [str(INTERNET4[number]) for number in numbers]
    with (
        addresses(*numbers),
        dripping(edge, 25, places[1:], 20, EHLO, patient=False),
        Raw(edge, 25, places[0]) as newcomer,
    ):
        assert newcomer.hear().startswith("220")


def test_a_network_of_ipv6_is_one_source(
    province: Province, people: list[Person], outsider: Person
) -> None:
    """RFC 6177: a customer has at least 2^64 addresses."""
    server = province.environment.host("mx1").ipv6
    with addresses(*range(100, 103), network=INTERNET6):
        places = [str(INTERNET6[number]) for number in range(100, 103)]
        known(server, places)
        with ThreadPoolExecutor(45) as pool:
            lines = list(pool.map(lambda n: Raw(server, 25, places[n % 3]), range(45)))
        said = Counter(line.hear()[:3] for line in lines)
        for line in lines:
            line.__exit__()
    assert said["220"] <= 20 < said["421"], said


# Many recipients


def test_10_000_recipients_in_one_message(
    edge: str, people: list[Person], outsider: Person, recipients: list[Person]
) -> None:
    """500 are taken, more are to come in a second message; who does not hear that is cut off."""
    to = [recipients[number % 40].address for number in range(10_000)]
    with raw(edge, OUTSIDE_CLIENT, to[0]) as line, mail_flows(WITHIN, people, outsider):
        line.say(b"".join(f"RCPT TO:<{each}>\r\n".encode() for each in to))
        said = Counter(answer[:9] for answer in line.rest(2))
    assert said["250 2.1.5"] == 499, said
    assert said["452 4.5.3"] >= 1000 and said["421 4.7.0"] <= 1, said


def test_10_000_recipients_in_twenty_messages(
    edge: str, people: list[Person], outsider: Person, recipients: list[Person]
) -> None:
    to = [recipients[number % 40].address for number in range(500)]
    mark = secrets.token_hex(8)

    def send(first: int) -> None:
        with Raw(edge, 25, OUTSIDE_CLIENT) as line:
            line.hear()
            line.ask("EHLO may.ngoaitinh.test")
            for number in range(first, first + 5):
                line.say(f"MAIL FROM:<{SENDER}>\r\n".encode())
                line.say(b"".join(f"RCPT TO:<{each}>\r\n".encode() for each in to) + b"DATA\r\n")
                said = [line.hear()[:3] for _ in range(502)]
                assert set(said[:-1]) == {"250"} and said[-1] == "354", Counter(said)
                head = f"From: {SENDER}\r\nTo: a@b.test\r\nSubject: {mark} {number}\r\n"
                line.say(f"{head}\r\nx\r\n.\r\n".encode())
                assert line.hear().startswith("250")

    began = time.monotonic()
    with mail_flows(WITHIN, people, outsider), ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(0, 20, 5)))
    print(f"10,000 recipients in {time.monotonic() - began:.1f} s")
    read = recipients[0].reads_where("SUBJECT", f'"{mark} 19"')
    assert read["From"] == SENDER


# Large messages


def _streamed(line: Raw, megabytes: int) -> None:
    block = (b"x" * 998 + b"\r\n") * 1049
    for _ in range(megabytes):
        line.say(block)


def test_a_gigabyte_that_says_so_is_refused_at_once(edge: str) -> None:
    with client(edge, OUTSIDE_CLIENT) as smtp:
        assert reply(smtp.mail(SENDER, ["SIZE=1073741824"])) == (552, "5.3.4")


def test_a_gigabyte_that_does_not_say_so_is_refused_and_fills_no_disk(
    edge: str, people: list[Person], outsider: Person, province: Province
) -> None:
    used = ["sh", "-c", "df --output=used -B1M /var/spool/postfix | tail -1"]
    with raw(edge, OUTSIDE_CLIENT, people[0].address) as line:
        assert line.ask("DATA").startswith("354")
        before, began = int(province.lab.run("mx1", used).stdout), time.monotonic()
        with mail_flows(WITHIN, people, outsider):
            _streamed(line, 1024)
            grown = int(province.lab.run("mx1", used).stdout) - before
            said = line.ask(".")
        print(f"1 GB in {time.monotonic() - began:.1f} s, {grown} MB on the disk: {said}")
        assert said.startswith("552 5.3.4") and grown < 200
        assert line.ask("NOOP").startswith("250")


def test_who_never_ends_a_message_loses_only_his_own_connection(
    edge: str, people: list[Person], outsider: Person
) -> None:
    line = Raw(edge, 25, OUTSIDE_CLIENT)
    with line, mail_flows(WITHIN, people, outsider):
        line.hear()
        line.ask("EHLO may.ngoaitinh.test")
        line.ask(f"MAIL FROM:<{SENDER}>")
        line.ask(f"RCPT TO:<{people[0].address}>")
        line.ask("DATA")
        _streamed(line, 100)


CHUNKS = {
    "one of a gigabyte": ("BDAT 1073741824 LAST", "552"),
    "one that wraps a 64-bit number": ("BDAT 18446744073709551617 LAST", "5"),
    "a negative one": ("BDAT -1 LAST", "521 5.5.4"),
    "one of no number": ("BDAT x LAST", "521 5.5.4"),
    "none": ("BDAT", "521 5.5.4"),
    "an empty message": ("BDAT 0 LAST", "554 5.7.1"),
}


@pytest.mark.parametrize("what", CHUNKS)
def test_chunks_of_wrong_sizes(what: str, edge: str, people: list[Person]) -> None:
    command, wanted = CHUNKS[what]
    with raw(edge, OUTSIDE_CLIENT, people[0].address) as line:
        assert line.ask(command).startswith(wanted)


def test_chunks_of_a_gigabyte_in_all(edge: str, people: list[Person], outsider: Person) -> None:
    with raw(edge, OUTSIDE_CLIENT, people[0].address) as line, mail_flows(WITHIN, people, outsider):
        chunk = (b"x" * 998 + b"\r\n") * 1049
        said = ""
        for _ in range(1024):
            line.say(f"BDAT {len(chunk)}\r\n".encode() + chunk)
            said = line.hear()
            if not said.startswith("250"):
                break
    assert said.startswith("552 5.3.4"), said


# Mail bombs


def _zip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, data in files.items():
            package.writestr(name, data)
    return out.getvalue()


def _layers(leaf: bytes, layers: int, each: int) -> bytes:
    """42.zip has six layers of sixteen, and 4 GB in each leaf."""
    for _ in range(layers):
        leaf = _zip({f"lib {number}.zip": leaf for number in range(each)})
    return leaf


def _overlapping(count: int) -> bytes:
    """Many entries of the directory that lead to one and the same data."""
    data = _zip({"a.txt": bytes(10 * MEGABYTE)})
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry = data[start:end]
    number, size = count.to_bytes(2, "little"), (len(entry) * count).to_bytes(4, "little")
    tail = data[end:]
    return data[:start] + entry * count + tail[:8] + number * 2 + size + tail[16:]


def _tar(files: int, size: int, packed: Callable[[bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as package:
        for number in range(files):
            info = tarfile.TarInfo(f"{number}.txt")
            info.size = size
            package.addfile(info, io.BytesIO(bytes(size)))
    return packed(out.getvalue())


def _gzips(times: int) -> bytes:
    data = bytes(200 * MEGABYTE)
    for _ in range(times):
        data = gzip.compress(data, 9 if len(data) < MEGABYTE else 1)
    return data


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "as 42.zip": ("a.zip", lambda: _layers(_zip({"0.txt": bytes(90 * MEGABYTE)}), 5, 16)),
    "a zip 30 deep": ("a.zip", lambda: _layers(b"x", 30, 1)),
    "wide and flat": ("a.zip", lambda: _zip({f"{n}.txt": bytes(64) for n in range(20_000)})),
    "overlapping": ("a.zip", lambda: _overlapping(60_000)),
    "tar.gz of many files": ("a.tar.gz", lambda: _tar(20_000, 10, gzip.compress)),
    "tar.gz of large files": (
        "a.tar.gz",
        lambda: _tar(2, 90 * MEGABYTE, partial(gzip.compress, compresslevel=1)),
    ),
    "tar.bz2 of large files": (
        "a.tar.bz2",
        lambda: _tar(2, 90 * MEGABYTE, partial(bz2.compress, compresslevel=1)),
    ),
    "tar.xz": ("a.tar.xz", lambda: _tar(2, 90 * MEGABYTE, lambda d: lzma.compress(d, preset=0))),
    "gzip in gzip in gzip": ("a.gz", lambda: _gzips(3)),
    "docx": ("a.docx", lambda: _bomb_docx()),
}


def _bomb_docx() -> bytes:
    out = io.BytesIO(docx("Kính gửi"))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for number in range(5):
            package.writestr(f"word/media/{number}.xml", bytes(95 * MEGABYTE))
    return out.getvalue()


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    found = {}
    for what, (name, make) in BOMBS.items():
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"], message["Subject"] = SENDER, "a@b.test", "Bom"
        message.set_content("x\n")
        attach(message, make(), "octet-stream", name)
        found[what] = message.as_bytes()
    return found


@pytest.mark.parametrize("what", BOMBS)
def test_a_bomb_is_refused_or_harmless(
    what: str, edge: str, people: list[Person], bombs: dict[str, bytes]
) -> None:
    began = time.monotonic()
    with client(edge, OUTSIDE_CLIENT) as smtp:
        smtp.mail(SENDER)
        smtp.rcpt(people[0].address)
        code, said = smtp.data(bombs[what])
    took = time.monotonic() - began
    print(f"{what}, {len(bombs[what]):,} bytes: {code} {said.decode()[:70]}, {took:.1f} s")
    assert code in (250, 554), said


def test_ordinary_mail_flows_while_bombs_come_in(
    edge: str, sources: list[str], people: list[Person], outsider: Person, bombs: dict[str, bytes]
) -> None:
    """Twenty at once from as many servers. Who finds no room at clamd comes again."""

    def throw(number: int) -> int:
        what = list(bombs)[number % len(bombs)]
        try:
            with client(edge, sources[number]) as smtp:
                smtp.mail(SENDER)
                smtp.rcpt(people[0].address)
                return smtp.data(bombs[what])[0]
        except (smtplib.SMTPException, TimeoutError):
            return 421

    with mail_flows(60, people, outsider), ThreadPoolExecutor(20) as pool:
        said = Counter(pool.map(throw, range(20)))
    print(said)
    assert set(said) <= {250, 554, 451, 421}


def _busy() -> bytes:
    """Half a megabyte in which clamd looks for programs and archives until its time is over."""
    mark, text = secrets.token_hex(4), b"PK\3\4MZ" * MEGABYTE
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = SENDER, "a@b.test", "Lâu"
    message.set_content("x\n")
    attach(
        message, _zip({f"{n}.txt": f"{n}{mark}".encode() + text for n in range(60)}), "zip", "a.zip"
    )
    return message.as_bytes()


def test_one_source_does_not_keep_clamd_from_others(
    edge: str, sources: list[str], people: list[Person], outsider: Person
) -> None:
    """Eight messages at once, each of which clamd could read until its time is over."""
    data, source = _busy(), sources[-1]
    with ExitStack() as stack:
        lines = [stack.enter_context(raw(edge, source, people[0].address)) for _ in range(8)]
        for line in lines:
            line.ask("DATA")
            line.say(data + b"\r\n.\r\n")
        with mail_flows(12, people, outsider) as probe:
            time.sleep(5)  # of what clamd takes for one
    assert not probe.away, probe


def test_what_clamd_comes_to_no_end_with_is_put_off_once_and_an_official_is_told_why(
    edge: str, sources: list[str], people: list[Person]
) -> None:
    data, official = _busy(), people[0]

    def submitted() -> tuple[int, bytes]:
        with official.submission() as smtp:
            smtp.mail(official.address)
            smtp.rcpt(official.address)
            return smtp.data(data.replace(SENDER.encode(), official.address.encode()))

    def sent() -> tuple[int, bytes]:
        with client(edge, sources[-2]) as smtp:
            smtp.mail(SENDER)
            smtp.rcpt(official.address)
            return smtp.data(data)

    with ThreadPoolExecutor() as pool:
        inside, first = pool.submit(submitted), pool.submit(sent)
        code, said = inside.result()
        assert code == 554 and b"qua lon hoac qua nhieu lop nen" in said, said
        assert first.result()[0] == 451
    code, said = sent()
    assert code == 554 and b"qua lon hoac qua nhieu lop nen" in said, said


# Words


def test_who_talks_before_the_greeting_is_refused(edge: str, people: list[Person]) -> None:
    """Behind postscreen, too, where he waited for his turn once."""
    with Raw(edge, 25, OUTSIDE_CLIENT) as line:
        line.say(EHLO + f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{people[0].address}>\r\n".encode())
        said = line.rest()
    assert not [answer for answer in said if answer.startswith("250 2.1.5")], said


INJECTED = {
    "line feed in an address": "RCPT TO:<a\nRCPT TO:<{me}>",
    "carriage return in an address": "RCPT TO:<a\rDATA\r@{own}>",
    "quoted end of line": 'RCPT TO:<"a\\\r\\\nDATA"@{own}>',
    "encoded end of line": "RCPT TO:<a%0d%0aDATA@{own}>",
    "shell": 'RCPT TO:<"|touch /tmp/attacked"@{own}>',
    "shell, substituted": "RCPT TO:<$(touch${{IFS}}/tmp/attacked)@{own}>",
    "backquotes": "RCPT TO:<`touch /tmp/attacked`@{own}>",
    "file": 'RCPT TO:<"/tmp/attacked"@{own}>',
    "include": 'RCPT TO:<":include:/etc/passwd"@{own}>',
    "folder": "RCPT TO:<../../../../etc/passwd@{own}>",
    "LDAP": "RCPT TO:<*)(uid=*@{own}>",
    "all of them": "RCPT TO:<*@{own}>",
    "SQL": "RCPT TO:<' OR 1=1 --@{own}>",
    "option": "RCPT TO:<-oQ/tmp@{own}>",
    "format": "RCPT TO:<%s%s%n%n@{own}>",
    "NUL": "RCPT TO:<{me}\0@{out}>",
    "very long": "RCPT TO:<{long}@{own}>",
    "a sender with a line end": "MAIL FROM:<a\r\n@{out}>",
    "a sender of a command": 'MAIL FROM:<"|touch /tmp/attacked"@{out}> BODY=8BITMIME;id',
}


@pytest.mark.parametrize("what", INJECTED)
def test_nothing_in_an_address_is_a_command(
    what: str, edge: str, people: list[Person], province: Province
) -> None:
    words = {
        "me": people[0].address, "own": province.compiled.domain, "out": OUTSIDE,
        "long": "a" * 200_000,
    }  # fmt: skip
    command = INJECTED[what].format(**words)
    with Raw(edge, 25, OUTSIDE_CLIENT) as line:
        line.hear()
        line.ask("EHLO may.ngoaitinh.test")
        if not command.startswith("MAIL"):
            line.ask(f"MAIL FROM:<{SENDER}>")
        line.say(command.encode() + b"\r\n")
        said = line.rest(0.5)
    # Nobody has such an address; what follows an end of line is a command of its own.
    assert (said and said[0][0] in "45") or command.startswith("MAIL"), said
    assert not [answer for answer in said if answer.startswith("354")], said
    assert province.lab.run("mx1", ["test", "-e", "/tmp/attacked"]).returncode == 1


def test_ten_thousand_commands_and_no_mail(edge: str, people: list[Person]) -> None:
    """Nothing that costs time may be asked for ever: junk commands are counted."""
    with Raw(edge, 25, OUTSIDE_CLIENT) as line:
        line.hear()
        line.ask("EHLO may.ngoaitinh.test")
        line.say(b"NOOP\r\nRSET\r\n" * 5000)
        said = Counter(answer[:9] for answer in line.rest(15))
    assert said["250 2.0.0"] < 300, said
