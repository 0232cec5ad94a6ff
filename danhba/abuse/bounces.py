"""Addresses outside that other servers refuse, from the journal of this edge.

No other place of Postfix tells of each recipient. What was read before is read again at a start: it
is counted once all the same.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterable

from .desk import Desk

_JOURNAL = ("journalctl", "--follow", "--since=-1h", "--output=json", "--lines=all", "_COMM=smtp")
_AGAIN = 5
"""Seconds before another try."""
_REFUSED = re.compile(
    r"(?P<queue_id>[0-9A-Za-z]+): to=<(?P<address>[^>]*)>,.* dsn=5\.[0-9.]+, status=bounced"
)


def refused(line: str) -> dict[str, object] | None:
    """Queue id, address, and when, seconds since 1970; None for a line that says nothing of it, or
    of a store of our own. Raises ValueError and KeyError for what is no line of the journal."""
    entry = json.loads(line)
    found = _REFUSED.match(str(entry["MESSAGE"]))
    if not found or "/store/" in entry.get("SYSLOG_IDENTIFIER", ""):
        return None
    return {**found.groupdict(), "at": int(entry["__REALTIME_TIMESTAMP"]) / 1e6}


def tell(lines: Iterable[str], desk: Desk) -> None:
    """Raises OSError when nobody listens: they are read once more then."""
    for line in lines:
        if told := refused(line):
            desk.ask("bounced", **told)


def follow(desk: Desk) -> None:
    """For ever."""
    while True:
        with subprocess.Popen(_JOURNAL, stdout=subprocess.PIPE, text=True) as journal:
            try:
                assert journal.stdout is not None
                tell(journal.stdout, desk)
            except (OSError, LookupError, ValueError) as why:
                print(f"bounces: {why}", file=sys.stderr, flush=True)
                journal.kill()
        time.sleep(_AGAIN)
