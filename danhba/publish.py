"""The deploy: ask every host once, plan, and carry the plan out in an order that loses nothing.

Runs per host inside pyinfra, from deploys/site.py and from the CLI alike. First all hosts that
change are locked, then all stage and validate, and only when every one is content do they swap:
stores and people before edges, so that an edge never accepts mail for an account its store does not
know.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host

from danhba.days import clocks_apart
from danhba.generations import operations, remote
from danhba.generations.facts import Report
from danhba.generations.generation import Generation
from danhba.generations.plan import Plan, batch, compare
from danhba.owner import is_gone, me
from danhba.transport import tune


class Vanished(PyinfraError):
    """Accounts on the servers that the directory lacks: nothing is applied."""


class Displaced(PyinfraError):
    """Mailboxes would get another home though the run moves none: nothing is applied."""


class Unapproved(PyinfraError):
    """The change disturbs many, and brings no approval for it: nothing is applied."""


class Misdated(PyinfraError):
    """A host's clock contradicts ours: it may be another day than the one that is applied."""


class Absent(PyinfraError):
    """A host is not connected, and nobody said that it should be left out."""


@dataclass(frozen=True)
class Asked:
    """A host's generation, its answer and the plan that follows. day: on which, for mailboxes
    and the archive."""

    generation: Generation
    report: Mapping[str, Any]
    plan: Plan
    day: str = ""


def ask(
    host: Host,
    generation: Generation,
    moving: Collection[str] = (),
    regrouped: Collection[str] = (),
    followed: Mapping[str, tuple[str, str]] = MappingProxyType({}),
) -> Asked:
    """The one question to a host. moving, regrouped, followed: see
    danhba.generations.plan.compare."""
    tune(host)
    question, before = generation.question(), time.time()
    report = host.get_fact(Report, _stdin=remote.stdin("report", question))
    apart = clocks_apart(report["clock"], before, time.time())
    plan = compare(host.name, generation, report, moving, regrouped, followed, apart)
    dated = question["boxes"] or question["expiry"] or {"day": ""}
    return Asked(generation, report, plan, dated["day"])


def same_time(asked: Asked) -> Asked:
    """For whoever applies what a day brings. Raises Misdated."""
    if asked.plan.apart:
        raise Misdated(f"the clock of {asked.plan.host} is {asked.plan.apart:+d} s from this one's")
    return asked


def carry_out(
    host: Host, asked: Asked, take_over: bool = False, absent: Collection[str] = ()
) -> None:
    """Add the operations of one host's plan. Call it for every host at the same place.

    absent: hosts that the caller knows not to be there, and what that means.
    """
    plan, generation, token = asked.plan, asked.generation, me()["token"]
    _all_there(host, absent)
    if plan.vanished:
        raise Vanished(", ".join(plan.vanished))
    if plan.displaced:
        raise Displaced(", ".join(plan.displaced))
    if plan.excesses:
        raise Unapproved("; ".join(plan.excesses))
    holder = plan.locked
    instead_of = holder["token"] if holder and (take_over or is_gone(holder)) else None
    first = host is _first_active(host)
    late = "edge" in host.groups
    address, fqdn = host.data.get("ipv4"), host.data.get("fqdn")
    people = _batch(host, asked)

    # Every host gets every operation, at the same place: pyinfra orders them by position. `here`
    # says whose turn it is. Of two runs at once, whoever comes first to the first host wins all.
    operations.lock(name="Lock", plan=plan, owner=me(), instead_of=instead_of, here=first)
    operations.lock(
        name="Lock the other hosts", plan=plan, owner=me(), instead_of=instead_of, here=not first
    )
    operations.stage(
        name="Stage and validate",
        plan=plan,
        generation=generation,
        live=asked.report["manifest"],
        token=token,
        people=people,
    )
    for turn, here in (("stores, people", not late), ("edges", late)):
        operations.activate(
            name=f"Swap and reload: {turn}",
            plan=plan,
            generation=generation,
            token=token,
            address=address,
            fqdn=fqdn,
            here=here,
        )
        if any("edge" in other.groups for other in _having(host, "people")) or turn != "edges":
            _people(people, token, here)
    operations.boxes(name="Archive and remove mailboxes", plan=plan, day=asked.day, token=token)
    operations.expire(name="Let old archived mail go", plan=plan, day=asked.day, token=token)
    operations.unlock(name="Unlock", plan=plan, token=token)


def _batch(host: Host, asked: Asked) -> dict[str, Any] | None:
    """What the host needs to know of the people, None when it has none. One people host writes, the
    first that is there; the others receive: two that add one entry would contradict each other."""
    able = sorted(_having(host, "people"), key=lambda each: "edge" in each.groups)
    if not able:  # --limit
        return None
    seen = (asked.report["entries"] or {}).get("stamps")
    here = [other.data.get("fqdn") for other in able if other is not host]
    return batch(asked.plan, asked.generation, seen, here=here, writes=host is able[0])


def _people(people: Mapping[str, Any] | None, token: str, here: bool) -> None:
    writes = people is not None and people["writes"]
    for name, step, turn in (
        ("Write the people", "load", writes),
        ("See that the people arrive", "arrived", not writes),
    ):
        operations.people(name=name, step=step, batch=people, token=token, here=here and turn)


def _all_there(host: Host, absent: Collection[str]) -> None:
    """pyinfra's CLI goes on without a host that it cannot reach: an edge would learn of accounts
    that its store does not know. Raises Absent."""
    state = host.state
    wanted = state.limit_hosts or list(state.inventory)
    active = set(state.inventory.get_active_hosts())
    there = {other.name for other in active}.union(absent)
    if missing := [other.name for other in wanted if other.name not in there]:
        raise Absent(f"not connected: {', '.join(missing)}; nothing was applied")


def _having(host: Host, role: str) -> list[Host]:
    """Connected hosts of a role, in the order of the inventory."""
    hosts = host.state.inventory
    active = set(hosts.get_active_hosts())
    return [other for other in hosts if other in active and role in other.groups]


def _first_active(host: Host) -> Host:
    hosts = host.state.inventory
    active = set(hosts.get_active_hosts())
    return next(other for other in hosts if other in active)
