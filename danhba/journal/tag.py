"""How an edge writes for whom a message is: `USER=DOMAIN@journal.invalid`, one more recipient for
each, which Postfix takes to the vault. No name server knows .invalid (RFC 2606 2)."""

from __future__ import annotations

import re

DOMAIN = "journal.invalid"
RULES = f"""\
/^"(.*)"@([^@]+)$/ $1=$2@{DOMAIN}
/^(.+)@([^@]+)$/ $1=$2@{DOMAIN}
"""
"""Postfix's, as a table of regular expressions. It asks with quotes (RFC 5321 4.1.2) and puts
its own around what it is told, where any are needed."""
_ATOM = re.compile(r"[^\x00-\x20\x7f()<>\[\]:;@\\,.\"]+(\.[^\x00-\x20\x7f()<>\[\]:;@\\,.\"]+)*")


def untagged(address: str) -> str:
    """The recipient. Raises ValueError when the address is no such one."""
    local, _, domain = address.rpartition("@")
    if local.startswith('"') and local.endswith('"'):
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    user, found, of = local.rpartition("=")
    if domain.lower() != DOMAIN or not found or not user or not of:
        raise ValueError(f"{address} says of nobody that a message was for him")
    if not _ATOM.fullmatch(user):
        user = f'"{user}"'
    return f"{user}@{of}"
