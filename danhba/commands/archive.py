"""danhba archive: what the archive of all mail has, and whether it is what was written."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click

from danhba.archive.vault import ask, vault_of
from danhba.check import check_file
from danhba.commands.common import TEXT, errors_to_status, tell
from danhba.commands.editing import DAY
from danhba.engine import EngineError, Session, session
from danhba.inventory import Environment
from danhba.letters import escaped
from danhba.owner import me
from danhba.project import BadDirectory, Project
from danhba.relocation.agent import run
from deploys.archive import MEMORY, rules

_MB = 1_000_000


@click.group("archive")
def command() -> None:
    """The archive of all mail: prove it, search it."""


@command.command("verify")
@click.argument("environment")
@click.option("--from", "since", type=DAY, help="Read only what was written from this day on.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
@errors_to_status
def verify(project: Project, environment: str, since: datetime | None, form: str) -> None:
    """Read all of the archive: is it what was written?

    Every line and every byte is compared with the chain of hashes, and the chain with what all
    hosts remember of it; what went is compared with the years and holds of this directory. Exit
    status: 0 nothing found, 2 something was changed, removed or put in.

    Example: danhba archive verify staging
    """
    env = project.environment(environment)
    vault = vault_of(env)
    with session(env, partly=True) as hosts:
        question = {
            "ask": "verify", "who": me()["who"], **_remembered(hosts, env),
            "rules": rules(project.compiled(env)),
            "asked": {hold.case: str(hold.asked) for hold in project.read().holds},
            "since": f"{since:%Y/%m/%d}" if since else "",
        }  # fmt: skip
        found = ask(hosts, vault, question)
        absent = hosts.absent
    click.echo(json.dumps(found, ensure_ascii=False, indent=1) if form == "json" else _proof(found))
    if absent:
        tell(f"what {', '.join(absent)} remembers was not asked: no answer")
    sys.exit(2 if found["findings"] else 1 if absent else 0)


def _remembered(hosts: Session, env: Environment) -> dict[str, list[list[Any]]]:
    """Of every host that answers: "memories", hosts, number, hash, day of a root each; "applied",
    as danhba.journal.policy.Years. What the vault itself says proves nothing."""
    vault = vault_of(env)
    memories: dict[tuple[int, str, str], list[str]] = {}
    applied = []
    rows = hosts.each(lambda host: [] if host.name == vault else _of_host(hosts, host))
    for name, own in rows.items():
        for row in own:
            if isinstance(row, dict):
                applied.append([name, row["after"], row["n"], row["years"]])
            else:
                memories.setdefault(tuple(row), []).append(name)
    return {
        "memories": [[", ".join(names), *each] for each, names in memories.items()],
        "applied": applied,
    }


def _of_host(hosts: Session, host: Any) -> list[Any]:
    said = run(hosts, host, [*MEMORY, "remembered"])
    return [json.loads(line) for line in said.splitlines()]


def _proof(found: Mapping[str, Any]) -> str:
    lines = [
        *found["findings"],
        f"{found['entries']} entries, {found['messages']} messages, {found['size'] / _MB:.1f} MB in"
        f" {found['seconds']:.1f} s; the last entry is {found['n']}, {found['hash']}",
        f"what {len(found['hosts'])} other hosts remember of {found['remembered']} entries agrees",
        *(
            f"{count} messages are gone by rule: after {years} years"
            + (f", of agencies of the kind {kept_as}" if kept_as else "")
            for kept_as, years, count in found["removed"]
        ),
        f"FOUND: {len(found['findings'])}; docs/archive.md says what to do"
        if found["findings"]
        else "nothing was changed, removed or put in",
    ]
    return "\n".join(lines)


@command.command("search")
@click.argument("environment")
@click.option(
    "--address", type=TEXT, multiple=True, help="Sender or recipient; may be given again."
)
@click.option("--agency", type=TEXT, multiple=True, help="Address of an agency whose mail it is.")
@click.option(
    "--message-id", "message_ids", type=TEXT, multiple=True, help="With the angle brackets."
)
@click.option("--from", "first", default="", help="First day, like 2026-11-20.")
@click.option("--to", "last", default="", help="Last day.")
@click.option("--why", type=TEXT, default="", help="For the record, as the number of a request.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
@errors_to_status
def search(
    project: Project,
    environment: str,
    address: tuple[str, ...],
    agency: tuple[str, ...],
    message_ids: tuple[str, ...],
    first: str,
    last: str,
    why: str,
    form: str,
) -> None:
    """Which messages passed: times, addresses, sizes, never what is in them.

    The chain itself records who searched for what.

    Example: danhba archive search staging --address nvan@angiang.gov.vn --from 2026-11-01
    """
    directory, findings = check_file(project.directory)
    if directory is None:
        raise BadDirectory(findings)
    if not (address or agency or message_ids or first or last):
        raise EngineError("say what to look for: --address, --agency, --message-id, --from, --to")
    known = {each.address: each.kept_as for each in directory.agencies}
    if unknown := [each for each in agency if each not in known]:
        raise EngineError(f"there is no agency {unknown[0]}")
    zone, domain = ZoneInfo(directory.province.timezone), directory.province.domain
    question = {
        "ask": "search",
        "who": me()["who"],
        **({"why": why} if why else {}),
        "addresses": [each if "@" in each else f"{each}@{domain}" for each in address],
        "agencies": [known[each] for each in agency],
        "message_ids": list(message_ids),
        "first": _stamp(first, zone, 0),
        "until": _stamp(last, zone, 1),
    }
    env = project.environment(environment)
    with session(env, limit=vault_of(env)) as hosts:
        found = ask(hosts, vault_of(env), question)
    text = json.dumps(found, ensure_ascii=False, indent=1)
    click.echo(text if form == "json" else "\n".join(_rows(found, zone)))


def _stamp(day: str, zone: ZoneInfo, later: int) -> str:
    """Of midnight in the province. Raises EngineError."""
    if not day:
        return ""
    try:
        begun = datetime.combine(datetime.strptime(day, "%Y-%m-%d"), time(), zone)
    except ValueError:
        raise EngineError(f"{day!r} is no day: write it as 2026-11-20") from None
    return (begun + timedelta(days=later)).isoformat()


def _rows(found: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    for row in found["rows"]:
        then = datetime.fromisoformat(row["passed"].replace("Z", "+00:00")).astimezone(zone)
        gone = ", gone by rule" if row["expired"] else ""
        yield escaped(
            f"{then:%Y-%m-%d %H:%M:%S}  {row['from'] or '<>'} -> {', '.join(row['to'])}"
            f"  {row['size']} bytes  {row['message_id']}  {row['id']}  entry {row['n']}{gone}"
        )
    shown = len(found["rows"])
    more = f"; the newest {shown} are shown" if found["count"] > shown else ""
    yield f"{found['count']} messages, {found['size'] / _MB:.1f} MB{more}"
