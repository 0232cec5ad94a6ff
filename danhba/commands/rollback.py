"""danhba rollback: back to an older generation that the hosts still have."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click
from pyinfra.api.host import Host

from danhba.commands.common import errors_to_status, tell
from danhba.commands.hosts import look
from danhba.engine import EngineError, Session, session
from danhba.inventory import Environment
from danhba.owner import is_gone, me
from danhba.placement import Remembered
from danhba.plan_text import listed
from danhba.project import Project
from deploys.standby import TABLE

Report = Mapping[str, Any]


@dataclass(frozen=True)
class Undone:
    """What a rollback undoes. change: names an apply, or a rollback with all that completed it.
    by: names the rollback that has begun to undo it and was cut off, None when there is none."""

    change: str
    by: str | None


@dataclass(frozen=True)
class Step:
    """One host's way back. gone, new: addresses that leave and come to its tables."""

    host: Host
    digest: str
    instead_of: str | None
    gone: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def edge(self) -> bool:
        return "edge" in self.host.groups


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

    Accounts in LDAP and mail stay as they are; a later apply goes forward again. Hosts that do not
    answer are left out and named, and the exit status is 1; run again it goes on with what is left,
    as after a cut.

    Example: danhba rollback staging --limit mx1 --to 4f0c1b2a9d3e
    """
    if digest is not None and not (digest and limit):
        raise EngineError("--to names a generation of one host: say which with --limit")
    env = project.environment(environment)
    with session(env, limit, partly=not limit) as hosts:
        reports = look(hosts)
        undone = _undone(reports)
        _can_tell(hosts, reports, undone)
        wanted = _steps(hosts, reports, digest, undone, env.remembered)
        steps = _in_order(_able(wanted, _roles(env, hosts.absent)))
        left = [*hosts.absent, *(each.host.name for each in wanted if each not in steps)]
        _tell(reports, steps, left)
        if not steps or not (yes or click.confirm("Swap back?")):
            sys.exit(1)
        mark = {} if digest else {"undoes": undone.change, "change": undone.by or me()["token"]}
        _carry_out(hosts, steps, {**me(), **mark})
    if left:
        raise EngineError(f"rolled back, but not {', '.join(left)}")


def _tell(reports: Mapping[str, Report], steps: list[Step], left: list[str]) -> None:
    for step in steps:
        tell(f"{step.host.name}: {_short(reports, step)} -> {step.digest[:12]}")
        for words, addresses in (("refused again", step.gone), ("known again", step.new)):
            if addresses:
                tell(f"  {words}: {listed(addresses)}")
    for name in left:
        why = "waits for those" if name in reports else "does not answer"
        tell(f"{name}: {why}; left out. When all answer, roll back again")


def _short(reports: Mapping[str, Report], step: Step) -> str:
    return str(reports[step.host.name]["live"] or "none")[:12]


def _steps(
    hosts: Session,
    reports: Mapping[str, Report],
    wanted: str | None,
    undone: Undone,
    remembered: Remembered,
) -> list[Step]:
    steps = []
    for host in hosts.hosts():
        report = reports[host.name]
        digest = _named(host.name, report, wanted) if wanted else _way_back(report, undone)
        if digest is None or digest == report["live"] == report["confirmed"]:
            back = undone.by and _change(_last_swap(report)) == undone.by
            why = "is back already" if back else "was not changed by the last apply; stays"
            tell(f"{host.name}: {why}")
            continue
        moved = hosts.step(host, "accounts", {"digest": digest, "places": TABLE})
        if displaced := [*moved["displaced"], *_arrived(host.name, moved["gone"], remembered)]:
            raise EngineError(
                f"{host.name}: {len(displaced)} mailboxes have moved since, with their mail or its "
                f"copy: {listed(displaced)}. Move them back with danhba move, or failback; then "
                "roll back"
            )
        holder = report["lock"]
        instead_of = holder["token"] if holder and is_gone(holder) else None
        steps.append(Step(host, digest, instead_of, tuple(moved["gone"]), tuple(moved["new"])))
    return steps


def _arrived(store: str, gone: Collection[str], remembered: Remembered) -> list[str]:
    """Of the addresses that a store would forget, those of mailboxes that were moved to it."""
    here = {each.account for each in remembered.moved if each.store == store}
    return sorted(address for address in gone if address.partition("@")[0] in here)


def _last_swap(report: Report) -> Mapping[str, Any]:
    """The owner of the swap that brought the host to where it is, one that was cut off as well;
    a danhba that noted no beginnings may have left that one out."""
    return (_is_cut_off(report) and report["begun"]) or report["swapped"] or {}


def _is_cut_off(report: Report) -> bool:
    """The swap, before all services answered."""
    return report["live"] != report["confirmed"]  # type: ignore[no-any-return]


def _instant(swap: Mapping[str, Any]) -> datetime:
    """Two engineers' machines may be in two time zones."""
    since = swap.get("since")
    return datetime.fromisoformat(since) if since else datetime.min.replace(tzinfo=UTC)


def _change(swap: Mapping[str, Any]) -> str:
    return str(swap.get("change") or swap.get("token", ""))


def _undone(reports: Mapping[str, Report]) -> Undone:
    """The last change; one that a rollback was cut off in undoing, while a host still has it."""
    swaps = [_last_swap(report) for report in reports.values()]
    newest = max(swaps, key=_instant, default={})
    before, cut_off = newest.get("undoes"), filter(_is_cut_off, reports.values())
    left = {*map(_change, swaps), *(_last_swap(each).get("undoes") for each in cut_off)}
    if before and before in left:
        return Undone(before, _change(newest))
    return Undone(_change(newest), None)


def _can_tell(hosts: Session, reports: Mapping[str, Report], undone: Undone) -> None:
    """Whether the last rollback is complete: to undo a complete one is to go forward again.
    Raises EngineError."""
    swaps = [_last_swap(report) for report in reports.values()]
    rolled = any(each.get("undoes") and _change(each) == undone.change for each in swaps)
    if hosts.absent and rolled and not undone.by:
        raise EngineError(
            f"all that answer are rolled back, {', '.join(hosts.absent)} may not be; nothing done. "
            "Roll back again when all answer, or go forward with danhba apply"
        )


def _way_back(report: Report, undone: Undone) -> str | None:
    last = _last_swap(report)
    if _is_cut_off(report):
        way = last["to"] if last.get("undoes") else report["confirmed"]
        return way  # type: ignore[no-any-return]
    return report["previous"] if _change(last) == undone.change else None


def _named(name: str, report: Report, wanted: str) -> str:
    kept = [item["digest"] for item in report["generations"]]
    found = [digest for digest in kept if digest.startswith(wanted)]
    if len(found) != 1:
        raise EngineError(f"{name}: {wanted} names {len(found)} of its generations")
    return str(found[0])


def _roles(env: Environment, absent: Collection[str]) -> set[str]:
    return {role for name in absent for role in env.host(name).roles}


def _able(steps: list[Step], missing: Collection[str]) -> list[Step]:
    """Steps that need not wait for a host that is left out. missing: roles of those.

    An edge learns nothing that an absent store may not know, a store forgets nothing that an absent
    edge may still accept; who waits is left out as well.
    """
    left_out = set(missing)
    waiting = [
        step for step in steps
        if (step.new and "store" in left_out if step.edge else step.gone and "edge" in left_out)
    ]  # fmt: skip
    if not waiting:
        return steps
    left_out |= {"edge" if step.edge else "store" for step in waiting}
    return _able([step for step in steps if step not in waiting], left_out)


def _in_order(steps: list[Step]) -> list[Step]:
    """An edge may never accept what its store does not know: stores learn first, forget last.
    Raises EngineError when both would have to be first."""
    edges = [step for step in steps if step.edge]
    stores = [step for step in steps if not step.edge]
    forgotten = _of(each.gone for each in stores) & _of(each.gone for each in edges)
    learnt = _of(each.new for each in stores) & _of(each.new for each in edges)
    if forgotten and learnt:
        raise EngineError(
            f"{listed(sorted(forgotten))} would be refused again and {listed(sorted(learnt))} "
            "known again: whichever hosts are first, an edge would accept mail that its store "
            "refuses. Nothing done; take the change back in the directory and apply that"
        )
    return edges + stores if forgotten else stores + edges


def _of(addresses: Iterable[Iterable[str]]) -> set[str]:
    return {each for some in addresses for each in some}


def _carry_out(hosts: Session, steps: list[Step], owner: Mapping[str, str]) -> None:
    token = owner["token"]
    try:
        for step in steps:
            hosts.step(step.host, "lock", {"owner": owner, "instead_of": step.instead_of})
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
