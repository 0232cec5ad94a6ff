"""The command line: one module a command, each about a page."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

COMMANDS = (
    "add",
    "agency",
    "apply",
    "archive",
    "audit",
    "backup",
    "check",
    "diff",
    "dkim",
    "drill",
    "export",
    "failback",
    "failover",
    "fmt",
    "free-mail",
    "hold",
    "import",
    "inactive",
    "incident",
    "keeper",
    "keeper-log",
    "leave",
    "lock",
    "lockout",
    "move",
    "password",
    "plan",
    "quota",
    "rebalance",
    "rebuild",
    "reform",
    "reinstate",
    "rename",
    "replay",
    "restore",
    "rollback",
    "schema",
    "secrets",
    "status",
    "timer",
    "transfer",
    "unlock",
    "usage",
    "verify",
    "withdraw",
)


MODULES = {"import": "import_list", "keeper-log": "keeper_log", "free-mail": "free_mail"}
"""Where the module of a command cannot have its name."""


class _Lazy(click.Group):
    """Loads only the module of the command that runs: `danhba check` needs no SSH."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"danhba.commands.{MODULES.get(name, name)}")
        command: click.Command = module.command
        return command


@click.group(cls=_Lazy)
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    help="The directory file, instead of directory.yaml of this checkout.",
)
@click.pass_context
def main(context: click.Context, directory: Path | None) -> None:
    """The mail system of a province, from directory.yaml to the servers.

    Exit status: 0 done or nothing to do, 1 error or findings, 2 changes or drift found.

    Example: danhba plan staging
    """
    from danhba.project import Project

    context.obj = Project(directory) if directory else Project()
