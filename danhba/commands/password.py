"""danhba password: first passwords for hand-over. Only hashes reach the servers."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from danhba import passphrase
from danhba.commands.common import errors_to_status, tell
from danhba.commands.hosts import prepare
from danhba.engine import ConnectionLost, EngineError, session
from danhba.generations.generation import Generation
from danhba.generations.host.entries import read_tree
from danhba.project import Project


@click.group("password")
def command() -> None:
    """Make passwords for people who have none, or new ones for people who lost theirs.

    Example: danhba password issue staging --agency sotaichinh --out passwords.txt
    """


@command.command("issue")
@click.argument("environment", required=False)
@click.option("--agency", required=True, help="Address of the agency: everybody in it.")
@click.option("--out", type=click.Path(path_type=Path), help="Write here, not to the terminal.")
@click.pass_obj
@errors_to_status
def issue(project: Project, environment: str | None, agency: str, out: Path | None) -> None:
    """First passwords for everybody of an agency who has none yet.

    Whoever has a password keeps it. The plain passwords are shown this once.

    Example: danhba password issue staging --agency sotaichinh
    """
    _give(project, environment, out, replace=False, agency=agency)


@command.command("reset")
@click.argument("environment", required=False)
@click.option("--address", required=True, help="The part before @, such as nvan.")
@click.option("--out", type=click.Path(path_type=Path), help="Write here, not to the terminal.")
@click.pass_obj
@errors_to_status
def reset(project: Project, environment: str | None, address: str, out: Path | None) -> None:
    """A new password for one account, whatever it had before.

    Example: danhba password reset staging --address nvan
    """
    _give(project, environment, out, replace=True, address=address)


def _give(
    project: Project, environment: str | None, out: Path | None, replace: bool,
    agency: str = "", address: str = "",
) -> None:  # fmt: skip
    env, generations = prepare(project, environment or _only_environment(project))
    people = env.having("people")[0]
    accounts = dict(_chosen(generations[people.name], agency, address))
    if not accounts:
        raise EngineError(f"the directory has nobody at {agency or address} who may log in")
    plain = {dn: passphrase.new() for dn in accounts}
    rows = {dn: f"{accounts[dn]}\t{plain[dn]}\n" for dn in sorted(plain)}
    request = _request(generations[people.name], plain, replace)
    with session(env, people.name) as hosts, _shown_once(out) as show:
        show(rows.values())  # before any is set: none is lost when the connection is
        answers = hosts.each(lambda host: hosts.step(host, "passwords", request))
        done = answers[people.name]["done"]
        show([rows[dn] for dn in sorted(done)])
    if kept := len(accounts) - len(done):
        tell(f"{kept} had a password already and keep it")


@contextlib.contextmanager
def _shown_once(out: Path | None) -> Iterator[Callable[[Iterable[str]], None]]:
    """Keeps rows in a file of its own, or for the terminal, and drops them when none was set."""
    last: list[str] = []
    target = _open(out) if out else None

    def show(rows: Iterable[str]) -> None:
        last[:] = rows
        if target is not None:
            _fill(target, last)

    try:
        yield show
    except BaseException as error:
        if isinstance(error, EngineError) and not isinstance(error, ConnectionLost):
            if out:  # the host said no: none was set
                out.unlink()
            raise
        tell("The people host did not confirm: these passwords are all set, or none of them is.")
        _hand_over(last, out)
        raise
    finally:
        if target is not None:
            os.close(target)
    _hand_over(last, out)


def _hand_over(rows: list[str], out: Path | None) -> None:
    if out:
        tell(f"{len(rows)} passwords are in {out}")
    else:
        click.echo("".join(rows), nl=False)


def _only_environment(project: Project) -> str:
    found = project.environments()
    if len(found) != 1:
        raise EngineError("say which environment: " + ", ".join(found))
    return found[0]


def _chosen(generation: Generation, agency: str, address: str) -> Iterable[tuple[str, str]]:
    """(dn, "name <address>") of the accounts meant: active persons of an agency, or one account
    that is active or locked."""
    for dn, attributes in read_tree(generation.tree_text).items():
        if "uid" not in attributes:
            continue
        mail, state = attributes["mail"][0], attributes.get("employeeType", ["active"])[0]
        if address:
            meant = mail.partition("@")[0] == address and state in ("active", "locked")
        else:
            member = agency in attributes["departmentNumber"] and "employeeNumber" in attributes
            meant = member and state == "active"
        if meant:
            yield dn, f"{attributes['cn'][0]} <{mail}>"


def _request(generation: Generation, plain: Mapping[str, str], replace: bool) -> dict[str, Any]:
    tree = generation.manifest["tree"]
    return {
        "hashes": {dn: passphrase.hashed(text) for dn, text in plain.items()},
        "replace": replace, "base": tree["base"], "top": tree["top"], "peers": tree["peers"],
    }  # fmt: skip


def _fill(target: int, rows: Iterable[str]) -> None:
    os.ftruncate(target, 0)
    os.pwrite(target, "".join(rows).encode(), 0)
    os.fsync(target)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise EngineError(f"{path}: {error.strerror}; nothing was changed") from None
