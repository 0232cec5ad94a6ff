"""What somebody's own filter (Sieve) sends: answers under his own name, and nothing that he
received to anybody outside (Điều 4.2).

It comes from Dovecot, whose user has a say in the text and in much of the header, in a vacation's
MIME part in all of it; not in the envelope's sender, nor in what the header begins with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

from .rule import Wrong, wrong

Kind = Literal["redirect", "answer", "rejection"]
Verdict = Wrong | Literal["leaves"] | None
"""leaves: a redirect to the outside. None: nothing is wrong with it."""

_REDIRECTED = ("x-sieve", "x-sieve-redirected-from")
"""What Dovecot puts before a message that is redirected, having taken both away from it. What it
writes itself begins otherwise."""


def verdict(
    sender: str,
    recipients: Sequence[str],
    fields: Sequence[tuple[str, bytes]],
    domain: str,
    owners: Callable[[str], frozenset[str]],
) -> Verdict:
    """What becomes of a message from Dovecot.

    sender: whose filter it is, for an answer or a redirect; "" for what has no sender: a rejection,
    or a redirect of what came without one. fields: the whole header, names in small letters.
    domain: the province's. owners: who may send as an address.
    """
    if kind(sender, fields) == "redirect":
        stays = all(inside(recipient, domain) for recipient in recipients)
        return None if stays else "leaves"
    return wrong(fields, lambda address: _own(address, sender, domain, owners))


def kind(sender: str, fields: Sequence[tuple[str, bytes]]) -> Kind:
    """Of what a filter sends: what it hands on has both fields first, what it writes has not."""
    if tuple(name for name, _ in fields[:2]) == _REDIRECTED:
        return "redirect"
    return "answer" if sender else "rejection"


def _own(address: str, sender: str, domain: str, owners: Callable[[str], frozenset[str]]) -> bool:
    """Of a rejection, which says in whose mailbox it arose in its text."""
    if not sender:
        return address == f"postmaster@{domain}"
    # It is the address of today, or the account where that has become none.
    return (owners(sender) or {sender}) <= owners(address)


def inside(recipient: str, domain: str) -> bool:
    """Without what some server or other reads as a way to somebody else."""
    return bool(re.fullmatch(rf"[^%!@:\s\"]+@{re.escape(domain)}", recipient, re.I))
