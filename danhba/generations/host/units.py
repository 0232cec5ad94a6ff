"""Which unit files systemd has read: reading them all again takes it a second, on every host."""

from __future__ import annotations

import json
from pathlib import Path

from danhba.generations.host.common import Json, must, owned_links, sha256, write

READ = Path("/run/danhba-units")
"""The digest of the generation's unit files that systemd has read; gone with a boot."""
FOLDER = "/etc/systemd/"


def read(manifest: Json) -> None:
    """systemd reads its unit files, unless it has read these. Raises Refused."""
    digest = _digest(manifest)
    if _known() != digest:
        must(["systemctl", "daemon-reload"])
        write(READ, digest.encode())


def changing(last: Json, manifest: Json) -> None:
    """From a swap on nobody knows which of both it reads: others make it read as well."""
    if _digest(last) != _digest(manifest):
        forget()


def altered(paths: list[str]) -> None:
    """Somebody edited these; systemd may have read the edit."""
    if any(path.startswith(FOLDER) for path in paths):
        forget()


def forget() -> None:
    READ.unlink(missing_ok=True)


def _known() -> str:
    return READ.read_text() if READ.exists() else ""


def _digest(manifest: Json) -> str:
    files = manifest["files"]
    own = {
        path: files[path]["sha256"] if path in files else target
        for path, target in owned_links(manifest).items()
        if path.startswith(FOLDER)
    }
    return sha256(json.dumps(own, sort_keys=True).encode())
