"""On an edge: the archive gets what waits for it, and what the edge itself will still deliver.

Standard input: a line of JSON, {"postfix": directory of its configuration, "journal": the same of
the journal's, "edge": name, "domain", "limit": seconds}. It first waits until the journal has all
that was accepted before it began; when its input ends it says {"waiting": messages that the archive
does not have yet}. Then comes another line of input, and it says of each recipient in the domain
whose mail is still here `ID ADDRESS`, and at the end a line with a dot.
"""

from __future__ import annotations

import json
import time
from typing import IO, Any

from danhba.replay.common import flush, queue, recipients

_JOURNAL = "journal.invalid"
"""Domain of the addresses by which the journal gets its copy."""
_PAUSE = 0.5


def main(given: IO[bytes], out: IO[bytes]) -> None:
    request = json.loads(given.readline())
    out.write(json.dumps({"waiting": _settled(request, time.time())}).encode() + b"\n")
    out.flush()
    if given.readline():
        _tell_queue(request, out)


def _settled(request: dict[str, Any], begun: float) -> int:
    """Messages older than `begun` that the archive lacks when the time is up."""
    flush([request["journal"]])
    end = time.monotonic() + request["limit"]
    while (waiting := _unjournaled(request, begun)) and time.monotonic() < end:
        time.sleep(_PAUSE)
    return waiting


def _unjournaled(request: dict[str, Any], begun: float) -> int:
    own = (message for message in queue(request["journal"]) if message["arrival_time"] <= begun)
    main = (
        message
        for message in queue(request["postfix"])
        if message["arrival_time"] <= begun
        and any(each.endswith(f"@{_JOURNAL}") for each in recipients(message))
    )
    return sum(1 for _ in own) + sum(1 for _ in main)


def _tell_queue(request: dict[str, Any], out: IO[bytes]) -> None:
    ending = f"@{request['domain']}"
    for message in queue(request["postfix"]):
        for address in recipients(message):
            if address.endswith(ending):
                out.write(f"{request['edge']}/{message['queue_id']} {address}\n".encode())
    out.write(b".\n")
    out.flush()
