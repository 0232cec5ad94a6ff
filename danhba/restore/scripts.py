"""Filters (Sieve) of a snapshot: what is missing comes back, what is there stays as it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .refusal import Refused
from .unpack import ACTIVE

SUFFIX = ".sieve"


def bring(user: str, home: Path, box: Path, into: str) -> list[str]:
    """Names of the filters that came back. home: of the live mailbox. into: "" in place; else they
    come under names that begin with it, and none is in force.

    In place the one that was in force is so again when the mailbox had no filter at all: who has
    others has chosen. Raises Refused.
    """
    there = _there(user)
    brought = []
    for path in sorted(box.glob(f"sieve/*{SUFFIX}")):
        name = path.name.removesuffix(SUFFIX)
        content = path.read_bytes()
        if into and name in there and (home / "sieve" / path.name).read_bytes() == content:
            continue
        name = f"{into} {name}" if into else name
        if name not in there:
            _sieve(user, "put", name, stdin=content)
            brought.append(name)
    active = box / ACTIVE
    if not into and not there and active.is_file():
        name = active.read_text().removesuffix(SUFFIX)
        if name in brought:
            _sieve(user, "activate", name)
    return brought


def _there(user: str) -> set[str]:
    rows = _sieve(user, "list").decode().splitlines()
    return {row.removesuffix(" ACTIVE").strip() for row in rows}


def _sieve(user: str, word: str, *words: str, stdin: bytes = b"") -> bytes:
    argv = ["doveadm", "sieve", word, "-u", user, "--", *words]
    done = subprocess.run(argv, input=stdin, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise Refused(f"doveadm sieve {word}: {said or f'exit status {done.returncode}'}")
    return done.stdout
