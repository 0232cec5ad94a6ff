"""Room for one mailbox other than policy gives it, as a change of the one line."""

from __future__ import annotations

from danhba.edit.draft import Draft, EditError
from danhba.fmt import word
from danhba.model import Agency, Person


def set_quota(draft: Draft, who: str, gb: int, decision: str) -> None:
    """who: address of a person or an agency, or staff code. Raises EditError."""
    _write(draft, _holder(draft, who), f"{{gb: {gb}, decision: {word(decision)}}}")


def end_quota(draft: Draft, who: str) -> None:
    """Raises EditError when there is none."""
    holder = _holder(draft, who)
    if holder.quota is None:
        raise EditError(f"{holder.name} has what policy gives")
    _write(draft, holder, None)


def _holder(draft: Draft, who: str) -> Agency | Person:
    found = (agency for agency in draft.directory.agencies if agency.address == who)
    return next(found, None) or draft.person(who)


def _write(draft: Draft, holder: Agency | Person, value: str | None) -> None:
    if isinstance(holder, Agency):
        draft.set_agency(holder, "quota", value)
    else:
        draft.set_person(holder, {"quota": value})
