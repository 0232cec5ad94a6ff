"""The vault's journal, and the queues that lead to it, as tests see them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from province import Province, wait_for

from danhba.journal.seal import opened
from staging.lab import Lab

VAULT = "vault1"
_WAITING = "find /var/spool/postfix-journal/{maildrop,incoming,active,deferred,hold} -type f"
_MAIN = "postqueue -j | grep -c journal.invalid"


@dataclass(frozen=True)
class Journal:
    """Reads as root on the vault, and opens with the private key that the control machine has."""

    province: Province
    root: str = "/srv/vault/journal"

    @property
    def lab(self) -> Lab:
        return self.province.lab

    def entries(self, after: int = 0, kind: str = "mail") -> list[dict[str, Any]]:
        """In the order of the chain, those behind a number."""
        found = map(json.loads, self.raw())
        return [each for each in found if each["n"] > after and each["kind"] == kind]

    def end(self) -> int:
        """Number of the last entry."""
        said = self.shell(VAULT, f"{self._lines} | tail -n1").strip()
        return int(json.loads(said)["n"]) if said else 0

    def raw(self) -> list[str]:
        """All lines of the chain."""
        return self.shell(VAULT, self._lines).splitlines()

    @property
    def _lines(self) -> str:
        return f"cd {self.root} && find . -name '*.chain' | sort | xargs -r tail -qn +1"

    def of(self, identity: str, after: int = 0) -> list[dict[str, Any]]:
        """Entries of a Message-ID."""
        return [each for each in self.entries(after) if each["message_id"] == identity]

    def content(self, n: int) -> bytes:
        """The message of an entry, opened."""
        asked = f"SELECT segment FROM entries WHERE n = {n}"
        script = (
            "import sqlite3, sys; db = sqlite3.connect('/srv/vault/journal/index.db');"
            f"print(db.execute('{asked}').fetchone()[0])"
        )
        segment = self.run(VAULT, "python3", "-c", script).strip()
        found = next(each for each in self.entries() if each["n"] == n)
        cut = f"tail -c +{found['at'] + 1} /srv/vault/journal/{segment}.data"
        sealed = self.shell(VAULT, f"{cut} | head -c {found['length']} | base64 -w0")
        return opened(base64.b64decode(sealed), self.province.environment.secrets.derive("journal"))

    def waiting(self, edge: str) -> int:
        """Messages that have not left an edge for the vault: in both its queues."""
        said = self.shell(edge, f"{_WAITING} 2>/dev/null | wc -l; {_MAIN}").split()
        return sum(map(int, said))

    def settled(self, limit: float = 180) -> None:
        """Wait until no edge has anything for the vault."""
        edges = [edge.name for edge in self.province.environment.having("edge")]
        wait_for(lambda: all(map(self._has_handed_over, edges)), "the vault has all mail", limit)

    def _has_handed_over(self, edge: str) -> bool:
        """What came while the vault began to answer would wait for minutes."""
        if not self.waiting(edge):
            return True
        self.hurry(edge)
        return False

    def hurry(self, edge: str) -> None:
        """What waits on an edge tries again now."""
        self.shell(edge, "postqueue -f; postqueue -c /etc/postfix-journal -f")

    @contextmanager
    def away(self) -> Iterator[None]:
        """The vault takes nothing; afterwards it does, and has all."""
        self.run(VAULT, "systemctl", "stop", "danhba-journal.service")
        try:
            yield
        finally:
            self.run(VAULT, "systemctl", "start", "danhba-journal.service")

    def status(self, host: str) -> str:
        """What `danhba status` says of a host."""
        said = self.province.danhba("status", "staging", check=False).stdout
        return "\n".join(row for row in said.splitlines() if host in row or row.startswith(" "))

    def run(self, host: str, *argv: str) -> str:
        done = self.lab.run(host, argv)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shell(self, host: str, script: str) -> str:
        return self.lab.run(host, ["bash", "-c", script]).stdout
