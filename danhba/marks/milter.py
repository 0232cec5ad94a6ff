"""Between Postfix and the readers: every message that somebody submits, before it is accepted."""

from __future__ import annotations

import sys

import Milter

from .message import Skipped
from .reading import Readers, TooDeep, Unable
from .refusal import TOO_DEEP, UNABLE, refusal

# libmilter's flag: folded headers come as they are, with the blank before their first word.
_AS_THEY_ARE = Milter.P_HDR_LEADSPC


def serve(socket: str, contact: str) -> None:
    """Until killed. socket: path that Postfix connects to. contact: whom refused senders call."""
    readers = Readers()
    door = type("Door", (_Door,), {"readers": readers, "contact": contact})
    Milter.factory = Milter.enable_protocols(door, _AS_THEY_ARE)
    Milter.set_flags(0)  # it changes nothing in a message
    Milter.set_exception_policy(Milter.TEMPFAIL)
    Milter.runmilter("danhba-marks", f"unix:{socket}", timeout=600)


class _Door(Milter.Base):
    """A connection of Postfix's, which has one message after another."""

    readers: Readers
    contact: str

    def __init__(self) -> None:
        self._sender = self._account = ""
        self._pieces: list[bytes] = []
        self._inside = False

    @Milter.noreply
    def envfrom(self, sender: str, *_: str) -> int:
        self._sender = sender
        self._account = self.getsymval("{auth_authen}") or ""
        return int(Milter.CONTINUE)

    @Milter.decode("bytes")
    def header(self, name: str, value: bytes) -> int:
        return self._take(b"%s:%s\n" % (name.encode("utf-8", "replace"), value))

    def eoh(self) -> int:
        return self._take(b"\n")

    def body(self, piece: bytes) -> int:
        return self._take(piece)

    def _take(self, piece: bytes) -> int:
        """The first one waits until the message has a place."""
        if not self._inside:
            try:
                self.readers.enter(self._account)
            except Unable as why:
                return self._defer(why)
            self._inside = True
        self._pieces.append(piece)
        return int(Milter.CONTINUE)

    def eom(self) -> int:
        message = b"".join(self._pieces)
        self._pieces.clear()
        try:
            verdict = self.readers.read(message)
        except Unable as why:
            return self._defer(why)
        except TooDeep:
            self._say("refused: too deep to be read")
            self.setreply("554", "5.6.0", TOO_DEEP)
            return int(Milter.REJECT)
        finally:
            self._leave()
        self._say_skipped(verdict.skipped)
        if verdict.mark is None:
            return int(Milter.CONTINUE)
        mark = verdict.mark
        which = f" {mark.number}" if mark.number else ""
        self._say(f"refused: {mark.degree} in {mark.place}{which}")
        self.setreply("550", "5.7.1", refusal(mark.place, self.contact))
        return int(Milter.REJECT)

    def abort(self) -> int:
        """The message has come to an end before its own."""
        self._leave()
        return int(Milter.CONTINUE)

    def close(self) -> int:
        self._leave()
        return int(Milter.CONTINUE)

    def _leave(self) -> None:
        self._pieces.clear()
        if self._inside:
            self._inside = False
            self.readers.leave(self._account)

    def _defer(self, why: Unable) -> int:
        self._say(f"deferred: {why}")
        self.setreply("451", "4.7.1", UNABLE)
        return int(Milter.TEMPFAIL)

    def _say_skipped(self, skipped: tuple[Skipped, ...]) -> None:
        for each in skipped:
            which = f"attachment {each.number}" if each.number else "the rest"
            self._say(f"not read: {which}: {each.why}")

    def _say(self, what: str) -> None:
        """To the journal: nothing of the content."""
        # A sender in UTF-8 need not be valid: standard error escapes what is not.
        print(f"{self.getsymval('i')}: {what}, from {self._sender}", file=sys.stderr, flush=True)
