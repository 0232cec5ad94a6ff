"""May this mail be handed out? Only for a hold that is open, to who asked, and by two engineers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from danhba.errors import DanhbaError
from danhba.letters import escaped, folded
from danhba.model import Directory, Hold


class ExportError(DanhbaError):
    """Nothing is handed out; the message says why and what to do."""


@dataclass(frozen=True)
class Wanted:
    """What the command asks for. mailboxes: local parts. first, last: days of the mail.
    approved: names of engineers; once it is granted, as the directory has them."""

    case: str
    authority: str
    mailboxes: tuple[str, ...]
    first: date
    last: date
    approved: tuple[str, ...]


@dataclass(frozen=True)
class Granted:
    """What is handed out. hold: that it rests on. addresses: all names of the mailboxes, with the
    domain. since, until: with the province's time zone; until is not among them."""

    wanted: Wanted
    hold: Hold
    addresses: tuple[str, ...]
    since: datetime
    until: datetime


def granted(directory: Directory, wanted: Wanted, day: date) -> Granted:
    """day: today in the province. Raises ExportError."""
    approved = _two_engineers(directory.policy.engineers, wanted.approved)
    hold = _hold(directory, wanted, day)
    _must_cover(hold, wanted, day)
    names: set[str] = set()
    for mailbox in wanted.mailboxes:
        if hold not in directory.held.get(mailbox, ()):
            held = ", ".join(hold.addresses)
            raise ExportError(f"the hold {hold.case} is of {held}, and not of {mailbox}: see its "
                              "letter, and danhba hold add what another one asks for")  # fmt: skip
        names |= directory.names(mailbox)
    domain, zone = directory.province.domain, ZoneInfo(directory.province.timezone)
    return Granted(
        replace(wanted, approved=approved),
        hold,
        tuple(sorted(f"{name}@{domain}" for name in names)),
        datetime.combine(wanted.first, time(), zone),
        datetime.combine(wanted.last + timedelta(days=1), time(), zone),
    )


def _two_engineers(engineers: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """As the directory, which is reviewed, has them: a name that anybody may make up says nothing.
    Written another way, a name is the same name."""
    if len(engineers) < 2:
        raise ExportError("the directory does not name two engineers who may approve: write their "
                          "full names to policy, as in engineers: [Nguyễn Văn An, Trần Thị Bình], "
                          "and have that reviewed")  # fmt: skip
    known = {folded(each): each for each in engineers}
    for name in names:
        if folded(name) not in known:
            raise ExportError(f"{escaped(name)} is no engineer who may approve: policy.engineers "
                              f"names {', '.join(engineers)}")  # fmt: skip
    found = tuple(known[folded(name)] for name in names)
    if len(found) != 2 or found[0] == found[1]:
        raise ExportError("two engineers approve: --approve-by twice, with two different names of "
                          "policy.engineers")  # fmt: skip
    return found


def _hold(directory: Directory, wanted: Wanted, day: date) -> Hold:
    hold = next((each for each in directory.holds if each.case == wanted.case), None)
    if hold is None:
        raise ExportError(f"there is no hold {wanted.case} in the directory: danhba hold add, when "
                          "the authority's letter is on file")  # fmt: skip
    if not hold.is_open(day):
        end = hold.released
        raise ExportError(f"the hold {hold.case} was released on {end and end.since}: a new letter "
                          "is a new hold")  # fmt: skip
    if hold.asked > day:
        raise ExportError(f"the letter {hold.request} is of {hold.asked}, which has not come")
    if hold.authority != wanted.authority:
        raise ExportError(f"the hold {hold.case} was asked for by {hold.authority}, and not by "
                          f"{wanted.authority}")  # fmt: skip
    return hold


def _must_cover(hold: Hold, wanted: Wanted, day: date) -> None:
    last = min(hold.last or day, day)
    if not hold.first <= wanted.first <= wanted.last <= last:
        raise ExportError(f"the hold {hold.case} is of mail from {hold.first} to {last}: "
                          "--from and --to within these days")  # fmt: skip
