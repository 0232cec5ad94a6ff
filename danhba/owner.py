"""Who holds the locks of a run, and whether a holder found on a host still lives."""

from __future__ import annotations

import getpass
import os
import secrets
import shlex
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

_DOES: list[str] = []


def me() -> dict[str, str]:
    """The owner written into locks: who, since when, a token, how to find the process, and what it
    does."""
    return {**_process(), **({"does": _DOES[-1]} if _DOES else {})}


@contextmanager
def does(what: str) -> Iterator[None]:
    """What locks are taken for meanwhile, for the record: a command may do several things (rebuild
    fails a store over and back). Of the process: pyinfra asks in contexts of its own."""
    _DOES.append(what)
    try:
        yield
    finally:
        _DOES.pop()


@cache
def _process() -> dict[str, str]:
    return {
        "who": f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})",
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "token": secrets.token_hex(8),
        "machine": _machine(),
        "process": f"{os.getpid()}:{_started(os.getpid())}",
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }


def is_of_here(holder: Mapping[str, Any]) -> bool:
    """Whether the holder is, or was, a process of this machine: only of that is known whether it
    still runs."""
    return holder.get("machine") == _machine()


def is_gone(holder: Mapping[str, Any]) -> bool:
    """True when the holder was a process of this machine and has ended (killed, say).

    A holder on another machine cannot be seen from here: it counts as alive.
    """
    if not is_of_here(holder):
        return False
    pid, _, started = str(holder.get("process", "0:")).partition(":")
    return _started(int(pid)) != started


def _machine() -> str:
    """The machine and its process numbers: containers of one machine count apart."""
    return f"{_machine_id()} {os.readlink('/proc/self/ns/pid')}"


def _machine_id() -> str:
    for path in (Path("/etc/machine-id"), Path("/proc/sys/kernel/random/boot_id")):
        if path.is_file() and (text := path.read_text().strip()):
            return text
    return socket.gethostname()


def _started(pid: int) -> str:
    """Start time of a process, "" when there is none: process numbers are used again."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
