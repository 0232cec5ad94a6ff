"""Paths, small helpers and the one rule that plan and apply share: what a service needs done."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ROOT = Path("/var/lib/danhba")
GENERATIONS = ROOT / "generations"
CURRENT = ROOT / "current"
CONFIRMED = ROOT / "confirmed"
"""The last generation whose services all answered: where a failed swap goes back to."""
PREVIOUS = ROOT / "previous"
"""The confirmed one before that: where a rollback goes."""
LOADED = ROOT / "loaded"
LOCK = ROOT / "lock"
KEEP = 5
"""Generations kept for rollback, the live one included."""


class Refused(Exception):
    """The step cannot be done; the message is for the engineer."""


def run(argv: Sequence[str], stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, input=stdin, capture_output=True, check=False)


def must(argv: Sequence[str], stdin: bytes | None = None) -> bytes:
    """Run a program; its own words are the error. Raises Refused."""
    done = run(argv, stdin)
    if done.returncode:
        said = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise Refused(f"{' '.join(argv[:4])}: {said or f'exit status {done.returncode}'}")
    return done.stdout


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace a file atomically: a reader sees the old content or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.danhba-new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    os.chmod(fresh, mode)
    os.rename(fresh, path)


def link(path: Path, target: str) -> None:
    """Point a symbolic link somewhere else by one rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.danhba-new")
    fresh.unlink(missing_ok=True)
    os.symlink(target, fresh)
    os.rename(fresh, path)


def live_digest(which: Path = CURRENT) -> str | None:
    try:
        return Path(os.readlink(which)).name
    except OSError:
        return None


def manifest_of(digest: str | None) -> Json | None:
    if digest is None:
        return None
    try:
        found: Json = json.loads((GENERATIONS / digest / "manifest.json").read_bytes())
    except (OSError, ValueError):
        return None
    return found


def owned_links(manifest: Json) -> dict[str, str]:
    """Every link a generation wants on the host: to its files, to tables it builds, as asked."""
    wanted = {path: f"{CURRENT}/files{path}" for path in manifest["files"]}
    wanted |= {f"{path}.cdb": f"{CURRENT}/files{path}.cdb" for path in manifest["tables"]}
    return wanted | dict(manifest["links"])


def loaded_of(unit: str) -> Json:
    """What the service last loaded, as written after its last successful reload."""
    try:
        found: Json = json.loads((LOADED / unit).read_bytes())
    except (OSError, ValueError):
        return {}
    return found


def unit_states(units: Iterable[str]) -> dict[str, Json]:
    """ActiveState and enablement of units, in one call of systemctl."""
    names = sorted(units)
    if not names:
        return {}
    argv = ["systemctl", "show", "--property=Id,ActiveState,UnitFileState", *names]
    shown = run(argv).stdout.decode()
    states: dict[str, Json] = {}
    for name, block in zip(names, shown.strip().split("\n\n"), strict=False):
        facts = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        states[name] = {
            "active": facts.get("ActiveState") == "active",
            "enabled": facts.get("UnitFileState") in ("enabled", "static", "alias", "indirect"),
        }
    return states


def service_actions(
    services: Sequence[Json], states: dict[str, Json], loaded: dict[str, Json]
) -> list[tuple[str, str]]:
    """(unit, action) for all that is due, derived from the host's state alone.

    The plan calls this with what the host reported, the apply with what it finds: both agree, and
    an apply that was cut off finds the same need again.
    """
    due: list[tuple[str, str]] = []
    for service in services:
        unit = service["unit"]
        state, last = states.get(unit, {}), loaded.get(unit, {})
        if not state.get("active"):
            due.append((unit, "start"))  # and enables it
            continue
        if not state.get("enabled"):
            due.append((unit, "enable"))
        if last.get("restart") != service["restart_digest"]:
            due.append((unit, "restart"))
        elif last.get("reload") != service["reload_digest"]:
            due.append((unit, "reload"))
    return due


def forget_loaded(manifest: Json, drifted: Iterable[str]) -> None:
    """Services that read an edited file may have loaded the edit: they are due again.

    Done before the files are mended, so that the need survives a run that ends in between.
    """
    paths = set(drifted)
    for service in manifest["services"]:
        if paths & set(service["reads"]):
            (LOADED / service["unit"]).unlink(missing_ok=True)
