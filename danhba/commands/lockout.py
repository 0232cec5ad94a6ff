"""danhba lockout: who is refused for guessing passwords, and an end to it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import click

from danhba.check import check_file
from danhba.commands.common import errors_to_status, tell
from danhba.compile import compile_directory
from danhba.engine import session
from danhba.errors import DanhbaError
from danhba.inventory import Environment
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

    Example: danhba lockout list staging
    """
    answers = _ask(project.environment(environment), {"do": "list"})
    for (account, source), row in sorted(_refusals(answers).items()):
        click.echo(f"{_words(account, source)} until {row['ends']}, on {', '.join(row['hosts'])}")
    for name, answer in answers.items():
        for peer, problem in answer["peers"].items():
            if problem:
                tell(f"{name} does not hear {peer}: {problem}")


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

    Example: danhba lockout lift staging nvan
    """
    account = _account(project, address) if address else ""
    if not account and not source:
        raise DanhbaError("name an address, or a --source")
    request = {"do": "lift", "account": account, "source": _parsed(source)}
    answers = _ask(project.environment(environment), request)
    lifted = [name for name, answer in answers.items() if answer["lifted"]]
    click.echo(f"lifted on {', '.join(lifted)}" if lifted else "nothing was refused; counts are 0")


def _ask(env: Environment, request: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    with session(env) as hosts:
        return hosts.each(lambda host: hosts.step(host, "lockout", request))


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
    local = address.lower().removesuffix(f"@{compiled.domain}")
    for mailbox in compiled.mailboxes:
        if local in (mailbox.address, mailbox.account):
            return f"{mailbox.account}@{compiled.domain}"
    raise DanhbaError(f"nobody has the address {address}")


def _parsed(source: str) -> str:
    """An address of a source that `list` names: the daemon makes the source of it again."""
    if not source:
        return ""
    try:
        return str(ip_address(source.partition("/")[0]))
    except ValueError:
        raise DanhbaError(f"{source} is no IP address") from None
