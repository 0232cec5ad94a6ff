"""What brings mail of a snapshot back into a mailbox (danhba/restore), on stores; run on demand."""

from __future__ import annotations

import danhba.restore
from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.service import Part
from deploys.program import HOME, program

# Mail first.
PROGRAM = ("nice", "-n", "5", "env", f"PYTHONPATH={HOME}", "python3", "-B", "-m", "restore", "ask")


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    """Nothing where nothing is backed up."""
    files = program(danhba.restore) if env.having("vault") else ()
    return Part(name="restore", packages=("python3",), files=files)
