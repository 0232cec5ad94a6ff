"""danhba audit: who did what to the mail system when, in one timeline."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click
from pyinfra.api.host import Host

from danhba.audit import Event, events
from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import DAY
from danhba.engine import EngineError, Session, session
from danhba.inventory import Environment
from danhba.keeper_log import openings
from danhba.letters import escaped
from danhba.project import Project
from danhba.relocation.agent import run
from deploys import drill
from deploys.archive import PROGRAM
from deploys.common import KEEPER_LOG, KEEPER_UNIT


@click.command("audit")
@click.argument("environment")
@click.option("--since", type=DAY, help="First day; default: all there is.")
@click.option("--until", type=DAY, help="Last day; default: today.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
@errors_to_status
def command(
    project: Project, environment: str, since: datetime | None, until: datetime | None, form: str
) -> None:
    """Applies, rollbacks and moves with who began them and what became of them, keepers' logins,
    passwords, lockouts lifted, incidents, restores, exports, restore drills, reads of the archive
    (docs/audit.md).

    All from records that only grow. One that was changed is named, and the exit status is 1; so it
    is when a host does not answer.

    Example: danhba audit staging --since 2026-11-01 --format json
    """
    env = project.environment(environment)
    zone = ZoneInfo(project.read().province.timezone)
    first = since.replace(tzinfo=zone) if since else datetime.fromtimestamp(0, zone)
    last = until.replace(tzinfo=zone) + timedelta(days=1) if until else None
    found = _Found()
    with session(env, partly=True) as hosts:
        _ask(hosts, env, first, found)
        found.silent |= dict.fromkeys(hosts.absent, "does not answer")
    incidents = found.incidents.values()
    told = events(found.records, openings(found.keepers), incidents, found.chain, found.drills)
    for event in told:
        if event.when >= first and (last is None or event.when < last):
            click.echo(_text(event, zone) if form == "text" else _json(event))
    for name, reason in found.silent.items():
        tell(f"{name}: {reason}: what is recorded there is missing; ask again when it is back")
    for said in found.broken:
        tell(f"CHANGED: {said}: compare it with the backup (docs/audit.md)")
    sys.exit(1 if found.silent or found.broken else 0)


@dataclass
class _Found:
    """What hosts have answered; silent: why some have not."""

    records: dict[str, list[list[Mapping[str, Any]]]] = field(default_factory=dict)
    keepers: dict[str, list[str]] = field(default_factory=dict)
    incidents: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    chain: list[Mapping[str, Any]] = field(default_factory=list)
    drills: list[Mapping[str, Any]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    silent: dict[str, str] = field(default_factory=dict)


def _ask(hosts: Session, env: Environment, first: datetime, found: _Found) -> None:
    def each(host: Host) -> None:
        try:
            _of_host(hosts, host, env, first, found)
        except EngineError as error:
            found.silent[host.name] = str(error)

    hosts.each(each)


def _of_host(hosts: Session, host: Host, env: Environment, first: datetime, found: _Found) -> None:
    roles = env.host(host.name).roles
    history = hosts.step(host, "history", {"since": _stamp(first)})
    found.records[host.name] = history["records"]
    found.broken += [f"{host.name}: {said}" for said in history["broken"]]
    if "store" in roles:
        request = {"unit": KEEPER_UNIT, "place": KEEPER_LOG, "since": first.timestamp()}
        found.keepers[host.name] = hosts.step(host, "keepers", request)["lines"]
    if "vault" in roles:
        said = run(hosts, host, [*PROGRAM, "told"], f"{_stamp(first)}\n")
        found.chain += map(json.loads, said.splitlines())
        log = hosts.ask(host, " ".join(drill.PROGRAM), {"do": "log"})["log"]
        found.drills += [{**line, "host": host.name} for line in log]
    if {"store", "edge"}.intersection(roles):
        for each in hosts.step(host, "incidents", {"do": "incidents"})["incidents"]:
            known = found.incidents.get(each["id"], {"events": {}})
            if len(each["events"]) > len(known["events"]):
                found.incidents[each["id"]] = each


def _stamp(moment: datetime) -> str:
    stamp = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")


def _text(event: Event, zone: ZoneInfo) -> str:
    when = event.when.astimezone(zone).isoformat(" ", "seconds")
    who = event.who.partition(" (")[0] or "-"
    return escaped(f"{when} {event.kind} {who} [{' '.join(event.hosts)}] {event.what}")


def _json(event: Event) -> str:
    told = {
        "when": event.when.isoformat(), "kind": event.kind, "who": event.who, "what": event.what,
        "hosts": list(event.hosts), "facts": dict(event.facts),
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False, sort_keys=True, default=str)
