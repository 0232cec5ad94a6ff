"""Has this machine had a journal? A note on the machine's own disk remembers it when the archive's
disk is away: another chain in its place would contradict what all hosts remember. A blank machine
has no note, so that a rebuild begins by itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .segment import segments


def note(path: Path) -> bool:
    """Is it noted now? Entries are safe without: the next one tries again."""
    with contextlib.suppress(OSError):
        path.touch(mode=0o600)
        return True
    return False


def missing(config: Mapping[str, Any]) -> str:
    """Why nothing may be begun or told of the journal of a host ("root", "begun": of the note), ""
    when all is well. Raises OSError."""
    root, begun = Path(config["root"]), Path(config["begun"])
    if segments(root) or not begun.exists():
        return ""
    return (
        f"{root} is blank, and this machine has had a journal there: is its disk mounted? Mail"
        " waits in the edges; docs/journal.md says what to do"
    )
