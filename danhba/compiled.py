"""What the mail system must know, derived from directory.yaml: plain rows, sorted, no logic left.

Services turn these rows into lookup tables. Addresses here are local parts in lower case.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mailbox:
    """A mailbox of a person or of an agency.

    address: local part. name: full name with diacritics. agency: the agency's address (its own for
    an agency). id: the person's staff code, "" for an agency. quota_mb: megabytes. owners: the
    accounts that may send as this address: the person himself, or the agency and its keepers.
    """

    address: str
    kind: str  # "person" or "agency"
    name: str
    agency: str
    agency_name: str
    id: str
    title: str
    quota_mb: int
    owners: tuple[str, ...]


@dataclass(frozen=True)
class Grant:
    """A keeper may open the agency's mailbox with his own password (Điều 9.2.c)."""

    agency: str
    keeper: str


@dataclass(frozen=True)
class Compiled:
    """The whole directory for the mail system. Every tuple is sorted by address."""

    province: str
    domain: str
    timezone: str
    message_mb: int
    mailboxes: tuple[Mailbox, ...]
    aliases: tuple[tuple[str, str], ...]  # alias local part -> mailbox local part
    grants: tuple[Grant, ...]
