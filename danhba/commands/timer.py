"""danhba timer: what a day brings, carried out without an engineer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from danhba.commands.common import errors_to_status, tell
from danhba.engine import EngineError
from danhba.files import replace
from danhba.project import Project
from danhba.render import render

UNITS = Path("/etc/systemd/system")


@click.command("timer")
@click.argument("environment")
@click.option("--install", is_flag=True, help="Write them to this machine, and start the timer.")
@click.pass_obj
@errors_to_status
def command(project: Project, environment: str, install: bool) -> None:
    """Show the units of systemd that run `danhba apply ENVIRONMENT --dated` on this machine.

    They belong on the one machine whose checkout is applied, and run as the checkout's owner, who
    must reach the servers. docs/life-cycle.md says why that is safe.

    Example: danhba timer staging --install
    """
    project.environment(environment)  # is there one?
    units = {f"danhba-dated-{environment}.{kind}": _unit(project, environment, kind)
             for kind in ("service", "timer")}  # fmt: skip
    if not install:
        for name, text in units.items():
            click.echo(f"# {UNITS / name}\n{text.decode()}")
        return
    try:
        for name, text in units.items():
            replace(UNITS / name, text)
    except OSError as error:
        raise EngineError(f"{UNITS}: {error.strerror}; run it as root") from None
    for argv in (["daemon-reload"], ["enable", "--now", f"danhba-dated-{environment}.timer"]):
        if subprocess.run(["systemctl", *argv], check=False).returncode:
            raise EngineError(f"systemctl {argv[0]} failed; the units are in {UNITS}")
    tell(f"danhba-dated-{environment}.timer runs: systemctl list-timers; journalctl -u danhba-*")


def _unit(project: Project, environment: str, kind: str) -> bytes:
    return render(
        f"control/dated.{kind}",
        environment=environment,
        root=project.root,
        user=project.root.owner(),
        danhba=Path(sys.executable).with_name("danhba"),
        directory=project.directory.resolve(),
    )
