"""Between Postfix and the rule: the header of every message that somebody submits."""

from __future__ import annotations

import sys

import Milter

from .refusal import UNABLE, refusal
from .rule import FIELDS, wrong
from .table import Table

# libmilter's flag: folded fields come as they are, with the blank before their first word.
_AS_THEY_ARE = Milter.P_HDR_LEADSPC


def serve(socket: str, table: Table) -> None:
    """Until killed. socket: path that Postfix connects to. table: who may send as whom."""
    door = type("Door", (_Door,), {"table": table})
    Milter.factory = Milter.enable_protocols(door, _AS_THEY_ARE)
    Milter.set_flags(0)  # it changes nothing in a message
    Milter.set_exception_policy(Milter.TEMPFAIL)
    Milter.runmilter("danhba-senders", f"unix:{socket}", timeout=600)


class _Door(Milter.Base):
    """A connection of Postfix's, which has one message after another."""

    table: Table

    def __init__(self) -> None:
        self._login = ""
        self._fields: list[tuple[str, bytes]] = []

    @Milter.noreply
    def envfrom(self, _sender: str, *_: str) -> int:
        """Of no matter which sender of the envelope, also of none (RFC 8098 2.1: a receipt)."""
        self._login = (self.getsymval("{auth_authen}") or "").lower()
        self._fields = []
        return int(Milter.CONTINUE)

    @Milter.noreply
    @Milter.decode("bytes")
    def header(self, name: str, value: bytes) -> int:
        # "From :" is From (RFC 5322 4.5.2).
        field = name.strip().lower()
        if field in FIELDS:
            self._fields.append((field, value))
        return int(Milter.CONTINUE)

    def eoh(self) -> int:
        try:
            owners = self.table.owners()
        except (OSError, ValueError) as why:
            self._say(f"deferred: {why}")
            self.setreply("451", "4.7.1", UNABLE)
            return int(Milter.TEMPFAIL)
        fields, login = self._fields, self._login
        found = wrong(fields, lambda address: login in owners.get(address, ()))
        if found is None:
            return int(Milter.ACCEPT)
        self._say(f"refused: {found.field} {found.why}")
        self.setreply("550", "5.7.1", refusal(found))
        return int(Milter.REJECT)

    def _say(self, what: str) -> None:
        """To the journal: nothing of the content."""
        print(f"{self.getsymval('i')}: {what}, login {self._login}", file=sys.stderr, flush=True)
