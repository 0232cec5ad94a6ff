"""Records of access from all hosts that have any, one question each, made into one.

A mailbox may have been read on either of two stores, and mail sent through any edge: the later
second, the union of slots. A host that does not answer ends the question, for whoever was there
alone would look as if he had stayed away.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from danhba.engine import EngineError, session
from danhba.inventory import Environment

PROGRAM = "/etc/danhba/usage-records"
SLOTS = ((7, 9), (9, 11), (13, 15), (15, 17))
"""Hours of the four accesses a day: the beginning and the middle of the morning and of the
afternoon (Điều 10.1)."""


@dataclass(frozen=True)
class LastAccess:
    """begun: host to the day on which its records begin. last: account to the day of its last
    access. All by the province's clock."""

    begun: Mapping[str, date]
    last: Mapping[str, date]


@dataclass(frozen=True)
class Slots:
    """begun: as of LastAccess. first: the day of the first digit. days: account to one number a
    day, whose bits are the SLOTS with an access."""

    begun: Mapping[str, date]
    first: date
    days: Mapping[str, tuple[int, ...]]


def known_hosts(env: Environment, names: Collection[str]) -> None:
    """Raises EngineError for what is no host."""
    for name in sorted(set(names) - {host.name for host in env.hosts}):
        raise EngineError(f"{env.name} has no host {name}")


def last_access(env: Environment, timezone: str) -> LastAccess:
    """Raises EngineError naming every host that did not answer."""
    answers = _ask(env, {})
    zone = ZoneInfo(timezone)
    last: dict[str, int] = {}
    for answer in answers.values():
        for account, second in answer["last"].items():
            last[account] = max(last.get(account, 0), second)
    return LastAccess(
        _begun(answers, zone), {account: _day(second, zone) for account, second in last.items()}
    )


def slots(env: Environment, timezone: str, first: date, end: date) -> Slots:
    """From first to the day before end. Raises EngineError as last_access."""
    answers = _ask(env, {"first": str(first), "end": str(end), "slots": SLOTS})
    days: dict[str, list[int]] = {}
    for answer in answers.values():
        for account, digits in answer["days"].items():
            found = days.setdefault(account, [0] * len(digits))
            days[account] = [a | int(b, 16) for a, b in zip(found, digits, strict=True)]
    begun = _begun(answers, ZoneInfo(timezone))
    return Slots(begun, first, {account: tuple(each) for account, each in days.items()})


def _ask(env: Environment, question: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    there = tuple(host for host in env.hosts if {"edge", "store"} & set(host.roles))
    sessions = {host.name: "store" in host.roles for host in there}
    try:
        with session(replace(env, hosts=there)) as hosts:
            return hosts.each(
                lambda host: hosts.ask(host, PROGRAM, {**question, "sessions": sessions[host.name]})
            )
    except EngineError as error:
        remedy = "nobody is counted while a host's records are missing: mend it first"
        raise EngineError(f"{error}\n{remedy} (danhba apply {env.name})") from None


def _begun(answers: Mapping[str, Mapping[str, Any]], zone: ZoneInfo) -> dict[str, date]:
    return {name: _day(answer["begun"], zone) for name, answer in answers.items()}


def _day(second: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(second, zone).date()
