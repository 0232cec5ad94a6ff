"""An address once given is never given to anybody else (Điều 5.3): nothing may leave the file."""

from __future__ import annotations

from collections.abc import Iterator

from danhba.check_naming import holders
from danhba.findings import Finding, shown
from danhba.model import Directory


def check_since(old: Directory, new: Directory) -> Iterator[Finding]:
    """Errors for every address of `old` that `new` does not know any more, or gives to another."""
    known = holders(new)
    for agency in old.agencies:
        if agency.address not in known:
            yield _gone(new, agency.address, agency.name, agency.line)
        for person in agency.staff:
            if person.address not in known:
                yield _gone(new, person.address, person.name, person.line)
    for alias in old.aliases:
        if alias.address not in known:
            yield _gone(new, alias.address, f"bí danh của {alias.to}", alias.line)
    for name in old.retired:
        if name.address not in {each.address for each in new.retired}:
            yield _gone(new, name.address, name.was, name.line)
    yield from _other_hands(old, new)


def _gone(new: Directory, address: str, was: str, line: int) -> Finding:
    message = f"the address {shown(address)} of {was} has left the file, formerly on line {line}"
    entry = f'{address}: {{was: "{was}", since: ...}}'
    remedy = f"put the line back, or keep the address from others: {entry} under retired"
    return Finding(new.file, 0, "error", "Điều 5.3", message, remedy)


def _other_hands(old: Directory, new: Directory) -> Iterator[Finding]:
    before = {person.address: person for person in old.people}
    mailboxes = {agency.address: (agency.name, agency.line, "") for agency in new.agencies}
    mailboxes |= {person.address: (person.name, person.line, person.id) for person in new.people}
    for address, person in before.items():
        name, line, code = mailboxes.get(address, ("", 0, person.id))
        if code != person.id:
            message = f"{name} has the address {shown(address)}, which is {person.name}'s"
            message += f" (staff code {person.id})"
            remedy = "take another address; this one has a mailbox and a password"
            yield Finding(new.file, line, "error", "Điều 5.3", message, remedy)
