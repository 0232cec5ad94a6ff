"""Moves that were cut off: what another run may do with their mailboxes before they go on.

In every step but one the hosts and the placement file agree where a mailbox is. The one is between
the file's word that the mailbox is copied and the edges' new routes. A lock of a stolen account
must not wait there for somebody else's move: any run goes this step as the move would. The stores
compare once more, then the routes change; whoever runs the move again compares what came since.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from danhba.commands.common import tell
from danhba.compiled import Compiled
from danhba.engine import Session
from danhba.inventory import Environment
from danhba.placement import Places, Remembered
from danhba.relocation.agent import agent, host_of
from deploys.common import way

Ways = Mapping[str, tuple[str, str]]
"""Address to its old way through the mail system, and its new one."""


def followed(env: Environment, directory: Compiled, absent: Collection[str] = ()) -> Ways:
    """What may change in any run: routes of copied mailboxes, and only this way round.

    absent: stores that could not serve them.
    """
    under_way = {each.account: each for each in env.remembered.moving if each.to not in absent}
    if not under_way:
        return {}
    # A store that is failed over is another matter: see danhba.relocation.failures.
    whole = Places(env.having("store"), Remembered(moved=env.remembered.moved))
    return {
        f"{box.account}@{directory.domain}": (
            way(env.host(each.source)), way(env.host(each.to))
        )
        for box in directory.mailboxes
        if (each := under_way.get(box.account)) and whole.rank(box)[0] == each.to
    }  # fmt: skip


def compare(hosts: Session, env: Environment, addresses: Collection[str]) -> None:
    """Before their routes change, the new stores get what came since the copy was made. What a
    store keeps that does not answer comes when the move goes on. Raises EngineError."""
    accounts = {address.partition("@")[0] for address in addresses}
    pairs: dict[tuple[str, str], list[str]] = {}
    for each in env.remembered.moving:
        if each.account in accounts:
            pairs.setdefault((each.source, each.to), []).append(each.account)
    for (source, target), some in sorted(pairs.items()):
        if source not in hosts.absent:
            tell(f"Compare {len(some)} mailboxes on their way from {source} to {target}")
            agent(hosts, host_of(hosts, source), ("sync", target), some)


def brings_along(env: Environment) -> str:
    """The command by which an edge that was away learns where mailboxes are: an apply moves
    nobody."""
    failures = sorted(env.remembered.failed_over, key=lambda each: each.returning is None)
    for failure in failures:  # one that returns first: it must be wholly back
        word = "failback" if failure.returning else "failover"
        return f"danhba {word} {env.name} {failure.store}"
    for each in env.remembered.moving:
        return f"danhba move {each.account} --to {each.to} --env {env.name}"
    return f"danhba apply {env.name}"


def must_go_on(env: Environment) -> None:
    """Tell what an apply has left undone."""
    if moving := env.remembered.moving:
        tell(f"{len(moving)} mailboxes are still on their way, {moving[0].account} the first: run "
             "the command that was cut off again")  # fmt: skip
