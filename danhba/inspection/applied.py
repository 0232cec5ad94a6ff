"""Is what an export rests on what the servers have? What was applied was reviewed; a file on a desk
was not."""

from __future__ import annotations

import json

from danhba.compiled import Compiled
from danhba.engine import Session
from danhba.generations.host.common import CURRENT
from danhba.inspection.request import ExportError, Wanted
from danhba.relocation.agent import run
from deploys.archive import ENGINEERS, rules


def must_be_applied(hosts: Session, directory: Compiled, wanted: Wanted) -> None:
    """The vault keeps from expiry what the hold covers, as the directory has it today, and has the
    names of who approves. hosts: the vault. Raises EngineError, ExportError."""
    [vault] = hosts.hosts()
    live = json.loads(run(hosts, vault, ["cat", str(CURRENT / "manifest.json")]))
    own = [each for each in _holds(rules(directory)) if each["case"] == wanted.case]
    if not own or own[0] not in _holds(live["expiry"]["rules"]):
        raise ExportError(f"the hold {wanted.case} is not on {vault.name} as the directory has it: "
                          "have it reviewed and applied first, then export")  # fmt: skip
    known = json.loads(run(hosts, vault, ["cat", str(CURRENT / f"files{ENGINEERS}")]))
    if new := [each for each in wanted.approved if each not in known]:
        raise ExportError(f"{new[0]} is no engineer who may approve on {vault.name}: have "
                          "policy.engineers reviewed and applied first, then export")  # fmt: skip


def _holds(rules: dict[str, object]) -> list[dict[str, object]]:
    found = rules["holds"]
    assert isinstance(found, list)
    return found
