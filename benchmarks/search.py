"""Full-text search over IMAP, with marks and without, beside a bare Dovecot that has no index.

Both have the same messages in a folder of their own; an official searches his through an edge.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from doors import IMAPS, Line, Refused
from people import trusting
from province import wait_for

from benchmarks.applied import Applied
from benchmarks.logins import THROUGH, Way, bare
from benchmarks.timing import Failed, Sample
from staging.shell import say

MESSAGES = 10_000
FOLDER = "Searched"
AT_ONCE = 250
"""Messages in one APPEND (RFC 3502)."""
WORDS = 300
"""In a message."""
EVERY = 50
"""One message of so many has what is sought."""
SOUGHT, PLAIN = "khuyến nông", "khuyen nong"
QUERIES = (("BODY", SOUGHT), ("BODY", PLAIN), ("SUBJECT", PLAIN), ("TEXT", PLAIN))

_FIRST = "b c ch d đ g gi h kh l m n ng nh ph qu r s t th tr v x"
_LAST = (
    "a á à ả ạ an án ang áng anh ảnh ao áo âm ấp ăn ắn e ê ế ên ết i í in ình o ò on ong ông ộng ơ "
    "ở ơn ơi ôi ốt u ú ung úng ư ừ ưng ước ương ường"
)
"""Beginnings and ends of syllables; no two of them make the first of the sought ones."""

PATH = Path(__file__).with_name("search.md")
HEAD = f"""\
A folder of messages, one of {EVERY} with "{SOUGHT}" in subject and body. Milliseconds from SEARCH
to its answer: median (least–most; runs), each on a connection of its own. Ours goes through an
edge. The bare Dovecot has no index, and is behind nothing; it takes letters as they are written, so
that words without marks find nothing: that ratio is in brackets."""


@dataclass
class Searches:
    """times: milliseconds, and found: messages, by way and query. filled: seconds, by way.

    size: of a message, in kB. index: MB.
    """

    messages: int
    size: float = 0.0
    times: dict[tuple[str, str], Sample] = field(default_factory=dict)
    found: dict[tuple[str, str], int] = field(default_factory=dict)
    filled: dict[str, float] = field(default_factory=dict)
    index: float = 0.0


def measured(on: Applied, runs: int, messages: int = MESSAGES) -> str:
    """Markdown. Raises Failed, LabError."""
    texts = [_text(number) for number in range(messages)]
    found = Searches(messages, sum(map(len, texts)) / messages / 1000)
    province, account = on.province, on.active()[0].account
    secrets = [(province.mail(account), province.password(account))]
    edge = on.lab.environment.having("edge")[0]
    ours = Way(THROUGH, edge.ipv4, edge.fqdn, IMAPS, secrets)
    with bare(on, secrets) as other:
        try:
            for way in (ours, other):
                found.filled[way.name] = _fill(way, texts)
                say(f"{way.name}: {messages:,} messages in {found.filled[way.name]:.0f} s")
            found.index = _indexed(on, account)
            for _ in range(runs):
                for way in (ours, other):
                    _search(found, way)
        finally:
            with _session(ours) as line:
                line.ask(f"DELETE {FOLDER}")
    return "\n".join(_tables(found))


def _text(number: int) -> bytes:
    """A message of words that Vietnamese might have."""
    chance = random.Random(number)
    first, last = _FIRST.split(), _LAST.split()
    words = [chance.choice(first) + chance.choice(last) for _ in range(WORDS)]
    subject = words[:6]
    if number % EVERY == 0:
        words[WORDS // 2 : WORDS // 2] = SOUGHT.split()
        subject.insert(3, SOUGHT)
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "lan@ngoaitinh.test", "nvan@angiang.gov.vn"
    message["Subject"], message["Message-ID"] = " ".join(subject), f"<{number}@ngoaitinh.test>"
    lines = (" ".join(words[start : start + 12]) for start in range(0, len(words), 12))
    message.set_content("\n".join(lines), cte="8bit")
    return message.as_bytes()


@contextmanager
def _session(way: Way) -> Iterator[Line]:
    """Raises Failed, also for what is refused in it."""
    [(login, password)] = way.secrets
    try:
        with Line(way.door, way.host, trusting(), name=way.server) as line:
            line.log_in(login, password)
            yield line
    except (OSError, Refused) as error:
        raise Failed(f"{way.name}: {error}") from error


def _fill(way: Way, texts: Sequence[bytes]) -> float:
    """Seconds. Raises Failed."""
    with _session(way) as line:
        line.ask(f"CREATE {FOLDER}")
        began = time.monotonic()
        for start in range(0, len(texts), AT_ONCE):
            rows = b"".join(
                b" {%d+}\r\n%s" % (len(text), text) for text in texts[start : start + AT_ONCE]
            )
            line.sock.sendall(b"a APPEND " + FOLDER.encode() + rows + b"\r\n")
            line.answer()
        return time.monotonic() - began


def _indexed(on: Applied, account: str) -> float:
    """Wait until nothing is left to do, and say how many MB the index has. Raises Failed."""
    province, store = on.province, on.province.home(account)
    on.must(store, ["doveadm", "index", "-u", province.mail(account), FOLDER])

    def copied() -> bool:
        rows = province.danhba("status", "staging", check=False).stdout.splitlines()
        return {row.strip() for row in rows if "standby:" in row} == {"standby: 0 waiting"}

    wait_for(copied, "the standby has the folder", 600)
    place = f"/srv/mail/{account}/mail/mailboxes/{FOLDER}/dbox-Mails/fts-flatcurve"
    return int(on.must(store, ["du", "-sk", place]).split()[0]) / 1024


def _search(found: Searches, way: Way) -> None:
    """One run of all queries. Raises Failed."""
    for key, words in QUERIES:
        with _session(way) as line:
            line.ask(f"SELECT {FOLDER}")
            text = words.encode()
            began = time.perf_counter()
            line.sock.sendall(
                b"a UID SEARCH CHARSET UTF-8 %s {%d+}\r\n%s\r\n" % (key.encode(), len(text), text)
            )
            said = line.answer()
            took = 1000 * (time.perf_counter() - began)
        case = (way.name, f"{key} {words}")
        found.times.setdefault(case, Sample()).add(took)
        found.found[case] = len(said.partition("* SEARCH")[2].partition("\r\n")[0].split())


def _tables(found: Searches) -> Iterator[str]:
    ours, other = found.filled
    size = found.size * found.messages / 1000
    yield f"| {found.messages:,} messages | {ours} | found | {other} | found | ratio |"
    yield "|---|---|---|---|---|---|"
    for key, words in QUERIES:
        cases = [(way, f"{key} {words}") for way in (ours, other)]
        mine, its = (found.times[case] for case in cases)
        counts = [found.found[case] for case in cases]
        ratio = f"{its.median / mine.median:.1f}"
        shown = ratio if counts[0] == counts[1] else f"({ratio})"
        cells = (_cell(mine), counts[0], _cell(its), counts[1], shown)
        yield f"| {key} {words} | {' | '.join(map(str, cells))} |"
    yield ""
    yield f"- To append all of them: {found.filled[ours]:.1f} s, {found.filled[other]:.1f} s."
    yield f"- The index on the disk: {found.index:.1f} MB, of {size:.1f} MB of messages."


def _cell(sample: Sample) -> str:
    least, most = min(sample.seconds), max(sample.seconds)
    return f"{sample.median:.0f} ({least:.0f}–{most:.0f}; {len(sample.seconds)})"
