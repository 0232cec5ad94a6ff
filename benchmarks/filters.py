"""How many mails a second an edge accepts with every filter on, beside the same servers without any
and with rspamd as Debian configures it; what of the processor a mail costs.

Everything shares the cores of this machine, the senders too: a server of its own does more.
"""

from __future__ import annotations

import base64
import os
import random
import smtplib
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from attackers import crowd, known
from province import wait_for

from benchmarks import processor
from benchmarks.applied import Applied
from benchmarks.timing import Failed
from staging.config import OUTSIDE
from staging.shell import say

SECONDS = 20.0
SOURCES = 16
"""Servers outside, each with one connection; an edge takes 2,400 messages a minute from each."""
PEOPLE = 48
CORPUS = (("text, 2 KB", 40, 0), ("HTML, 10 KB", 30, 0), ("attachment of 60 KB", 15, 60),
          ("attachment of 400 KB", 10, 400), ("attachment of 3 MB", 5, 3000))  # fmt: skip
"""What, of a hundred how many, and kilobytes of an attachment."""

ALL, NONE, DEBIAN = "every filter on", "no filter", "rspamd as Debian has it"
_FILTERED = "smtpd_milters=unix:"
_PLACE = "/run/danhba-bench-filters"
_DEBIAN_SOCKET = "inet:127.0.0.1:11332"
_UNIT = "danhba-bench-rspamd"
_MASTER = "/etc/postfix/master.cf"
_WORTH_MILLISECONDS = 0.1

PATH = Path(__file__).with_name("filters.md")
HEAD = f"""\
{SOURCES} servers outside send to {PEOPLE} officials, each one message after another on one
connection; {", ".join(f"{share} % {what}" for what, share, _ in CORPUS)},
every attachment another. Median (least–most; runs of {SECONDS:.0f} seconds), the three by turns.
A mail counts when it is accepted; the next run begins when all are in their mailboxes, and the
second table has the whole way. Debian's rspamd has its own configuration, asks no ClamAV, and its
lists on the Internet do not exist in the lab: outside it waits for them. The same Postfix and
Dovecot stand beside all three. Every unit that takes part shares the cores with the senders."""


@dataclass
class Found:
    """By way: rates, mails accepted a second of each run; spent, processor seconds by unit; done,
    how many mails."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    spent: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)


def measured(on: Applied, runs: int) -> str:
    """Markdown. Raises Failed, LabError."""
    edge = on.lab.environment.having("edge")[0]
    to = [on.province.mail(box.account) for box in on.active()[:PEOPLE]]
    letters, found = corpus(), Found()
    ways = [(ALL, ""), (NONE, "smtpd_milters="), (DEBIAN, f"smtpd_milters={_DEBIAN_SOCKET}")]
    with crowd(SOURCES) as sources, _debian(on, edge.name):
        known(edge.ipv4, sources)
        for number in range(runs):
            turn = number % len(ways)
            for name, filters in ways[turn:] + ways[:turn]:
                with _filtered(on, edge.name, filters):
                    _run(on, name, edge.name, edge.ipv4, sources, to, letters, found)
    return "\n\n".join("\n".join(rows) for rows in (_rates(found), _processor(found)))


def _run(
    on: Applied, name: str, edge: str, address: str, sources: Sequence[str], to: Sequence[str],
    letters: Sequence[Letter], found: Found,
) -> None:  # fmt: skip
    hosts = [host.name for host in on.lab.environment.hosts]
    before, began = processor.seconds(on.lab, hosts), time.monotonic()
    end = began + SECONDS
    with ThreadPoolExecutor(len(sources)) as pool:
        sent = pool.map(lambda source: send(address, source, to, letters, end), sources)
        done = sum(sent)
    found.rates.setdefault(name, []).append(done / (time.monotonic() - began))
    wait_for(lambda: is_empty(on, edge), "the queue is empty", 300)
    used = processor.used(before, processor.seconds(on.lab, hosts))
    found.spent.setdefault(name, Counter()).update(used)
    found.done[name] += done
    say(f"{name}: {found.rates[name][-1]:.1f} mails/s")


def is_empty(on: Applied, edge: str) -> bool:
    """Has the mail queue of an edge nothing?"""
    return "Mail queue is empty" in on.must(edge, ["postqueue", "-p"])


def send(edge: str, source: str, to: Sequence[str], letters: Sequence[Letter], end: float) -> int:
    """How many of a server's messages were accepted until the end. Raises Failed."""
    chosen, done = random.Random(source), 0
    name = f"khach{source.rpartition('.')[2]}.{OUTSIDE}"
    with smtplib.SMTP(edge, 25, name, 120, (source, 0)) as smtp:
        smtp.ehlo()
        while time.monotonic() < end:
            letter = chosen.choice(letters)
            smtp.mail(f"lan@{name}")
            smtp.rcpt(chosen.choice(to))
            code, text = smtp.data(letter.written(f"lan@{name}"))
            if code != 250:
                raise Failed(f"{letter.what}: {code} {text.decode()}")
            done += 1
    return done


@dataclass(frozen=True)
class Letter:
    """raw: with places for what is another each time."""

    what: str
    raw: bytes

    def written(self, sender: str) -> bytes:
        """An attachment begins with random bytes: scanners remember files that they have seen."""
        identity = f"{os.urandom(8).hex()}.{time.time_ns()}"
        changed = self.raw.replace(b"SENDER", sender.encode()).replace(
            b"IDENTITY", identity.encode()
        )
        return changed.replace(_FIRST, base64.b64encode(os.urandom(57)), 1)


_FIRST = base64.b64encode(bytes(57))
"""The first line of an attachment (RFC 2045 6.8), to be changed."""


def corpus() -> list[Letter]:
    """A hundred messages, as CORPUS has them."""
    made = random.Random(1)
    return [
        _letter(what, kilobytes, made) for what, share, kilobytes in CORPUS for _ in range(share)
    ]


def _letter(what: str, kilobytes: int, made: random.Random) -> Letter:
    words = ("kính", "gửi", "ủy ban", "nhân dân", "xã", "báo cáo", "tình hình", "thực hiện")
    text = "\n".join(" ".join(made.choices(words, k=12)) for _ in range(25))
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "Lê Thị Lan <SENDER>", "official@angiang.gov.vn"
    message["Subject"] = " ".join(made.choices(words, k=6))
    message["Date"], message["Message-ID"] = (
        "Thu, 26 Nov 2026 08:00:00 +0700",
        "<IDENTITY@may.test>",
    )
    message.set_content(text, cte="base64")
    if what.startswith("HTML"):
        rows = "".join(f"<tr><td>{line}</td></tr>" for line in text.splitlines() * 3)
        message.add_alternative(f"<html><body><table>{rows}</table></body></html>", subtype="html")
    if kilobytes:
        data = bytes(57) + made.randbytes(kilobytes * 1000)
        message.add_attachment(data, maintype="application", subtype="pdf", filename="báo cáo.pdf")
    return Letter(what, message.as_bytes())


# The ways


@contextmanager
def _filtered(on: Applied, host: str, filters: str) -> Iterator[None]:
    """Port 25 asks other filters, or none; "": as it is."""
    if not filters:
        yield
        return
    target = on.must(host, ["readlink", _MASTER]).strip()
    text = on.must(host, ["cat", _MASTER])
    head, mark, rest = text.partition("smtpd      pass ")
    service, end, others = rest.partition("\n\n")
    if _FILTERED not in service:
        raise Failed("port 25 has no filter to change")
    kept = "\n".join(row for row in service.split("\n") if "smtpd_milters" not in row)
    changed = f"{head}{mark}{kept}\n    -o {filters}{end}{others}"
    on.must(host, ["sh", "-c", f"rm {_MASTER}; cat >{_MASTER}; systemctl reload postfix"], changed)
    try:
        yield
    finally:
        on.must(host, ["ln", "-sfn", target, _MASTER])
        on.must(host, ["systemctl", "reload", "postfix"])


@contextmanager
def _debian(on: Applied, host: str) -> Iterator[None]:
    """A second rspamd, with the configuration that the package brings and nothing of danhba's."""
    unpack = (
        f"mkdir -p {_PLACE}/run {_PLACE}/db && chmod 755 {_PLACE} && cd {_PLACE} &&"
        f" apt-get -qq download rspamd && dpkg-deb -x rspamd_*.deb . &&"
        f" chown _rspamd: run db"
    )
    on.must(host, ["sh", "-c", unpack])
    places = {"CONFDIR": f"{_PLACE}/etc/rspamd", "RUNDIR": f"{_PLACE}/run", "DBDIR": f"{_PLACE}/db"}
    places |= {"LOCAL_CONFDIR": f"{_PLACE}/etc/rspamd", "LOGDIR": f"{_PLACE}/run"}
    where = [f"--var={name}={place}" for name, place in places.items()]
    run = [
        "rspamd",
        "-f",
        "-u",
        "_rspamd",
        "-g",
        "_rspamd",
        "-c",
        f"{_PLACE}/etc/rspamd/rspamd.conf",
    ]
    on.must(host, ["systemd-run", "--quiet", f"--unit={_UNIT}", *run, *where])
    try:
        listens = ["sh", "-c", "ss -ltn | grep -q 127.0.0.1:11332"]
        wait_for(lambda: on.lab.run(host, listens).returncode == 0, "Debian's rspamd", 300)
        yield
    finally:
        on.must(host, ["systemctl", "stop", _UNIT])
        on.must(host, ["rm", "-r", _PLACE])


# Tables


def _rates(found: Found) -> Iterator[str]:
    yield "| | mails/s | of the edge's |"
    yield "|---|---|---|"
    edge = statistics.median(found.rates[ALL])
    for way, rates in found.rates.items():
        median = statistics.median(rates)
        spread = f"{min(rates):.1f}–{max(rates):.1f}; {len(rates)}"
        yield f"| {way} | {median:.1f} ({spread}) | {median / edge:.1f} times |"


def _processor(found: Found) -> Iterator[str]:
    """Units below a tenth of a millisecond a mail are left out."""
    ways = list(found.rates)
    yield f"| processor, ms a mail | {' | '.join(ways)} |"
    yield "|---|" + "---|" * len(ways)

    def each(way: str, unit: tuple[str, str]) -> float:
        return found.spent[way][unit] / found.done[way] * 1000

    for unit in sorted({unit for spent in found.spent.values() for unit in spent}):
        cells = [each(way, unit) for way in ways]
        if max(cells) >= _WORTH_MILLISECONDS:
            name = f"{unit[0]}: {unit[1]}"
            yield f"| {name} | {' | '.join(f'{cell:.1f}' for cell in cells)} |"
    whole = [sum(each(way, unit) for unit in found.spent[way]) for way in ways]
    yield f"| **all** | {' | '.join(f'**{cell:.1f}**' for cell in whole)} |"
