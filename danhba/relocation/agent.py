"""What runs on a host besides generations: danhba/standby, and Postfix's and Dovecot's tools."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.api.host import Host

from danhba.engine import EngineError, Session
from deploys.standby import PROGRAM


def agent(hosts: Session, host: Host, words: Sequence[str], accounts: Sequence[str]) -> str:
    """danhba/standby on a store, for accounts; what it prints. Raises EngineError."""
    return run(hosts, host, [*PROGRAM, *words], "\n".join(accounts))


def host_of(hosts: Session, name: str) -> Host:
    """Raises EngineError."""
    found = next((host for host in hosts.hosts() if host.name == name), None)
    if found is None:
        raise EngineError(f"{name} does not answer")
    return found


def run(
    hosts: Session, host: Host, argv: Sequence[str], text: str = "", allowed: Sequence[int] = (0,)
) -> str:
    """A program on a host, text on its standard input; what it prints. Raises EngineError when
    its exit status is none of those allowed."""
    done = hosts.step(host, "program", {"argv": list(argv), "stdin": text})
    if done["status"] not in allowed:
        raise EngineError(f"{host.name}: {' '.join(argv)}: {(done['err'] or done['out']).strip()}")
    return str(done["out"])
