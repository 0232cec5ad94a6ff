"""One step, asked for by the control machine: JSON in, JSON out."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import sys
import zlib
from collections.abc import Iterator

from danhba.generations.host import (
    activate,
    boxes,
    entries,
    expiry,
    incidents,
    keepers,
    lock,
    lockout,
    peers,
    program,
    rebuild,
    record,
    report,
    sessions,
    stage,
)
from danhba.generations.host.common import ROOT, Json, Refused

LINE = 8192
"""Characters. Much longer ones take the client quadratic time, and every line costs it a little."""

STEPS = {
    "report": report.report,
    "accounts": report.accounts,
    "lock": lock.lock,
    "unlock": lock.unlock,
    "stage": stage.stage,
    "activate": activate.activate,
    "load": entries.load,
    "arrived": entries.arrived,
    "answers": peers.answers,
    "passwords": entries.passwords,
    "keepers": keepers.record,
    "lockout": lockout.lockout,
    "incidents": incidents.incidents,
    "credentials": entries.credentials,
    "kick": sessions.kick,
    "boxes": boxes.carry_out,
    "expire": expiry.carry_out,
    "program": program.program,
    "record": record.record,
    "history": record.history,
    "rebuild": rebuild.rebuild,
}


@contextlib.contextmanager
def _alone(step: str) -> Iterator[None]:
    """One changing step at a time: the step of a killed apply may still be at work here."""
    if step not in ("stage", "activate", "load", "passwords", "boxes", "expire"):
        yield
        return
    ROOT.mkdir(parents=True, exist_ok=True)
    with (ROOT / "step").open("w") as running:
        fcntl.flock(running, fcntl.LOCK_EX)
        yield


def main(request: Json) -> None:
    """Run request["step"]. A refusal is printed for the engineer and exits with 1."""
    os.umask(0o022)
    try:
        with _alone(request["step"]):
            answer = STEPS[request["step"]](request)
    except (Refused, OSError) as refusal:  # no room on the disk, say
        print(refusal, file=sys.stderr)
        sys.exit(1)
    print(packed(answer))


def packed(answer: Json) -> str:
    """Compressed, in short lines: an SSH client reads one long line in quadratic time.

    At 30,000 accounts a tree and its tables are 30 MB, and 4 MB like this.
    """
    squeezed = zlib.compress(json.dumps(answer, separators=(",", ":")).encode(), 1)
    text = base64.b64encode(squeezed).decode()
    return "\n".join(text[at : at + LINE] for at in range(0, len(text), LINE))
