"""danhba verify: are the hosts what they should be? testinfra over the tests of tests/hosts."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from danhba.project import Project


@click.command("verify")
@click.argument("environment")
@click.pass_obj
def command(project: Project, environment: str) -> None:
    """Run testinfra on the hosts of inventory/ENVIRONMENT.py, cases from the same directory.

    Exit status: 0 all as it should be, 1 not.

    Example: danhba verify staging
    """
    argv = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider",
            str(project.root / "tests" / "hosts")]  # fmt: skip
    asked = {
        "DANHBA_ENVIRONMENT": environment,
        "DANHBA_DIRECTORY": str(project.directory.resolve()),
    }
    done = subprocess.run(argv, env=os.environ | asked, cwd=project.root, check=False)
    sys.exit(1 if done.returncode else 0)
