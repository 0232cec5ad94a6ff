"""One step, asked for by the control machine: JSON in, JSON out."""

from __future__ import annotations

import json
import os
import sys

from danhba.generations.host import activate, entries, lock, report, stage
from danhba.generations.host.common import Json, Refused

STEPS = {
    "report": report.report,
    "lock": lock.lock,
    "unlock": lock.unlock,
    "stage": stage.stage,
    "activate": activate.activate,
    "passwords": entries.passwords,
}


def main(request: Json) -> None:
    """Run request["step"]. A refusal is printed for the engineer and exits with 1."""
    os.umask(0o022)
    try:
        answer = STEPS[request["step"]](request)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(1)
    json.dump(answer, sys.stdout, separators=(",", ":"))
    print()
