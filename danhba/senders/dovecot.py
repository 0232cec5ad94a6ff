"""Between a store's Postfix and the rules for filters: python3 -m senders.dovecot CONFIGURATION."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import Milter

from .desk import Desk
from .filters import Kind, inside, kind, verdict
from .refusal import LEAVES, MANY, SUSPENDED, UNABLE, UNPROVEN, refusal
from .rejection import rejection
from .rule import Wrong
from .table import Table

# libmilter's flag: folded fields come as they are, with the blank before their first word.
_AS_THEY_ARE = Milter.P_HDR_LEADSPC


def serve(socket: str, table: Table, domain: str, desk: Desk) -> None:
    """Until killed. socket: path that Postfix connects to. table: who may send as whom. domain: the
    province's."""
    door = type("Door", (_Door,), {"table": table, "domain": domain, "desk": desk})
    Milter.factory = Milter.enable_protocols(door, _AS_THEY_ARE)
    Milter.set_flags(Milter.CHGFROM)
    Milter.set_exception_policy(Milter.TEMPFAIL)
    Milter.runmilter("danhba-filters", f"unix:{socket}", timeout=600)


class _Door(Milter.Base):
    """A connection of Postfix's, which has one message after another."""

    table: Table
    domain: str
    desk: Desk

    def __init__(self) -> None:
        self._begin("")

    def _begin(self, sender: str) -> None:
        self._sender, self._body = sender, b""
        self._recipients: list[str] = []
        self._fields: list[tuple[str, bytes]] = []

    @Milter.noreply
    def envfrom(self, sender: str, *_: str) -> int:
        self._begin(sender.strip("<>").lower())
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

    @Milter.noreply
    def body(self, piece: bytes) -> int:
        """Of what comes without a sender; of all else the header says enough."""
        if not self._sender:
            self._body += piece
        return int(Milter.CONTINUE)

    def eom(self) -> int:
        what = kind(self._sender, self._fields)
        try:
            why, text = self._refusal(what)
        except (OSError, ValueError, LookupError) as error:
            self._say(f"deferred: {error}")
            self.setreply("451", "4.7.1", UNABLE)
            return int(Milter.TEMPFAIL)
        if text:
            self._say(f"refused: {why}")
            if what == "rejection":
                # After a 550 Dovecot takes the message as rejected, and nobody would have it: after
                # this it stays in the mailbox.
                self.setreply("451", "4.7.1", text)
                return int(Milter.TEMPFAIL)
            self.setreply("550", "5.7.1", text)
            return int(Milter.REJECT)
        if what == "answer":
            # An answer that cannot be delivered is to be answered by nobody (RFC 3834 3.3).
            self.chgfrom("<>")
        return int(Milter.ACCEPT)

    def _refusal(self, what: Kind) -> tuple[str, str]:
        """Why it is refused, for the journal, and what Dovecot is told; "" for nothing. Raises
        OSError, ValueError and LookupError."""
        owners = self.table.owners()
        found = verdict(
            self._sender, self._recipients, self._fields, self.domain,
            lambda address: owners.get(address, frozenset()),
        )  # fmt: skip
        if isinstance(found, Wrong):
            return f"{found.field} {found.why}", refusal(found)
        if found == "leaves":
            return found, LEAVES
        if what == "redirect":
            return "", ""
        whose = self._sender
        if what == "rejection":
            seen = rejection(dict(self._fields).get("content-type", b""), self._body)
            if not (whose := seen.account) or not seen.proven:
                return "its sender is not proven", UNPROVEN
        return self._asked(owners.get(whose, frozenset([whose])), whose)

    def _asked(self, accounts: frozenset[str], whose: str) -> tuple[str, str]:
        """A further name of somebody's is himself; an agency's mailbox, of many, is itself."""
        account = next(iter(accounts)) if len(accounts) == 1 else whose
        outside = [each for each in self._recipients if not inside(each, self.domain)]
        said = self.desk.answer(account, outside)
        return (said, "") if said == "go" else (said, SUSPENDED if said == "suspended" else MANY)

    def _say(self, what: str) -> None:
        """To the journal: nothing of the content."""
        line = f"{self.getsymval('i')}: {what}, filter of {self._sender}"
        print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    serve(config["socket"], Table(Path(config["table"])), config["domain"], Desk(config["desk"]))
