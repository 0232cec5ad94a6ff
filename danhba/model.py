"""The directory as typed, immutable entries; each knows the line it stands on (from 1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Province:
    """name with diacritics; domain all addresses end in; timezone as in the tz database."""

    name: str
    domain: str
    timezone: str
    line: int


@dataclass(frozen=True, slots=True)
class Policy:
    """The figures of the regulation, or of the operator where the regulation gives none.

    quota_gb, agency_quota_gb: room for a person's and an agency's mail, gigabytes (Điều 10.1 asks
    users not to overflow it). message_mb: largest message, megabytes.
    """

    quota_gb: int
    agency_quota_gb: int
    message_mb: int
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
class Person:
    """An official. id: staff code. agency: its address. since: day of registration.

    given_name: the word of the name that is the given one, where it is not the last, or "".
    """

    id: str
    name: str
    address: str
    agency: str
    since: date
    request: str
    title: str
    given_name: str
    exception: Exemption | None
    line: int


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency and its one mailbox (Điều 5.3).

    kind: a key of danhba.naming.KINDS. parent: address of the agency above, or "". keepers: who
    reads the mailbox (Điều 9.2.c). it_officer: who looks after computers (Điều 9.2.b), or "".
    """

    address: str
    kind: str
    name: str
    parent: str
    keepers: tuple[str, ...]
    it_officer: str
    exception: Exemption | None
    staff: tuple[Person, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Alias:
    """A second name that delivers to the mailbox or alias `to`; nobody logs in with it."""

    address: str
    to: str
    line: int


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
class Directory:
    """All of directory.yaml. file: its path as given. Tuples are in the order of the file."""

    file: str
    province: Province
    legal_basis: tuple[str, ...]
    policy: Policy
    requests: tuple[Request, ...]
    agencies: tuple[Agency, ...]
    aliases: tuple[Alias, ...]
    retired: tuple[Retired, ...]
    reserved: tuple[Reserved, ...]

    @property
    def people(self) -> tuple[Person, ...]:
        return tuple(person for agency in self.agencies for person in agency.staff)
