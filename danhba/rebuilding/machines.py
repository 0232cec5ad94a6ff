"""What of a host is known before it is one: is it blank, has its rebuild begun, who keeps out."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from typing import Any

from danhba.engine import EngineError, Session, session
from danhba.inventory import Environment
from deploys.firewall import closed


@dataclass(frozen=True)
class Machine:
    """A host that is to be rebuilt. at: a time, ISO 8601; what was backed up later is not restored;
    "": the newest. begun: when its rebuild began; "": not yet. restored: it has what it had, and is
    open. oldest: time of the oldest backup that mail was restored from. end: of the vault, number
    of the archive's last entry that came back; -1: not known."""

    name: str
    at: str = ""
    begun: str = ""
    restored: bool = False
    oldest: str = ""
    end: int = -1

    def noted(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "name"}


def choose(env: Environment, name: str, at: str) -> tuple[dict[str, Machine], tuple[str, ...]]:
    """The machines to rebuild, by name, and the hosts that do not answer. name: of one host; "":
    all that are blank. What was begun goes on as it was. Raises EngineError when it is in use, or
    when there is none."""
    if name and name not in {host.name for host in env.hosts}:
        raise EngineError(f"{env.name} has no host {name}")
    with session(env, partly=True) as hosts:
        found = hosts.each(lambda host: hosts.step(host, "rebuild", {"do": "look"}))
        absent = hosts.absent
    if name in absent:
        raise EngineError(f"{name} does not answer: boot a blank machine of that name first, with "
                          "its certificate in /etc/ssl/danhba")  # fmt: skip
    wanted = [name] if name else list(found)
    chosen = {each: machine for each in wanted if (machine := _machine(each, found[each], at))}
    if not chosen:
        used = found[name]["used"] if name else "none of them is blank"
        raise EngineError(f"{name or env.name} is in use ({used}): nothing that lives is "
                          "overwritten; install the machine anew first")  # fmt: skip
    return chosen, absent


def _machine(name: str, found: Mapping[str, Any], at: str) -> Machine | None:
    """None: it is in use."""
    if begun := found["begun"]:
        return Machine(name, **begun)
    return None if found["used"] else Machine(name, at)


def begin(env: Environment, machines: Mapping[str, Machine]) -> dict[str, Machine]:
    """Close them, and write down that it has begun. Raises EngineError."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    machines = {name: replace(each, begun=each.begun or now) for name, each in machines.items()}
    with only(env, machines) as hosts:
        hosts.each(
            lambda host: hosts.step(host, "rebuild", {
                "do": "begin",
                "rules": closed(env, env.host(host.name)),
                "state": machines[host.name].noted(),
            })
        )  # fmt: skip
    return machines


def reopen(env: Environment, machine: Machine) -> Machine:
    """It has what it had: everybody gets in. Raises EngineError."""
    after = replace(machine, restored=True)
    with only(env, [machine.name]) as hosts:
        hosts.each(lambda host: hosts.step(host, "rebuild", {"do": "note", "state": after.noted()}))
        hosts.each(lambda host: hosts.step(host, "rebuild", {"do": "open"}))
    return after


def end(env: Environment, machines: Collection[str]) -> None:
    """Nothing is left to be done. Raises EngineError."""
    with only(env, machines) as hosts:
        hosts.each(lambda host: hosts.step(host, "rebuild", {"do": "end"}))


def only(env: Environment, names: Collection[str]) -> AbstractContextManager[Session]:
    """A session with these hosts, all of them, and no others."""
    return session(env, without=[host.name for host in env.hosts if host.name not in names])
