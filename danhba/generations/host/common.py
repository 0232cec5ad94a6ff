"""Paths, small helpers and the one rule that plan and apply share: what a service needs done."""

from __future__ import annotations

import hashlib
import json
import os
import re
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
SWAPPED = ROOT / "swapped"
"""The lock's owner of the last swap: tells which hosts one apply has changed together. A rollback
adds `undoes`, the change that it undoes, and `change`, its own name, which its reruns keep."""
BEGUN = ROOT / "begun"
"""The same of the last swap that began, and its generation: a rollback that was cut off goes on."""
KEEP = 5
"""Generations kept for rollback, the live one included."""
WAYS = ("reload", "restart")
"""How a service takes up what changed: the digests of a service, and of what it last loaded."""


UNKNOWN = "it is not known whether this was done: "
"""How the message of a step begins that was cut off half way; of any other nothing is done."""


class Refused(Exception):
    """The step cannot be done; the message is for the engineer."""


def run(
    argv: Sequence[str], stdin: bytes | None = None, limit: float | None = None
) -> subprocess.CompletedProcess[bytes]:
    """limit: seconds. Raises subprocess.TimeoutExpired."""
    return subprocess.run(argv, input=stdin, capture_output=True, check=False, timeout=limit)


def must(argv: Sequence[str], stdin: bytes | None = None) -> bytes:
    """Run a program; its own words are the error. Raises Refused."""
    done = run(argv, stdin)
    if done.returncode:
        said = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise Refused(f"{' '.join(argv[:4])}: {said or f'exit status {done.returncode}'}")
    return done.stdout


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write(path: Path, content: bytes, mode: int = 0o644, sync: bool = True) -> None:
    """Replace a file atomically: a reader sees the old content or the new one, whole.

    sync: not before it is on the disk; False for the many files of a caller who sees to that.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.danhba-new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(content)
        out.flush()
        if sync:
            os.fsync(out.fileno())
    os.chmod(fresh, mode)
    os.rename(fresh, path)


def link(path: Path, target: str) -> None:
    """Point a symbolic link somewhere else by one rename. Raises Refused."""
    if path.is_dir() and not path.is_symlink():
        raise Refused(f"{path} is a directory on this host; danhba wants a file there")
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
    """None as well when the manifest is not the one that gave the generation its name."""
    if digest is None:
        return None
    try:
        content = (GENERATIONS / digest / "manifest.json").read_bytes()
    except OSError:
        return None
    return _of_any_version(json.loads(content)) if sha256(content) == digest else None


def _of_any_version(manifest: Json) -> Json:
    """A manifest that an earlier danhba wrote, with what it did not know of yet."""
    manifest.setdefault("states", [])
    manifest.setdefault("boxes", None)
    manifest.setdefault("expiry", None)
    manifest.setdefault("health", [])
    if manifest["tree"]:
        manifest["tree"].setdefault("peers", [])
    for service in manifest["services"]:
        for probe in service["answers"]:
            probe.setdefault("talk", [])
    return manifest


def owned_links(manifest: Json) -> dict[str, str]:
    """Every link a generation wants on the host: to its files, to tables it builds, as asked."""
    wanted = {path: f"{CURRENT}/files{path}" for path in manifest["files"]}
    wanted |= {f"{path}.cdb": f"{CURRENT}/files{path}.cdb" for path in manifest["tables"]}
    return wanted | dict(manifest["links"])


def links_left(old: Json, manifest: Json) -> list[str]:
    """Links of an old generation that are still there and that the other one does not want."""
    wanted = owned_links(manifest)
    return [
        path
        for path, target in owned_links(old).items()
        if path not in wanted and os.path.islink(path) and os.readlink(path) == target
    ]


def loaded() -> dict[str, Json]:
    """What every service of danhba's last loaded, as written after its last successful reload."""
    return {path.name: _note(path) for path in LOADED.iterdir()} if LOADED.is_dir() else {}


def _note(path: Path) -> Json:
    try:
        found: Json = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found


def keys(table: str) -> set[str]:
    """The addresses (first words) of a lookup table or passwd-file."""
    return {re.split(r"[\s:]", row, maxsplit=1)[0] for row in table.splitlines() if row.strip()}


def values(rows: Iterable[str]) -> dict[str, str]:
    """Address to value of a lookup table's rows. A row that an edit by hand left without a value
    says nothing."""
    split = (row.split(maxsplit=1) for row in rows)
    return {words[0]: words[1] for words in split if len(words) == 2}


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
            "masked": facts.get("UnitFileState") in ("masked", "masked-runtime"),
            "enabled": facts.get("UnitFileState") in ("enabled", "static", "alias", "indirect"),
        }
    return states


def service_actions(
    services: Sequence[Json], states: dict[str, Json], notes: dict[str, Json]
) -> list[tuple[str, str]]:
    """(unit, action) for all that is due, derived from the host's state alone.

    The plan calls this with what the host reported, the apply with what it finds: both agree, and
    an apply that was cut off finds the same need again. A service that has a note of danhba's and
    is not wanted any more (the host lost a role) ends.
    """
    wanted = {service["unit"] for service in services}
    due = [(unit, "stop") for unit in sorted(notes.keys() - wanted)]
    for service in services:
        unit = service["unit"]
        state, last = states.get(unit, {}), notes.get(unit, {})
        if state.get("masked"):
            due.append((unit, "unmask"))
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


def due_again(manifest: Json, drifted: Iterable[str]) -> dict[str, set[str]]:
    """Units that may have loaded the edit of a file, or whose state was altered, and in which of
    WAYS they must load again."""
    paths = set(drifted)
    found: dict[str, set[str]] = {}
    for service in manifest["services"]:
        ways = {manifest["files"][path]["effect"] for path in paths.intersection(service["reads"])}
        if ways:
            found[service["unit"]] = ways
    for state in manifest["states"]:
        if state["name"] in paths and state["unit"]:
            found.setdefault(state["unit"], set()).add(state["way"])
    return found


def forget(unit: str, ways: Iterable[str]) -> None:
    """Note that the service has to load again, before the need arises: it survives a cut."""
    note = _note(LOADED / unit)
    left = {way: digest for way, digest in note.items() if way not in ways}
    if left != note:
        write(LOADED / unit, json.dumps(left).encode())
