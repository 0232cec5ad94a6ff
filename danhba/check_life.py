"""Do registrations, statuses and closings rest on paper, and do their days follow each other?

Điều 6 (lists, withdrawal), 9.2 (keepers, IT officers), 10.2.a (locks). What a status does to mail
is danhba.compile's matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from danhba.findings import Finding, Severity, shown
from danhba.model import Agency, Closure, Directory, Person, Status
from danhba.same_name import name_key

KEEPERS, OFFICERS, LISTS = "Điều 9.2.c", "Điều 9.2.b", "Điều 6.1"


def check_life(directory: Directory, day: date) -> Iterator[Finding]:
    """Findings as of a day. A person may be named twice: each finding has its own remedy.

    A day that comes makes no error of what was none: an apply is not to be refused for it.
    """
    look = _Look(directory, day)
    yield from look.requests()
    for agency in directory.agencies:
        yield from look.agency(agency)
        for person in agency.staff:
            yield from look.person(person)
        yield from look.namesakes(agency)
    yield from look.aliases()
    yield from look.names()


def leads_to(directory: Directory) -> dict[str, str]:
    """Every alias to where it leads in the end, whether it has expired or not."""
    to = {alias.address: alias.to for alias in directory.aliases}
    found = {}
    for address, target in to.items():
        seen = {address}
        while target in to and target not in seen:
            seen.add(target)
            target = to[target]
        found[address] = target
    return found


class _Look:
    """The directory on a day, with the indexes that all rules ask for."""

    def __init__(self, directory: Directory, day: date) -> None:
        self.directory = directory
        self.day = day
        self.agencies = {agency.address: agency for agency in directory.agencies}
        self.people = {person.address: person for person in directory.people}
        self.listed = {request.number: request for request in directory.requests}
        self.leads = leads_to(directory)
        self.entitled: dict[str, frozenset[str]] = {}

    def find(
        self, line: int, message: str, remedy: str, clause: str, severity: Severity = "error"
    ) -> Finding:
        return Finding(self.directory.file, line, severity, clause, message, remedy)

    # Requests (Điều 6.1, 6.2)

    def requests(self) -> Iterator[Finding]:
        for request in self.directory.requests:
            if self.present(request.agency) not in self.agencies:
                message = f"request {shown(request.number)} comes from the unknown agency "
                remedy = "write the address of an agency of this file"
                yield self.find(request.line, message + shown(request.agency), remedy, LISTS)

    def present(self, agency: str) -> str:
        """The address of today of an agency that may have been renamed."""
        return agency if agency in self.agencies else self.leads.get(agency, agency)

    def may_ask(self, agency: Agency) -> frozenset[str]:
        """Who may list its staff: itself, what it came from, and the agencies above it."""
        known = self.entitled.get(agency.address)
        if known is None:
            found = {agency.address}
            above: str = self.present(agency.parent)
            while above in self.agencies and above not in found:
                found.add(above)
                above = self.present(self.agencies[above].parent)
            found |= {
                each.address for each in self.directory.agencies
                if each.closed and agency.address in each.closed.successors
            }  # fmt: skip
            known = self.entitled[agency.address] = frozenset(found)
        return known

    def basis(self, person: Person, agency: Agency) -> Iterator[Finding]:
        request = self.listed.get(person.request)
        if person.request and request is None:
            message = f"{person.name} refers to the unknown request {shown(person.request)}"
            remedy = "add the agency's written list under requests, or correct the number"
            yield self.find(person.line, message, remedy, LISTS)
        if request is None:
            return
        # Nearly always it is the agency's own list.
        own = request.agency == agency.address
        entitled = own or self.present(request.agency) in self.may_ask(agency)
        if not entitled and not person.decision:
            message = (
                f"{person.name} of {agency.address} rests on request {shown(request.number)} "
                f"of {request.agency}"
            )
            remedy = f"cite a list of {agency.address}, or add `decision: ...`"
            yield self.find(person.line, message, remedy, LISTS)
        day = person.changed or person.since
        if day < request.date:
            what = "changed" if person.changed else "since"
            message = f"{person.name}: {what} {day} lies before the request of {request.date}"
            remedy = f"correct the day, or the date on line {request.line}"
            yield self.find(person.line, message, remedy, LISTS)

    # Agencies (Điều 9.2)

    def agency(self, agency: Agency) -> Iterator[Finding]:
        if agency.closed:
            yield from self.closing(agency, agency.closed)
        if not agency.is_closed(self.day):
            yield from self.keepers(agency)
            yield from self.officer(agency)
            yield from self.above(agency)
        yield from self.account(agency)

    def keepers(self, agency: Agency) -> Iterator[Finding]:
        here = agency.address
        if not agency.keepers:
            remedy = f"danhba keeper {here} --add ADDRESS"
            if not agency.staff:
                remedy = f"danhba add or transfer somebody to {here}, then {remedy}"
            message = f"nobody keeps the mailbox {here}"
            yield self.find(agency.line, message, remedy, KEEPERS, "warning")
        for address in agency.keepers:
            person = self.people.get(address)
            if person is None or person.status is None:
                continue
            kind, since = person.status.kind, person.status.since
            message = f"{address} keeps the mailbox {here} and is {kind} from {since}"
            remedy = f"danhba keeper {here} --remove {address} --add ADDRESS"
            yield self.find(agency.line, message, remedy, KEEPERS, "warning")

    def officer(self, agency: Agency) -> Iterator[Finding]:
        remedy = "ask the agency, and write it_officer: ADDRESS"
        officer = self.people.get(agency.it_officer)
        if not agency.it_officer:
            message = f"{agency.address} names no IT officer"
            yield self.find(agency.line, message, remedy, OFFICERS, "warning")
        elif officer is not None and officer.status:
            status = officer.status
            message = f"the IT officer {officer.address} of {agency.address} is {status.kind} "
            message += f"from {status.since}"
            yield self.find(agency.line, message, remedy, OFFICERS, "warning")

    def above(self, agency: Agency) -> Iterator[Finding]:
        parent = self.agencies.get(agency.parent)
        if parent is not None and parent.closed:
            message = f"{agency.address} belongs to {parent.address}, closed from "
            message += str(parent.closed.since)
            remedy = "danhba agency merge or close it as well, or write another parent"
            yield self.find(agency.line, message, remedy, "", "warning")

    def closing(self, agency: Agency, closed: Closure) -> Iterator[Finding]:
        line = agency.line
        for successor in closed.successors:
            heir = self.agencies.get(successor)
            if heir is None or heir is agency:
                message = f"{agency.address} cannot be succeeded by {shown(successor)}"
                remedy = "write the address of another agency of this file"
                yield self.find(line, message, remedy, "")
            elif heir.closed and not heir.closed.successors:
                message = f"the successor {successor} of {agency.address} is closed itself"
                yield self.find(line, message, "name one that goes on", "", "warning")
        if closed.until and not closed.successors:
            message = f"{agency.address} has no successor, so nobody gets its mail until anything"
            yield self.find(line, message, "name successors, or delete until", "")
        if closed.successors and (closed.until is None or closed.until < closed.since):
            message = f"{agency.address} is closed from {closed.since}, and its mail goes to "
            message += f"{closed.successors[0]} until {closed.until or 'no day'}"
            yield self.find(line, message, "write until: a later day", "")
        by = max(closed.since, self.day)
        left = [person for person in agency.staff if person.state(by) != "withdrawn"]
        if left:
            message = f"{agency.address} is closed from {closed.since} and still has {len(left)} "
            message += f"of staff, the first is {left[0].address} on line {left[0].line}"
            remedy = "danhba transfer or withdraw each, or danhba agency merge"
            yield self.find(line, message, remedy, "Điều 9.2.a", "warning")
        if self.in_circle(agency):
            message = f"{agency.address} is its own successor in the end"
            yield self.find(line, message, "correct one of the successors", "")

    def in_circle(self, agency: Agency) -> bool:
        seen: set[str] = set()
        todo = [agency.address]
        while todo:
            each = self.agencies.get(todo.pop())
            further = each.closed.successors if each and each.closed else ()
            todo += [one for one in further if one not in seen]
            seen.update(further)
        return agency.address in seen

    # People (Điều 6, 10.2.a)

    def person(self, person: Person) -> Iterator[Finding]:
        yield from self.basis(person, self.agencies[person.agency])
        if person.since > self.day:
            yield from self.later(person)
        if person.status or person.changed:
            yield from self.days(person)
        if person.status:
            yield from self.paper(person, person.status)
        if person.account:
            yield from self.account(person)
        if person.leave and person.leave.until < person.since:
            message = f"{person.name} is on leave until {person.leave.until}, and registered on "
            message += str(person.since)
            yield self.find(person.line, message, "put the days in order", "Điều 6.4")

    def later(self, person: Person) -> Iterator[Finding]:
        message = f"{person.name} is registered on {person.since}, and has a mailbox before that"
        yield self.find(person.line, message, "add the line on that day", "Điều 6.2", "warning")

    def days(self, person: Person) -> Iterator[Finding]:
        first, then = person.since, person.changed or person.since
        start = person.status.first if person.status else then
        if then < first or start < first:
            earlier = min(then, start)
            message = f"{person.name}: {earlier} lies before since, the registration of {first}"
            yield self.find(person.line, message, "put the days in order", "Điều 6")
        by = person.status.confirm_by if person.status else None
        if by and by < start:
            message = f"{person.name} is locked from {start}, to be confirmed by {by}"
            yield self.find(person.line, message, "write a later confirm_by", "Điều 10.2.a")

    def paper(self, person: Person, status: Status) -> Iterator[Finding]:
        cited = bool(person.decision or person.changed)
        if status.kind == "withdrawn" and not cited:
            message = f"{person.name} is withdrawn, and neither decision nor letter is cited"
            remedy = "add `decision: ...`, or the letter as request and its day as changed"
            yield self.find(person.line, message, remedy, "Điều 6.3")
        if status.kind == "locked" and not cited and not status.confirm_by:
            message = f"{person.name} is locked, and no day is named until when it is confirmed"
            remedy = "add `confirm_by: YYYY-MM-DD`, or the letter as request, and changed"
            yield self.find(person.line, message, remedy, "Điều 10.2.a")
        if status.confirm_by and status.confirm_by < self.day:
            message = f"the lock of {person.name} was to be confirmed by {status.confirm_by}"
            remedy = f"danhba lock {person.address} --request NUMBER, or danhba unlock"
            yield self.find(person.line, message, remedy, "Điều 10.2.a", "warning")

    def account(self, holder: Person | Agency) -> Iterator[Finding]:
        """The name under which a mailbox is kept was its address once: it stays an alias of it."""
        account = holder.account
        if account and self.leads.get(account) != holder.address:
            message = f"{holder.name} has the account {shown(account)}, no alias of his address "
            message += holder.address
            remedy = f"put back the alias {account}: {{to: {holder.address}, until: ...}}"
            yield self.find(holder.line, message, remedy, "Điều 5.3")

    def namesakes(self, agency: Agency) -> Iterator[Finding]:
        first: dict[str, Person] = {}
        for person in agency.staff:
            if person.status and person.status.kind == "withdrawn":
                continue
            key = name_key(person.name)
            other = first.setdefault(key, person)
            if other is not person and not person.decision:
                message = f"{person.name} is in {agency.address} already, {other.address} on line "
                message += str(other.line)
                remedy = "ask whether they are two; if so, cite what says it: `decision: ...`"
                yield self.find(person.line, message, remedy, "Điều 5.3", "warning")

    # Names

    def aliases(self) -> Iterator[Finding]:
        for alias in self.directory.aliases:
            target = self.leads[alias.address]
            holder = self.people.get(target)
            agency = self.agencies.get(target)
            gone = agency is not None and agency.closed is not None
            if holder and holder.status and holder.status.kind == "withdrawn":
                gone = True
            if gone and alias.until is None:
                message = f"mail for {alias.address} goes to {target}, which receives no more"
                remedy = "let it point to a mailbox that somebody reads"
                yield self.find(alias.line, message, remedy, "Điều 6.3", "warning")

    def names(self) -> Iterator[Finding]:
        """What policy and approvals name must exist."""
        known: Mapping[str, object] = {**self.agencies, **self.people, **self.leads}
        policy = self.directory.policy
        named = [(name, policy.line, "policy") for name in policy.protected]
        if contact := policy.incidents.contact:
            named.append((contact, policy.line, "incidents"))
        for approval in self.directory.approve:
            names = [name for name, _ in approval.agencies] + list(approval.protected)
            named += [(name, approval.line, f"approval {approval.decision}") for name in names]
        for name, line, where in named:
            if name not in known:
                message = f"{where} names {shown(name)}, which is no address of this file"
                yield self.find(line, message, "write an address of this file, or delete it", "")
