"""Is a hold what the servers have? What was applied was reviewed; a file on a desk was not."""

from __future__ import annotations

import json

from danhba.compiled import Compiled
from danhba.engine import Session
from danhba.inspection.request import ExportError
from danhba.relocation.agent import run
from deploys.archive import rules

_LIVE = "/var/lib/danhba/current/manifest.json"


def must_be_applied(hosts: Session, directory: Compiled, case: str) -> None:
    """The vault keeps from expiry what the hold covers, as the directory has it today. hosts: the
    vault. Raises EngineError, ExportError."""
    [vault] = hosts.hosts()
    live = json.loads(run(hosts, vault, ["cat", _LIVE]))
    own = [each for each in _holds(rules(directory)) if each["case"] == case]
    if not own or own[0] not in _holds(live["expiry"]["rules"]):
        raise ExportError(f"the hold {case} is not on {vault.name} as the directory has it: have "
                          "it reviewed and applied first, then export")  # fmt: skip


def _holds(rules: dict[str, object]) -> list[dict[str, object]]:
    found = rules["holds"]
    assert isinstance(found, list)
    return found
