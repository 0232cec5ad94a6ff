"""What a change of the directory means: who came, moved, got another name; not which lines moved.

People are told by their staff code, agencies by their address, and an agency with a new address by
what it is. The order of the file and its form mean nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import TypeVar

from danhba.check_life import leads_to
from danhba.model import (
    Agency,
    Alias,
    Approval,
    Closure,
    Directory,
    Exemption,
    Hold,
    Leave,
    Person,
    Quota,
    Request,
    Status,
)

T = TypeVar("T")

PROVINCE = ""
"""The agency of what belongs to the province as a whole."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a reviewer has to know.

    agency: address of the one concerned, or PROVINCE. kind: a word such as new, transferred, gone.
    who: whom or what it is about. detail: what exactly. mail: what an apply does to mail, "" when
    nothing. request, clause: what it rests on, or "".
    """

    agency: str
    kind: str
    who: str
    detail: str = ""
    mail: str = ""
    request: str = ""
    clause: str = ""


def compare(old: Directory, new: Directory, day: date | None = None) -> list[Change]:
    """Every change from old to new, by agency in the order of new; the province comes first.

    day: on which it is told, the province's today by default: what lies ahead is told as that.
    """
    now = _addresses_of_now(old, new)
    names = _Names(new, day or new.today())
    changes = [
        *_province(old, new),
        *_agencies(old, new, now, names),
        *_mergers(old, new),
        *_people(old, new, now, names),
        *_aliases(old, new, now, names),
        *_requests(old, new, now),
        *_retired(old, new),
        *_approvals(old, new),
        *_holds(old, new),
    ]
    place = {agency.address: order for order, agency in enumerate((*new.agencies, *old.agencies))}
    return sorted(changes, key=lambda change: place.get(change.agency, -1))


REFUSED = "the apply refuses: an address is not removed by leaving it out"


class _Names:
    """Second names as they will be, on a day."""

    def __init__(self, new: Directory, day: date) -> None:
        self.day = day
        self.leads = leads_to(new)
        self.to = {alias.address: alias for alias in new.aliases}

    def mail(self, address: str) -> str:
        """What becomes of mail for a second name, and until when."""
        alias, end = self.to[address], self.leads[address]
        if alias.is_expired(self.day):
            return f"mail for {address} is refused"
        limit = f" until {alias.until}" if alias.until else ""
        return f"mail for {address} reaches {end}{limit}"

    def time(self, address: str) -> str:
        """What the last day of a second name, or its end, does to mail."""
        alias, end = self.to[address], self.leads[address]
        if alias.is_expired(self.day):
            return f"mail for {address} is refused"
        if alias.until:
            after = alias.until + timedelta(days=1)
            return (
                f"{address} receives until {alias.until}; refused from {after}, nobody sends as it"
            )
        sends = "" if self._is_dated(address) else f", and {end} may send as it"
        return f"{address} receives for good{sends}"

    def _is_dated(self, address: str) -> bool:
        """Or one on the way: a name that was given up is nobody's to send as."""
        seen: set[str] = set()
        while (alias := self.to.get(address)) is not None and address not in seen:
            seen.add(address)
            if alias.until:
                return True
            address = alias.to
        return False


def _province(old: Directory, new: Directory) -> Iterator[Change]:
    for section in ("province", "policy"):
        before, after = getattr(old, section), getattr(new, section)
        for key in (each.name for each in fields(before) if each.name != "line"):
            was, now = getattr(before, key), getattr(after, key)
            if key == "kind_quota_gb":
                was, now = (_by_kind(each) for each in (was, now))
            elif isinstance(was, tuple):  # a list whose order says nothing
                was, now = (", ".join(sorted(map(str, each))) for each in (was, now))
            if was != now:
                mail = "every address changes" if key == "domain" else ""
                yield Change(PROVINCE, section, key, _turn(str(was), str(now)), mail)
    gone, came, _ = _paired(old.legal_basis, new.legal_basis, lambda text: text)
    yield from (Change(PROVINCE, "legal basis", text, "no longer") for text in gone)
    yield from (Change(PROVINCE, "legal basis", text, "new") for text in came)
    gone_names, came_names, _ = _paired(old.reserved, new.reserved, lambda name: name.address)
    for name in gone_names:
        yield Change(PROVINCE, "reserved", name.address, "free again", "may be given to somebody")
    for name in came_names:
        yield Change(PROVINCE, "reserved", name.address, "new", "is given to nobody")


def _by_kind(rooms: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{kind} {room} GB" for kind, room in sorted(rooms))


def _retired(old: Directory, new: Directory) -> Iterator[Change]:
    gone, came, both = _paired(old.retired, new.retired, lambda name: name.address)
    for before, after in both:
        was, now = (f"{each.was}, {each.since}" for each in (before, after))
        if was != now:
            yield Change(PROVINCE, "retired", after.address, _turn(was, now))
    for name in gone:
        yield Change(PROVINCE, "retired", name.address, "free again", "may be given to somebody")
    for name in came:
        yield Change(PROVINCE, "retired", name.address, f"was {name.was}", "is given to nobody")


def _agencies(
    old: Directory, new: Directory, now: Mapping[str, str], names: _Names
) -> Iterator[Change]:
    gone, came, both = _paired(old.agencies, new.agencies, lambda agency: agency.address)
    gone, came, moved = _same_agencies(gone, came, new)
    for before, after in moved:
        detail = f"{before.address} -> {after.address}"
        mail = _both_receive(before, after, names, after.closed is not None)
        yield Change(after.address, "new address", after.name, detail, mail, clause="Điều 5.3.a")
    for agency in gone:
        yield Change(agency.address, "agency gone", agency.name, agency.address, REFUSED)
    for agency in came:
        mail = f"{agency.address}@{new.province.domain} receives"
        yield Change(agency.address, "new agency", agency.name, agency.address, mail)
        bare = replace(agency, keepers=(), it_officer="", closed=None, exception=None, quota=None)
        yield from _agency(bare, agency, now)
        yield from _quota(new, new, bare, agency)
    for before, after in both:
        if before.kept_as != after.kept_as:
            detail = _turn(before.kept_as, after.kept_as)
            yield Change(after.address, "another mailbox", after.name, detail, REFUSED)
    for before, after in [*both, *moved]:
        yield from _agency(before, after, now)
        yield from _quota(old, new, before, after)


def _addresses_of_now(old: Directory, new: Directory) -> dict[str, str]:
    """Old to new address of agencies and people that are the same: whoever is named by an address
    that has changed is still named."""
    gone, came, both = _paired(old.agencies, new.agencies, lambda agency: agency.address)
    _, _, moved = _same_agencies(gone, came, new)
    _, _, people = _paired(old.people, new.people, lambda person: person.id)
    now = {before.address: after.address for before, after in [*both, *moved]}
    return now | {before.address: after.address for before, after in people}


def _same_agencies(
    gone: list[Agency], came: list[Agency], new: Directory
) -> tuple[list[Agency], list[Agency], list[tuple[Agency, Agency]]]:
    """Those whose old address is an alias of a new one by now, then those that are called alike and
    are the only ones of their name."""
    lead = leads_to(new)
    by_address = {agency.address: agency for agency in came}
    led = [(each, by_address[lead.get(each.address, "")]) for each in gone
           if lead.get(each.address) in by_address]  # fmt: skip
    done = {agency.address for pair in led for agency in pair}
    gone = [each for each in gone if each.address not in done]
    came = [each for each in came if each.address not in done]
    alike = Counter(map(_what_it_is, gone)) | Counter(map(_what_it_is, came))

    def what(agency: Agency) -> Hashable:
        return _what_it_is(agency) if alike[_what_it_is(agency)] == 1 else agency.address

    gone, came, found = _paired(gone, came, what)
    return gone, came, led + found


def _mergers(old: Directory, new: Directory) -> Iterator[Change]:
    """Several that end and go on as one, in one line of that one."""
    there = {agency.address: agency for agency in new.agencies}
    was = {agency.kept_as: agency.closed for agency in old.agencies}
    lead = leads_to(new)
    ended: dict[str, list[Agency]] = {}
    for agency in new.agencies:
        closed, before = agency.closed, was.get(agency.kept_as)
        heir = closed.successors[0] if closed and closed.successors else ""
        first = before.successors[0] if before and before.successors else ""
        led = lead.get(first, first)
        if closed and heir in there and heir != led:
            ended.setdefault(heir, []).append(agency)
    for heir, agencies in ended.items():
        if len(agencies) > 1:
            detail = f"{' + '.join(each.name for each in agencies)} -> {there[heir].name}"
            yield Change(heir, "merger", there[heir].name, detail, clause="Điều 5.3")


def _both_receive(old: Agency | Person, new: Agency | Person, names: _Names, ends: bool) -> str:
    """What a new address does to mail. ends: the new one receives no more either, or not for long,
    as another change says."""
    alias, end = names.to.get(old.address), names.leads.get(old.address)
    if old.kept_as != new.kept_as or alias is None:
        return REFUSED
    if end != new.address or alias.is_expired(names.day):
        return f"{names.mail(old.address)}, nobody logs in or sends as it; mailbox stays"
    limit = f" until {alias.until}" if alias.until else ""
    arrives = f"goes the way of {new.address}" if ends else "still arrives"
    return f"mail for {old.address} {arrives}{limit}, nobody logs in or sends as it; mailbox stays"


def _what_it_is(agency: Agency) -> tuple[str, str]:
    return agency.kind, agency.name


def _agency(old: Agency, new: Agency, now: Mapping[str, str]) -> Iterator[Change]:
    """now: see _addresses_of_now."""
    here = new.address
    if old.name != new.name:
        yield Change(here, "agency renamed", new.name, f"was {old.name}", clause="Điều 5.3.a")
    for what in ("kind", "parent", "it_officer"):
        was, then = getattr(old, what), getattr(new, what)
        if now.get(was, was) != then:
            clause = "Điều 9.2.b" if what == "it_officer" else ""
            yield Change(here, what.replace("_", " "), new.name, _turn(was, then), clause=clause)
    keepers = {now.get(keeper, keeper) for keeper in old.keepers}
    for keeper in sorted(set(new.keepers) - keepers):
        mail = f"{keeper} opens {here} and sends as it"
        yield Change(here, "keeper", keeper, "new", mail, clause="Điều 9.2.c")
    for keeper in sorted(keepers - set(new.keepers)):
        mail = f"{keeper} opens {here} no longer"
        yield Change(here, "keeper", keeper, "no longer", mail, clause="Điều 9.2.c")
    if old.decision != new.decision:
        yield Change(here, "decision", new.name, _turn(old.decision, new.decision))
    heirs = tuple(now.get(each, each) for each in old.closed.successors) if old.closed else ()
    yield from _closing(new, old.closed and replace(old.closed, successors=heirs), new.closed)
    yield from _exception(here, new.name, old.exception, new.exception)


def _closing(agency: Agency, was: Closure | None, now: Closure | None) -> Iterator[Change]:
    if _content(was) == _content(now):
        return
    if now is None:
        yield Change(agency.address, "agency reopened", agency.name, agency.address)
        return
    heirs = ", ".join(now.successors)
    detail = f"from {now.since}{f', succeeded by {heirs}' if heirs else ''}"
    mail = f"mail for {agency.address} is refused from {now.since}; mailbox kept"
    if now.successors and now.until:
        end = now.until + timedelta(days=1)
        mail = f"mail for {agency.address} reaches {now.successors[0]} from {now.since}, "
        mail += f"is refused from {end}; mailbox kept, its successor's keepers read it"
    yield Change(agency.address, "agency closed", agency.name, detail, mail, now.decision)


def _quota(
    old: Directory, new: Directory, before: Agency | Person, after: Agency | Person
) -> Iterator[Change]:
    """The exception of one mailbox. What policy changes for all is told once, with policy."""
    was, now = _content(before.quota), _content(after.quota)
    if was == now:
        return
    here = after.agency if isinstance(after, Person) else after.address
    who = _named(after) if isinstance(after, Person) else after.name
    decision = after.quota.decision if after.quota else ""
    detail = f"{old.room(before)} GB -> {new.room(after)} GB"
    if after.quota is None:
        detail += ", as policy has it"
    yield Change(here, "quota", who, detail, request=decision, clause="Điều 10.1")


def _exception(
    agency: str, who: str, old: Exemption | None, new: Exemption | None
) -> Iterator[Change]:
    was, now = (each and (each.decision, each.reason) for each in (old, new))
    if was != now:
        detail = f"{new.reason} (decision {new.decision})" if new else "no longer"
        yield Change(agency, "exception", who, detail, clause="Điều 5.3")


def _leave(new: Person, was: Leave | None) -> Iterator[Change]:
    now = new.leave
    if _content(was) == _content(now):
        return
    detail = f"until {now.until}" if now else "no longer"
    paper = now.decision if now else ""
    yield Change(new.agency, "leave", _named(new), detail, request=paper, clause="Điều 6.4")


def _people(
    old: Directory, new: Directory, now: Mapping[str, str], names: _Names
) -> Iterator[Change]:
    gone, came, both = _paired(old.people, new.people, lambda person: person.id)
    for person in gone:
        yield Change(person.agency, "gone", _named(person), f"staff code {person.id}", REFUSED)
    for person in came:
        yield Change(
            person.agency, "new", _named(person), f"staff code {person.id}, since {person.since}",
            f"{person.address}@{new.province.domain} receives", person.request or person.decision,
            "Điều 6",
        )  # fmt: skip
        yield from _status(person, None, person.status, "", names.day)
        yield from _leave(person, None)
        yield from _exception(person.agency, _named(person), None, person.exception)
        yield from _quota(new, new, replace(person, quota=None), person)
    for before, after in both:
        found = list(_person(before, after, now.get(before.agency, before.agency), names))
        found += _quota(old, new, before, after)
        paper = _new_paper(before, after)
        found += _status(after, before.status, after.status, paper, names.day)
        if not found and before.changed != after.changed:
            detail = _turn(_word(before.changed), _word(after.changed))
            found.append(Change(after.agency, "changed", _named(after), detail))
        yield from found


def _new_paper(old: Person, new: Person) -> str:
    """What the line rests on by the change; "" when that is what it rested on before."""
    papers = ((old.decision, new.decision), (old.request, new.request))
    return next((now for was, now in papers if now and now != was), "")


def _paper_of_move(old: Person, new: Person) -> str:
    """As _new_paper, of a transfer or a change of name: the decision of a withdrawal that comes
    with it is the withdrawal's own."""
    withdrawn = new.status is not None and new.status.kind == "withdrawn"
    if withdrawn and _content(old.status) != _content(new.status):
        return new.request if new.request != old.request else ""
    return _new_paper(old, new)


def _status(
    person: Person, was: Status | None, now: Status | None, paper: str, day: date
) -> Iterator[Change]:
    """What the change of a status does to mail, and on which day. paper: that is new."""
    if _content(was) == _content(now):
        return
    here, who = person.agency, _named(person)
    if now is None:
        back = was is not None and was.kind == "withdrawn"
        kind = "reinstated" if back else "unlocked"
        detail = f"was {was.kind} from {was.since}" if was else ""
        mail = "logs in and sends again, receives" if back else "logs in and sends again"
        if was and was.on(day) == "active":
            mail = "goes on logging in, sending and receiving"
        elif was and was.on(day) == "locked":
            mail = "logs in and sends again"
        clause = "Điều 6.4" if back else "Điều 10.2.a"
        yield Change(here, kind, who, detail, f"{mail}; same address and mailbox", paper, clause)
    elif now.kind == "withdrawn":
        mail = f"mail for {person.address} is refused from {now.since}; mailbox kept"
        if now.locked:
            mail += f"; locked from {now.locked}, neither logs in nor sends"
        if again := _until_then(was, now, day):
            mail = f"{again}; {mail}"
        basis = paper or person.decision or person.request
        yield Change(
            here, "withdrawn", who, f"from {now.since}: {now.reason}", mail, basis, "Điều 6.3"
        )
    else:
        wait = f", to be confirmed by {now.confirm_by}" if now.confirm_by else ", confirmed"
        detail = f"from {now.since}: {now.reason}{wait}"
        gone = was is not None and was.on(day) == "withdrawn"
        mail = f"neither logs in nor sends; mail {'arrives again' if gone else 'still arrives'}"
        if again := _until_then(was, now, day):
            mail = f"{again}; then {mail}"
        yield Change(here, "locked", who, detail, mail, paper, "Điều 10.2.a")


def _until_then(was: Status | None, now: Status, day: date) -> str:
    """What somebody may do again before a status that lies ahead."""
    before, after = was.on(day) if was else "active", now.on(day)
    if before == "active" or before == after or after == "withdrawn":
        return ""
    first = now.first if after == "active" else now.since
    receives = ", receives" if before == "withdrawn" else ""
    what = f"logs in and sends again{receives}" if after == "active" else "receives again"
    return f"{what} until {first - timedelta(days=1)}"


def _person(old: Person, new: Person, agency: str, names: _Names) -> Iterator[Change]:
    """agency: the old one's address of today."""
    paper = _paper_of_move(old, new)

    def change(kind: str, detail: str, mail: str = "", clause: str = "") -> Change:
        return Change(new.agency, kind, _named(new), detail, mail, paper, clause)

    if agency != new.agency:
        yield change("transferred", f"from {agency}", "address and mail stay", "Điều 6")
    if old.address != new.address:
        detail = f"{old.address} -> {new.address}"
        gone = new.status is not None and new.status.kind == "withdrawn"
        yield change("new address", detail, _both_receive(old, new, names, gone), "Điều 5.3.b")
    elif old.kept_as != new.kept_as:
        yield change("another mailbox", _turn(old.kept_as, new.kept_as), REFUSED)
    if old.name != new.name:
        yield change("renamed", f"was {old.name}", clause="Điều 5.3.b")
    for what in ("title", "given_name", "since"):
        was, now = getattr(old, what), getattr(new, what)
        if was != now:
            yield change(what.replace("_", " "), _turn(str(was), str(now)))
    same = _content(old.status) == _content(new.status)
    if same and agency == new.agency and old.name == new.name:
        for what in ("request", "decision"):
            was, now = getattr(old, what), getattr(new, what)
            if was != now:
                yield change(what, _turn(was, now), clause="Điều 6")
    yield from _leave(new, old.leave)
    yield from _exception(new.agency, _named(new), old.exception, new.exception)


def _aliases(
    old: Directory, new: Directory, now: Mapping[str, str], names: _Names
) -> Iterator[Change]:
    """What an alias leads to in the end is told, whoever of them is written anew on the way."""
    homes = {agency.address: agency.address for agency in new.agencies}
    homes |= {person.address: person.agency for person in new.people}
    was = {alias: now.get(end, end) for alias, end in leads_to(old).items()}
    leads = names.leads
    holders = {agency.address: agency.name for agency in old.agencies}
    holders |= {person.address: _named(person) for person in old.people}

    def change(alias: Alias, end: str, detail: str, mail: str) -> Change:
        return Change(homes.get(end, PROVINCE), "alias", alias.address, detail, mail)

    gone, came, both = _paired(old.aliases, new.aliases, lambda alias: alias.address)
    for alias in gone:
        if was[alias.address] != alias.address:  # else it is the address of its mailbox now
            yield change(alias, was[alias.address], f"to {alias.to}, gone", REFUSED)
    for alias in came:
        end = leads[alias.address]
        if now.get(alias.address) != end:  # else a new address says it
            holder = holders.get(alias.address)
            held = f"; it was the address of {holder}" if holder else ""
            yield change(alias, end, f"to {alias.to}, new{held}", names.mail(alias.address))
    for before, after in both:
        end = leads[after.address]
        if before.until != after.until:
            detail = f"until {_turn(_word(before.until), _word(after.until))}"
            yield change(after, end, detail, names.time(after.address))
        if was[before.address] != end:
            yield change(after, end, _turn(was[before.address], end), names.mail(after.address))


def _requests(old: Directory, new: Directory, now: Mapping[str, str]) -> Iterator[Change]:
    def change(request: Request, kind: str, detail: str = "") -> Change:
        detail = detail or f"of {request.date}, signed {request.signer}"
        return Change(request.agency, kind, request.number, detail, clause="Điều 6.1")

    def of_now(requests: Iterable[Request]) -> list[Request]:
        return [replace(each, agency=now.get(each.agency, each.agency)) for each in requests]

    gone, came, both = _paired(
        of_now(old.requests), of_now(new.requests), lambda request: request.number
    )
    yield from (change(request, "request gone") for request in gone)
    yield from (change(request, "new request") for request in came)
    for before, after in both:
        pairs = {
            each.name: (str(getattr(before, each.name)), str(getattr(after, each.name)))
            for each in fields(before) if each.name != "line"
        }  # fmt: skip
        turns = [f"{key} {_turn(was, is_)}" for key, (was, is_) in pairs.items() if was != is_]
        if turns:
            yield change(after, "request corrected", ", ".join(turns))


def _approvals(old: Directory, new: Directory) -> Iterator[Change]:
    gone, came, both = _paired(old.approve, new.approve, lambda each: each.decision)
    changed = [after for before, after in both if _approved(before) != _approved(after)]
    for approval in (*came, *changed):
        yield Change(PROVINCE, "approval", approval.decision, _approved(approval))
    for approval in gone:
        yield Change(PROVINCE, "approval", approval.decision, "no longer")


def _holds(old: Directory, new: Directory) -> Iterator[Change]:
    def change(hold: Hold, kind: str, detail: str, mail: str = "", paper: str = "") -> Change:
        paper = paper or hold.request
        return Change(PROVINCE, kind, hold.case, detail, mail, paper, "Điều 8.9")

    gone, came, both = _paired(old.holds, new.holds, lambda hold: hold.case)
    yield from (change(hold, "hold gone", _held(hold), _FREE) for hold in gone)
    for hold in came:
        yield change(hold, "hold", _held(hold), _KEPT)
    for was, now in both:
        if _held(was) != _held(now):
            yield change(now, "hold", _turn(_held(was), _held(now)))
        if _released(was) == _released(now):
            continue
        if now.released:
            detail = f"from {now.released.since}"
            yield change(now, "hold released", detail, _FREE, now.released.decision)
        else:
            yield change(now, "hold again", f"was released: {_released(was)}", _KEPT)


_KEPT = "nothing of it leaves the archive, no mailbox of theirs is removed"
_FREE = "the archive and mailboxes end in their own time again"


def _held(hold: Hold) -> str:
    note = f"; {hold.note}" if hold.note else ""
    days = f"mail from {hold.first} to {hold.last}" if hold.last else f"mail from {hold.first} on"
    asked = f"asked by {hold.authority}, {hold.request} of {hold.asked}"
    return f"{', '.join(sorted(hold.addresses))}: {days}, {asked}{note}"


def _released(hold: Hold) -> str:
    return f"{hold.released.since}, {hold.released.decision}" if hold.released else ""


def _approved(approval: Approval) -> str:
    people = [f"{approval.people} people"] if approval.people else []
    agencies = [f"{count} of {agency}" for agency, count in sorted(approval.agencies)]
    return ", ".join([*people, *agencies, *sorted(approval.protected)])


def _content(entry: Closure | Leave | Quota | Status | None) -> tuple[object, ...]:
    """Without the line."""
    if entry is None:
        return ()
    return tuple(getattr(entry, each.name) for each in fields(entry) if each.name != "line")


def _word(value: object) -> str:
    return "" if value is None else str(value)


def _named(person: Person) -> str:
    return f"{person.name} <{person.address}>"


def _turn(was: str, now: str) -> str:
    return f"{was or 'none'} -> {now or 'none'}"


def _paired(
    old: Iterable[T], new: Iterable[T], key: Callable[[T], Hashable]
) -> tuple[list[T], list[T], list[tuple[T, T]]]:
    """What went, what came, and what is in both, as pairs."""
    before = {key(each): each for each in old}
    after = {key(each): each for each in new}
    gone = [each for name, each in before.items() if name not in after]
    came = [each for name, each in after.items() if name not in before]
    return gone, came, [(before[name], each) for name, each in after.items() if name in before]
