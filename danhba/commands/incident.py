"""danhba incident: accounts that are suspended because somebody misuses them, and an end to it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import click

from danhba.commands.answers import ask, tell_silent
from danhba.commands.common import errors_to_status, tell
from danhba.compile import compile_directory
from danhba.errors import DanhbaError
from danhba.inventory import Environment
from danhba.owner import me
from danhba.project import Project
from deploys.instance import edge

_WHY = {
    "recipients": "{outside} addresses outside",
    "inside": "{inside} addresses of the province",
    "spam": "{spam} messages like spam",
    "bounces": "{bounced} addresses outside that nobody has",
    "unknown": "{unknown} addresses inside that nobody has",
}
"""In an hour; by reason of an incident (danhba/lockout/misuse.py)."""


@click.group("incident")
def command() -> None:
    """Accounts that were suspended for misuse (docs/incidents.md), and an end to it.

    Example: danhba incident list staging
    """


@command.command("list")
@click.argument("environment")
@click.option("--all", "everything", is_flag=True, help="Those that were released as well.")
@click.pass_obj
@errors_to_status
def list_(project: Project, environment: str, everything: bool) -> None:
    """A line for each account that is suspended, with how much of its mail is held.

    Exit status: 0 done, 1 some host did not answer and is named: the others have the same record,
    but what is held there is not counted.

    Example: danhba incident list staging --all
    """
    answers, silent = _ask(project.environment(environment), {"do": "incidents"})
    for each in _incidents(answers):
        if each["open"] or everything:
            click.echo(_line(each, _held(answers, each["id"])))
    tell_silent(silent, "what it holds is not counted")


@command.command("show")
@click.argument("environment")
@click.argument("name")
@click.pass_obj
@errors_to_status
def show(project: Project, environment: str, name: str) -> None:
    """One incident as JSON: what was seen, what was done when by whom, and what is held.

    NAME as `list` has it, or the address of an account for its last one. Nothing of what the mails
    say is known.

    Example: danhba incident show staging 20261126-151733-nvan
    """
    answers, silent = _ask(project.environment(environment), {"do": "incidents"})
    for each in _named(project, _incidents(answers), name)[-1:]:
        shown = {key: value for key, value in each.items() if key not in ("what", "events", "at")}
        shown["events"] = [
            {key: value for key, value in event.items() if key not in ("id", "facts", "at")}
            for event in each["events"].values()
        ]
        shown["held"] = _held(answers, each["id"])
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    tell_silent(silent, "what it holds is not shown")


@command.command("release")
@click.argument("environment")
@click.argument("name")
@click.option(
    "--return-queue", is_flag=True,
    help="Held mail goes back to the account's own mailbox, instead of to its recipients.",
)  # fmt: skip
@click.pass_obj
@errors_to_status
def release(project: Project, environment: str, name: str, return_queue: bool) -> None:
    """End a suspension on all hosts: logins work again, and what was held leaves.

    Change the password first, if somebody else knew it: danhba password reset. Who releases, and
    when, is recorded. A host that does not answer hears it from the others when it is back.

    Example: danhba incident release staging nvan --return-queue
    """
    env = project.environment(environment)
    answers, _ = _ask(env, {"do": "incidents"})
    stand = [each for each in _named(project, _incidents(answers), name) if each["open"]]
    if not stand:
        raise DanhbaError(f"{name} is not suspended (danhba incident list {environment} --all)")
    for each in stand:
        request = {
            "do": "release",
            "name": each["id"],
            "by": me()["who"].partition(" (")[0],
            "queue": "return" if return_queue else "go",
            "at": time.time(),
        }
        done, silent = _ask(env, request)
        if not done:
            raise DanhbaError("no host answers: nothing was released")
        click.echo(f"released: {each['account']}")
        for host, reason in silent.items():
            tell(f"{host}: {reason}: it hears of the release from the others when it is back")


def _ask(
    env: Environment, request: Mapping[str, Any]
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Of edges also what their queue holds."""
    edges = {host.name: edge(host).postfix for host in env.having("edge")}
    return ask(env, "incidents", lambda name: {**request, "postfix": edges.get(name, "")})


def _incidents(answers: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of all hosts, each once: the one that knows most of it, the oldest first."""
    found: dict[str, dict[str, Any]] = {}
    for answer in answers.values():
        for each in answer["incidents"]:
            there = found.get(each["id"])
            if there is None or len(each["events"]) > len(there["events"]):
                found[each["id"]] = each
    counted = (each for each in found.values() if "merged" not in each["events"])
    return sorted(counted, key=lambda each: (each["at"], each["id"]))


def _held(answers: Mapping[str, Mapping[str, Any]], name: str) -> list[dict[str, Any]]:
    return [
        {"host": host, **{key: value for key, value in held.items() if key != "incident"}}
        for host, answer in answers.items()
        for held in answer.get("held", ())
        if held["incident"] == name
    ]


def _line(each: Mapping[str, Any], held: list[dict[str, Any]]) -> str:
    events, facts = each["events"], each["facts"]
    why = _WHY[each["why"]].format_map(facts)
    since = events["opened"]["when"]
    text = f"{each['id']}: {each['account']}, {since}: {why} in an hour (limit {facts['limit']})"
    if end := events.get("released"):
        return f"{text}; released {end['when']} by {end['by']}"
    return f"{text}; {len(held)} messages held"


def _named(project: Project, incidents: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """By their own name, or by an address of today. Raises DanhbaError when there is none."""
    compiled = compile_directory(project.read())
    account = f"{compiled.account_of(name) or name}@{compiled.domain}"
    found = [each for each in incidents if name == each["id"] or account == each["account"]]
    if not found:
        raise DanhbaError(f"there is no incident {name}")
    return found
