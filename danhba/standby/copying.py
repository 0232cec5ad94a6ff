"""Mailboxes are synchronised with another store, by doveadm."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .config import Config
from .mailboxes import signature
from .memory import Memory

BATCH = 50
"""Mailboxes that one doveadm does: it starts in the time of one of them."""
AT_ONCE = 2


@dataclass(frozen=True)
class Failed:
    """Accounts that could not be synchronised, and doveadm's last word on it."""

    accounts: Sequence[str]
    why: str


def reachable(config: Config, store: str) -> str:
    """ "" when the store's port answers, else why not: told once, not once a mailbox."""
    try:
        socket.create_connection((config.stores[store], config.port), timeout=5).close()
    except OSError as error:
        return str(error)
    return ""


def sync(config: Config, store: str, accounts: Sequence[str], full: bool) -> list[Failed]:
    """Synchronise mailboxes with another store, both ways. What fails in a batch is done alone.

    full: compare all messages: without it doveadm misses that both sides got different mail
    under one UID (measured: status 0, never merged).
    """
    if not accounts:
        return []
    with _alone(config, accounts):
        why = _doveadm(config, store, accounts, full)
    if not why:
        return []
    if len(accounts) == 1:
        return [Failed(accounts, why)]
    if down := reachable(config, store):
        return [Failed(accounts, down)]
    return [each for one in accounts for each in sync(config, store, [one], full)]


@contextlib.contextmanager
def _alone(config: Config, accounts: Iterable[str]) -> Iterator[None]:
    """Of daemon, nightly run and who moves mailboxes one has a mailbox at a time: two doveadm wait
    for each other's answer for ten minutes (seen with every second pair).

    An account is a byte of a file, locked until the file is closed; all take them in one order.
    """
    places = sorted(
        int.from_bytes(hashlib.blake2b(account.encode(), digest_size=6).digest(), "big")
        for account in accounts
    )
    with Path(config.state, "turns").open("ab") as turns:
        for place in places:
            lock = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0)  # struct flock
            fcntl.fcntl(turns, fcntl.F_OFD_SETLKW, lock)
        yield


def _doveadm(config: Config, store: str, accounts: Sequence[str], full: bool) -> str:
    """What went wrong first, "" when nothing did. A large mailbox takes its time when it
    is copied for the first time."""
    with tempfile.NamedTemporaryFile("w", prefix="danhba-standby.") as users:
        users.writelines(f"{account}@{config.domain}\n" for account in accounts)
        users.flush()
        argv = [
            "doveadm", "sync", *(["-f"] if full else []), "-l", "60", "-T", "60", "-F", users.name,
            f"tcp:{config.ways[store]}",
        ]  # fmt: skip
        try:
            done = subprocess.run(
                argv, capture_output=True, text=True, check=False, timeout=600 + 60 * len(accounts)
            )
        except subprocess.TimeoutExpired:
            return "doveadm sync does not end"
    said = (done.stderr or done.stdout).strip().splitlines()
    return (said[0] if said else f"exit status {done.returncode}") if done.returncode else ""


def batches(due: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Store and accounts, of (account, store): few are spread over the workers too."""
    of_store: dict[str, list[str]] = {}
    for account, store in due:
        of_store.setdefault(store, []).append(account)
    for store, accounts in of_store.items():
        size = max(1, min(BATCH, -(-len(accounts) // AT_ONCE)))
        for at in range(0, len(accounts), size):
            yield store, accounts[at : at + size]


def sync_all(config: Config, memory: Memory) -> list[Failed]:
    """Every mailbox that has its standby elsewhere, by a full comparison."""
    failed = []
    pairs = [
        (account, store)
        for account, store in sorted(config.standbys().items())
        if signature(f"{config.mail}/{account}")
    ]
    for store, accounts in batches(pairs):
        failed += sync(config, store, accounts, True)
    count = sum(len(each.accounts) for each in failed)
    why = failed[0].why if failed else ""
    memory.note("full", {"at": time.time(), "failed": count, "of": len(pairs), "why": why})
    return failed


def sync_named(config: Config, store: str, accounts: Sequence[str]) -> list[Failed]:
    """By a full comparison, also those without mail here: the other side may have got their
    first."""
    some = [accounts[at : at + BATCH] for at in range(0, len(accounts), BATCH)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        work = pool.map(lambda batch: sync(config, store, batch, True), some)
        return [each for found in work for each in found]
