"""Files on the control machine: replaced as a whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """A reader, and who comes after a power cut, finds the old content or the new one.

    The mode stays, and so does a link to the file. Raises OSError.
    """
    path = path.resolve()
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


def replace_text(path: Path, text: str) -> None:
    """As replace, with the line ends that the file has."""
    windows = b"\r\n" in path.read_bytes()
    replace(path, (text.replace("\n", "\r\n") if windows else text).encode())
