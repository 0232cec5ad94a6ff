"""The record of who opened agencies' mailboxes (deploys/keepers.py), as lines of JSON."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

from danhba.generations.host.common import Json, Refused


def record(request: Json) -> Json:
    """All lines from files that may hold what came at or after request["since"], seconds since
    1970. request["unit"] brings the record up to date first."""
    done = subprocess.run(
        ["systemctl", "start", request["unit"]], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused(done.stderr.strip())
    place = Path(request["place"])
    files = [path for path in place.glob("log*") if path.stat().st_mtime >= request["since"]]
    # Beside the plain file it was made of, a packed one is of a run that was cut off: maybe half.
    whole = [path for path in files if path.suffix != ".gz" or path.with_suffix("") not in files]
    return {"lines": [line for path in sorted(whole) for line in _lines(path)]}


def _lines(path: Path) -> list[str]:
    data = path.read_bytes()
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    return text.decode(errors="replace").splitlines()
