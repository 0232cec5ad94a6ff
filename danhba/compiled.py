"""What the mail system must know, derived from directory.yaml: plain rows, sorted, no logic left.

Services turn these rows into lookup tables. Addresses here are local parts in lower case.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from danhba.backup.figures import KEPT, Backup
from danhba.lockout.figures import Figures, Limits

BoxState = Literal["active", "locked", "withdrawn", "closed"]
"""As danhba.model.State; closed: the mailbox of an agency that is no more."""


@dataclass(frozen=True)
class Mailbox:
    """A mailbox of a person or of an agency.

    account: local part under which mail and password are kept: the first address, for ever. since:
    day of registration, which decides over the store; of agencies the beginning.
    address: local part of today. name: full name with diacritics. agency: the agency's address (its
    own for an agency). id: the person's staff code, "" for an agency. quota_mb: megabytes. owners:
    the accounts that may send as this address: the person himself, or the agency and its keepers.
    """

    account: str
    address: str
    kind: str  # "person" or "agency"
    state: BoxState
    name: str
    agency: str
    agency_name: str
    id: str
    title: str
    quota_mb: int
    owners: tuple[str, ...]
    since: date = date.min


@dataclass(frozen=True)
class Name:
    """A further address of an account. sends: its owner may send as it, and not only receive."""

    address: str
    account: str
    sends: bool


@dataclass(frozen=True)
class Refused:
    """An address that receives no more. instead: whom to write to, "" when there is nobody."""

    address: str
    instead: str


@dataclass(frozen=True)
class Grant:
    """A keeper may open the agency's mailbox with his own password (Điều 9.2.c). Both accounts."""

    agency: str
    keeper: str


@dataclass(frozen=True)
class Guard:
    """Against a change that disturbs many unawares (danhba.guards). A status or an end counts from
    when it is written, not from its day: the approval comes with the writing.

    people: how many are not withdrawn; agencies: how many in each, by its account; the limits of
    policy in percent; approvals: decision to what it names; protected: addresses that are never
    touched without one, to the account that gets their mail, "" when an end is written; withheld:
    account of who has a status to "STATE AGENCY".
    """

    people: int
    agencies: Mapping[str, int]
    people_percent: int
    agency_percent: int
    protected: Mapping[str, str]
    approvals: Mapping[str, Mapping[str, object]]
    withheld: Mapping[str, str]


NOBODY = Guard(0, {}, 0, 0, {}, {}, {})
"""Of parts that have nothing to do with people."""


@dataclass(frozen=True)
class Leaving:
    """The mailbox of an account that was withdrawn and whose time has passed. step: what is to be
    true of it today: archived, or removed as well. since: first day of the withdrawal; until: the
    last day on which it was kept. days: how long it then stays beside its archive, counted from the
    day on which that was really made."""

    account: str
    step: Literal["archive", "remove"]
    since: date
    until: date
    days: int


@dataclass(frozen=True)
class Hold:
    """An open hold (Điều 8.9): nothing of what it covers leaves the archive. addresses: all names
    of the mailboxes, local parts; first, last: days of the mail, last None when there is no end."""

    case: str
    authority: str
    addresses: tuple[str, ...]
    first: date
    last: date | None


@dataclass(frozen=True)
class Ahead:
    """What becomes of an address on a day that has not come. what: in words, with all that the
    directory says of that day and not of today."""

    day: date
    address: str
    what: str


@dataclass(frozen=True)
class Compiled:
    """The whole directory for the mail system on a day. Every tuple is sorted by address.

    decision: that the regulation of the province came with, "" when the directory names none.
    logins: what somebody types who was renamed, to the account that it means; keepers' logins are
    AGENCY*KEEPER. blocked: what nobody logs in with any more, or for now. ahead: by day.
    removed: addresses and accounts that leave the servers, for their mailboxes are archived.
    usage_months: how long the hours of accesses are kept. lockout: figures of the
    lock-out. spam_grey_score, spam_junk_score, spam_reject_score: of rspamd, from which on a
    stranger's mail has to come again, is junk, and is refused. macros_refused: are Office documents
    with macros? secrecy_contact: whom a sender calls whose mail was refused for a secrecy mark.
    message_recipients: of one message, at most. block_lists: domains of DNS block lists.
    own_networks: the province's, in CIDR. free_domains: of free-mail services.
    free_refused: is mail to them? sending: how much officials may send.
    incident_contact: address that is told of misused accounts. officers: who looks after computers,
    by agency; both addresses. dmarc_reports: the address for them, with the domain,
    "" for none; arc_sealers, bad_links, link_lists, backup: as in model.Policy.
    holds: open ones, by case; engineers: who may approve an export.
    archive_years, archive_kinds: how long the archive keeps mail; agency_kinds: account to kind.
    """

    province: str
    decision: str
    domain: str
    timezone: str
    message_mb: int
    message_recipients: int
    usage_months: int
    password_min_length: int
    mailboxes: tuple[Mailbox, ...]
    names: tuple[Name, ...]
    refused: tuple[Refused, ...]
    grants: tuple[Grant, ...]
    logins: tuple[tuple[str, str], ...]
    blocked: tuple[str, ...]
    guard: Guard
    lockout: Figures
    spam_grey_score: int
    spam_junk_score: int
    spam_reject_score: int
    macros_refused: bool
    secrecy_contact: str
    sending: Limits
    incident_contact: str
    officers: tuple[tuple[str, str], ...]
    block_lists: tuple[str, ...] = ()
    own_networks: tuple[str, ...] = ()
    free_domains: tuple[str, ...] = ()
    free_refused: bool = False
    dmarc_reports: str = ""
    arc_sealers: tuple[str, ...] = ()
    bad_links: tuple[str, ...] = ()
    link_lists: tuple[str, ...] = ()
    leaving: tuple[Leaving, ...] = ()
    removed: tuple[str, ...] = ()
    ahead: tuple[Ahead, ...] = ()
    backup: Backup = KEPT
    holds: tuple[Hold, ...] = ()
    engineers: tuple[str, ...] = ()
    archive_years: int = 10
    archive_kinds: tuple[tuple[str, int], ...] = ()
    agency_kinds: tuple[tuple[str, str], ...] = ()

    def account_of(self, address: str) -> str | None:
        """Under which name the mailbox is kept that has the address today, with the domain or
        without; the account itself will do. None when nobody has it."""
        local = address.lower().removesuffix(f"@{self.domain}")
        today = {box.address: box.account for box in self.mailboxes}
        return today.get(local) or (local if local in today.values() else None)

    def without(self, accounts: Collection[str]) -> Compiled:
        """As if these mailboxes were not there yet: neither they nor their names receive."""
        if not accounts:
            return self
        return replace(
            self,
            mailboxes=tuple(box for box in self.mailboxes if box.account not in accounts),
            names=tuple(name for name in self.names if name.account not in accounts),
        )
