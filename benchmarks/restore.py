"""A mailbox comes back from a snapshot: how fast, beside restic alone.

Everything shares the cores of this machine: vault, store, and the control machine between them.
"""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.applied import Applied
from benchmarks.nothing import DANHBA
from benchmarks.timing import Failed, Sample, measure
from danhba.compiled import Mailbox
from deploys.backup import VAULT_CONFIG, program_of
from deploys.dovecot_store import MAIL
from staging.shell import say

MESSAGES, BYTES = 5_000, 20_000
_PART = 500
"""Messages that are made at once."""

PATH = Path(__file__).with_name("restore.md")
HEAD = f"""\
A mailbox of {MESSAGES:,} messages of {BYTES // 1000} KB (half letters that all look alike, half
base64), backed up and then emptied. restic alone writes it to the vault's own disk (`restic
restore`), or pours it out there (`restic dump`); danhba brings it over two SSH connections to the
store, checks every message by its SHA-256, and lets Dovecot add it, as flags, index, and the index
for search. Median (least–most; number of runs)."""

_MAKE = f"""
import os, base64, sys
first = int(sys.argv[1])
out = sys.stdout.buffer
out.write(b"a APPEND INBOX")
for n in range(first, first + {_PART}):
    body = base64.encodebytes(os.urandom({BYTES} * 3 // 8)) + b"Kinh gui ban\\n" * ({BYTES} // 26)
    head = b"From: a@b.test\\nMessage-ID: <%d@phuc.test>\\nSubject: Thu so %d\\n\\n" % (n, n)
    message = (head + body).replace(b"\\n", b"\\r\\n")
    out.write(b" {{%d+}}\\r\\n" % len(message) + message)
out.write(b"\\r\\nb LOGOUT\\r\\n")
"""


def measured(on: Applied, runs: int) -> str:
    """Markdown. Raises Failed, LabError."""
    box = on.active()[3]
    store, user = on.province.home(box.account), on.province.mail(box.account)
    say(f"{MESSAGES:,} messages for {user} ...")
    on.must(store, ["doveadm", "expunge", "-u", user, "mailbox", "*", "all"])
    for first in range(0, MESSAGES, _PART):
        append = f'python3 -c "$0" {first} | /usr/lib/dovecot/imap -u {user}'
        on.must(store, ["sh", "-c", append, _MAKE])
    on.must(store, ["systemctl", "start", "danhba-backup-mail.service"])
    at = datetime.now(ZoneInfo(on.compiled.timezone)).isoformat()
    size = int(on.must(store, ["du", "-sb", f"{MAIL}/{box.account}/mail/mailboxes"]).split()[0])
    on.must(store, ["doveadm", "expunge", "-u", user, "mailbox", "INBOX", "all"])
    ways = _ways(on, box, store, at, runs)
    rows = "".join(
        f"| {what} | {sample} | {MESSAGES / sample.median:,.0f} "
        f"| {size / sample.median / 1e6:.1f} |\n"
        for what, sample in ways.items()
    )
    return (f"| {MESSAGES:,} messages, {size / 1e6:.0f} MB on the disk | seconds | messages/s "
            f"| MB/s |\n|---|---|---|---|\n{rows}")  # fmt: skip


def _ways(on: Applied, box: Mailbox, store: str, at: str, runs: int) -> dict[str, Sample]:
    vault = on.lab.environment.having("vault")[0].name
    found = _found(on, vault, box, at)
    own = [*program_of(VAULT_CONFIG), "restic", found["repository"]]
    folder = f"{MAIL}/{box.account}"
    names = ("restic restore", "restic dump", "danhba restore", "danhba restore of one message",
             "danhba restore --in-place, nothing missing")  # fmt: skip
    samples = {name: Sample() for name in names}
    for run in range(runs):
        say(f"run {run + 1} of {runs} ...")
        target = "/srv/vault/backup-bench"
        on.must(vault, ["install", "-d", "-o", "danhba-backup", target])
        argv = [*own, "restore", found["snapshot"], "--include", folder, "--target", target]
        samples[names[0]].add(_seconds(on, vault, argv))
        on.must(vault, ["rm", "-r", target])
        argv = ["sh", "-c", '"$@" >/dev/null', "sh", *own, "dump", found["snapshot"], folder]
        samples[names[1]].add(_seconds(on, vault, argv))
        user = on.province.mail(box.account)
        for name, words in zip(
            names[2:],
            (["--in-place"], ["--message-id", f"{MESSAGES // 2}@phuc.test"], ["--in-place"]),
            strict=True,
        ):
            asked = ["restore", "mailbox", "staging", box.account, "--at", at, *words]
            measure(samples[name], [*DANHBA, str(on.province.directory), *asked])
        on.must(store, ["doveadm", "expunge", "-u", user, "mailbox", "*", "all"])
    return samples


def _found(on: Applied, vault: str, box: Mailbox, at: str) -> dict[str, str]:
    asked = json.dumps({"account": box.account, "at": at})
    answer = on.must(vault, [*program_of(VAULT_CONFIG), "find"], asked)
    snapshot: dict[str, str] = json.loads(answer)
    if not snapshot:
        raise Failed(f"no snapshot of {box.account}")
    return snapshot


def _seconds(on: Applied, host: str, argv: list[str]) -> float:
    began = time.monotonic()
    on.must(host, argv)
    return time.monotonic() - began
