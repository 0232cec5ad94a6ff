"""danhba dkim: the records that sign mail, and new keys for them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

import click
from pyinfra.api.host import Host

from danhba.commands import outbound_records
from danhba.commands.common import errors_to_status, tell
from danhba.compile import compile_directory
from danhba.engine import Session, session
from danhba.errors import DanhbaError
from danhba.inventory import Environment
from danhba.project import Project
from danhba.relocation.agent import run
from danhba.signing.records import zone_line
from deploys.signing import PROGRAM

_PAUSE = 2.0
"""Seconds between two looks at DNS."""

Answers = Mapping[str, Mapping[str, Any]]


@click.group("dkim")
def command() -> None:
    """Signatures of what leaves the province (docs/dkim.md): records to publish, new keys.

    Example: danhba dkim show staging
    """


@command.command("show")
@click.argument("environment")
@click.pass_obj
@errors_to_status
def show(project: Project, environment: str) -> None:
    """Print the records that DNS must hold, as a zone file has them, and whether it does.

    Asked are the name servers of the zone themselves, by each edge for its own keys. Behind the
    keys come the records for reports on TLS and for MTA-STS (docs/outbound-tls.md).

    Exit status: 0 DNS has what is used, 2 something is to be published or taken out, 1 an edge or a
    name server does not answer and is named.

    Example: danhba dkim show staging >angiang.dkim.zone
    """
    env = project.environment(environment)
    answers, absent = _ask(env, env.having("edge"), "show")
    for name, answer in answers.items():
        for pair in answer["pairs"]:
            click.echo("\n".join(_pair(name, pair, answer["trouble"])))
    click.echo("\n".join(outbound_records.lines(compile_directory(project.read()).domain, env)))
    _finish(environment, answers, absent)


@command.command("rotate")
@click.argument("environment")
@click.option("--edge", default="", help="Only this one; default: every edge.")
@click.option("--again", is_flag=True, help="Also where the keys are younger than a week.")
@click.option("--wait", "minutes", default=0, help="Wait so many minutes for DNS.")
@click.pass_obj
@errors_to_status
def rotate(project: Project, environment: str, edge: str, again: bool, minutes: int) -> None:
    """New keys, step by step: each call does what can be done, and says what is waited for.

    1. makes a pair of keys on each edge and prints its records, which you publish;
    2. when every name server of the zone shows them, and no resolver remembers that they were not
    there, signs with the new pair;
    3. thirty days later says which old records may be taken out. With that the rotation ends; the
    next call begins another one.

    A call that was cut off is made again. Nothing is switched before DNS has the records.

    Exit status: 0 nothing is waited for, 2 something is, 1 an edge or name server does not answer.

    Example: danhba dkim rotate staging --wait 60
    """
    env = project.environment(environment)
    edges = tuple(host for host in env.having("edge") if edge in ("", host.name))
    if not edges:
        raise DanhbaError(f"{environment} has no edge {edge}")
    end = time.monotonic() + 60 * minutes
    answers, absent = _ask(env, edges, "again" if again else "rotate")
    _tell_done(answers)
    for line in _waiting(answers):
        click.echo(line)
    while _waits(answers) and time.monotonic() < end:  # a silent server may come back
        time.sleep(_PAUSE)
        answers, absent = _ask(env, edges, "rotate")
        _tell_done(answers)
    _finish(environment, answers, absent)


def _ask(
    env: Environment, edges: tuple[Any, ...], word: str
) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """What edges answer, and which do not: one that is down keeps no other from new keys."""
    names = {host.name for host in edges}
    others = [host.name for host in env.hosts if host.name not in names]
    with session(env, partly=True, without=others) as hosts:
        found = hosts.each(lambda host: _answer(hosts, host, word) if host.name in names else {})
        return (
            {name: answer for name, answer in found.items() if answer},
            tuple(name for name in hosts.absent if name in names),
        )


def _answer(hosts: Session, host: Host, word: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(hosts, host, [*PROGRAM, word]))
    return found


def _day(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(second))


def _pair(edge: str, pair: Mapping[str, Any], trouble: str) -> list[str]:
    """A comment on its state, and its records. trouble: why DNS was not asked."""
    name, since = pair["name"], _day(pair["since"])
    lines = [zone_line(owner, text) for owner, text in pair["records"].items()]
    if pair["role"] == "retired":
        return [f"; {edge}: {name}: take out, not used since {since}", *(f"; {x}" for x in lines)]
    words = {
        "signing": f"signs since {since}",
        "next": f"made {since}, is used once DNS has it: danhba dkim rotate",
        "former": f"not used since {since}, to stay until {_day(pair['until'] or 0)}",
    }
    return [f"; {edge}: {name}: {words[pair['role']]}; {_seen(pair, trouble)}", *lines]


def _seen(pair: Mapping[str, Any], trouble: str) -> str:
    if trouble:
        return "not known whether it is published"
    if pair["missing"]:
        return f"PUBLISH: not at {', '.join(pair['missing'])}"
    return "published"


def _tell_done(answers: Answers) -> None:
    for name, answer in answers.items():
        for line in answer["done"]:
            tell(f"{name}: {line}")


def _waiting(answers: Answers) -> list[str]:
    """Records of pairs that are to be used."""
    return [
        line
        for name, answer in answers.items()
        for pair in answer["pairs"]
        if pair["role"] == "next"
        for line in _pair(name, pair, answer["trouble"])
    ]


def _waits(answers: Answers) -> bool:
    return any(pair["role"] == "next" for answer in answers.values() for pair in answer["pairs"])


def _finish(environment: str, answers: Answers, absent: tuple[str, ...]) -> None:
    """Say what is to be done, and leave with the status that says so."""
    for name in absent:
        tell(f"{name} does not answer: its keys are not known; ask again when it is back")
    silent = [name for name, answer in answers.items() if answer["trouble"]]
    for name in silent:
        tell(f"{name}: {answers[name]['trouble']}: nothing is switched until it answers")
    to_do = [line for name, answer in answers.items() for line in _to_do(name, answer, environment)]
    for line in to_do:
        tell(line)
    if absent or silent:
        sys.exit(1)
    sys.exit(2 if to_do else 0)


def _to_do(edge: str, answer: Mapping[str, Any], environment: str) -> list[str]:
    again = f"then danhba dkim rotate {environment}"
    lines = []
    for pair in answer["pairs"]:
        name, role = pair["name"], pair["role"]
        if role == "retired":
            if pair["there"]:
                lines.append(f"{edge}: take the records of {name} out of DNS")
        elif pair["missing"]:
            then = f", {again}" if role == "next" else ""
            lines.append(f"{edge}: publish the records of {name}{then}")
        elif role == "next" and not answer["trouble"]:
            left = pair["left"]
            lines.append(
                f"{edge}: {name} is published; in {left} s nobody remembers otherwise, {again}"
            )
        if not pair["usable"]:
            lines.append(
                f"{edge}: the keys of {name} cannot be read: danhba dkim rotate {environment}"
            )
    return lines
