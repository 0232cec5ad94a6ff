"""The journal's name of a message: `EDGE/QUEUE-ID`, of the queue in which an edge had it.

It is in the Received header that the edge wrote (RFC 5321 4.4), so that the archive's copy and the
one in a mailbox bear the same, and neither needs a header of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import BytesIO

EDGE, JOURNAL, STORE = "Postfix", "danhba-journal", "danhba-store"
"""What each Postfix calls itself in its Received header (mail_name): an edge's main one, the one
that waits for the vault, and a store's, which may be on the same host as an edge."""

_TOKEN = re.compile(rb"\((?:[^()]|\([^()]*\))*\)|[^\s()]+")
"""A comment (RFC 5322 3.2.2), with one more in it at most, or a word."""

_DIGITS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
"""Of a long queue id, whose first characters are the time (postconf(5), enable_long_queue_ids)."""
_MICROSECONDS = 4
"""Characters; those before them are the seconds since 1970, six of them until the year 2596."""


def journal_id(header: bytes, edges: Mapping[str, str]) -> str:
    """Of a message's header (what is behind it does no harm); "" for a message that passed no edge.

    edges: fqdn to name. Each host writes its Received above all others, so that the first one of an
    edge is true, and whatever a sender wrote below it is not looked at.
    """
    for host, queue in _received(header, EDGE):
        if host in edges:
            return f"{edges[host]}/{queue}"
    return ""


def carried(message: bytes, edges: Mapping[str, str]) -> tuple[str, bytes]:
    """Of what came to the vault: its id by the queue that it waited in, `EDGE/journal-QUEUE-ID`,
    and the message as the edge had it, without that queue's line; "" when it came from no edge."""
    end = _end_of_first(message)
    for host, queue in _received(message[:end], JOURNAL):
        if host in edges:
            return f"{edges[host]}/journal-{queue}", message[end:]
    return "", message


def message_id(header: bytes) -> str:
    """As the message has it, "" without one."""
    for field in _fields(header):
        key, colon, value = field.partition(b":")
        if colon and key.strip().lower() == b"message-id":
            return b" ".join(value.split()).decode("utf-8", "replace")
    return ""


def _received(header: bytes, name: str) -> Iterator[tuple[str, str]]:
    """Hosts and queue ids of the Received headers that a Postfix of this name wrote."""
    for field in _fields(header):
        key, colon, value = field.partition(b":")
        if not colon or key.strip().lower() != b"received":
            continue
        found = _by(_TOKEN.findall(value))
        if found and found[1] == name:
            yield found[0], found[2]


def _by(tokens: list[bytes]) -> tuple[str, str, str] | None:
    """Host, name of its Postfix, queue id, of `[from CLIENT] by HOST (NAME) [with PROTOCOL] id ID`.
    What a client says of himself is a word without blanks, or in comments; of what a program of the
    host sends, NAME has a user behind a comma."""
    words = [token.decode("ascii", "replace") for token in tokens]
    if words[:1] == ["from"]:
        del words[:2]
    while words and words[0].startswith("("):
        del words[0]
    if len(words) < 3 or words[0] != "by":
        return None
    host, name, rest = words[1].lower(), words[2].strip("()").partition(",")[0], words[3:]
    if rest[:1] == ["with"]:
        del rest[:2]
    while rest and rest[0].startswith("("):
        del rest[0]
    if len(rest) < 2 or rest[0] != "id":
        return None
    queue = rest[1].rstrip(";")
    return (host, name, queue) if queue.isascii() and queue.isalnum() else None


def _fields(header: bytes) -> Iterator[bytes]:
    """Header fields, unfolded or not, up to the empty line (RFC 5322 2.1)."""
    field = b""
    for line in BytesIO(header):
        if line in (b"\r\n", b"\n"):
            break
        if line[:1] in (b" ", b"\t"):
            field += line
            continue
        if field:
            yield field
        field = line
    if field:
        yield field


def _end_of_first(message: bytes) -> int:
    """Where the second header field begins."""
    at = 0
    while (at := message.find(b"\n", at) + 1) and message[at : at + 1] in (b" ", b"\t"):
        pass
    return at or len(message)


def arrived(identity: str) -> int | None:
    """When an edge accepted the message of a journal id, in seconds since 1970; None for a queue
    id that does not say."""
    time, mark, inode = identity.rpartition("/")[2].rpartition("z")
    digits = time[:-_MICROSECONDS]
    if not mark or not inode or len(digits) < 6 or not set(time) <= set(_DIGITS):
        return None
    second = 0
    for digit in digits:
        second = second * len(_DIGITS) + _DIGITS.index(digit)
    return second
