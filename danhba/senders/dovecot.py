"""Between a store's Postfix and the rule for filters: python3 -m senders.dovecot CONFIGURATION."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import Milter

from .filters import Verdict, verdict
from .refusal import LEAVES, UNABLE, refusal
from .rule import Wrong
from .table import Table

# libmilter's flag: folded fields come as they are, with the blank before their first word.
_AS_THEY_ARE = Milter.P_HDR_LEADSPC


def serve(socket: str, table: Table, domain: str) -> None:
    """Until killed. socket: path that Postfix connects to. table: who may send as whom."""
    door = type("Door", (_Door,), {"table": table, "domain": domain})
    Milter.factory = Milter.enable_protocols(door, _AS_THEY_ARE)
    Milter.set_flags(Milter.CHGFROM)
    Milter.set_exception_policy(Milter.TEMPFAIL)
    Milter.runmilter("danhba-filters", f"unix:{socket}", timeout=600)


class _Door(Milter.Base):
    """A connection of Postfix's, which has one message after another."""

    table: Table
    domain: str

    def __init__(self) -> None:
        self._sender = ""
        self._recipients: list[str] = []
        self._fields: list[tuple[str, bytes]] = []

    @Milter.noreply
    def envfrom(self, sender: str, *_: str) -> int:
        self._sender = sender.strip("<>").lower()
        self._recipients, self._fields = [], []
        return int(Milter.CONTINUE)

    @Milter.noreply
    def envrcpt(self, recipient: str, *_: str) -> int:
        self._recipients.append(recipient.removeprefix("<").removesuffix(">"))
        return int(Milter.CONTINUE)

    @Milter.noreply
    @Milter.decode("bytes")
    def header(self, name: str, value: bytes) -> int:
        # "From :" is From (RFC 5322 4.5.2).
        self._fields.append((name.strip().lower(), value))
        return int(Milter.CONTINUE)

    def eom(self) -> int:
        try:
            found = self._verdict()
        except (OSError, ValueError) as why:
            self._say(f"deferred: {why}")
            self.setreply("451", "4.7.1", UNABLE)
            return int(Milter.TEMPFAIL)
        if found == "as it is":
            return int(Milter.ACCEPT)
        if found == "without sender":
            # An answer that cannot be delivered is to be answered by nobody (RFC 3834 3.3).
            self.chgfrom("<>")
            return int(Milter.ACCEPT)
        self._say(f"refused: {f'{found.field} {found.why}' if isinstance(found, Wrong) else found}")
        text = refusal(found) if isinstance(found, Wrong) else LEAVES
        self.setreply("550", "5.7.1", text)
        return int(Milter.REJECT)

    def _verdict(self) -> Verdict:
        owners = self.table.owners()
        return verdict(
            self._sender, self._recipients, self._fields, self.domain,
            lambda address: owners.get(address, frozenset()),
        )  # fmt: skip

    def _say(self, what: str) -> None:
        """To the journal: nothing of the content."""
        line = f"{self.getsymval('i')}: {what}, filter of {self._sender}"
        print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    serve(config["socket"], Table(Path(config["table"])), config["domain"])
