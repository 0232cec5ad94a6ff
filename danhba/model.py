"""The directory as typed, immutable entries; each knows the line it stands on (from 1)."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

from danhba.backup.figures import Backup
from danhba.days import months_after, today

State = Literal["active", "locked", "withdrawn"]
"""Of a person. locked: may not log in nor send, and still receives (Điều 10.2.a). withdrawn: does
not receive either, and the mailbox is kept (Điều 6.3)."""


@dataclass(frozen=True, slots=True)
class Province:
    """name with diacritics; domain all addresses end in; timezone as in the tz database."""

    name: str
    domain: str
    timezone: str
    line: int


@dataclass(frozen=True, slots=True)
class Secrecy:
    """contact: whom somebody calls whose mail was refused for a secrecy mark (Điều 4.4); "" for the
    postmaster."""

    contact: str

    def __str__(self) -> str:
        return self.contact or "postmaster"


FreeMailAction = Literal["reported", "refused"]
"""What becomes of mail that officials send to free-mail services."""


@dataclass(frozen=True, slots=True)
class FreeMail:
    """Free-mail services (Điều 4.2). domains: of them. action: mail to and from them is always
    counted; refused: nothing is sent to them."""

    domains: tuple[str, ...]
    action: FreeMailAction


@dataclass(frozen=True, slots=True)
class Contact:
    """contact: local part of the address that is told when an account is suspended for misuse
    (Điều 8.7); "" for the postmaster."""

    contact: str

    def __str__(self) -> str:
        return self.contact or "postmaster"


@dataclass(frozen=True, slots=True)
class Archive:
    """How long the archive of all mail keeps a message (Điều 8.9, and the law on archives). years:
    from the day on which it passed; kinds: for mail of agencies of single kinds, instead. A message
    that concerns several is kept as long as any of them asks for."""

    years: int
    kinds: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        own = "".join(f", {kind} {years}" for kind, years in sorted(self.kinds))
        return f"{self.years} years{own}"


Macros = Literal["refused", "accepted"]
"""What becomes of Office documents with macros (Điều 8.6)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The figures of the regulation, or of the operator where the regulation gives none.

    quota_gb, agency_quota_gb: room for a person's and an agency's mail, gigabytes (Điều 10.1 asks
    users not to overflow it); kind_quota_gb: for agencies of single kinds, instead. message_mb:
    largest message, megabytes. alias_months: how long a name that was given up still receives.
    confirm_days: within which an agency confirms a lock in writing (Điều 10.2.a).
    password_min_length: characters of a password, at least (Điều 10.2.a asks to protect it).
    guard_people_percent, guard_agency_percent: share of all people or of one agency above which a
    change needs an approval; protected: addresses that always need one, besides postmaster and
    abuse. inactive_months: without access, after which a mailbox is withdrawn (Điều 6.4).
    usage_months: how long it is known in which hours of which day there was an access. holidays:
    from Monday to Friday, and nobody works; working_days: of a weekend, and worked by decision
    (Điều 10.1). mailbox_kept_months: how long the mailbox of who is withdrawn stays as it was
    before it is archived, mailbox_archived_days: how long it then stays beside its archive
    (Điều 6.3; by the law on archives, Điều 8.9). lockout_*: as of
    danhba.lockout.figures. spam_grey_score, spam_junk_score, spam_reject_score: of rspamd, from
    which on a stranger's mail has to come again, is filed as junk, and is refused; macros: what
    becomes of documents with macros (Điều 8.6). secrecy: of secret documents (Điều 4.4).
    message_recipients: of one message, at most. block_lists: domains of DNS block lists (RFC 5782)
    of addresses from which no mail is taken (Điều 8.7). own_networks: of the province, in CIDR;
    never refused as a whole, whoever guesses passwords there (Điều 8.7). free_mail: services that
    officials are not to use for work (Điều 4.2). archive: how long all mail is kept.
    send_*, incident_*: as of danhba.lockout.figures. incidents: who is told of a misused account.
    dmarc_reports: address from which DMARC's reports are sent and at which others' arrive (RFC
    7489 7.2), "" for none; arc_sealers: domains whose word counts on who wrote what they hand on
    (RFC 8617). bad_links: domains, with all below, to which no honest mail leads; link_lists:
    domains of DNS lists of such domains (Điều 8.6). backup: how long backups are kept (Điều 8.9).
    engineers: full names of who may approve an export, two of them each (Điều 8.4).
    """

    quota_gb: int
    agency_quota_gb: int
    message_mb: int
    alias_months: int
    mailbox_kept_months: int
    mailbox_archived_days: int
    confirm_days: int
    password_min_length: int
    guard_people_percent: int
    guard_agency_percent: int
    lockout_guesses: int
    lockout_minutes: int
    lockout_accounts: int
    lockout_account_guesses: int
    lockout_known_days: int
    send_messages: int
    send_recipients: int
    send_burst: int
    send_inside: int
    send_inside_burst: int
    send_answers: int
    send_keeper_times: int
    incident_recipients: int
    incident_inside: int
    incident_spam: int
    incident_bounces: int
    incident_unknown: int
    spam_grey_score: int
    spam_junk_score: int
    spam_reject_score: int
    protected: tuple[str, ...]
    inactive_months: int
    usage_months: int
    holidays: tuple[date, ...]
    working_days: tuple[date, ...]
    kind_quota_gb: tuple[tuple[str, int], ...]
    macros: Macros
    secrecy: Secrecy
    message_recipients: int
    block_lists: tuple[str, ...]
    own_networks: tuple[str, ...]
    free_mail: FreeMail
    archive: Archive
    incidents: Contact
    dmarc_reports: str
    arc_sealers: tuple[str, ...]
    bad_links: tuple[str, ...]
    link_lists: tuple[str, ...]
    backup: Backup
    engineers: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Keeping:
    """Of the mailbox of who is withdrawn. until: the last day on which it is only kept; archived:
    the first day with an archive of it; removed: the first day with nothing else."""

    until: date
    archived: date
    removed: date


@dataclass(frozen=True, slots=True)
class Approval:
    """A decision to disturb many: how many people, how many of which agencies, which protected
    addresses. It holds for the one change that brings it."""

    decision: str
    people: int
    agencies: tuple[tuple[str, int], ...]
    protected: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Request:
    """The written list with which an agency asks for addresses (Điều 6.1, 6.2).

    agency: its address. sha256: of the file that was received, 64 hexadecimal digits, or "".
    """

    number: str
    agency: str
    date: date
    signer: str
    sha256: str
    line: int


@dataclass(frozen=True, slots=True)
class Exemption:
    """Why an address deviates from the naming rule: decision number and reason."""

    decision: str
    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class Quota:
    """Room that one mailbox has instead of what policy gives it, gigabytes, and by which
    decision."""

    gb: int
    decision: str
    line: int


@dataclass(frozen=True, slots=True)
class Status:
    """Why somebody is not active. since: the first day. locked: the first day of a lock of somebody
    whose withdrawal lies ahead. confirm_by: until when the agency confirms a lock in writing; None
    when it has, and without a lock."""

    kind: Literal["locked", "withdrawn"]
    since: date
    reason: str
    confirm_by: date | None
    locked: date | None = None

    def on(self, day: date) -> State:
        """What it makes of somebody on a day."""
        if self.since <= day:
            return self.kind
        return "locked" if self.locked and self.locked <= day else "active"

    @property
    def first(self) -> date:
        """The first day on which it says anything."""
        return min(self.since, self.locked or self.since)


@dataclass(frozen=True, slots=True)
class Leave:
    """A long leave: until the end of a day nobody need access the mailbox (Điều 6.4)."""

    until: date
    decision: str
    line: int


@dataclass(frozen=True, slots=True)
class Person:
    """An official. id: staff code. agency: its address. since: day of registration.

    request, decision: what the line as it is rests on; at least one is not "". changed: day of the
    last transfer, reinstatement or change of name, None when there was none. account: under which
    name mailbox and password are kept, where that is not the address, or "". given_name: the word
    of the name that is the given one, where it is not the last, or "".
    """

    id: str
    name: str
    address: str
    account: str
    agency: str
    since: date
    changed: date | None
    request: str
    decision: str
    title: str
    given_name: str
    status: Status | None
    leave: Leave | None
    exception: Exemption | None
    quota: Quota | None
    line: int

    @property
    def kept_as(self) -> str:
        """Under which name mailbox and password are kept: it stays when the address changes."""
        return self.account or self.address

    def state(self, day: date) -> State:
        """On a day of the province's own time."""
        return self.status.on(day) if self.status else "active"


@dataclass(frozen=True, slots=True)
class Closure:
    """The end of an agency. since: the first day without it. successors: addresses; the first one
    gets its mail until the end of the day `until`."""

    since: date
    decision: str
    successors: tuple[str, ...]
    until: date | None
    line: int


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency and its one mailbox (Điều 5.3).

    kind: a key of danhba.naming.KINDS. parent: address of the agency above, or "". keepers: who
    reads the mailbox (Điều 9.2.c). it_officer: who looks after computers (Điều 9.2.b), or "".
    decision: what its present name rests on, or "". account: as of a person.
    """

    address: str
    account: str
    kind: str
    name: str
    parent: str
    keepers: tuple[str, ...]
    it_officer: str
    decision: str
    closed: Closure | None
    exception: Exemption | None
    quota: Quota | None
    staff: tuple[Person, ...]
    line: int

    @property
    def kept_as(self) -> str:
        """As of a person."""
        return self.account or self.address

    def is_closed(self, day: date) -> bool:
        """On a day of the province's own time."""
        return self.closed is not None and self.closed.since <= day


@dataclass(frozen=True, slots=True)
class Alias:
    """A second name that delivers to the mailbox or alias `to`; nobody logs in with it.

    until: the last day on which a name that was given up receives; nobody sends as such a name.
    None: a name that is as good as the mailbox's own.
    """

    address: str
    to: str
    until: date | None
    line: int

    def is_expired(self, day: date) -> bool:
        """On a day of the province's own time."""
        return self.until is not None and self.until < day


@dataclass(frozen=True, slots=True)
class Reserved:
    """A local part that is given to nobody."""

    address: str
    line: int


@dataclass(frozen=True, slots=True)
class Retired:
    """A local part that somebody had, and that nobody gets again (Điều 5.3).

    was: who it was, in words. since: the day on which the line left the file.
    """

    address: str
    was: str
    since: date
    line: int


@dataclass(frozen=True, slots=True)
class Release:
    """The end of a hold. since: the first day without it; decision: the paper that ends it."""

    since: date
    decision: str
    line: int


@dataclass(frozen=True, slots=True)
class Hold:
    """What an authority asked in writing to keep (Điều 8.9): mail of some addresses.

    case: how the authority calls it. request, asked: number and date of its letter on file.
    addresses: of this directory, names of the past too. first, last: days of the mail; without
    last also what is still to come.
    """

    case: str
    authority: str
    request: str
    asked: date
    addresses: tuple[str, ...]
    first: date
    last: date | None
    note: str
    released: Release | None
    line: int

    def is_open(self, day: date) -> bool:
        """On a day of the province's own time."""
        return self.released is None or day < self.released.since


@dataclass(frozen=True)
class Directory:
    """All of directory.yaml. file: its path as given. Tuples are in the order of the file."""

    file: str
    province: Province
    legal_basis: tuple[str, ...]
    policy: Policy
    requests: tuple[Request, ...]
    agencies: tuple[Agency, ...]
    aliases: tuple[Alias, ...]
    approve: tuple[Approval, ...]
    holds: tuple[Hold, ...]
    retired: tuple[Retired, ...]
    reserved: tuple[Reserved, ...]

    @property
    def people(self) -> tuple[Person, ...]:
        return tuple(person for agency in self.agencies for person in agency.staff)

    def room(self, who: Person | Agency) -> int:
        """Gigabytes of a mailbox: its own figure, its kind's, or that of all others."""
        if who.quota:
            return who.quota.gb
        if isinstance(who, Person):
            return self.policy.quota_gb
        return dict(self.policy.kind_quota_gb).get(who.kind, self.policy.agency_quota_gb)

    def keeping(self, person: Person) -> Keeping | None:
        """None when he is not to be withdrawn. While the mailbox is held, it is kept (Điều 8.9),
        unless it was removed before somebody asked."""
        if not person.status or person.status.kind != "withdrawn":
            return None
        until = months_after(person.status.since, self.policy.mailbox_kept_months)
        days = timedelta(days=self.policy.mailbox_archived_days)
        archived = until + timedelta(days=1)
        for hold in self.held.get(person.address, ()):
            if hold.asked >= archived + days:
                continue
            if hold.released is None:
                return Keeping(date.max, date.max, date.max)
            archived = max(archived, hold.released.since)
        return Keeping(archived - timedelta(days=1), archived, archived + days)

    def names(self, address: str) -> Set[str]:
        """All names of a mailbox, those of the past too, by one of them; itself alone when nobody
        has it. An agency that goes on for another has its own only."""
        return self._names.get(address, {address})

    @cached_property
    def _names(self) -> Mapping[str, Set[str]]:
        return _names(self)

    @cached_property
    def held(self) -> Mapping[str, tuple[Hold, ...]]:
        """Holds by every name of what they hold: whichever name of a mailbox a letter uses, the
        others are the same mail. By the day of the request."""
        found: dict[str, list[Hold]] = {}
        for hold in sorted(self.holds, key=lambda hold: hold.asked):
            for name in {name for each in hold.addresses for name in self.names(each)}:
                found.setdefault(name, []).append(hold)
        return {name: tuple(holds) for name, holds in found.items()}

    def today(self) -> date:
        """By the province's own clock: its days, not the server's, begin and end a status."""
        return today(self.province.timezone)


def _names(directory: Directory) -> Mapping[str, set[str]]:
    """Each address, account and alias to all names of its mailbox, those of the past too. An agency
    that goes on for another has its own only."""
    to = {alias.address: alias.to for alias in directory.aliases}
    found: dict[str, set[str]] = {}
    boxes: list[Agency | Person] = [*directory.agencies, *directory.people]
    for each in boxes:
        names = found.get(each.address, set()) | {each.address, each.kept_as}
        found |= dict.fromkeys(names, names)
    for alias in to:
        seen, end = {alias}, to[alias]
        while end in to and end not in seen:
            seen.add(end)
            end = to[end]
        if end in found:
            found[end].add(alias)
            found[alias] = found[end]
    return found
