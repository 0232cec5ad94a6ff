"""What the disk tells of mailboxes: which have changed, which should not be there.

Changes are seen by the times of a few files, not told by Dovecot: an event can get lost with its
process, a time cannot. Looking at 30,000 mailboxes takes half a second (benchmarks/standby.py).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from .config import Config

WATCHED = (
    "mail/dovecot.list.index.log",
    "mail/mailboxes/INBOX/dbox-Mails/dovecot.index.log",
    "mail/subscriptions",
    "sieve",
    ".dovecot.sieve",
)
"""Every change of a mailbox is one of these: the list's log knows all folders but INBOX."""


def signature(home: str) -> str:
    """Changes with every change of the mailbox; "" when there is none yet."""
    times = [_changed(f"{home}/{name}") for name in WATCHED]
    return " ".join(map(str, times)) if any(times) else ""


def _changed(path: str) -> int:
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return 0


def left_behind(config: Config) -> list[str]:
    """Mailboxes on the disk that no table of this store names: nobody keeps them up to date. Those
    of the withdrawn are not among them: every store archives and removes what it has of them."""
    known = {account for account, _, _ in config.places()}
    known.update(Path(config.leaving).read_text().split())
    with contextlib.suppress(FileNotFoundError):
        strangers = {name for name in os.listdir(config.mail) if name[0] != "."} - known
        return sorted(name for name in strangers if signature(f"{config.mail}/{name}"))
    return []
