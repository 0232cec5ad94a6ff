"""Mailboxes get another home: move, rebalance, failover, failback.

The order loses nothing, wherever it is cut off. What is under way is in the placement file before
it is begun; running the command again goes on.

    move      both stores know the mailbox; copy; swap the routes; end sessions; compare once more
    failover  swap the routes to the standbys; what edges have queued is tried again
    failback  compare; swap the routes back; end sessions; compare once more
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date

import click
from pyinfra.api.host import Host

from danhba import placement_file, plan_text
from danhba.commands.apply import publish
from danhba.commands.common import tell
from danhba.commands.hosts import ask_all, tell_absent
from danhba.compiled import Compiled, Mailbox
from danhba.engine import EngineError, Session, session
from danhba.generations.host.common import keys
from danhba.generations.plan import Plan
from danhba.inventory import Environment
from danhba.placement import Failure, Move, Moving, Places, Remembered
from danhba.project import Project
from danhba.publish import Asked
from deploys.instance import edge as edge_of
from deploys.standby import CONFIG, PROGRAM
from deploys.tunnel import entrance

CHUNK = 500
"""Mailboxes compared by one command: progress is told, and a lost connection costs little."""
QUEUE_LIMIT = 60.0
"""Seconds that a store gets to deliver what it had accepted before the routes changed."""


@dataclass
class Relocation:
    """One environment in which mailboxes move. env: with what is remembered by now. absent: hosts
    that did not answer."""

    project: Project
    env: Environment
    directory: Compiled
    yes: bool
    absent: tuple[str, ...] = ()

    @classmethod
    def open(cls, project: Project, environment: str, yes: bool) -> Relocation:
        """Raises InventoryError, BadDirectory."""
        env = project.environment(environment)
        return cls(project, env, project.compiled(env), yes)

    # Commands

    def failover(self, store: str, by: str, today: date) -> None:
        """Raises EngineError."""
        self._must_be_store(store)
        known = {each.store for each in self.env.remembered.failed_over if not each.returning}
        others = {each.name for each in self.env.having("store")} - {store}
        if not others:
            raise EngineError(f"{store} is the only store: nobody has its mailboxes")
        if others <= known:
            raise EngineError(f"every other store is failed over: {store} is the last one; "
                              f"danhba failback {self.env.name} {min(others)} first")  # fmt: skip
        boxes, regrouped = self._normally_on(store), self._regrouped_by(store)
        failure = Failure(store, today, by)
        failures = tuple(each for each in self.env.remembered.failed_over if each.store != store)
        after = replace(self.env.remembered, failed_over=(*failures, failure))
        if store not in known:
            tell(f"{len(boxes)} mailboxes of {store} will be served by their standbys. Mail of the "
                 "last seconds that was not copied yet comes back with the failback.")  # fmt: skip
            self._sync_if_there(store, boxes)
        self._publish(after, boxes, regrouped, ask=store not in known)
        with self._session() as hosts:
            for host in hosts.hosts():
                if "edge" in host.groups:
                    instance = edge_of(self.env.host(host.name))
                    way = entrance(self.env, self.env.host(store))
                    dovecot = f"{instance.dovecot}/dovecot.conf"
                    _run(hosts, host, ["doveadm", "-c", dovecot, "kick", "-h", way], "", (0, 68))
                    _run(hosts, host, ["postqueue", "-c", instance.postfix, "-f"])
        tell(f"{store} is failed over. Commit {self.project.placement(self.env)}; when {store} "
             f"is back: danhba failback {self.env.name} {store}")  # fmt: skip

    def failback(self, store: str, today: date) -> None:
        """Raises EngineError."""
        failure = next((f for f in self.env.remembered.failed_over if f.store == store), None)
        if failure is None:
            raise EngineError(f"{store} is not failed over")
        boxes, regrouped = self._normally_on(store), self._regrouped_by(store)
        if not failure.returning:
            self._must_be_there(store)
            tell("Bring all hosts up to date, edges that were away at the failover too")
            self._publish(self.env.remembered, boxes, regrouped, ask=True)
            homes = {box.account: self.env.place(box).home for box in boxes}
            tell(f"Compare {len(boxes)} mailboxes with {store}")
            self._sync_grouped(homes, dict.fromkeys(homes, store))
            failure = replace(failure, returning=today)
        self._publish(self._with_failure(failure), boxes, regrouped)
        # Who served them meanwhile: as if the store were still failed over.
        before = Places(
            self.env.having("store"), self._with_failure(replace(failure, returning=None))
        )
        served = {box.account: before.of(box).home for box in boxes}
        self._settle(served, dict.fromkeys(served, store))
        left = tuple(f for f in self.env.remembered.failed_over if f.store != store)
        self._publish(replace(self.env.remembered, failed_over=left), boxes, regrouped, last=True)
        tell(f"{store} serves its mailboxes again. Commit {self.project.placement(self.env)}")

    def move(self, targets: Mapping[str, str]) -> None:
        """Accounts to their new stores; what was under way is finished first, too.

        Raises EngineError.
        """
        self.must_be_whole()
        under_way = {each.account: each.to for each in self.env.remembered.moving}
        for store in {*targets.values()}:
            self._must_be_store(store)
        clash = sorted(a for a in under_way if targets.get(a, under_way[a]) != under_way[a])
        if clash:
            where = f"{clash[0]} is on its way to {under_way[clash[0]]}"
            raise EngineError(f"{where}: finish that first (danhba move {clash[0]} "
                              f"--to {under_way[clash[0]]})")  # fmt: skip
        wanted = under_way | dict(targets)
        boxes = [box for box in self.directory.mailboxes if box.account in wanted]
        unknown = sorted(wanted.keys() - {box.account for box in boxes})
        if unknown:
            raise EngineError(f"{', '.join(unknown)}: the directory has no such mailbox")
        boxes = [box for box in boxes if box.account in under_way or self._is_to_move(box, wanted)]
        if not boxes:
            tell("They are there already.")
            return
        self._must_be_applied()
        self._carry(boxes, wanted)

    def _is_to_move(self, box: Mailbox, wanted: Mapping[str, str]) -> bool:
        return self.env.place(box).home != wanted[box.account]

    def _carry(self, boxes: Sequence[Mailbox], wanted: Mapping[str, str]) -> None:
        known = {each.account: each for each in self.env.remembered.moving}
        ways = [
            known.get(box.account)
            or Moving(box.account, self.env.place(box).home, wanted[box.account])
            for box in boxes
        ]
        self._publish(replace(self.env.remembered, moving=tuple(ways)), boxes)
        waiting = [
            way for way, box in zip(ways, boxes, strict=True) if self.env.place(box).home != way.to
        ]
        if waiting:
            tell(f"Copy {len(waiting)} mailboxes; their users work on")
            self._sync_grouped(
                {way.account: way.source for way in waiting},
                {way.account: way.to for way in waiting},
            )
            self._publish(self._moved({way.account: way.to for way in waiting}), boxes)
        self._settle(
            {way.account: way.source for way in ways}, {way.account: way.to for way in ways}
        )
        self._publish(replace(self.env.remembered, moving=()), boxes, last=True)
        tell(f"{len(boxes)} mailboxes have moved. Commit {self.project.placement(self.env)}")

    def _moved(self, targets: Mapping[str, str]) -> Remembered:
        """What is computed anyway is not remembered."""
        kept = tuple(m for m in self.env.remembered.moved if m.account not in targets)
        natural = Places(self.env.having("store"))
        first = {box.account: natural.rank(box)[0] for box in self.directory.mailboxes}
        new = tuple(Move(a, store) for a, store in targets.items() if first[a] != store)
        return replace(self.env.remembered, moved=(*kept, *new))

    # Steps

    def _publish(
        self,
        remembered: Remembered,
        boxes: Sequence[Mailbox],
        others: Sequence[Mailbox] = (),
        ask: bool = False,
        last: bool = False,
    ) -> None:
        """Write the placement file, then let the hosts follow it: who is killed in between finds
        what was wanted in the file. What is more than that is asked about, whatever `ask` says.

        boxes: get another home. others: their copies go elsewhere. last: with this step nothing is
        under way any more, so the file forgets it only when the hosts have followed.
        """
        env = replace(self.env, remembered=remembered)
        moving, regrouped = self._keys(boxes), self._keys(others)
        generations = self.project.generations(env)
        with self._session() as hosts:
            self._must_do_without(hosts.absent, env)
            asked = ask_all(hosts, generations, moving, regrouped)
            _must_be_allowed(asked)
            plans = [item.plan for item in asked.values()]
            changes = any(plan.changes for plan in plans)
            more = any(_does_more(plan, moving | regrouped) for plan in plans)
            if changes and (ask or more):
                click.echo(plan_text.as_text(plans), nl=False)
                if not self.yes and not click.confirm("Do this?"):
                    raise EngineError("nothing was done")
            if not last:
                self._save(remembered)
            if changes:
                publish(hosts, asked, take_over=False)
            self._save(remembered)
            tell_absent(hosts, env)

    def _keys(self, boxes: Sequence[Mailbox]) -> set[str]:
        """What rows of tables begin with that are about these mailboxes."""
        accounts = {box.account for box in boxes}
        names = accounts | {
            name.address for name in self.directory.names if name.account in accounts
        }
        return names | {f"{name}@{self.directory.domain}" for name in names}

    def _save(self, remembered: Remembered) -> None:
        placement_file.save(self.project.placement(self.env), remembered)
        self.env = replace(self.env, remembered=remembered)

    def _with_failure(self, failure: Failure) -> Remembered:
        others = tuple(f for f in self.env.remembered.failed_over if f.store != failure.store)
        return replace(self.env.remembered, failed_over=(*others, failure))

    def _settle(self, sources: Mapping[str, str], targets: Mapping[str, str]) -> None:
        """After a swap: sessions on the old store end, it delivers what it still had accepted, and
        the mailboxes are compared once more."""
        with self._session() as hosts:
            for host in hosts.hosts():
                here = [account for account, store in sources.items() if store == host.name]
                if here:
                    self._agent(hosts, host, ("end",), here)
                    self._drain(hosts, host, here)
        tell(f"Compare {len(sources)} mailboxes once more")
        self._sync_grouped(targets, sources)

    def _drain(self, hosts: Session, host: Host, accounts: Sequence[str]) -> None:
        end = time.monotonic() + QUEUE_LIMIT
        _run(hosts, host, ["postqueue", "-f"])
        while waiting := self._agent(hosts, host, ("queued",), accounts).split():
            if time.monotonic() > end:
                raise EngineError(
                    f"{host.name} still has mail for {plan_text.listed(waiting)} in its queue: see "
                    f"postqueue -p there, then run this again"
                )
            time.sleep(1)

    def _sync_if_there(self, store: str, boxes: Sequence[Mailbox]) -> None:
        """A store that still answers hands over what its daemon has not copied yet."""
        with self._session() as hosts:
            if store in hosts.absent:
                return
        after = self._with_failure(Failure(store, date.min, ""))
        then = Places(self.env.having("store"), after)
        try:
            self._sync_grouped(
                dict.fromkeys((box.account for box in boxes), store),
                {box.account: then.of(box).home for box in boxes},
            )
        except EngineError as error:
            tell(f"not all could be copied before: {error}")

    def _sync_grouped(self, sources: Mapping[str, str], targets: Mapping[str, str]) -> None:
        """Compare mailboxes in full: sources, targets: account to store. Raises EngineError naming
        those that failed."""
        groups: dict[tuple[str, str], list[str]] = {}
        for account, source in sources.items():
            groups.setdefault((source, targets[account]), []).append(account)
        with self._session() as hosts:
            for (source, target), accounts in sorted(groups.items()):
                host = _host(hosts, source)
                for at in range(0, len(accounts), CHUNK):
                    chunk = accounts[at : at + CHUNK]
                    self._agent(hosts, host, ("sync", target), chunk)
                    if len(accounts) > CHUNK:
                        tell(f"  {source} and {target}: {at + len(chunk)} of {len(accounts)}")

    def _agent(
        self, hosts: Session, host: Host, words: Sequence[str], accounts: Sequence[str]
    ) -> str:
        argv = ["python3", PROGRAM, CONFIG, *words]
        return _run(hosts, host, argv, "\n".join(accounts))

    # What must be

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """Whoever did not answer once is not waited for again."""
        with session(self.env, partly=True, without=self.absent) as hosts:
            self.absent = hosts.absent
            yield hosts

    def _must_be_there(self, store: str) -> None:
        with self._session() as hosts:
            if store in hosts.absent:
                raise EngineError(f"{store} does not answer: nothing done")

    def _normally_on(self, store: str) -> list[Mailbox]:
        """Mailboxes whose home is the store when it works."""
        others = tuple(f for f in self.env.remembered.failed_over if f.store != store)
        places = Places(self.env.having("store"), replace(self.env.remembered, failed_over=others))
        return [box for box in self.directory.mailboxes if places.of(box).home == store]

    def _regrouped_by(self, store: str) -> list[Mailbox]:
        """Mailboxes that the store knows when it works: while it does not, a third one may have
        their copy, and forgets them afterwards."""
        others = tuple(f for f in self.env.remembered.failed_over if f.store != store)
        places = Places(self.env.having("store"), replace(self.env.remembered, failed_over=others))
        return [box for box in self.directory.mailboxes if store in places.of(box).holders]

    def _must_be_store(self, name: str) -> None:
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

    def _must_be_applied(self) -> None:
        """Nothing but the move may be published with it, and every store must be there."""
        generations = self.project.generations(self.env)
        moving = [each.account for each in self.env.remembered.moving]
        moving += [f"{account}@{self.directory.domain}" for account in moving]
        with self._session() as hosts:
            if hosts.absent:
                raise EngineError(f"{', '.join(hosts.absent)} does not answer: nothing done")
            asked = ask_all(hosts, generations, moving)
        _must_be_allowed(asked)
        if not moving and any(item.plan.changes for item in asked.values()):
            raise EngineError(f"there is something to apply first: danhba apply {self.env.name}")

    def _must_do_without(self, absent: Collection[str], env: Environment) -> None:
        """Only a store that is failed over may be absent, and an edge, which is told."""
        failed = {each.store for each in env.remembered.failed_over if not each.returning}
        stores = {store.name for store in env.having("store")} - failed
        if missing := sorted(stores.intersection(absent)):
            raise EngineError(f"{', '.join(missing)} does not answer: nothing done")


def _host(hosts: Session, name: str) -> Host:
    found = next((host for host in hosts.hosts() if host.name == name), None)
    if found is None:
        raise EngineError(f"{name} does not answer")
    return found


def _run(
    hosts: Session, host: Host, argv: Sequence[str], text: str = "", allowed: Sequence[int] = (0,)
) -> str:
    done = hosts.step(host, "program", {"argv": list(argv), "stdin": text})
    if done["status"] not in allowed:
        raise EngineError(f"{host.name}: {' '.join(argv)}: {(done['err'] or done['out']).strip()}")
    return str(done["out"])


def _does_more(plan: Plan, moved: Collection[str]) -> bool:
    """Does a plan more than give the mailboxes of these keys other places?"""
    if plan.drift or plan.packages or plan.entries or plan.mark or plan.unread or plan.boxes:
        return True
    if not all(change.rows for change in plan.files):  # a file that comes, or goes
        return True
    rows = (row for change in plan.files for row in change.rows)
    changed = (row.lstrip("+-") for row in rows if not row.startswith((" ", "@@", "+++", "---")))
    return not keys("\n".join(changed)) <= set(moved)


def _must_be_allowed(asked: Mapping[str, Asked]) -> None:
    plans = [item.plan for item in asked.values()]
    if any(plan.refused for plan in plans):
        refused = [plan for plan in plans if plan.refused]
        click.echo(plan_text.as_text(refused), nl=False)
        raise EngineError("hosts and directory do not agree (see above); nothing done")
