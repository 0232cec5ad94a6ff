"""What the archive costs a mail: an edge's rate with the journal, and without; and what a vault
that is away for long leaves on an edge.

Everything shares the cores of this machine, the senders too: a server of its own does more.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from attackers import crowd, known
from journals import VAULT, Journal
from province import wait_for

from benchmarks import processor
from benchmarks.applied import Applied
from benchmarks.filters import CORPUS, PEOPLE, SOURCES, Letter, corpus, is_empty, send
from benchmarks.timing import Failed
from staging.config import OUTSIDE
from staging.shell import say

SECONDS = 20.0
AWAY_MANY, AWAY_SIZE = 5_000, 16_384
RATE = 20
"""Messages a second: a province's busy hour, taken for a whole day."""
WITH, WITHOUT = "with the journal", "without"
_MAIN = "/etc/postfix/main.cf"
_BCC = "recipient_bcc_maps = "
_UNIT = "danhba-journal.service"
_WORTH_MILLISECONDS = 0.1

PATH = Path(__file__).with_name("journal.md")
_SHARES = ", ".join(f"{share} % {what}" for what, share, _ in CORPUS)
HEAD = f"""\
{SOURCES} servers outside send to {PEOPLE} officials through one edge, with all filters on, each one
message after another on one connection; {_SHARES}.
Median (least–most; runs of {SECONDS:.0f} seconds), the two by turns; without: the same edge, and
Postfix adds no recipients for the archive. The next run begins when all mail is in its mailboxes
and in the vault. Processor: of all units that take part. Away: {AWAY_MANY:,} messages of
{AWAY_SIZE // 1024} KB come to the queue that waits while the vault's daemon is stopped; then it is
started. Edges, stores, vault and senders share the cores and one disk."""


@dataclass
class Found:
    """By way: rates, mails accepted a second of each run; spent, processor seconds by unit; done,
    how many mails."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    spent: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Away:
    """taken, caught: messages a second into the queue and out of it. growth: bytes of disk each."""

    taken: float
    caught: float
    growth: float


def measured(on: Applied, runs: int) -> str:
    """Markdown. Raises Failed, LabError."""
    edge = on.lab.environment.having("edge")[0]
    to = [on.province.mail(box.account) for box in on.active()[:PEOPLE]]
    letters, found, journal = corpus(), Found(), Journal(on.province)
    with crowd(SOURCES) as sources:
        known(edge.ipv4, sources)
        for number in range(runs):
            ways = (WITH, WITHOUT) if number % 2 else (WITHOUT, WITH)
            for way in ways:
                with _without(on, edge.name, way == WITHOUT):
                    _run(on, journal, way, edge.name, edge.ipv4, sources, to, letters, found)
    away = [_away(on, journal, edge.name) for _ in range(max(1, runs // 2))]
    tables = (_rates(found), _processor(found), _of_away(away))
    return "\n\n".join("\n".join(rows) for rows in tables)


def _run(
    on: Applied, journal: Journal, way: str, edge: str, address: str, sources: Sequence[str],
    to: Sequence[str], letters: Sequence[Letter], found: Found,
) -> None:  # fmt: skip
    hosts = [host.name for host in on.lab.environment.hosts]
    before, began = processor.seconds(on.lab, hosts), time.monotonic()
    end = began + SECONDS
    with ThreadPoolExecutor(len(sources)) as pool:
        done = sum(pool.map(lambda source: send(address, source, to, letters, end), sources))
    found.rates.setdefault(way, []).append(done / (time.monotonic() - began))
    wait_for(lambda: is_empty(on, edge), "the queue is empty", 300)
    journal.settled(300)
    used = processor.used(before, processor.seconds(on.lab, hosts))
    found.spent.setdefault(way, Counter()).update(used)
    found.done[way] += done
    say(f"{way}: {found.rates[way][-1]:.1f} mails/s")


@contextmanager
def _without(on: Applied, host: str, without: bool) -> Iterator[None]:
    """Postfix adds no recipients for the archive, for a while."""
    if not without:
        yield
        return
    target, text = on.must(host, ["readlink", _MAIN]).strip(), on.must(host, ["cat", _MAIN])
    rows = [row for row in text.split("\n") if not row.startswith(_BCC)]
    if len(rows) + 1 != len(text.split("\n")):
        raise Failed("the edge has no journal to do without")
    swap = f"rm {_MAIN}; cat >{_MAIN}; systemctl reload postfix"
    on.must(host, ["sh", "-c", swap], "\n".join(rows))
    try:
        yield
    finally:
        on.must(host, ["ln", "-sfn", target, _MAIN])
        on.must(host, ["systemctl", "reload", "postfix"])


def _away(on: Applied, journal: Journal, edge: str) -> Away:
    """Straight into the queue that waits: the rest of the way is measured above."""
    source = ["smtp-source", "-s", "16", "-m", str(AWAY_MANY), "-l", str(AWAY_SIZE)]
    source += ["-f", f"lan@{OUTSIDE}", "-t", "ai=dau.test@journal.invalid", "127.0.0.1:10027"]
    journal.settled(300)
    on.must(VAULT, ["systemctl", "stop", _UNIT])
    try:
        before, began = _used(on, edge), time.monotonic()
        on.must(edge, source)
        taken = AWAY_MANY / (time.monotonic() - began)
        growth = (_used(on, edge) - before) / AWAY_MANY
    finally:
        on.must(VAULT, ["systemctl", "start", _UNIT])
    began = time.monotonic()
    journal.hurry(edge)
    journal.settled(1800)
    caught = AWAY_MANY / (time.monotonic() - began)
    say(f"away: {taken:.0f}/s into the queue, {growth:.0f} bytes each, {caught:.0f}/s out of it")
    return Away(taken, caught, growth)


def _used(on: Applied, edge: str) -> int:
    """Names change while they are counted: that is no failure."""
    count = "du -s --block-size=1 /var/spool/postfix-journal 2>/dev/null || true"
    return int(on.must(edge, ["sh", "-c", count]).split()[0])


# Tables


def _rates(found: Found) -> Iterator[str]:
    yield "| | mails/s | of that without |"
    yield "|---|---|---|"
    whole = statistics.median(found.rates[WITHOUT])
    for way, rates in found.rates.items():
        median = statistics.median(rates)
        spread = f"{min(rates):.1f}–{max(rates):.1f}; {len(rates)}"
        yield f"| {way} | {median:.1f} ({spread}) | {median / whole:.2f} |"


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


def _of_away(away: Sequence[Away]) -> Iterator[str]:
    growth = statistics.median(each.growth for each in away)
    caught = statistics.median(each.caught for each in away)
    taken = statistics.median(each.taken for each in away)
    rates = sorted(each.caught for each in away)
    day = 86400 * RATE
    hours = day / (caught - RATE) / 3600 if caught > RATE else float("inf")
    yield f"| a vault that is away ({len(away)} times) | |"
    yield "|---|---|"
    yield f"| into the queue that waits | {taken:.0f} messages/s |"
    yield f"| disk for a message of {AWAY_SIZE // 1024} KB | {growth / 1024:.1f} KB |"
    yield f"| out of it, when the vault is back | {caught:.0f} ({rates[0]:.0f}–{rates[-1]:.0f})/s |"
    yield f"| a day at {RATE} mails/s on one edge: queue | {growth * day / (1 << 30):.0f} GB |"
    yield f"| caught up with, while {RATE}/s more come | {hours:.1f} hours |"
