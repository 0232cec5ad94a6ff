"""The order of a rebuild. Every step may be cut off: the next run goes on with what is not done."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import click

from danhba.commands.apply import publish
from danhba.commands.common import tell
from danhba.commands.hosts import ask_all
from danhba.days import today
from danhba.engine import EngineError
from danhba.inventory import Environment
from danhba.moment import moment
from danhba.project import Project
from danhba.rebuilding import machines, memories, restoring
from danhba.rebuilding.machines import Machine
from danhba.rebuilding.restoring import index
from danhba.relocation.failures import failback, failover
from danhba.relocation.work import Work
from danhba.replaying import USUAL, boxes_of, replay

ORDER = ("vault", "people", "store", "edge")
"""By roles: who has the copies first, who takes mail from outside last."""
MARGIN = timedelta(minutes=10)
"""How much earlier than the oldest backup the archive is looked through."""


@dataclass
class Rebuild:
    """chosen: the machines, by name. absent: hosts that did not answer when it began."""

    project: Project
    env: Environment
    chosen: dict[str, Machine]
    absent: tuple[str, ...]

    def run(self) -> None:
        """Raises EngineError; run again, it goes on."""
        self._hand_over()
        self.chosen = machines.begin(self.env, self.chosen)
        self._apply()
        closed = [name for name in self._in_order() if not self.chosen[name].restored]
        directory = self.project.compiled(self.env)
        for number, name in enumerate(closed):
            waiting = closed[number:]
            machine = restoring.restore(self.env, directory, self.chosen[name], waiting)
            self.chosen[name] = machine
            if "vault" in self.env.host(name).roles:  # where the others find what they had
                self._open(name)
        self._apply()  # what has changed since the backup: who was locked stays locked
        for name in closed:
            self._open(name)
        self._come_home()
        left = self._replay()
        unasked = self._begin_memories()
        machines.end(self.env, [name for name in self.chosen if name not in unasked])
        left += unasked.values()
        if left:
            raise EngineError("all is in service, but the archive did not bring all:\n"
                              + "\n".join(left))  # fmt: skip

    def _begin_memories(self) -> dict[str, str]:
        """The vault and what is left to be done, when hosts that remember more of the archive than
        came back did not answer."""
        vault = self.env.vault.name if self.env.vault else ""
        if vault not in self.chosen or self.chosen[vault].end < 0:
            return {}
        absent = memories.begin(self.env, self.chosen[vault].end)
        again = f"danhba rebuild {self.env.name} {vault} again when it answers"
        return {vault: f"{', '.join(absent)} remembers more of it: {again}"} if absent else {}

    def _open(self, name: str) -> None:
        if not self.chosen[name].restored:
            self.chosen[name] = machines.reopen(self.env, self.chosen[name])
            tell(f"{name} has what it had, and is open")

    def _in_order(self) -> list[str]:
        def place(name: str) -> int:
            roles = self.env.host(name).roles
            return max(ORDER.index(role) for role in roles if role in ORDER)

        return sorted(self.chosen, key=place)

    # Stores

    def _hand_over(self) -> None:
        """Mailboxes of a store that has a living standby are served by it at once, and come home
        when there is a home. Where an engineer has done that already nothing changes."""
        stores = [name for name in self.chosen if "store" in self.env.host(name).roles]
        away = {each.store for each in self.env.remembered.failed_over}
        living = {store.name for store in self.env.having("store")}
        living -= away.union(self.chosen, self.absent)
        for store in stores if living else ():
            if self.chosen[store].restored:
                continue
            work = Work.open(self.project, self.env.name, yes=True)
            work.absent = (*self.absent, *self.chosen)
            failover(work, store, getpass.getuser(), today(work.directory.timezone))
            self.env = self.project.environment(self.env.name)

    def _come_home(self) -> None:
        for failure in self.env.remembered.failed_over:
            if failure.store in self.chosen:
                work = Work.open(self.project, self.env.name, yes=True)
                failback(work, failure.store, today(work.directory.timezone))
        self.env = self.project.environment(self.env.name)

    def _replay(self) -> list[str]:
        """What the archive has and no copy had; what could not be done, each with what to do."""
        stores = [name for name in self.chosen if "store" in self.env.host(name).roles]
        for name in stores:
            index(self.env, name)
        if not (stores and self.env.vault):
            return []
        directory = self.project.compiled(self.env)
        lost = [name for name in self.chosen if "edge" in self.env.host(name).roles]
        since = min(_since(self.chosen[name]) for name in stores)
        boxes = boxes_of(directory, self.env, stores)
        found = replay(self.env, directory, boxes, since, tell, lost_edges=lost)
        click.echo(found.text(since, False), nl=False)
        return found.open

    # Every host

    def _apply(self) -> None:
        """To the new machines alone: what else is to be applied waits for an apply."""
        names = [name for name, each in self.chosen.items() if not each.restored]
        if not names:
            return
        generations = self.project.generations(self.env)
        with machines.only(self.env, names) as hosts:
            asked = ask_all(hosts, generations)
            if refused := [name for name, item in asked.items() if item.plan.refused]:
                raise EngineError(f"{', '.join(refused)}: danhba plan {self.env.name} says why "
                                  "this may not be applied")  # fmt: skip
            if any(item.plan.changes for item in asked.values()):
                publish(hosts, asked, take_over=False)


def _since(machine: Machine) -> datetime:
    """From when on a store's copies may lack mail."""
    if machine.oldest:
        return datetime.fromisoformat(machine.oldest) - MARGIN
    return datetime.fromisoformat(machine.begun) - USUAL


def rebuild(project: Project, environment: str, name: str, at: str, yes: bool) -> None:
    """name: of a host; "": every blank one. at: see Machine. Raises EngineError, InventoryError."""
    env = project.environment(environment)
    until = moment(at, project.compiled(env).timezone).isoformat() if at else ""
    chosen, absent = machines.choose(env, name, until)
    for line in _meant(env, chosen, absent):
        click.echo(line)
    if not (yes or click.confirm("Rebuild this?")):
        raise EngineError("nothing was done")
    Rebuild(project, env, chosen, absent).run()


def _meant(env: Environment, chosen: Mapping[str, Machine], absent: tuple[str, ...]) -> list[str]:
    """What will be done, for whoever has to confirm it."""
    lines = []
    for name, each in chosen.items():
        roles = ", ".join(env.host(name).roles)
        how = f"goes on with what began {each.begun}" if each.begun else "is blank"
        lines.append(f"{name} ({roles}) {how}")
    lines += [f"{name} does not answer, and is left out" for name in absent]
    if env.vault and env.vault.name in chosen:
        lines.append("What hosts remember of the archive beyond what comes back is put beside on "
                     "each, and their memory begins anew")  # fmt: skip
    return lines
