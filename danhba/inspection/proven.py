"""What the vault proves of entries (danhba/journal/proof.py)."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.api.host import Host

from danhba.archive.vault import ask
from danhba.engine import Session
from danhba.inspection.package import Proof, Root
from danhba.journal.entry import line
from danhba.relocation.agent import run

_SIGN = "danhba-roots-sign.service"


def proven(
    hosts: Session, vault: Host, numbers: Sequence[int]
) -> tuple[dict[int, Proof], list[Root]]:
    """Proofs of entries by number, and the roots that they lead to: what is newer than the daily
    root gets one now. Raises EngineError."""
    run(hosts, vault, ["systemctl", "start", _SIGN])
    said = ask(hosts, vault.name, {"ask": "proof", "entries": list(numbers)})
    proofs = {
        int(number): Proof(each["root"], [(side, other) for side, other in each["path"]])
        for number, each in said["proofs"].items()
    }
    roots = [
        Root(name, line(each["root"]), bytes.fromhex(each["signature"]))
        for name, each in said["roots"].items()
    ]
    return proofs, roots
