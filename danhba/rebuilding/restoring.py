"""What a new machine gets of what the one before had and no other host brings."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from danhba.commands.common import tell
from danhba.compiled import Compiled
from danhba.engine import EngineError, session
from danhba.generations.host.peers import lacks
from danhba.inventory import Environment
from danhba.plan_text import listed
from danhba.rebuilding import memories
from danhba.rebuilding.machines import Machine, only
from danhba.relocation.agent import host_of, run
from deploys.backup import CONFIG, VAULT_CONFIG, program_of
from deploys.program import HOME

_PYTHON = ("env", f"PYTHONPATH={HOME}", "python3", "-B", "-m")
_STILL = 600.0
"""Seconds for which nothing comes from another people host, after which it is given up."""


def restore(
    env: Environment, directory: Compiled, machine: Machine, waiting: Collection[str]
) -> Machine:
    """To one host; waiting: those that are rebuilt and have nothing to give yet. The machine, with
    what is known of it by now. Raises EngineError."""
    name, host = machine.name, env.host(machine.name)
    if host == env.vault:
        _second_place(env, name)
    if env.vault:
        _must_be_there(env, env.vault.name)
        found = _back(env, name, "host", at=machine.at, partly=_has_else(env, waiting, name))
        _tell_host(env, name, found)
    elif "edge" in host.roles:
        tell(f"{name} signs with new keys: danhba dkim show {env.name}")
    if "people" in host.roles:
        _people(env, waiting, name)
    if host == env.vault:
        machine = replace(machine, end=memories.end_of(env))
    return _mail(env, directory, machine) if "store" in host.roles and env.vault else machine


def _back(env: Environment, name: str, what: str, **question: Any) -> dict[str, Any]:
    return _said(env, name, ["backup.back", CONFIG, what], json.dumps(question))


def _said(env: Environment, name: str, words: Sequence[str], question: str) -> dict[str, Any]:
    with only(env, [name]) as hosts:
        said = run(hosts, host_of(hosts, name), [*_PYTHON, *words], question)
    found: dict[str, Any] = json.loads(said)
    return found


def _must_be_there(env: Environment, vault: str) -> None:
    with session(env, partly=True) as hosts:
        if vault in hosts.absent:
            raise EngineError(f"{vault} does not answer, and the backups are there: when it is "
                              f"lost as well, danhba rebuild {env.name} {vault} first")  # fmt: skip


def _second_place(env: Environment, name: str) -> None:
    """The repositories, from the second place."""
    assert env.vault is not None
    if not env.vault.data.get("second_place"):
        tell(f"{name} has no second place: what it had is lost, backups begin anew")
        return
    found = _said(env, name, ["backup.vault_back", VAULT_CONFIG], "")
    count = ", ".join(f"{host}: {number}" for host, number in found["snapshots"].items())
    tell(f"{name}: snapshots from the second place: {count}")
    if found["missing"]:
        tell(f"{name}: nothing there of {', '.join(found['missing'])}")
    if not found["copied"]:
        tell(f"{name}: the second place has no archive: what its messages say is lost")
        return
    tell(f"{name}: {found['segments']} segments of the archive as of {found['copied'][:16]}: what "
         "came since is in the mailboxes alone")  # fmt: skip


def _has_else(env: Environment, waiting: Collection[str], name: str) -> bool:
    """Is what a host lives by elsewhere? Mail of a store is; not the keys of an edge, and not the
    people when no other host has them. Then an unreadable record must not keep it shut."""
    roles = env.host(name).roles
    others = {each.name for each in env.having("people")} - {name, *waiting}
    return not {"edge", "vault"}.intersection(roles) and ("people" not in roles or bool(others))


def _tell_host(env: Environment, name: str, found: Mapping[str, Any]) -> None:
    for why in found["unread"]:
        tell(f"{name}: cannot be read in its backup, and is lost: {why}")
    if found["time"]:
        tell(f"{name}: {', '.join(found['places'])} as of {found['time'][:16]}")
        return
    tell(f"{name}: nothing of it was ever backed up")
    if "edge" in env.host(name).roles:
        tell(f"{name} signs with new keys: danhba dkim show {env.name}")


def index(env: Environment, store: str) -> None:
    """What searches go by is made anew in the background, when nobody else wants the disk."""
    argv = ["systemd-run", "--collect", "--unit=danhba-rebuild-index", "--property=Nice=19",
            "--property=IOSchedulingClass=idle", "doveadm", "index", "-A", "*"]  # fmt: skip
    with only(env, [store]) as hosts:
        run(hosts, host_of(hosts, store), argv, allowed=(0, 1))  # 1: a run before has begun it


# People


def _people(env: Environment, waiting: Collection[str], name: str) -> None:
    """By replication while another people host has them, else from the backup of this one."""
    others = [host.name for host in env.having("people") if host.name != name]
    living = [each for each in others if each not in waiting]
    if not living and env.vault:
        _each(env, others, "systemctl stop slapd; find /var/lib/ldap -type f -delete")
        entries = _back(env, name, "people")["entries"]
        _each(env, others, "systemctl start slapd")
        tell(f"{name}: {entries} entries from the backup, with the passwords of that day")
        living = others
    _wait_for_people(env, [name, *living])


def _each(env: Environment, names: Collection[str], command: str) -> None:
    if names:
        with only(env, names) as hosts:
            hosts.each(lambda host: run(hosts, host, ["sh", "-c", command]))


def _wait_for_people(env: Environment, names: Collection[str]) -> None:
    """Until each has what the others have, as long as something comes."""
    question = {"files": {}, "secret": [], "packages": [], "units": [], "people": True}
    last: object = None
    moved = time.monotonic()
    while True:
        with session(env, partly=True) as hosts:
            found = hosts.each(
                lambda host: (
                    hosts.step(host, "report", question)["people"] if host.name in names else None
                )
            )
        said = {name: each for name, each in found.items() if each}
        if said and all(_has_all(each) for each in said.values()):
            return
        if (now := repr(said)) != last:
            last, moved = now, time.monotonic()
        if time.monotonic() > moved + _STILL:
            raise EngineError(f"{', '.join(names)}: the people do not come; danhba status "
                              f"{env.name} says what is amiss, then run this again")  # fmt: skip
        time.sleep(1)


def _has_all(said: Mapping[str, Any]) -> bool:
    own = said["own"]
    there = [each for each in said["peers"].values() if not each["error"]]
    return bool(own["stamps"]) and not any(lacks(own, each) for each in there)


# Mail


def _mail(env: Environment, directory: Compiled, machine: Machine) -> Machine:
    """Mailboxes that it serves and that no standby has served meanwhile."""
    accounts = [box.account for box in directory.mailboxes if env.place(box).home == machine.name]
    if not accounts:
        return machine
    tell(f"{machine.name}: {len(accounts)} mailboxes have no copy elsewhere: from the backup")
    found = _back(env, machine.name, "mail", accounts=accounts, at=machine.at,
                  domain=directory.domain)  # fmt: skip
    tell(f"{machine.name}: {found['mailboxes']} mailboxes with {found['messages']} messages, the "
         f"oldest as of {found['oldest'][:16] or 'no day'}")  # fmt: skip
    if elsewhere := _elsewhere(env, machine, accounts):
        tell(f"{machine.name}: {len(elsewhere)} were on another store when they were last backed "
             f"up, and have at most an older copy here ({listed(elsewhere)}): danhba restore "
             "mailbox for each")  # fmt: skip
    return replace(machine, oldest=found["oldest"])


def _elsewhere(env: Environment, machine: Machine, accounts: Collection[str]) -> list[str]:
    """Whose newest backup is in another repository: a mailbox that was away and came home has an
    older one in the store's own as well, of before it left."""
    assert env.vault is not None
    question = {"accounts": sorted(accounts), **({"at": machine.at} if machine.at else {})}
    with only(env, [env.vault.name]) as hosts:
        argv = [*program_of(VAULT_CONFIG), "find"]
        said = run(hosts, host_of(hosts, env.vault.name), argv, json.dumps(question))
    found = json.loads(said)["found"].items()
    return sorted(account for account, each in found if each["repository"] != machine.name)
