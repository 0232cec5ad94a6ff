"""What moves, failovers and failbacks are made of: steps, and what must be so that one may be."""

from __future__ import annotations

import fcntl
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import wraps
from typing import Concatenate, ParamSpec

import click
from pyinfra.api.host import Host

from danhba import placement_file, plan_text
from danhba.commands.apply import publish
from danhba.commands.common import tell
from danhba.commands.hosts import ask_all, tell_absent
from danhba.compiled import Compiled, Mailbox
from danhba.dated import due
from danhba.engine import ConnectionLost, EngineError, Session, session
from danhba.generations.generation import Generation
from danhba.generations.host.common import keys
from danhba.generations.plan import Plan
from danhba.inventory import Environment
from danhba.owner import does
from danhba.placement import Failure, Places, Remembered
from danhba.project import Project
from danhba.publish import Asked
from danhba.relocation import half_done
from danhba.relocation.agent import agent, host_of, run
from danhba.relocation.half_done import brings_along

P = ParamSpec("P")
CHUNK = 500
"""Mailboxes compared by one command: progress is told, and a lost connection costs little."""
LAST_COPIES = 60.0
"""Seconds that a store that is failed over but answers gets to hand over what is not copied yet."""
QUEUE_LIMIT = 60.0
"""Seconds that a store gets to deliver what it had accepted before the routes changed."""


def alone(run: Callable[Concatenate[Work, P], None]) -> Callable[Concatenate[Work, P], None]:
    """See Work.alone; and the record names what is done."""

    @wraps(run)
    def only(work: Work, /, *args: P.args, **words: P.kwargs) -> None:
        with work.alone(), does(run.__name__):
            run(work, *args, **words)

    return only


@dataclass
class Work:
    """One environment in which mailboxes move. env: with what is remembered by now. absent: hosts
    that did not answer. apart: clocks do not agree, and it goes on all the same (see stay_on_days).
    days: hosts that stay on an earlier day than today."""

    project: Project
    env: Environment
    directory: Compiled
    yes: bool
    absent: tuple[str, ...] = ()
    apart: bool = False
    days: dict[str, date] = field(default_factory=dict)

    @classmethod
    def open(cls, project: Project, environment: str, yes: bool) -> Work:
        """Raises InventoryError, BadDirectory."""
        env = project.environment(environment)
        return cls(project, env, project.compiled(env), yes)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Two runs at once would each write the placement file without what the other wrote: the
        second is refused. Raises EngineError."""
        path = self.project.root / ".danhba" / f"{self.env.name}.relocation"
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EngineError("another run moves mailboxes from this checkout: nothing done; "
                                  "wait for its end") from None  # fmt: skip
            self.env = self.project.environment(self.env.name)  # it may have ended just now
            yield

    # Steps

    def publish(
        self,
        remembered: Remembered,
        boxes: Sequence[Mailbox],
        others: Sequence[Mailbox] = (),
        ask: bool = False,
        last: bool = False,
    ) -> None:
        """Write the placement file, then let the hosts follow it: who is killed in between finds
        what was wanted in the file. What is more than that is asked about, whatever `ask` says, and
        with clocks apart whatever --yes says. To archive and remove mailboxes is left to an apply.

        Of services that a run before has left to be reloaded nobody is asked.

        boxes: get another home. others: their copies go elsewhere. last: with this step nothing is
        under way any more, so the file forgets it only when the hosts have followed, every edge
        among them: one that still has the old routes may change them only while it is remembered.
        """
        env = replace(self.env, remembered=remembered)
        moving, regrouped = self._keys(boxes), self._keys(others)
        generations = self._generations(env)
        with self.session() as hosts:
            self._must_do_without(hosts.absent, env)
            if last:
                self._must_have_edges(hosts.absent)
            ways = half_done.followed(env, self.directory, hosts.absent)
            asked = _without_boxes(ask_all(hosts, generations, moving, regrouped, ways))
            _must_be_allowed(asked, self.apart)
            plans = [item.plan for item in asked.values()]
            changes = any(plan.changes for plan in plans)
            more = any(_does_more(plan, moving | regrouped) for plan in plans)
            if changes and (ask or more):
                click.echo(plan_text.as_text(plans), nl=False)
                sure = self.yes and not (more and self.apart)
                if not sure and not click.confirm("Do this?"):
                    raise EngineError("nothing was done")
            if not last:
                self.save(remembered)
            if changes:
                publish(hosts, asked, take_over=False)
            self.save(remembered)
            if last:
                tell_absent(hosts.absent, env)

    def stay_on_days(self) -> None:
        """For who cannot wait until clocks agree: when they do not, no host gets what a day brings
        that has come by this machine's clock and not yet by the last apply (danhba.dated)."""
        generations = self.project.generations(self.env)
        with self.session() as hosts:
            asked = ask_all(hosts, generations)
        wrong = [name for name, item in asked.items() if item.plan.apart]
        if not wrong:
            return
        self.apart = True
        for name, item in asked.items():
            if rows := due(item.report):
                self.days[name] = date.fromisoformat(rows[0].split()[0]) - timedelta(days=1)
        if self.days:
            self.directory = self.project.compiled(self.env, min(self.days.values()))
        tell(f"The clocks of {', '.join(wrong)} and of this machine do not agree. It goes on, but "
             "nothing that a day brings is carried out: mend one (timedatectl), then "
             f"danhba apply {self.env.name}")  # fmt: skip

    def _generations(self, env: Environment) -> dict[str, Generation]:
        """Of today, or of the days on which hosts stay."""
        earlier = {day: self.project.generations_on(env, day) for day in {*self.days.values()}}
        kept = {name: earlier[day][name] for name, day in self.days.items()}
        return {**self.project.generations(env), **kept}

    def _keys(self, boxes: Sequence[Mailbox]) -> set[str]:
        """What rows of tables begin with that are about these mailboxes."""
        accounts = {box.account for box in boxes}
        names = accounts | {
            name.address for name in self.directory.names if name.account in accounts
        }
        return names | {f"{name}@{self.directory.domain}" for name in names}

    def save(self, remembered: Remembered) -> None:
        placement_file.save(self.project.placement(self.env), remembered)
        self.env = replace(self.env, remembered=remembered)

    def with_failure(self, failure: Failure) -> Remembered:
        others = tuple(f for f in self.env.remembered.failed_over if f.store != failure.store)
        return replace(self.env.remembered, failed_over=(*others, failure))

    def settle(self, sources: Mapping[str, str], targets: Mapping[str, str]) -> None:
        """After a swap: sessions on the old store end, it delivers what it still had accepted, and
        the mailboxes are compared once more."""
        with self.session() as hosts:
            for host in hosts.hosts():
                here = [account for account, store in sources.items() if store == host.name]
                if here:
                    agent(hosts, host, ("end",), here)
                    self._drain(hosts, host, here)
        tell(f"Compare {len(sources)} mailboxes once more")
        self.sync_grouped(targets, sources)

    def _drain(self, hosts: Session, host: Host, accounts: Sequence[str]) -> None:
        end = time.monotonic() + QUEUE_LIMIT
        run(hosts, host, ["postqueue", "-f"])
        while waiting := agent(hosts, host, ("queued",), accounts).split():
            if time.monotonic() > end:
                raise EngineError(
                    f"{host.name} still has mail for {plan_text.listed(waiting)} in its queue: see "
                    f"postqueue -p there, then run this again"
                )
            time.sleep(1)

    def sync_if_there(self, store: str, boxes: Sequence[Mailbox]) -> None:
        """A store that still answers hands over what its daemon has not copied yet, in the time
        that it gets: a disk that hangs must not keep its mailboxes from their users."""
        after = self.with_failure(Failure(store, date.min, ""))
        then = Places(self.env.having("store"), after)
        targets = {box.account: then.of(box).home for box in boxes}
        with self.session() as hosts:
            if store in hosts.absent:
                return
            end = time.monotonic() + LAST_COPIES
            missing = len(boxes)
            try:
                with hosts.within(host_of(hosts, store), LAST_COPIES):
                    for (_, target), chunk in _chunks(dict.fromkeys(targets, store), targets):
                        if time.monotonic() > end - LAST_COPIES / 2:
                            break  # the one that is under way must end before the connection does
                        agent(hosts, host_of(hosts, store), ("sync", target), chunk)
                        missing -= len(chunk)
            except ConnectionLost:
                tell(f"{store} does not do what it is told: nothing more is asked of it")
                self.absent = (*self.absent, store)
            except EngineError as error:
                tell(f"not all could be copied before: {error}")
        if missing:
            tell(f"{missing} of {len(boxes)} mailboxes were not compared before")

    def sync_grouped(self, sources: Mapping[str, str], targets: Mapping[str, str]) -> None:
        """Compare mailboxes in full: sources, targets: account to store. Raises EngineError naming
        those that failed."""
        done: Counter[tuple[str, str]] = Counter()
        with self.session() as hosts:
            for (source, target), chunk in _chunks(sources, targets):
                agent(hosts, host_of(hosts, source), ("sync", target), chunk)
                done[source, target] += len(chunk)
                if len(sources) > CHUNK:
                    tell(f"  {source} and {target}: {done[source, target]}; {len(sources)} in all")

    # What must be

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Whoever did not answer once is not waited for again."""
        with session(self.env, partly=True, without=self.absent) as hosts:
            self.absent = hosts.absent
            yield hosts

    def must_be_there(self, store: str) -> None:
        with self.session() as hosts:
            if store in hosts.absent:
                raise EngineError(f"{store} does not answer: nothing done")

    def normally_on(self, store: str) -> list[Mailbox]:
        """Mailboxes whose home is the store when it works."""
        others = tuple(f for f in self.env.remembered.failed_over if f.store != store)
        places = Places(self.env.having("store"), replace(self.env.remembered, failed_over=others))
        return [box for box in self.directory.mailboxes if places.of(box).home == store]

    def regrouped_by(self, store: str) -> list[Mailbox]:
        """Mailboxes that the store knows when it works: while it does not, a third one may have
        their copy, and forgets them afterwards."""
        others = tuple(f for f in self.env.remembered.failed_over if f.store != store)
        places = Places(self.env.having("store"), replace(self.env.remembered, failed_over=others))
        return [box for box in self.directory.mailboxes if store in places.of(box).holders]

    def must_be_store(self, name: str) -> None:
        stores = [store.name for store in self.env.having("store")]
        if name not in stores:
            raise EngineError(f"{self.env.name} has no store {name}; there are {', '.join(stores)}")

    def must_be_whole(self) -> None:
        """Nothing moves while a store is failed over: where a mailbox belongs and where it is are
        not the same. Raises EngineError."""
        for failure in self.env.remembered.failed_over:
            state = "has not got all back yet" if failure.returning else "is failed over"
            raise EngineError(f"{failure.store} {state}, and meanwhile no mailbox moves: "
                              f"danhba failback {self.env.name} {failure.store} first")  # fmt: skip

    def must_be_applied(self) -> None:
        """Nothing but the move may be published with it, and every store must be there."""
        generations = self.project.generations(self.env)
        moving = [each.account for each in self.env.remembered.moving]
        moving += [f"{account}@{self.directory.domain}" for account in moving]
        with self.session() as hosts:
            if hosts.absent:
                raise EngineError(f"{', '.join(hosts.absent)} does not answer: nothing done")
            asked = ask_all(hosts, generations, moving)
        _must_be_allowed(asked)
        if not moving and any(item.plan.changes for item in asked.values()):
            raise EngineError(f"there is something to apply first: danhba apply {self.env.name}")

    def _must_do_without(self, absent: Collection[str], env: Environment) -> None:
        """No store may be absent but one that is failed over. Edges and people hosts may, and come
        along later, which is told."""
        failed = {each.store for each in env.remembered.failed_over if not each.returning}
        stores = {store.name for store in env.having("store")} - failed
        if missing := sorted(stores.intersection(absent)):
            raise EngineError(f"{', '.join(missing)} does not answer: nothing done")

    def _must_have_edges(self, absent: Collection[str]) -> None:
        if missing := [edge.name for edge in self.env.having("edge") if edge.name in absent]:
            raise EngineError(
                f"the mailboxes are where they should be, but {', '.join(missing)} does not answer "
                f"and may still lead to where they were; when it is back: {brings_along(self.env)}"
            )


def _chunks(
    sources: Mapping[str, str], targets: Mapping[str, str]
) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """Both stores, and accounts that are compared by one command."""
    groups: dict[tuple[str, str], list[str]] = {}
    for account, source in sources.items():
        groups.setdefault((source, targets[account]), []).append(account)
    for pair, accounts in sorted(groups.items()):
        for at in range(0, len(accounts), CHUNK):
            yield pair, accounts[at : at + CHUNK]


def _does_more(plan: Plan, moved: Collection[str]) -> bool:
    """Does a plan more than give the mailboxes of these keys other places?"""
    if plan.drift or plan.packages or plan.entries or plan.mark or plan.unread:
        return True
    if not all(change.rows for change in plan.files):  # a file that comes, or goes
        return True
    rows = (row for change in plan.files for row in change.rows)
    changed = (row.lstrip("+-") for row in rows if not row.startswith((" ", "@@", "+++", "---")))
    return not keys("\n".join(changed)) <= set(moved)


def _without_boxes(asked: Mapping[str, Asked]) -> dict[str, Asked]:
    """Only an apply archives and removes mailboxes, and lets old mail of the archive go: who moves
    mailboxes is in a hurry, and looks at something else."""
    return {
        name: replace(item, plan=replace(item.plan, boxes=(), expiries=(), unfinished=False))
        for name, item in asked.items()
    }


def _must_be_allowed(asked: Mapping[str, Asked], apart: bool = False) -> None:
    """apart: clocks need not agree. Raises EngineError."""
    plans = [item.plan for item in asked.values()]
    if refused := [plan for plan in plans if plan.refused]:
        click.echo(plan_text.as_text(refused), nl=False)
        raise EngineError("hosts and directory do not agree (see above); nothing done")
    if not apart and (wrong := [plan for plan in plans if plan.apart]):
        click.echo(plan_text.as_text(wrong), nl=False)
        raise EngineError("clocks do not agree on what day it is (see above); nothing done")
