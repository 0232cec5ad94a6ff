"""On a store: messages go into mailboxes as at their delivery, and nobody is written to.

Standard input: a line of JSON, {"domain", "sink": port}; then for each message a line of JSON,
{"from", "to": accounts, "bytes"}, and as many bytes. Standard output: a line of JSON with figures.

Dovecot's LMTP does it, a process of our own: filters sort the message into the same folder. What
they want to send goes to a port that accepts nothing, so that no answer leaves a second time. A
filter that redirects fails, and then Dovecot leaves the message in the inbox, once. There is room
for it, whatever the mailbox holds.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from typing import IO, Any

_LMTP = "/usr/lib/dovecot/lmtp"
_PLACE = "/run/dovecot"
"""Where it looks for Dovecot's other services."""
_LOGGER = ("logger", "--tag", "danhba-replay")
_LONGEST = 200
"""Failures that are named; of more there is the number."""


class Lost(Exception):
    """Dovecot's LMTP has gone."""


def main(given: IO[bytes], out: IO[bytes]) -> None:
    request = json.loads(given.readline())
    figures: dict[str, Any] = {"delivered": 0, "refused": 0, "why": []}
    with Lmtp(command(request["sink"])) as lmtp:
        while told := given.readline():
            head = json.loads(told)
            content = given.read(head["bytes"])
            if len(content) < head["bytes"]:
                raise EOFError("cut off within a message")
            to = [f"{account}@{request['domain']}" for account in head["to"]]
            for address, answer in lmtp.deliver(head["from"], to, content).items():
                if answer.startswith("2"):
                    figures["delivered"] += 1
                    continue
                figures["refused"] += 1
                if len(figures["why"]) < _LONGEST:
                    figures["why"].append(f"{head['id']} for {address}: {answer}")
    out.write(json.dumps(figures).encode() + b"\n")


def command(sink: int) -> list[str]:
    """Dovecot's LMTP on its own standard input and output."""
    settings = (f"submission_host=127.0.0.1:{sink}", "sieve_max_redirects=0", "quota_enforce=no")
    return [_LMTP, *(word for setting in settings for word in ("-o", setting))]


class Lmtp:
    """A conversation in LMTP (RFC 2033). Raises Lost."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = argv

    def __enter__(self) -> Lmtp:
        pipe = subprocess.PIPE
        # On its own it logs to standard error, a line a message, whatever log_path says.
        self._log = subprocess.Popen(_LOGGER, stdin=pipe)
        self._process = subprocess.Popen(
            self._argv, stdin=pipe, stdout=pipe, stderr=self._log.stdin, cwd=_PLACE
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._answer()
        self._say("LHLO localhost")
        return self

    def __exit__(self, *_: object) -> None:
        self._in.close()
        self._process.wait(timeout=60)
        self._out.close()
        self._log.communicate()

    def deliver(self, sender: str, to: Sequence[str], content: bytes) -> dict[str, str]:
        """What it answers of each recipient."""
        answers = dict.fromkeys(to, self._say(f"MAIL FROM:<{sender}>"))
        if not answers[to[0]].startswith("2"):
            self._say("RSET")
            return answers
        answers = {address: self._say(f"RCPT TO:<{address}>") for address in to}
        accepted = [address for address, answer in answers.items() if answer.startswith("2")]
        if accepted:
            said = self._say("DATA")
            if not said.startswith("3"):
                raise Lost(f"Dovecot's LMTP takes no message: {said}")
            self._in.write(_dotted(content))
            self._in.flush()
            answers |= {address: self._answer() for address in accepted}
        else:
            self._say("RSET")
        return answers

    def _say(self, line: str) -> str:
        self._in.write(line.encode() + b"\r\n")
        self._in.flush()
        return self._answer()

    def _answer(self) -> str:
        while line := self._out.readline().decode(errors="replace").rstrip("\r\n"):
            if line[3:4] != "-":
                return line
        raise Lost("Dovecot's LMTP ended: see journalctl -t danhba-replay")


def _dotted(content: bytes) -> bytes:
    """As DATA carries it (RFC 5321 4.5.2): lines end with CR LF, a leading dot is doubled."""
    lines = re.sub(rb"\r?\n", b"\r\n", content)
    if lines and not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", lines) + b".\r\n"
