"""What is asked of the archive on the vault, as the journal's own user there: nothing that is asked
has more rights than the daemon."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from paramiko import SSHException
from pyinfra.api.host import Host

from danhba.engine import ConnectionLost, EngineError, Session
from danhba.inventory import Environment
from danhba.journal.pour import Frame, read_frames
from danhba.relocation.agent import host_of
from deploys.archive import PROGRAM


def contents(vault: Host, request: Mapping[str, Any], key: bytes) -> Iterator[Frame]:
    """Messages with what the chain says of them (danhba.journal.pour), one after another as they
    come over the connection, and last what was read in all.

    request: {"who", "why", "case"} and what danhba.journal.selection.Selection.of takes. key:
    env.secrets.derive("journal"); it is on the vault while this runs, in memory only. Raises
    EngineError.
    """
    client = vault.connector.client  # type: ignore[attr-defined]
    try:
        given, out, error = client.exec_command(shlex.join((*PROGRAM, "pour")))
        given.write(f"{json.dumps(request)}\n{key.hex()}\n")
        given.channel.shutdown_write()
        try:
            yield from read_frames(out)
        except ValueError as cut:
            said = error.read().decode(errors="replace").strip()
            raise EngineError(f"{vault.name}: {said or cut}") from None
    except (OSError, SSHException) as lost:
        raise ConnectionLost(f"{vault.name}: connection lost ({lost})") from None


def vault_of(env: Environment) -> str:
    """Name of the vault. Raises EngineError."""
    if env.vault is None:
        raise EngineError(f"{env.name} has no vault: no mail is archived (docs/inventory.md)")
    return env.vault.name


def ask(hosts: Session, vault: str, question: Mapping[str, Any]) -> dict[str, Any]:
    """What the archive's own program answers (danhba.journal.agent). Raises EngineError."""
    return hosts.ask(host_of(hosts, vault), shlex.join(PROGRAM), question)
