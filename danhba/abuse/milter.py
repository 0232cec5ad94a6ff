"""Between Postfix and the daemon that counts: the envelope of all that somebody submits."""

from __future__ import annotations

import sys
from typing import Any

import Milter

from .desk import Desk
from .refusal import LATER, SUSPENDED, UNABLE

_OUTSIDE, _INSIDE = 10, 1
"""What a recipient counts (danhba/lockout/misuse.py)."""
_NOBODY = "5.1.1"
"""RFC 3463 3.2."""


def serve(socket: str, desk: Desk, domain: str, header: str) -> None:
    """Until killed. socket: path that Postfix connects to. domain: what is inside. header: in which
    rspamd says the score, which does not leave the edge."""
    door = type("Door", (_Door,), {"desk": desk, "domain": domain, "score_header": header})
    Milter.factory = Milter.enable_protocols(door, Milter.P_RCPT_REJ)
    Milter.set_flags(Milter.CHGHDRS)
    Milter.set_exception_policy(Milter.TEMPFAIL)
    Milter.runmilter("danhba-abuse", f"unix:{socket}", timeout=600)


class _Door(Milter.Base):
    """A connection of Postfix's, which has one message after another."""

    desk: Desk
    domain: str
    score_header: str

    def __init__(self) -> None:
        self._source = ""
        self._begin("", "")

    def _begin(self, account: str, sender: str) -> None:
        self._account, self._sender = account, sender
        self._messages = self._left = self._further = 0
        self._outside: list[str] = []
        self._inside: list[str] = []
        self._scores: list[str] = []

    @Milter.noreply
    def connect(self, _name: str, _family: str, address: Any) -> int:
        self._source = address[0] if isinstance(address, tuple) else ""
        return int(Milter.CONTINUE)

    def envfrom(self, sender: str, *_: str) -> int:
        self._begin((self.getsymval("{auth_authen}") or "").lower(), sender.strip("<>").lower())
        left = self._ask("left", account=self._account)
        if left is None:
            return self._refuse(UNABLE)
        if left["messages"] < 0:
            return self._refuse(SUSPENDED)
        self._messages, self._left = left["messages"], left["recipients"]
        self._further = left["inside"]
        return int(Milter.CONTINUE)

    def envrcpt(self, to: str, *_: str) -> int:
        address = to.strip("<>").lower()
        inside = address.endswith(f"@{self.domain}")
        if self.getsymval("{rcpt_mailer}") == "error":
            # Postfix has refused it by itself, and only tells.
            if inside and self.getsymval("{rcpt_host}") == _NOBODY:
                self._ask("asked", account=self._account, kind="unknown", address=address)
            return int(Milter.CONTINUE)
        weight = _INSIDE if inside else _OUTSIDE
        # Not before: whom somebody goes on writing to tells whether it is he.
        if weight > min(self._messages, self._left) or (inside and not self._room(address)):
            kind = "beyond" if inside else "outside"
            self._ask("asked", account=self._account, kind=kind, address=address)
            return self._refuse(LATER)
        self._left -= weight
        if inside:
            self._inside.append(address)
        else:
            self._outside.append(address)
        return int(Milter.CONTINUE)

    def _room(self, address: str) -> bool:
        """For one more inside; what cannot be asked now is asked at the end of the message."""
        if len(self._inside) < self._further:
            return True
        said = self._ask("room", account=self._account, inside=[*self._inside, address])
        return said is None or int(said["room"]) >= 0

    @Milter.noreply
    def header(self, name: str, value: str) -> int:
        if name.lower() == self.score_header.lower():
            self._scores.append(value)
        return int(Milter.CONTINUE)

    def eom(self) -> int:
        told = self._ask(
            "sent", account=self._account, sender=self._sender, source=self._source,
            queue_id=self.getsymval("i") or "", outside=self._outside, inside=self._inside,
            score=_score(self._scores),
        )  # fmt: skip
        if told is None:
            return self._refuse(UNABLE)
        if told["answer"] != "go":
            return self._refuse(SUSPENDED if told["answer"] == "suspended" else LATER)
        for number in range(len(self._scores), 0, -1):
            self.chgheader(self.score_header, number, "")
        return int(Milter.CONTINUE)

    def _ask(self, do: str, **told: Any) -> dict[str, Any] | None:
        try:
            return self.desk.ask(do, **told)
        except (OSError, ValueError) as why:
            self._say(f"not counted: {why}")
            return None

    def _refuse(self, reply: tuple[str, str, str]) -> int:
        self._say(f"deferred: {reply[0]} {reply[1]}")
        self.setreply(*reply)
        return int(Milter.TEMPFAIL)

    def _say(self, what: str) -> None:
        """To the journal: nothing of the content."""
        queue_id = self.getsymval("i") or "-"
        print(f"{queue_id}: {what}, login {self._account}", file=sys.stderr, flush=True)


def _score(values: list[str]) -> float:
    """rspamd takes away what a client has written there before it adds its own."""
    try:
        return float(values[-1]) if values else 0.0
    except ValueError:
        return 0.0
