"""The daemon on the vault: one chain, and the two ways to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import desk, door
from .chain import Archive
from .table import Table


def run(config: Mapping[str, Any]) -> None:
    """For ever. Raises JournalError, OSError."""
    table = Table(Path(config["agencies"]), Path(config["classes"]))
    asyncio.run(_run(config, Archive(Path(config["root"]), config["timezone"], table)))


async def _run(config: Mapping[str, Any], archive: Archive) -> None:
    committer = door.Committer(archive)
    public = bytes.fromhex(config["public"])
    entrance = door.Door(committer, config["edges"], public, config["floor"])
    await asyncio.gather(
        committer.run(),
        door.serve(entrance, config["port"]),
        desk.serve(committer, config["socket"]),
    )
