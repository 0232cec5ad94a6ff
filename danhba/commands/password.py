"""danhba password: first passwords for hand-over. Only hashes reach the servers."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from danhba.commands.common import errors_to_status, tell
from danhba.commands.hosts import prepare
from danhba.engine import EngineError
from danhba.giving import Batch, Form, accounts, end_sessions, form, give
from danhba.handover import Envelope, envelope
from danhba.inventory import Environment
from danhba.password_file import look
from danhba.project import Project
from deploys.sessions import programs

_LIVE = ("active", "locked")
"""Who is locked gets his new password while the lock still stands (Điều 10.2.a)."""
_OFFER = "Encrypt with age? A key (age1...), a file of keys, or nothing"
_FILE = click.Path(path_type=Path)
_age = click.option(
    "--age", "keys", multiple=True, metavar="KEY|FILE",
    help="Encrypt the file: age1..., an SSH public key, or a file of them. May be repeated.",
)  # fmt: skip
_out = click.option("--out", type=_FILE, help="A text file, a line a person, instead of a sheet.")


@click.group("password")
def command() -> None:
    """Make passwords for people who have none, or new ones for people who lost theirs.

    Example: danhba password issue staging --agency sotaichinh --sheet /media/usb/sotaichinh.docx
    """


@command.command("issue")
@click.argument("environment", required=False)
@click.option("--agency", default="", help="Address of the agency: everybody in it.")
@click.option(
    "--all", "folder", type=_FILE, metavar="DIRECTORY", help="Every agency: a sheet each."
)
@click.option("--sheet", type=_FILE, help="A docx for hand-over, a page a person; made once.")
@_out
@_age
@click.pass_obj
@errors_to_status
def issue(
    project: Project, environment: str | None, agency: str, folder: Path | None,
    sheet: Path | None, out: Path | None, keys: tuple[str, ...],
) -> None:  # fmt: skip
    """First passwords for everybody of an agency, or of all, who has none yet.

    Whoever has a password keeps it. The plain passwords are written or shown this once. The
    directory of --all must be there.

    Example: danhba password issue staging --all /media/usb --age age1...
    """
    if bool(agency) == bool(folder) or (folder and (sheet or out)) or (sheet and out):
        raise click.UsageError("say --agency A with --sheet or --out, or --all DIRECTORY")
    directory = project.read()
    agencies = accounts(directory, lambda box: box.kind == "person" and box.state == "active")
    if agency:
        agencies = {agency: agencies.get(agency, [])}
    batches = [
        Batch(members, folder / f"{name}.docx" if folder else sheet or out)
        for name, members in agencies.items()
    ]
    if not any(batch.accounts for batch in batches):
        raise EngineError(f"the directory has nobody at {agency or 'any agency'} who may log in")
    written = form(directory, _envelope(folder or _parent(sheet or out), keys), out is None)
    _give(project, environment, batches, written, replace=False)


@command.command("reset")
@click.argument("environment", required=False)
@click.option(
    "--address",
    "addresses",
    required=True,
    multiple=True,
    metavar="ADDRESS",
    help="The part before @, such as nvan. May be repeated.",
)
@click.option("--sheet", type=_FILE, help="A docx for hand-over.")
@_out
@_age
@click.pass_obj
@errors_to_status
def reset(
    project: Project, environment: str | None, addresses: tuple[str, ...], sheet: Path | None,
    out: Path | None, keys: tuple[str, ...],
) -> None:  # fmt: skip
    """A new password for a person or several, whatever they had before.

    Sessions with the old one end. An agency's mailbox has none: its keepers open it with theirs.

    All sessions for sending on the edges end with it, and those in mailboxes that he keeps: the
    others' programs connect again by themselves.

    Example: danhba password reset staging --address nvan --sheet /media/usb/nvan.docx
    """
    if sheet and out:
        raise click.UsageError("say --sheet or --out")
    directory = project.read()
    if kept := sorted({each.address for each in directory.agencies}.intersection(addresses)):
        raise EngineError(
            f"{', '.join(kept)}: an agency's mailbox is opened by its keepers, with their own"
            " passwords (Điều 9.2.c): danhba keeper"
        )
    found = accounts(directory, lambda box: box.address in addresses and box.state in _LIVE)
    meant = [each for members in found.values() for each in members]
    known = {each.page.address.partition("@")[0] for each in meant}
    if missing := sorted(set(addresses) - known):
        raise EngineError(f"the directory has nobody at {', '.join(missing)} who may log in")
    batches = [Batch(meant, sheet or out)]
    written = form(directory, _envelope(_parent(sheet or out), keys), out is None)
    env = _give(project, environment, batches, written, replace=True)
    end_sessions(env, programs, [each.account for each in meant])


def _give(
    project: Project, environment: str | None, batches: list[Batch], written: Form, replace: bool
) -> Environment:
    env, generations = prepare(project, environment or project.only_environment())
    tree = generations[env.having("people")[0].name].manifest["tree"]
    give(env, tree, batches, written, replace, tell, lambda text: click.echo(text, nl=False))
    return env


def _parent(path: Path | None) -> Path | None:
    return path.parent if path else None


def _envelope(folder: Path | None, keys: tuple[str, ...]) -> Envelope:
    """Who can read the files of a folder; says where it is, and offers to encrypt. Raises BadPlace,
    HandoverError."""
    if folder is None:
        if keys:
            raise click.UsageError("--age needs a file: --sheet, --out or --all")
        return Envelope()
    if not keys and sys.stdin.isatty():
        asked = click.prompt(_OFFER, default="", show_default=False, err=True)
        keys = (asked,) if asked else ()
    found = envelope(keys)
    for note in look(folder, encrypted=bool(keys)).notes(encrypted=bool(keys)):
        tell(note)
    if not keys:
        tell("the passwords lie there in clear text; --age KEY encrypts them")
    return found
