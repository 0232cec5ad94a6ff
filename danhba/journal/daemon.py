"""The daemon on the vault: one chain, and the two ways to it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import desk, door
from .begun import missing
from .chain import Archive, JournalError
from .table import Table

_CLOSED = 30.0
"""Seconds after which a start looks again: only a new process sees a disk that was mounted."""


def run(config: Mapping[str, Any]) -> None:
    """For ever. Raises JournalError, also some time after its disk was found missing; OSError."""
    if why := missing(config):
        print(why, file=sys.stderr, flush=True)
        asyncio.run(_refuse(config["port"]))
        raise JournalError("looks again")
    table = Table(Path(config["agencies"]), Path(config["classes"]))
    root, begun = Path(config["root"]), Path(config["begun"])
    asyncio.run(_run(config, Archive(root, config["timezone"], table, begun=begun)))


async def _refuse(port: int) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_CLOSED):
            await door.serve(door.Closed(), port)


async def _run(config: Mapping[str, Any], archive: Archive) -> None:
    committer = door.Committer(archive)
    public = bytes.fromhex(config["public"])
    entrance = door.Door(committer, config["edges"], public, config["floor"])
    await asyncio.gather(
        committer.run(),
        door.serve(entrance, config["port"]),
        desk.serve(committer, config["socket"]),
    )
