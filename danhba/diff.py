"""What a change of the directory means: who came, moved, got another name; not which lines moved.

People are told by their staff code, agencies by their address, and an agency with a new address by
what it is. The order of the file and its form mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TypeVar

from danhba.model import Agency, Alias, Directory, Exemption, Person, Request

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


def compare(old: Directory, new: Directory) -> list[Change]:
    """Every change from old to new, by agency in the order of new; the province comes first."""
    changes = [
        *_province(old, new),
        *_agencies(old, new),
        *_people(old, new, _renamed(old, new)),
        *_aliases(old, new),
        *_requests(old, new),
        *_retired(old, new),
    ]
    place = {agency.address: order for order, agency in enumerate((*new.agencies, *old.agencies))}
    return sorted(changes, key=lambda change: place.get(change.agency, -1))


REFUSED = "the apply refuses: an address is not removed by leaving it out"


def _province(old: Directory, new: Directory) -> Iterator[Change]:
    for section in ("province", "policy"):
        before, after = getattr(old, section), getattr(new, section)
        for key in (each.name for each in fields(before) if each.name != "line"):
            was, now = getattr(before, key), getattr(after, key)
            if was != now:
                mail = "every address changes" if key == "domain" else ""
                yield Change(PROVINCE, section, key, f"{was} -> {now}", mail)
    gone, came, _ = _paired(old.legal_basis, new.legal_basis, lambda text: text)
    yield from (Change(PROVINCE, "legal basis", text, "no longer") for text in gone)
    yield from (Change(PROVINCE, "legal basis", text, "new") for text in came)
    gone_names, came_names, _ = _paired(old.reserved, new.reserved, lambda name: name.address)
    for name in gone_names:
        yield Change(PROVINCE, "reserved", name.address, "free again", "may be given to somebody")
    for name in came_names:
        yield Change(PROVINCE, "reserved", name.address, "new", "is given to nobody")


def _retired(old: Directory, new: Directory) -> Iterator[Change]:
    gone, came, _ = _paired(old.retired, new.retired, lambda name: name.address)
    for name in gone:
        yield Change(PROVINCE, "retired", name.address, "free again", "may be given to somebody")
    for name in came:
        yield Change(PROVINCE, "retired", name.address, f"was {name.was}", "is given to nobody")


def _agencies(old: Directory, new: Directory) -> Iterator[Change]:
    gone, came, both = _paired(old.agencies, new.agencies, lambda agency: agency.address)
    gone, came, moved = _paired(gone, came, _what_it_is)
    for before, after in moved:
        detail = f"{before.address} -> {after.address}"
        yield Change(after.address, "new address", after.name, detail, REFUSED, clause="Điều 5.3.a")
    for agency in gone:
        yield Change(agency.address, "agency gone", agency.name, agency.address, REFUSED)
    for agency in came:
        mail = f"{agency.address}@{new.province.domain} receives"
        yield Change(agency.address, "new agency", agency.name, agency.address, mail)
    for before, after in [*both, *moved]:
        yield from _agency(before, after)


def _renamed(old: Directory, new: Directory) -> dict[str, str]:
    """Old to new address of agencies that are the same."""
    gone, came, _ = _paired(old.agencies, new.agencies, lambda agency: agency.address)
    _, _, moved = _paired(gone, came, _what_it_is)
    return {before.address: after.address for before, after in moved}


def _what_it_is(agency: Agency) -> tuple[str, str]:
    return agency.kind, agency.name


def _agency(old: Agency, new: Agency) -> Iterator[Change]:
    here = new.address
    if old.name != new.name:
        yield Change(here, "agency renamed", new.name, f"was {old.name}")
    for what in ("kind", "parent", "it_officer"):
        was, now = getattr(old, what), getattr(new, what)
        if was != now:
            clause = "Điều 9.2.b" if what == "it_officer" else ""
            yield Change(here, what.replace("_", " "), new.name, _turn(was, now), clause=clause)
    for keeper in sorted(set(new.keepers) - set(old.keepers)):
        mail = f"{keeper} opens {here} and sends as it"
        yield Change(here, "keeper", keeper, "new", mail, clause="Điều 9.2.c")
    for keeper in sorted(set(old.keepers) - set(new.keepers)):
        mail = f"{keeper} opens {here} no longer"
        yield Change(here, "keeper", keeper, "no longer", mail, clause="Điều 9.2.c")
    yield from _exception(here, new.name, old.exception, new.exception)


def _exception(
    agency: str, who: str, old: Exemption | None, new: Exemption | None
) -> Iterator[Change]:
    was, now = (each and (each.decision, each.reason) for each in (old, new))
    if was != now:
        detail = f"{new.reason} (decision {new.decision})" if new else "no longer"
        yield Change(agency, "exception", who, detail, clause="Điều 5.3")


def _people(old: Directory, new: Directory, renamed: Mapping[str, str]) -> Iterator[Change]:
    gone, came, both = _paired(old.people, new.people, lambda person: person.id)
    for person in gone:
        yield Change(person.agency, "gone", _named(person), f"staff code {person.id}", REFUSED)
    for person in came:
        yield Change(
            person.agency, "new", _named(person), f"staff code {person.id}, since {person.since}",
            f"{person.address}@{new.province.domain} receives", person.request, "Điều 6",
        )  # fmt: skip
    for before, after in both:
        yield from _person(before, after, renamed.get(before.agency, before.agency))


def _person(old: Person, new: Person, agency: str) -> Iterator[Change]:
    """agency: the old one's address of today."""

    def change(kind: str, detail: str, mail: str = "", clause: str = "") -> Change:
        request = new.request if old.request != new.request else ""
        return Change(new.agency, kind, _named(new), detail, mail, request, clause)

    if agency != new.agency:
        yield change("transferred", f"from {agency}", "address and mail stay")
    if old.address != new.address:
        detail = f"{old.address} -> {new.address}"
        yield change("new address", detail, REFUSED, "Điều 5.3.b")
    if old.name != new.name:
        yield change("renamed", f"was {old.name}")
    for what in ("title", "given_name", "since"):
        was, now = getattr(old, what), getattr(new, what)
        if was != now:
            yield change(what.replace("_", " "), _turn(str(was), str(now)))
    if old.request != new.request and agency == new.agency:
        yield change("request", _turn(old.request, new.request), clause="Điều 6")
    yield from _exception(new.agency, _named(new), old.exception, new.exception)


def _aliases(old: Directory, new: Directory) -> Iterator[Change]:
    owners = {agency.address for agency in new.agencies}

    def change(alias: Alias, detail: str, mail: str) -> Change:
        return Change(alias.to if alias.to in owners else PROVINCE, "alias", alias.address,
                      detail, mail)  # fmt: skip

    gone, came, both = _paired(old.aliases, new.aliases, lambda alias: alias.address)
    yield from (change(alias, f"to {alias.to}, gone", REFUSED) for alias in gone)
    for alias in came:
        yield change(alias, f"to {alias.to}, new", f"mail for {alias.address} reaches {alias.to}")
    for before, after in both:
        if before.to != after.to:
            mail = f"mail for {after.address} reaches {after.to}"
            yield change(after, _turn(before.to, after.to), mail)


def _requests(old: Directory, new: Directory) -> Iterator[Change]:
    def change(request: Request, kind: str) -> Change:
        detail = f"of {request.date}, signed {request.signer}"
        return Change(request.agency, kind, request.number, detail, clause="Điều 6.1")

    gone, came, both = _paired(old.requests, new.requests, lambda request: request.number)
    yield from (change(request, "request gone") for request in gone)
    yield from (change(request, "new request") for request in came)
    for before, after in both:
        if any(
            getattr(before, each.name) != getattr(after, each.name)
            for each in fields(before) if each.name != "line"
        ):  # fmt: skip
            yield change(after, "request corrected")


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
