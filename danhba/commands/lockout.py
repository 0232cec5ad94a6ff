"""danhba lockout: who is refused for guessing passwords, and an end to it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import click

from danhba.check import check_file
from danhba.commands.answers import ask, tell_silent
from danhba.commands.common import errors_to_status, tell
from danhba.compile import compile_directory
from danhba.errors import DanhbaError
from danhba.owner import me
from danhba.project import BadDirectory, Project


@click.group("lockout")
def command() -> None:
    """Who is locked out for guessing passwords (docs/lockout.md), and an end to it.

    Example: danhba lockout list staging
    """


@command.command("list")
@click.argument("environment")
@click.pass_obj
@errors_to_status
def list_(project: Project, environment: str) -> None:
    """Show what is refused now: account, source, until when, on which hosts.

    Exit status: 0 done, 1 some host did not answer and is named.

    Example: danhba lockout list staging
    """
    answers, silent = ask(project.environment(environment), "lockout", lambda _: {"do": "list"})
    for (account, source), row in sorted(_refusals(answers).items()):
        click.echo(f"{_words(account, source)} until {row['ends']}, on {', '.join(row['hosts'])}")
    for name, answer in answers.items():
        for peer, problem in answer["peers"].items():
            if problem:
                tell(f"{name} does not hear {peer}: {problem}")
    tell_silent(silent, "what it refuses is not shown")


@command.command("lift")
@click.argument("environment")
@click.argument("address", required=False, default="")
@click.option("--source", default="", help="An IP address, or the network that `list` names.")
@click.pass_obj
@errors_to_status
def lift(project: Project, environment: str, address: str, source: str) -> None:
    """Let an account in again, or a source, on all hosts at once.

    With ADDRESS and --source the account is known from that network from now on: the way in for
    somebody on a journey while his account is under attack.

    A host that does not answer is named, and the exit status is 1: hosts tell each other of guesses
    and never of an end to it, so lift again when it is back.

    Example: danhba lockout lift staging nvan
    """
    account = _account(project, address) if address else ""
    if not account and not source:
        raise DanhbaError("name an address, or a --source")
    request = {"do": "lift", "account": account, "source": _parsed(source), "by": me()["who"]}
    answers, silent = ask(project.environment(environment), "lockout", lambda _: request)
    lifted = [name for name, answer in answers.items() if answer["lifted"]]
    click.echo(f"lifted on {', '.join(lifted)}" if lifted else "nothing was refused; counts are 0")
    words = " ".join([*([address] if address else []), *(["--source", source] if source else [])])
    again = f"danhba lockout lift {environment} {words}"
    tell_silent(silent, f"what it refuses it still refuses; when it answers: {again}")


def _refusals(answers: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """By account and source, of all hosts: the latest end, and who refuses."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for name, answer in answers.items():
        for row in answer["refusals"]:
            own = found.setdefault((row["account"], row["source"]), {"ends": "", "hosts": []})
            own["ends"] = max(own["ends"], row["ends"])
            own["hosts"].append(name)
    return found


def _words(account: str, source: str) -> str:
    if not account:
        return f"{source}: accounts that are not known from there"
    return f"{account} from {source}" if source else f"{account} from where it is not known"


def _account(project: Project, address: str) -> str:
    """Under which name the daemons count it: the account's, whatever it is called today."""
    directory, findings = check_file(project.directory)
    if directory is None:
        raise BadDirectory(findings)
    compiled = compile_directory(directory)
    account = compiled.account_of(address)
    if account is None:
        raise DanhbaError(f"nobody has the address {address}")
    return f"{account}@{compiled.domain}"


def _parsed(source: str) -> str:
    """An address of a source that `list` names: the daemon makes the source of it again."""
    if not source:
        return ""
    try:
        return str(ip_address(source.partition("/")[0]))
    except ValueError:
        raise DanhbaError(f"{source} is no IP address") from None
