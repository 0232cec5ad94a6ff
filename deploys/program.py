"""Daemons of danhba's own: a package that runs on hosts as it is, by Debian's python3."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

from danhba.service import File

HOME = "/usr/local/lib/danhba"
"""Where these packages are; a unit's PYTHONPATH."""


def program(package: ModuleType) -> tuple[File, ...]:
    """The sources of a package of danhba, as a package of its own name on the host. A change of any
    restarts the service."""
    folder = Path(package.__path__[0])
    return tuple(
        File(f"{HOME}/{folder.name}/{source.name}", source.read_bytes(), effect="restart")
        for source in sorted(folder.glob("*.py"))
    )


def as_json(config: object) -> bytes:
    """A configuration of one of them; keys in order, so that only what differs is a change."""
    return (json.dumps(config, indent=1, sort_keys=True) + "\n").encode()
