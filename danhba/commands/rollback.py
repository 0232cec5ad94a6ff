"""danhba rollback: back to an older generation that the hosts still have."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import click
from pyinfra.api.host import Host

from danhba.commands.common import errors_to_status, tell
from danhba.commands.hosts import look
from danhba.engine import EngineError, Session, session
from danhba.owner import is_gone, me
from danhba.placement import Remembered
from danhba.plan_text import listed
from danhba.project import Project
from deploys.standby import TABLE

Report = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One host's way back. gone, new: addresses that leave and come to its tables."""

    host: Host
    digest: str
    instead_of: str | None
    gone: tuple[str, ...]
    new: tuple[str, ...]


@click.command("rollback")
@click.argument("environment")
@click.option("--to", "digest", metavar="DIGEST", help="A generation; needs --limit.")
@click.option("--limit", metavar="HOST", help="Only this host.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@errors_to_status
def command(
    project: Project, environment: str, digest: str | None, limit: str | None, yes: bool
) -> None:
    """Undo the last apply on the hosts that it changed, or go to a generation named by digest.

    Accounts in LDAP and mail stay as they are; a later apply goes forward again.

    Example: danhba rollback staging --limit mx1 --to 4f0c1b2a9d3e
    """
    if digest is not None and not (digest and limit):
        raise EngineError("--to names a generation of one host: say which with --limit")
    env = project.environment(environment)
    with session(env, limit) as hosts:
        reports = look(hosts)
        steps = _steps(hosts, reports, digest, env.remembered)
        for step in steps:
            tell(f"{step.host.name}: {_short(reports, step)} -> {step.digest[:12]}")
            for words, addresses in (("refused again", step.gone), ("known again", step.new)):
                if addresses:
                    tell(f"  {words}: {listed(addresses)}")
        if not steps or not (yes or click.confirm("Swap back?")):
            sys.exit(1)
        _carry_out(hosts, steps)


def _short(reports: Mapping[str, Report], step: Step) -> str:
    return str(reports[step.host.name]["live"] or "none")[:12]


def _steps(
    hosts: Session, reports: Mapping[str, Report], wanted: str | None, remembered: Remembered
) -> list[Step]:
    newest = max((_since(report) for report in reports.values()), default="")
    steps = []
    for host in hosts.hosts():
        report = reports[host.name]
        digest = _named(host.name, report, wanted) if wanted else _before(report, newest)
        if digest is None or digest == report["live"]:
            tell(f"{host.name}: was not changed by the last apply; stays")
            continue
        moved = hosts.step(host, "accounts", {"digest": digest, "homes": TABLE})
        if displaced := [*moved["displaced"], *_arrived(host.name, moved["gone"], remembered)]:
            raise EngineError(
                f"{host.name}: {len(displaced)} mailboxes have moved since, with their mail: "
                f"{listed(displaced)}. Move them back with danhba move, or failback; then roll back"
            )
        holder = report["lock"]
        instead_of = holder["token"] if holder and is_gone(holder) else None
        steps.append(Step(host, digest, instead_of, tuple(moved["gone"]), tuple(moved["new"])))
    return _in_order(steps)


def _arrived(store: str, gone: Collection[str], remembered: Remembered) -> list[str]:
    """Of the addresses that a store would forget, those of mailboxes that were moved to it."""
    here = {each.account for each in remembered.moved if each.store == store}
    return sorted(address for address in gone if address.partition("@")[0] in here)


def _since(report: Report) -> str:
    """When the host's last swap began, and which run it was part of."""
    swapped = report["swapped"] or {}
    return f"{swapped.get('since', '')} {swapped.get('token', '')}"


def _before(report: Report, newest: str) -> str | None:
    if report["live"] != report["confirmed"]:  # the swap was cut off before all answered
        return report["confirmed"]  # type: ignore[no-any-return]
    return report["previous"] if _since(report) == newest else None


def _named(name: str, report: Report, wanted: str) -> str:
    kept = [item["digest"] for item in report["generations"]]
    found = [digest for digest in kept if digest.startswith(wanted)]
    if len(found) != 1:
        raise EngineError(f"{name}: {wanted} names {len(found)} of its generations")
    return str(found[0])


def _in_order(steps: list[Step]) -> list[Step]:
    """An edge may never accept what its store does not know: stores learn first, forget last."""
    forgets = any(step.gone for step in steps) and not any(step.new for step in steps)
    return sorted(steps, key=lambda step: ("edge" in step.host.groups) != forgets)


def _carry_out(hosts: Session, steps: list[Step]) -> None:
    token = me()["token"]
    try:
        for step in steps:
            hosts.step(step.host, "lock", {"owner": me(), "instead_of": step.instead_of})
        for step in steps:
            request = {
                "token": token, "digest": step.digest,
                "address": step.host.data.get("ipv4"), "name": step.host.data.get("fqdn"),
            }  # fmt: skip
            hosts.step(step.host, "activate", request)
            tell(f"{step.host.name}: generation {step.digest[:12]} is live")
    finally:
        for step in steps:  # a lock that is not ours stays
            with contextlib.suppress(EngineError):
                hosts.step(step.host, "unlock", {"token": token})
