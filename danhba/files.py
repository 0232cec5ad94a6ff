"""Files on the control machine: replaced as a whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """A reader, and who comes after a power cut, finds the old content or the new one.

    The mode stays. Raises OSError.
    """
    mode = path.stat().st_mode & 0o7777 if path.exists() else 0o644
    target, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(target, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(fresh, mode)
        os.rename(fresh, path)
    except BaseException:
        os.unlink(fresh)
        raise
