"""After a vault was rebuilt: all hosts remember more of the archive than came back, and would call
it changed for ever. Who rebuilds has been asked; the chain and each host's record have it."""

from __future__ import annotations

import json

from danhba.archive.vault import ask, vault_of
from danhba.commands.common import tell
from danhba.engine import session
from danhba.inventory import Environment
from danhba.owner import me
from danhba.rebuilding.machines import only
from danhba.relocation.agent import run
from deploys.archive import MEMORY, MEMORY_USER


def end_of(env: Environment) -> int:
    """Number of the last entry that came back, before anything new comes. Raises EngineError."""
    vault = vault_of(env)
    with only(env, [vault]) as hosts:
        return int(ask(hosts, vault, {"ask": "end"})["end"])


def begin(env: Environment, end: int) -> tuple[str, ...]:
    """Memories begin anew after that entry; the hosts that do not answer. Raises EngineError."""
    vault = vault_of(env)
    note = {"what": "memory", "who": me()["who"], "after": end, "why": f"rebuild of {vault}"}
    words = ["runuser", "-u", MEMORY_USER, "--", *MEMORY, "anew"]
    with session(env, partly=True) as hosts:
        names = ", ".join(host.name for host in hosts.hosts())
        ask(hosts, vault, {"ask": "restored", "end": end, "hosts": names, "who": me()["who"]})
        hosts.each(lambda host: hosts.step(host, "record", {"note": note}))
        said = hosts.each(lambda host: run(hosts, host, words, json.dumps({"end": end})).strip())
        absent = hosts.absent
    for name, beside in sorted(said.items()):
        if beside:
            tell(f"{name}: what it remembers of the archive beyond entry {end} is in {beside}")
    return absent
