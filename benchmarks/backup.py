"""Backups of many mailboxes beside plain restic and cp: first, without a change, 1 % changed.

All on one disk of one host, so that no network is measured; each way has its own target.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.results import where
from benchmarks.timing import Sample
from danhba.backup import mail
from danhba.backup.config import Config
from danhba.backup.freezing import LIST_LOG, LOG
from danhba.backup.memory import Memory
from danhba.backup.restic import Repository

MAILBOXES, MESSAGES, SIZE = 1000, 10, 6000
INBOX = "mail/mailboxes/INBOX/dbox-Mails"
CHANGED = "1 % changed"
STEPS = ("first", "no change", CHANGED)

PATH = Path(__file__).with_name("backup.md")
HEAD = f"""\
Messages of {SIZE // 1000} KB of random bytes, on one disk, each way to a target of its own; all
in the order of the rows at each step. danhba takes every mailbox's locks, copies its index files
and lists its messages with their SHA-256 besides; nightly it looks at mailboxes that have not
changed as well. cp copies everything each time. Median (least–most; number of runs)."""


class Bench:
    """Mailboxes as Dovecot has them, as far as a backup can tell."""

    def __init__(self, place: Path) -> None:
        self.place, self.random = place, random.Random(2009)
        self.mail = place / "srv/mail"
        self.count: Counter[str] = Counter()
        self.accounts = [f"nv{number:04}" for number in range(MAILBOXES)]
        for account in self.accounts:
            (self.mail / account / INBOX).mkdir(parents=True)
            (self.mail / account / "mail" / LIST_LOG).write_bytes(b"list")
            for _ in range(MESSAGES):
                self.deliver(account)
        (place / "homes").write_text("\n".join(self.accounts))
        self.config = Config(
            host="store1", vault="", port=0, ca="", secret="", homes=str(place / "homes"),
            mail=str(self.mail), state=str(place / "state"), paths=(), apart=(), ldap=(),
        )  # fmt: skip
        self.memory = Memory(self.config.state)
        self.ours, self.plain = self._repository("ours"), self._repository("plain")

    def deliver(self, account: str) -> None:
        folder = self.mail / account / INBOX
        self.count[account] += 1
        (folder / f"u.{self.count[account]}").write_bytes(self.random.randbytes(SIZE))
        with (folder / LOG).open("ab") as log:
            log.write(self.random.randbytes(64))

    def change(self) -> None:
        for account in self.random.sample(self.accounts, MAILBOXES // 100):
            self.deliver(account)

    def _repository(self, name: str) -> Repository:
        made = Repository(
            str(self.place / name), {"RESTIC_PASSWORD": "x"}, ("--cache-dir", f"{self.place}/cache")
        )
        made.must("init")
        return made

    def by_danhba(self) -> None:
        mail.run(self.config, self.memory, self.ours, everything=False)

    def by_danhba_at_night(self) -> None:
        mail.run(self.config, self.memory, self.ours, everything=True)

    def by_restic(self) -> None:
        self.plain.must("backup", "--quiet", str(self.mail))

    def by_cp(self) -> None:
        """As a copy of everything, each time beside the one before: what cp can do."""
        target = tempfile.mkdtemp(prefix="copy-", dir=self.place)
        subprocess.run(["cp", "-a", str(self.mail), target], check=True)


def measured(runs: int) -> str:
    """Markdown."""
    found: dict[str, tuple[Sample, ...]] = {}
    for run in range(runs):
        print(f"run {run + 1} of {runs} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="danhba-bench-") as folder:
            _run(Bench(Path(folder)), found)
    head = f"| {MAILBOXES:,} mailboxes, {MESSAGES} messages each | {' | '.join(STEPS)} |"
    rows = [f"| {name}, s | {' | '.join(map(str, samples))} |" for name, samples in found.items()]
    return "\n".join([head, "|---|---|---|---|", *rows])


def _run(bench: Bench, found: dict[str, tuple[Sample, ...]]) -> None:
    ways = {
        "danhba, hourly": bench.by_danhba,
        "plain restic": bench.by_restic,
        "cp -a": bench.by_cp,
        "danhba, nightly": bench.by_danhba_at_night,
    }
    for number, step in enumerate(STEPS):
        if step == CHANGED:
            bench.change()
        for name, way in ways.items():
            found.setdefault(name, tuple(Sample() for _ in STEPS))[number].add(_timed(way))


def _timed(way: Callable[[], None]) -> float:
    began = time.monotonic()
    way()
    return time.monotonic() - began


def main() -> None:
    """On a machine with restic; writes backup.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    said = measured(parser.parse_args().runs)
    print(said)
    by = f"Written by `python -m benchmarks.backup`. {where()}"
    PATH.write_text(f"# Backup\n\n{by}\n\n{HEAD}\n\n{said}\n", "utf-8")


if __name__ == "__main__":
    if shutil.which("restic") is None:
        sys.exit("restic is missing: apt-get install restic, or run it on a store of the lab")
    main()
