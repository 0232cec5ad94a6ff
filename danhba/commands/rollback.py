"""danhba rollback: back to an older generation that the hosts still have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from pyinfra.api.host import Host

from danhba.commands.common import errors_to_status, tell
from danhba.engine import EngineError, Session, session
from danhba.owner import is_gone, me
from danhba.project import Project

NOTHING: dict[str, Any] = {"files": {}, "secret": [], "packages": [], "units": [], "entries": None}


@click.command("rollback")
@click.argument("environment")
@click.option("--to", "digest", metavar="DIGEST", help="A generation; default: the one before.")
@click.option("--limit", metavar="HOST", help="Only this host; needed with --to.")
@click.pass_obj
@errors_to_status
def command(project: Project, environment: str, digest: str | None, limit: str | None) -> None:
    """Swap back to the generation before, or to one named by (the start of) its digest.

    Accounts in LDAP and mail stay as they are; a later apply goes forward again.

    Example: danhba rollback staging --limit mx1 --to 4f0c1b2a9d3e
    """
    if digest and not limit:
        raise EngineError("--to names a generation of one host: say which with --limit")
    with session(project.environment(environment), limit) as hosts:
        # Only what the hosts have is asked: a directory with errors must not stand in the way.
        reports = hosts.each(lambda host: hosts.step(host, "report", NOTHING))
        targets = {name: _target(name, report, digest) for name, report in reports.items()}
        for host in hosts.hosts():
            if targets[host.name] is None:
                tell(f"{host.name}: has no older generation; stays")
                continue
            _roll_back(hosts, host, reports[host.name]["lock"], str(targets[host.name]))


def _target(name: str, report: Mapping[str, Any], wanted: str | None) -> str | None:
    kept = [item["digest"] for item in report["generations"]]
    if wanted is None:
        before: str | None = report["previous"]
        return before
    found = [digest for digest in kept if digest.startswith(wanted)]
    if len(found) != 1:
        raise EngineError(f"{name}: {wanted} names {len(found)} of its generations")
    return str(found[0])


def _roll_back(hosts: Session, host: Host, holder: Mapping[str, Any] | None, digest: str) -> None:
    token = me()["token"]
    instead_of = holder["token"] if holder and is_gone(holder) else None
    hosts.step(host, "lock", {"owner": me(), "instead_of": instead_of})
    try:
        request = {
            "token": token, "digest": digest, "entries": None,
            "address": host.data.get("ipv4"), "name": host.data.get("fqdn"),
        }  # fmt: skip
        hosts.step(host, "activate", request)
    finally:
        hosts.step(host, "unlock", {"token": token})
    tell(f"{host.name}: generation {digest[:12]} is live")
