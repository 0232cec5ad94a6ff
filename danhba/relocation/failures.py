"""A store's mailboxes are served by their standbys, and come home."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from danhba.commands.common import tell
from danhba.commands.hosts import tell_absent
from danhba.compiled import Mailbox
from danhba.engine import EngineError
from danhba.placement import Failure, Places
from danhba.relocation.agent import run
from danhba.relocation.work import Work, alone
from deploys.instance import edge as edge_of
from deploys.tunnel import entrance


@alone
def failover(work: Work, store: str, by: str, today: date, replays: bool = False) -> None:
    """replays: a replay follows at once. Raises EngineError."""
    work.must_be_store(store)
    known = {each.store for each in work.env.remembered.failed_over if not each.returning}
    others = {each.name for each in work.env.having("store")} - {store}
    if not others:
        raise EngineError(f"{store} is the only store: nobody has its mailboxes")
    if others <= known:
        raise EngineError(f"every other store is failed over: {store} is the last one; "
                          f"danhba failback {work.env.name} {min(others)} first")  # fmt: skip
    failure = Failure(store, today, by)
    failures = tuple(each for each in work.env.remembered.failed_over if each.store != store)
    after = replace(work.env.remembered, failed_over=(*failures, failure))
    if store not in known:
        boxes = work.normally_on(store)
        way = "replay that follows" if replays else "failback"
        tell(f"{len(boxes)} mailboxes of {store} will be served by their standbys. Mail of the "
             f"last seconds that was not copied yet comes back with the {way}.")  # fmt: skip
        work.sync_if_there(store, [*boxes, *_leaving(work, store, boxes)])
    work.stay_on_days()  # a store that hangs is left out by now, and not asked
    boxes, regrouped = work.normally_on(store), work.regrouped_by(store)
    work.publish(after, boxes, regrouped, ask=store not in known)
    tell_absent(work.absent, work.env)
    _lead_away(work, store)
    tell(f"{store} is failed over. Commit {work.project.placement(work.env)}; when {store} "
         f"is back: danhba failback {work.env.name} {store}")  # fmt: skip


def _leaving(work: Work, store: str, but: Collection[Mailbox]) -> list[Mailbox]:
    """Mailboxes that a move has copied away from a store, whose routes may still lead there."""
    accounts = {each.account for each in work.env.remembered.moving if each.source == store}
    accounts -= {box.account for box in but}
    return [box for box in work.directory.mailboxes if box.account in accounts]


def _lead_away(work: Work, store: str) -> None:
    """Edges end their sessions with a store, and try again what they have queued."""
    way = entrance(work.env, work.env.host(store))
    with work.session() as hosts:
        for host in hosts.hosts():
            if "edge" in host.groups:
                instance = edge_of(work.env.host(host.name))
                dovecot = f"{instance.dovecot}/dovecot.conf"
                run(hosts, host, ["doveadm", "-c", dovecot, "kick", "-h", way], "", (0, 68))
                run(hosts, host, ["postqueue", "-c", instance.postfix, "-f"])


@alone
def failback(work: Work, store: str, today: date) -> None:
    """Raises EngineError."""
    failure = next((f for f in work.env.remembered.failed_over if f.store == store), None)
    if failure is None:
        raise EngineError(f"{store} is not failed over")
    boxes, regrouped = work.normally_on(store), work.regrouped_by(store)
    work.must_be_there(store)
    if not failure.returning:
        tell("Bring all hosts up to date, edges that were away at the failover too")
        work.publish(work.env.remembered, boxes, regrouped, ask=True)
    # Who served them meanwhile: as if the store were still failed over.
    before = Places(work.env.having("store"), work.with_failure(replace(failure, returning=None)))
    # Before the routes change, also when a run that was cut off had compared: that may be days ago.
    # And the copies that the store keeps: its disk may be a new one.
    tell(f"Compare {len(regrouped)} mailboxes with {store}")
    work.sync_grouped(
        {box.account: before.of(box).home for box in regrouped},
        {box.account: store for box in regrouped},
    )
    failure = replace(failure, returning=failure.returning or today)
    work.publish(work.with_failure(failure), boxes, regrouped)
    served = {box.account: before.of(box).home for box in boxes}
    work.settle(served, dict.fromkeys(served, store))
    left = tuple(f for f in work.env.remembered.failed_over if f.store != store)
    work.publish(replace(work.env.remembered, failed_over=left), boxes, regrouped, last=True)
    tell(f"{store} serves its mailboxes again. Commit {work.project.placement(work.env)}")
