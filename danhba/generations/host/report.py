"""The one question: all that danhba wants to know about a host, read-only, in one answer."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import stat
from pathlib import Path

from danhba.generations.host import entries
from danhba.generations.host.common import (
    CURRENT,
    GENERATIONS,
    PREVIOUS,
    Json,
    live_digest,
    loaded_of,
    manifest_of,
    owned_links,
    run,
    sha256,
    unit_states,
)
from danhba.generations.host.lock import lock_holder


def report(question: Json) -> Json:
    """Answer `question`: {"files": {path: sha256}, "packages", "units", "secret", "entries"}.

    Contents of live files that differ from the asked digests come along (secret ones do not), so
    that the plan can be shown without a second question.
    """
    digest = live_digest()
    manifest = manifest_of(digest)
    drifted = drift(manifest) if manifest else []
    return {
        "live": digest,
        "previous": live_digest(PREVIOUS),
        "manifest": manifest,
        "revision": _text(CURRENT / "revision"),
        "generations": generations(),
        "drift": drifted,
        "contents": _contents(question, manifest, {item["path"] for item in drifted}),
        "packages": _packages(question["packages"]),
        "units": unit_states(question["units"]),
        "loaded": {unit: loaded_of(unit) for unit in question["units"]},
        "lock": lock_holder(),
        "entries": entries.state(question["entries"]) if question.get("entries") else None,
    }


def generations() -> list[Json]:
    """Generations on the host, newest first, with the git revision that produced each."""
    if not GENERATIONS.is_dir():
        return []
    whole = [path for path in GENERATIONS.iterdir() if (path / "manifest.json").exists()]
    whole.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return [{"digest": path.name, "revision": _text(path / "revision")} for path in whole]


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def drift(manifest: Json) -> list[Json]:
    """Every file and link that is not as the live generation says."""
    found = []
    for path, target in owned_links(manifest).items():
        problem = _link_problem(Path(path), target)
        if not problem and path in manifest["files"]:
            problem = file_problem(Path(target), manifest["files"][path])
        if not problem and path.removesuffix(".cdb") in manifest["tables"]:
            problem = table_problem(CURRENT.resolve(), path.removesuffix(".cdb"))
        if problem:
            found.append({"path": path, "problem": problem})
    return found


def _link_problem(path: Path, target: str) -> str:
    try:
        if os.readlink(path) == target:
            return "" if os.path.exists(path) else "missing"
        return "points elsewhere"
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "replaced"


def file_problem(path: Path, wanted: Json) -> str:
    try:
        facts, content = path.stat(), path.read_bytes()
    except OSError:
        return "missing"
    if sha256(content) != wanted["sha256"]:
        return "edited"
    mode = f"{stat.S_IMODE(facts.st_mode):04o}"
    owner, group = _owner(facts)
    if (mode, owner, group) != (wanted["mode"], wanted["owner"], wanted["group"]):
        return f"is {owner}:{group} {mode}"
    return ""


def table_problem(root: Path, table: str) -> str:
    """Is the cdb that Postfix reads still the one that was built from the table?"""
    try:
        wanted = (root / f"{Path(table).name}.sha256").read_text()
        built = Path(f"{root}/files{table}.cdb").read_bytes()
    except OSError:
        return "missing"
    return "" if sha256(built) == wanted else "edited"


def _owner(facts: os.stat_result) -> tuple[str, str]:
    try:
        return pwd.getpwuid(facts.st_uid).pw_name, grp.getgrgid(facts.st_gid).gr_name
    except KeyError:
        return str(facts.st_uid), str(facts.st_gid)


def _contents(question: Json, manifest: Json | None, drifted: set[str]) -> dict[str, str]:
    """Live contents, as text, of the files that will change or were edited."""
    held = manifest["files"] if manifest else {}
    contents = {}
    for path, wanted in question["files"].items():
        same = path not in drifted and held.get(path, {}).get("sha256") == wanted
        if same or path in question["secret"]:
            continue
        with contextlib.suppress(OSError):
            contents[path] = Path(path).read_text(errors="replace")
    return contents


def _packages(names: list[str]) -> dict[str, str]:
    """Versions of the installed ones among `names`."""
    if not names:
        return {}
    form = "${Package}\t${Version}\t${db:Status-Abbrev}\n"
    shown = run(["dpkg-query", "-W", f"-f={form}", *names]).stdout.decode()
    rows = [line.split("\t") for line in shown.splitlines()]
    return {row[0]: row[1] for row in rows if len(row) == 3 and row[2][1:2] == "i"}
