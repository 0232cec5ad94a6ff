"""danhba keeper-log: who opened agencies' mailboxes, and who tried to."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.editing import DAY
from danhba.engine import EngineError, session
from danhba.keeper_log import Opening, openings
from danhba.letters import escaped
from danhba.load import load
from danhba.model import Directory
from danhba.project import BadDirectory, Project
from deploys.common import KEEPER_LOG, KEEPER_UNIT


@click.command("keeper-log")
@click.argument("environment")
@click.option("--agency", default="", help="Address of one agency; default: all.")
@click.option("--since", type=DAY, help="First day; default: all there is.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
@errors_to_status
def command(
    project: Project, environment: str, agency: str, since: datetime | None, form: str
) -> None:
    """Logins to agencies' mailboxes from the record of every store, by time (Điều 9.2.c).

    A line says when, which mailbox, who, from where, by which protocol, and whether it was opened.
    An agency that is in neither the directory nor the record is an error. A store that does not
    answer is named, and the exit status is 1: it keeps its record, so ask again when it is back.

    Example: danhba keeper-log staging --agency sotaichinh --since 2026-11-01
    """
    env = project.environment(environment)
    directory, findings = load(project.directory)
    if directory is None:
        raise BadDirectory(findings)
    zone = ZoneInfo(directory.province.timezone)
    first = since.replace(tzinfo=zone) if since else datetime.fromtimestamp(0, zone)
    request = {"unit": KEEPER_UNIT, "place": KEEPER_LOG, "since": first.timestamp()}
    stores = {store.name for store in env.having("store")}
    with session(env, partly=True) as hosts:
        answers = hosts.each(
            lambda host: hosts.step(host, "keepers", request) if host.name in stores else {}
        )
    absent = sorted(stores.intersection(hosts.absent))
    for name in absent:
        tell(f"{name} does not answer: logins there are missing; it keeps its record: "
             "ask again when it is back")  # fmt: skip
    lines = {name: answer.get("lines", []) for name, answer in answers.items()}
    for found in _of(agency, openings(lines), directory):
        if found.when >= first:
            click.echo(_text(found, zone) if form == "text" else _json(found))
    sys.exit(1 if absent else 0)


def _of(agency: str, record: list[Opening], directory: Directory) -> list[Opening]:
    """Of one agency, by its address with the domain or without; "" is all. The record keeps
    agencies that have left the directory. Raises EngineError for one in neither."""
    if not agency:
        return record
    name = agency.lower().removesuffix(f"@{directory.province.domain}")
    accounts = {each.address: each.kept_as for each in directory.agencies}
    account = accounts.get(name, name)
    found = [each for each in record if each.agency == account]
    if not found and account not in accounts.values():
        raise EngineError(f"there is no agency {agency} in the directory or in the record")
    return found


def _text(found: Opening, zone: ZoneInfo) -> str:
    when = found.when.astimezone(zone).isoformat(" ", "seconds")
    what = "opened" if found.opened else "refused"
    who = found.keeper or "(none)"  # somebody typed AGENCY* and no name: seven words all the same
    words = (when, found.agency, who, found.client, found.protocol, what, found.store)
    return escaped(" ".join(words))


def _json(found: Opening) -> str:
    return json.dumps({**vars(found), "when": found.when.isoformat()}, ensure_ascii=False)
