"""The directory to the plain rows that services turn into lookup tables. Pure, deterministic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import cached_property
from operator import attrgetter
from typing import Literal

from danhba.check_guards import guard
from danhba.compiled import Ahead, Compiled, Grant, Hold, Leaving, Mailbox, Name, Refused
from danhba.lockout.figures import Figures, Limits
from danhba.model import Agency, Directory, Person, Policy

MB_PER_GB = 1024
ONE = timedelta(days=1)


def compile_directory(directory: Directory, day: date | None = None) -> Compiled:
    """Everything the mail system must know on a day (the province's today by default).

    directory: one that danhba.check found no error in.
    """
    rows = _Rows(directory, day or directory.today())
    return Compiled(
        province=directory.province.name,
        decision=next(iter(directory.legal_basis), ""),
        domain=directory.province.domain,
        timezone=directory.province.timezone,
        message_mb=directory.policy.message_mb,
        message_recipients=directory.policy.message_recipients,
        usage_months=directory.policy.usage_months,
        password_min_length=directory.policy.password_min_length,
        mailboxes=tuple(sorted(rows.mailboxes(), key=attrgetter("account"))),
        names=tuple(sorted(rows.names(), key=attrgetter("address"))),
        refused=tuple(sorted(rows.refused(), key=attrgetter("address"))),
        grants=tuple(sorted(rows.grants, key=attrgetter("agency", "keeper"))),
        logins=tuple(sorted(rows.logins())),
        blocked=tuple(sorted(set(rows.blocked()))),
        guard=guard(directory),
        leaving=tuple(sorted(rows.leaving(), key=attrgetter("account"))),
        removed=tuple(sorted(rows.removed_names())),
        ahead=tuple(ahead(directory, rows.day)),
        holds=tuple(sorted(rows.holds(), key=attrgetter("case"))),
        lockout=_lockout(directory.policy),
        spam_grey_score=directory.policy.spam_grey_score,
        spam_junk_score=directory.policy.spam_junk_score,
        spam_reject_score=directory.policy.spam_reject_score,
        macros_refused=directory.policy.macros == "refused",
        secrecy_contact=directory.policy.secrecy.contact
        or f"postmaster@{directory.province.domain}",
        block_lists=directory.policy.block_lists,
        own_networks=directory.policy.own_networks,
        free_domains=directory.policy.free_mail.domains,
        free_refused=directory.policy.free_mail.action == "refused",
        engineers=directory.policy.engineers,
        archive_years=directory.policy.archive.years,
        archive_kinds=directory.policy.archive.kinds,
        agency_kinds=tuple(sorted((each.kept_as, each.kind) for each in directory.agencies)),
        sending=_sending(directory.policy),
        incident_contact=f"{directory.policy.incidents}@{directory.province.domain}",
        officers=tuple(sorted(rows.officers())),
        dmarc_reports=_mail(directory, directory.policy.dmarc_reports),
        arc_sealers=directory.policy.arc_sealers,
        bad_links=directory.policy.bad_links,
        link_lists=directory.policy.link_lists,
        backup=directory.policy.backup,
    )


def _sending(policy: Policy) -> Limits:
    return Limits(
        messages=policy.send_messages,
        recipients=policy.send_recipients,
        burst=policy.send_burst,
        inside=policy.send_inside,
        inside_burst=policy.send_inside_burst,
        answers=policy.send_answers,
        keeper_times=policy.send_keeper_times,
        incident_recipients=policy.incident_recipients,
        incident_inside=policy.incident_inside,
        incident_spam=policy.incident_spam,
        incident_bounces=policy.incident_bounces,
        incident_unknown=policy.incident_unknown,
    )


def _mail(directory: Directory, address: str) -> str:
    return f"{address}@{directory.province.domain}" if address else ""


def _lockout(policy: Policy) -> Figures:
    return Figures(
        guesses=policy.lockout_guesses,
        minutes=policy.lockout_minutes,
        accounts=policy.lockout_accounts,
        account_guesses=policy.lockout_account_guesses,
        known_days=policy.lockout_known_days,
    )


def next_change(directory: Directory, day: date) -> date | None:
    """The first day after `day` on which the directory compiles to something else."""
    return next((each.day for each in ahead(directory, day)), None)


def ahead(directory: Directory, day: date) -> list[Ahead]:
    """What the days after `day` bring, in their order."""
    found = (each for each in _days(directory) if each.day > day)
    return sorted(found, key=attrgetter("day", "address", "what"))


def _days(directory: Directory) -> Iterator[Ahead]:
    """Every day that the directory names, gone by or not."""
    for person in directory.people:
        if status := person.status:
            yield Ahead(status.since, person.address, status.kind)
            if status.locked:
                yield Ahead(status.locked, person.address, "locked")
        if (keeping := directory.keeping(person)) and keeping.archived < date.max:
            yield Ahead(keeping.archived, person.address, "mailbox archived")
            yield Ahead(keeping.removed, person.address, "mailbox removed")
    for alias in directory.aliases:
        if alias.until:
            yield Ahead(alias.until + ONE, alias.address, "receives no more")
    for agency in directory.agencies:
        if closed := agency.closed:
            goes_on = f"; {closed.successors[0]} gets its mail" if closed.successors else ""
            yield Ahead(closed.since, agency.address, f"closed{goes_on}")
            if closed.until:
                yield Ahead(closed.until + ONE, agency.address, "receives no more")


class _Rows:
    """The directory on a day."""

    def __init__(self, directory: Directory, day: date) -> None:
        self.directory = directory
        self.day = day
        self.agencies = {agency.address: agency for agency in directory.agencies}
        self.people = {person.address: person for person in directory.people}
        self.titles = _full_names(directory.agencies)
        self.to = {alias.address: alias.to for alias in directory.aliases}
        self.dated = {alias.address for alias in directory.aliases if alias.until}

    @cached_property
    def accounts(self) -> dict[str, str]:
        """Address to account, of every mailbox."""
        agencies = {each.address: each.kept_as for each in self.agencies.values()}
        people = {each.address: each.kept_as for each in self.people.values()}
        return agencies | people

    # Mailboxes that end

    @cached_property
    def removed(self) -> set[str]:
        """Addresses of people of whom the servers know nothing any more but to refuse them."""
        kept = ((person, self.directory.keeping(person)) for person in self.directory.people)
        return {person.address for person, time in kept if time and time.removed <= self.day}

    def removed_names(self) -> Iterator[str]:
        """All that they were known by."""
        for address in self.removed:
            yield from {address, self.accounts[address]}
        yield from (alias for alias in self.to if self._holder(alias) in self.removed)

    def leaving(self) -> Iterator[Leaving]:
        for person in self.directory.people:
            time = self.directory.keeping(person)
            if person.status and time and time.archived <= self.day:
                step: Literal["archive", "remove"] = (
                    "remove" if person.address in self.removed else "archive"
                )
                days = self.directory.policy.mailbox_archived_days
                yield Leaving(person.kept_as, step, person.status.since, time.until, days)

    def holds(self) -> Iterator[Hold]:
        for hold in self.directory.holds:
            if hold.is_open(self.day):
                held = self.directory.held.items()
                addresses = tuple(sorted(name for name, holds in held if hold in holds))
                yield Hold(hold.case, hold.authority, addresses, hold.first, hold.last)

    # Mailboxes

    def mailboxes(self) -> Iterator[Mailbox]:
        for agency in self.directory.agencies:
            yield self._agency(agency)
            for person in agency.staff:
                if person.address not in self.removed:
                    yield self._person(person)

    def _agency(self, agency: Agency) -> Mailbox:
        # Keepers may send as the agency; others of its staff may not (Điều 9.2.c).
        name, account = self.titles[agency.address], self.accounts[agency.address]
        closed = agency.is_closed(self.day)
        keepers = sorted(self._keepers(agency))
        return Mailbox(
            account=account,
            address=agency.address,
            kind="agency",
            state="closed" if closed else "active",
            name=name,
            agency=agency.address,
            agency_name=name,
            id="",
            title="",
            quota_mb=self.directory.room(agency) * MB_PER_GB,
            owners=() if closed else (account, *keepers),
        )

    def _person(self, person: Person) -> Mailbox:
        account = self.accounts[person.address]
        return Mailbox(
            account=account,
            address=person.address,
            kind="person",
            state=person.state(self.day),
            name=person.name,
            agency=person.agency,
            agency_name=self.titles[person.agency],
            id=person.id,
            title=person.title,
            quota_mb=self.directory.room(person) * MB_PER_GB,
            owners=(account,),
            since=person.since,
        )

    def _keepers(self, agency: Agency) -> set[str]:
        """Accounts of who keeps the mailbox today."""
        keepers = (self.people[keeper] for keeper in agency.keepers)
        return {self.accounts[each.address] for each in keepers if each.state(self.day) == "active"}

    @cached_property
    def grants(self) -> set[Grant]:
        """A closed agency's mailbox is read by who keeps its successor's."""
        return {
            Grant(self.accounts[agency.address], keeper)
            for agency in self.directory.agencies
            if (heir := self._heir(agency)) is not None
            for keeper in self._keepers(heir)
        }

    def _heir(self, agency: Agency) -> Agency | None:
        """Who has the agency's mail today: itself, or the first of its successors, or theirs."""
        last = self._last(agency)
        return None if last.is_closed(self.day) else last

    def _last(self, agency: Agency) -> Agency:
        """As _heir; when nobody goes on, the last one that did."""
        while agency.closed and agency.is_closed(self.day) and agency.closed.successors:
            agency = self.agencies[agency.closed.successors[0]]
        return agency

    def officers(self) -> Iterator[tuple[str, str]]:
        """Who has left looks after no computers any more."""
        for agency in self.directory.agencies:
            officer = self.people.get(agency.it_officer)
            if officer and officer.state(self.day) == "active":
                yield agency.address, officer.address

    # Addresses

    def names(self) -> Iterator[Name]:
        """Expired ones too: what an address leads to is never forgotten, only refused."""
        for address in (*self.accounts, *self.to):
            account = self._reached(address)
            if (
                account != address and self._holder(address) not in self.removed
            ):  # else it is the account's own first address
                yield Name(address, account, sends=self._sends(address))

    def _holder(self, address: str) -> str:
        """The address of the mailbox that an alias leads to."""
        while address in self.to:
            address = self.to[address]
        return address

    def _reached(self, address: str) -> str:
        """The account that mail for an address is delivered to, or was at last."""
        holder = self._holder(address)
        agency = self.agencies.get(holder)
        return self.accounts[self._last(agency).address if agency else holder]

    def _sends(self, address: str) -> bool:
        """Not as a name that was given up, nor as one that leads to such a name, nor as an agency
        that is no more."""
        while address in self.to:
            if address in self.dated:
                return False
            address = self.to[address]
        agency = self.agencies.get(address)
        return agency is None or not agency.is_closed(self.day)

    def refused(self) -> Iterator[Refused]:
        """Who is withdrawn, what is closed, which names have expired, with all names of theirs; and
        what is retired."""
        gone = dict(self._gone())
        yield from (Refused(address, instead) for address, instead in gone.items())
        for alias in self.directory.aliases:
            holder = self._holder(alias.address)
            if holder in gone:
                yield Refused(alias.address, gone[holder])
            elif alias.is_expired(self.day):
                agency = self.agencies.get(holder)
                yield Refused(alias.address, self._last(agency).address if agency else holder)
        # Who it was knows only the file's history; that the address stays his is enough.
        yield from (Refused(name.address, "") for name in self.directory.retired)

    def _gone(self) -> Iterator[tuple[str, str]]:
        for person in self.directory.people:
            if person.state(self.day) == "withdrawn":
                heir = self._heir(self.agencies[person.agency])
                yield person.address, heir.address if heir else ""
        for agency in self.directory.agencies:
            if agency.closed and agency.is_closed(self.day):
                heir = self._heir(agency)
                until = agency.closed.until
                if heir is None or (until is not None and until < self.day):
                    yield agency.address, heir.address if heir else ""

    # Logins

    def logins(self) -> Iterator[tuple[str, str]]:
        for login, account in self._typed():
            if login != account:
                yield login, account

    def _typed(self) -> Iterator[tuple[str, str]]:
        """What is typed for a mailbox, by its keepers too, and the accounts that it means."""
        yield from (each for each in self.accounts.items() if each[0] not in self.removed)
        today = {account: address for address, account in self.accounts.items()}
        for grant in self.grants:
            yield f"{today[grant.agency]}*{today[grant.keeper]}", f"{grant.agency}*{grant.keeper}"

    def blocked(self) -> Iterator[str]:
        """A name that was given up is no second login (Điều 5.3). Who keeps a closed agency's
        mailbox still opens it; with a password of its own nobody does."""
        yield from (account for login, account in self._typed() if login != account)
        for person in self.directory.people:
            if person.state(self.day) != "active":
                yield person.address
        yield from (each.address for each in self.directory.agencies if each.is_closed(self.day))


def _full_names(agencies: tuple[Agency, ...]) -> Mapping[str, str]:
    """Names that tell eleven Phòng Nội vụ apart: "Phòng Nội vụ, Huyện Chợ Mới"."""
    own = {agency.address: agency.name for agency in agencies}
    return {
        agency.address: f"{agency.name}, {own[agency.parent]}" if agency.parent else agency.name
        for agency in agencies
    }
