"""The directory to the plain rows that services turn into lookup tables. Pure, deterministic."""

from __future__ import annotations

from operator import attrgetter

from danhba.compiled import Compiled, Grant, Mailbox
from danhba.model import Agency, Alias, Directory, Person

MB_PER_GB = 1024


def compile_directory(directory: Directory) -> Compiled:
    """Everything the mail system must know. directory: one that danhba.check found nothing in."""
    names = _full_names(directory.agencies)
    agencies = [_agency(agency, names, directory) for agency in directory.agencies]
    people = [
        _person(person, names, directory)
        for agency in directory.agencies
        for person in agency.staff
    ]
    grants = {
        Grant(agency.address, keeper) for agency in directory.agencies for keeper in agency.keepers
    }
    return Compiled(
        province=directory.province.name,
        domain=directory.province.domain,
        timezone=directory.province.timezone,
        message_mb=directory.policy.message_mb,
        mailboxes=tuple(sorted(agencies + people, key=attrgetter("address"))),
        aliases=tuple(sorted(_targets(directory.aliases).items())),
        grants=tuple(sorted(grants, key=attrgetter("agency", "keeper"))),
    )


def _full_names(agencies: tuple[Agency, ...]) -> dict[str, str]:
    """Names that tell eleven Phòng Nội vụ apart: "Phòng Nội vụ, Huyện Chợ Mới"."""
    own = {agency.address: agency.name for agency in agencies}
    return {
        agency.address: f"{agency.name}, {own[agency.parent]}" if agency.parent else agency.name
        for agency in agencies
    }


def _agency(agency: Agency, names: dict[str, str], directory: Directory) -> Mailbox:
    # Keepers may send as the agency; others of its staff may not (Điều 9.2.c).
    name = names[agency.address]
    return Mailbox(
        address=agency.address,
        kind="agency",
        name=name,
        agency=agency.address,
        agency_name=name,
        id="",
        title="",
        quota_mb=directory.policy.agency_quota_gb * MB_PER_GB,
        owners=(agency.address, *sorted(set(agency.keepers))),
    )


def _person(person: Person, names: dict[str, str], directory: Directory) -> Mailbox:
    return Mailbox(
        address=person.address,
        kind="person",
        name=person.name,
        agency=person.agency,
        agency_name=names[person.agency],
        id=person.id,
        title=person.title,
        quota_mb=directory.policy.quota_gb * MB_PER_GB,
        owners=(person.address,),
    )


def _targets(aliases: tuple[Alias, ...]) -> dict[str, str]:
    """Alias to mailbox, through aliases of aliases."""
    to = {alias.address: alias.to for alias in aliases}
    targets = {}
    for address, target in to.items():
        while target in to:
            target = to[target]
        targets[address] = target
    return targets
