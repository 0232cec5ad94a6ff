"""What danhba status says of where mailboxes are: moves that were cut off, edges that disagree."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from danhba.inventory import Environment
from danhba.placement import Failure
from danhba.relocation.half_done import brings_along


def troubles(
    env: Environment, reports: Mapping[str, Mapping[str, Any]], behind: Collection[str] = ()
) -> Iterator[str]:
    """Lines about the whole environment; none when every mailbox has one home.

    reports: of the hosts that answer (host/report.py). behind: those that missed an apply.
    """
    if moving := env.remembered.moving:
        first = moving[0]
        yield (
            f"{len(moving)} mailboxes are on their way, {first.account} the first: the command "
            f"that was cut off again, or danhba move {first.account} --to {first.to} "
            f"--env {env.name}"
        )
    for failure in env.remembered.failed_over:
        if failure.returning:
            yield (
                f"{failure.store} has its mailboxes back since {failure.returning}, but not all is "
                f"compared and on all edges: danhba failback {env.name} {failure.store} again"
            )
        else:
            known = f"{failure.store} is failed over since {failure.since}, by {failure.by}"
            yield f"{known}: {_next(env, failure, failure.store in reports, behind)}"
    ways = {host.name: _ways(reports[host.name]) for host in env.having("edge")
            if host.name in reports}  # fmt: skip
    if len(set(ways.values())) > 1:
        yield (
            f"{', '.join(ways)} do not send mail the same ways: one was away at an apply, a move "
            f"or a failover; {brings_along(env)}"
        )


def absent(env: Environment, name: str) -> str:
    """The line about a host that does not answer: what a store had may be served by others by now,
    and then `troubles` says how it goes on."""
    said = f"{name} does not answer: see that it runs"
    gone = {each.store for each in env.remembered.failed_over if not each.returning}
    if "store" not in env.host(name).roles or name in gone:
        return said
    return f"{said}; if it will not come back soon: danhba failover {env.name} {name}"


def _next(env: Environment, failure: Failure, is_there: bool, behind: Collection[str]) -> str:
    """What to do about a store that is failed over."""
    home = f"danhba failback {env.name} {failure.store}"
    first = f"danhba apply {env.name}, then {home}"
    if not is_there:
        return f"when it answers again: {first}"
    return first if failure.store in behind else home


def _ways(report: Mapping[str, Any]) -> str:
    """Of the tables that say where mailboxes are, what they were made of."""
    files = (report["manifest"] or {"files": {}})["files"]
    return " ".join(sorted(facts["sha256"] for facts in files.values() if facts.get("ways")))
