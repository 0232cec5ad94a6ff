"""Standby copies beside deliveries: does the copying keep up, how much more could it do, and what
does looking cost?

Everything shares the cores of this machine: two stores, the edge, and who sends.
"""

from __future__ import annotations

import json
import smtplib
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

from province import wait_for

from benchmarks import processor
from benchmarks.applied import Applied
from benchmarks.timing import Sample
from danhba.compiled import Mailbox
from danhba.standby.mailboxes import WATCHED, signature
from deploys.standby import CONFIG
from staging.shell import say

NEEDED = 20
"""Deliveries a second."""
SECONDS = 60.0
LINES = 4
"""Connections that bring them: one would wait for each answer."""
LIMIT = 600
"""Mailboxes that all have one new message when the limit is measured."""
LETTER = 50
"""Recipients of one message then."""

PATH = Path(__file__).with_name("standby.md")
HEAD = f"""\
First {NEEDED} deliveries a second for {SECONDS:.0f} seconds, each to another mailbox, through
an edge. Then the limit: the copying is stopped, {LIMIT} mailboxes get a message each, and copying
begins again, on both stores at once, with nothing else to do; beside it a doveadm for each mailbox,
one after the other on each store, which is what a hook for each delivery would do. Median
(least–most; number of runs)."""

_DAEMON, _ALL = "danhba-standby.service", "danhba-standby-all.service"
_LAG = (
    "python3 -c \"import sqlite3;print(sqlite3.connect('/var/lib/danhba-standby/standby.sqlite')"
    ".execute('select value from notes where name=\\'lag\\'').fetchone()[0])\""
)
_EACH = "while read -r user; do doveadm sync -u $user tcp:{way} || exit 1; done"


@dataclass
class Copies:
    """What was seen: seconds, but `rates`, deliveries a second, and `spent`, processor seconds a
    delivery. lags: age of the oldest copy that was not yet made, each second."""

    rates: Sample = field(default_factory=Sample)
    lags: list[float] = field(default_factory=list)
    caught_up: Sample = field(default_factory=Sample)
    spent: Sample = field(default_factory=Sample)
    daemon: Sample = field(default_factory=Sample)
    each: Sample = field(default_factory=Sample)
    full: Sample = field(default_factory=Sample)


class Bench:
    """Stores, and mailboxes that are spread over them."""

    def __init__(self, on: Applied) -> None:
        self.on = on
        self.boxes = on.active()[: int(NEEDED * SECONDS)]
        environment = on.lab.environment
        self.stores = [store.name for store in environment.having("store")]
        self.edge = environment.having("edge")[0]
        self.queues = sorted({host.name for host in environment.having("edge")} | {*self.stores})

    def deliver(self, boxes: Sequence[Mailbox]) -> None:
        """One message to so many mailboxes, from outside."""
        with smtplib.SMTP(self.edge.ipv4, 25, timeout=60, source_address=("198.19.0.1", 0)) as smtp:
            self._send(smtp, boxes)

    def deliver_steadily(self) -> float:
        """To one mailbox after the other, NEEDED a second; returns how many a second it were."""
        began = time.monotonic()
        with ThreadPoolExecutor(LINES) as pool:
            count = sum(pool.map(partial(self._steadily, began), range(LINES)))
        return count / (time.monotonic() - began)

    def _steadily(self, began: float, line: int) -> int:
        """One connection's share."""
        count = 0
        with smtplib.SMTP(self.edge.ipv4, 25, timeout=60, source_address=("198.19.0.1", 0)) as smtp:
            while time.monotonic() - began < SECONDS:
                place = line + count * LINES
                time.sleep(max(0.0, began + place / NEEDED - time.monotonic()))
                self._send(smtp, [self.boxes[place % len(self.boxes)]])
                count += 1
        return count

    def _send(self, smtp: smtplib.SMTP, boxes: Sequence[Mailbox]) -> None:
        message = EmailMessage()
        message["From"] = "lan@ngoaitinh.test"
        message["To"] = ", ".join(self.on.province.mail(box.address) for box in boxes)
        message["Subject"] = "Thử"
        message.set_content("Xin chào\n" * 50)
        smtp.send_message(message)

    def settled(self) -> None:
        """Wait until all is delivered and copied."""
        self.delivered()
        self.wait_copied(time.time())

    def delivered(self) -> None:
        for host in self.queues:
            wait_for(lambda on=host: not self.on.must(on, ["postqueue", "-j"]), "delivered", 600)

    def behind(self, since: float) -> int:
        """Copies that are to be made; one more for each store that has not looked `since` then."""
        lags = [self.lag(store) for store in self.stores]
        return sum(lag["behind"] + (lag["at"] < since) for lag in lags)

    def oldest(self) -> float:
        """Seconds that the oldest of these copies has been due."""
        now = time.time()
        oldest = [self.lag(store)["oldest"] for store in self.stores]
        return max([now - each["since"] for each in oldest if each], default=0.0)

    def lag(self, store: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.on.must(store, ["sh", "-c", _LAG]))
        return found

    def daemons(self, what: str) -> None:
        for store in self.stores:
            self.on.must(store, ["systemctl", what, _DAEMON])

    def processor(self) -> float:
        """Seconds used by the daemons and the doveadm processes that they started."""
        spent = processor.seconds(self.on.lab, self.stores)
        return sum(each for (_, unit), each in spent.items() if unit == _DAEMON)

    def wait_copied(self, since: float) -> None:
        wait_for(lambda: not self.behind(since), "all copied", 600)


def measured(on: Applied, runs: int) -> str:
    """Markdown. Raises Failed, LabError."""
    bench, found = Bench(on), Copies()
    for first in range(0, len(bench.boxes), LETTER):  # every mailbox exists, here and there
        bench.deliver(bench.boxes[first : first + LETTER])
    bench.settled()
    for _ in range(runs):
        _steadily(bench, found)
        _limit(bench, found)
        _nightly(bench, found)
    return "\n\n".join("\n".join(rows) for rows in (_kept_up(found), _limits(found, on)))


def _steadily(bench: Bench, found: Copies) -> None:
    before, done = bench.processor(), threading.Event()
    watch = threading.Thread(target=_watch, args=(bench, found.lags, done))
    watch.start()
    try:
        rate = bench.deliver_steadily()
        bench.delivered()
        end = time.time()
        bench.wait_copied(end)
    finally:
        done.set()
        watch.join()
    found.rates.add(rate)
    found.caught_up.add(time.time() - end)
    found.spent.add((bench.processor() - before) / (rate * SECONDS))
    say(f"{rate:.1f} deliveries/s; oldest copy {max(found.lags):.1f} s")


def _watch(bench: Bench, lags: list[float], done: threading.Event) -> None:
    while not done.wait(1):
        lags.append(bench.oldest())


def _limit(bench: Bench, found: Copies) -> None:
    for sample, work in ((found.daemon, _by_daemon), (found.each, _by_each)):
        bench.daemons("stop")
        try:
            for first in range(0, LIMIT, LETTER):
                bench.deliver(bench.boxes[:LIMIT][first : first + LETTER])
            bench.delivered()
            begin = time.monotonic()
            work(bench)
            sample.add(time.monotonic() - begin)
        finally:
            bench.daemons("start")
        bench.settled()
        say(f"{work.__name__}: {LIMIT / sample.seconds[-1]:.0f} copies/s")


def _by_daemon(bench: Bench) -> None:
    since = time.time()
    bench.daemons("start")
    bench.wait_copied(since)


def _by_each(bench: Bench) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda store: _on_store(bench, store), bench.stores))


def _on_store(bench: Bench, store: str) -> None:
    mine = [box for box in bench.boxes[:LIMIT] if bench.on.province.home(box.account) == store]
    by_way: dict[str, list[str]] = {}
    ways = json.loads(bench.on.must(store, ["cat", CONFIG]))["ways"]
    for box in mine:
        way = ways[bench.on.lab.environment.place(box).standby]
        by_way.setdefault(way, []).append(bench.on.province.mail(box.account))
    for way, users in by_way.items():
        bench.on.must(store, ["sh", "-c", _EACH.format(way=way)], "\n".join(users) + "\n")


def _nightly(bench: Bench, found: Copies) -> None:
    """On one store after the other: on both at once they would wait for this machine."""
    begin = time.monotonic()
    for store in bench.stores:
        bench.on.must(store, ["systemctl", "start", _ALL])
    found.full.add((time.monotonic() - begin) / len(bench.boxes))


def _kept_up(found: Copies) -> Iterator[str]:
    yield "| deliveries a second | |"
    yield "|---|---|"
    yield f"| asked for {NEEDED}, done | {found.rates} |"
    middle = statistics.median(found.lags)
    yield f"| age of the oldest copy due, s: median, most | {middle:.1f}, {max(found.lags):.1f} |"
    yield f"| all copied after the last delivery, s | {found.caught_up} |"
    yield f"| processor of daemons and doveadm, s a delivery | {found.spent} |"


def _limits(found: Copies, on: Applied) -> Iterator[str]:
    yield f"| {LIMIT} new messages | seconds | copies/s | of the {NEEDED}/s needed |"
    yield "|---|---|---|---|"
    for way, sample in (("danhba", found.daemon), ("a doveadm for each", found.each)):
        rate = LIMIT / sample.median
        yield f"| {way} | {sample} | {rate:.0f} | {rate / NEEDED:.1f} times |"
    count = len(on.compiled.mailboxes)
    yield ""
    yield f"| {count:,} mailboxes | seconds |"
    yield "|---|---|"
    yield f"| one look, on one store that had all (processor) | {_looking(count):.2f} |"
    hours = count * found.full.median / 3600
    yield f"| full comparison, a mailbox | {found.full}: {hours:.1f} hours for all, one by one |"


def _looking(count: int) -> float:
    """Processor seconds of one look at so many mailboxes, with their times in memory."""
    with tempfile.TemporaryDirectory(prefix="danhba-bench-") as place:
        homes = [f"{place}/nv{number}" for number in range(count)]
        for home in homes:
            for name in WATCHED[:3]:
                path = Path(home, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        began = time.process_time()
        for home in homes:
            signature(home)
        return time.process_time() - began
