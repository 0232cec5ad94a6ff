"""The one question: all that danhba wants to know about a host, read-only, in one answer."""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pwd
import stat
import struct
import time
from collections.abc import Iterator
from pathlib import Path

from danhba.generations.host import boxes, entries, expiry, peers, states
from danhba.generations.host.common import (
    BEGUN,
    CONFIRMED,
    CURRENT,
    GENERATIONS,
    PREVIOUS,
    SWAPPED,
    Json,
    keys,
    links_left,
    live_digest,
    loaded,
    manifest_of,
    owned_links,
    run,
    sha256,
    unit_states,
    values,
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
        "confirmed": live_digest(CONFIRMED),
        "previous": live_digest(PREVIOUS),
        "swapped": json.loads(_text(SWAPPED) or "null"),
        "begun": json.loads(_text(BEGUN) or "null"),
        "manifest": manifest,
        "revision": _text(CURRENT / "revision"),
        "generations": generations(),
        "drift": drifted,
        "contents": _contents(question, manifest, {item["path"] for item in drifted}),
        "packages": _packages(question["packages"]),
        "units": unit_states({*question["units"], *_units(manifest)}),
        "loaded": loaded(),
        "lock": lock_holder(),
        "health": _health(manifest) if manifest and question.get("health") else [],
        "entries": entries.state(question["entries"]) if question.get("entries") else None,
        "boxes": boxes.state(question["boxes"]) if question.get("boxes") else [],
        "expiry": expiry.state(question["expiry"], manifest) if question.get("expiry") else None,
        "forgotten": _forgotten(question, manifest),
        "clock": time.time(),
        "people": _people(question, manifest),
    }


def _forgotten(question: Json, manifest: Json | None) -> list[str]:
    """Of no use to whoever only looks, and asks for no mailboxes."""
    if not manifest or "boxes" not in question:
        return []
    return boxes.forgotten(question["boxes"], manifest["boxes"])


def _people(question: Json, manifest: Json | None) -> Json | None:
    """Only when asked for: the other people hosts are asked as well."""
    if not question.get("people") or not manifest or not manifest["tree"]:
        return None
    return peers.report(manifest["tree"])


def _health(manifest: Json) -> list[str]:
    """What the services of the host say that somebody has to look at."""
    said = []
    for argv in manifest["health"]:
        done = run(argv)
        said += done.stdout.decode(errors="replace").splitlines()
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip().splitlines()
            said.append(f"{' '.join(argv)}: {words[-1] if words else 'failed'}")
    return [row for row in said if row]


def generations() -> list[Json]:
    """Generations on the host, newest first, with the git revision that produced each."""
    if not GENERATIONS.is_dir():
        return []
    whole = [path for path in GENERATIONS.iterdir() if (path / "manifest.json").exists()]
    whole.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return [{"digest": path.name, "revision": _text(path / "revision")} for path in whole]


def _units(manifest: Json | None) -> list[str]:
    return [service["unit"] for service in manifest["services"]] if manifest else []


def accounts(request: Json) -> Json:
    """{"gone", "new", "displaced"}: addresses that a swap to the generation request["digest"] would
    take away from this host's tables, bring to them, and send another way or to another place.

    request["places"]: of stores, the table whose rows say where a mailbox and its copy are.
    """
    generations = live_digest(), request["digest"]
    live, other = map(_addresses, generations)
    displaced = _changed(*map(_ways, generations))
    displaced |= _changed(*(_places(digest, request["places"]) for digest in generations))
    return {
        "gone": sorted(live - other), "new": sorted(other - live), "displaced": sorted(displaced)
    }  # fmt: skip


def _changed(was: dict[str, str], then: dict[str, str]) -> set[str]:
    return {address for address in was.keys() & then.keys() if was[address] != then[address]}


def _places(digest: str | None, table: str) -> dict[str, str]:
    path = Path(f"{GENERATIONS}/{digest}/files{table}")
    return values(path.read_text().splitlines()) if path.exists() else {}


def _ways(digest: str | None) -> dict[str, str]:
    """Address to where its mail goes, in the tables of a generation that say so."""
    found: dict[str, str] = {}
    for path, facts in (manifest_of(digest) or {"files": {}})["files"].items():
        if facts.get("ways"):  # generations before it have no such word
            text = Path(f"{GENERATIONS}/{digest}/files{path}").read_text()
            found |= values(text.splitlines())
    return found


def _addresses(digest: str | None) -> set[str]:
    found: set[str] = set()
    for path, facts in (manifest_of(digest) or {"files": {}})["files"].items():
        if facts["accounts"]:
            found |= keys(Path(f"{GENERATIONS}/{digest}/files{path}").read_text())
    return found


def damage(digest: str) -> list[str]:
    """Files and tables of a generation that are not as they were made; live or not."""
    manifest = manifest_of(digest)
    if manifest is None:
        return ["manifest.json"]
    root = GENERATIONS / digest
    bad = {
        path
        for path, wanted in manifest["files"].items()
        if file_problem(Path(f"{root}/files{path}"), wanted)
    }
    return sorted(bad | {path for path in manifest["tables"] if table_problem(root, path)})


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def drift(manifest: Json) -> list[Json]:
    """Every file, link and state that is not as the live generation says."""
    found = []
    for path, target in owned_links(manifest).items():
        problem = _link_problem(Path(path), target)
        if not problem and path in manifest["files"]:
            problem = file_problem(Path(target), manifest["files"][path])
        if not problem and path.removesuffix(".cdb") in manifest["tables"]:
            problem = table_problem(CURRENT.resolve(), path.removesuffix(".cdb"))
        if problem:
            found.append({"path": path, "problem": problem})
    confirmed = manifest_of(live_digest(CONFIRMED))  # other than the live one after a cut
    left = links_left(confirmed, manifest) if confirmed else []
    found += [{"path": path, "problem": "left over"} for path in left]
    return found + [{"path": name, "problem": "altered"} for name in states.altered(manifest)]


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
    """Live contents, as text, of the files that will change or were edited.

    Of tables of accounts also where the generation to come has none, and, edited ones, the keys
    that Postfix still reads: an account may not get lost on either way.
    """
    held = manifest["files"] if manifest else {}
    tables = manifest["tables"] if manifest else []
    contents = {}
    for path, facts in held.items():
        if facts["accounts"] and path not in question["files"]:
            contents[path] = Path(path).read_text(errors="replace") if os.path.exists(path) else ""
        if path in drifted and f"{path}.cdb" not in drifted and path in tables:
            contents[f"{path}.cdb"] = "\n".join(_cdb_keys(Path(f"{path}.cdb").read_bytes()))
    for path, wanted in question["files"].items():
        same = path not in drifted and held.get(path, {}).get("sha256") == wanted
        if same or path in question["secret"]:
            continue
        with contextlib.suppress(OSError):
            contents[path] = Path(path).read_text(errors="replace")
    return contents


def _cdb_keys(data: bytes) -> Iterator[str]:
    """Keys of a constant database: records (two lengths, key, value) lie behind 256 pointers to
    hash tables, which follow the last record."""
    at, end = 2048, min(struct.unpack_from("<512I", data)[::2])
    while at < end:
        key, value = struct.unpack_from("<II", data, at)
        yield data[at + 8 : at + 8 + key].rstrip(b"\0").decode()
        at += 8 + key + value


def _packages(names: list[str]) -> dict[str, str]:
    """Versions of the installed ones among `names`."""
    if not names:
        return {}
    form = "${Package}\t${Version}\t${db:Status-Abbrev}\n"
    shown = run(["dpkg-query", "-W", f"-f={form}", *names]).stdout.decode()
    rows = [line.split("\t") for line in shown.splitlines()]
    return {row[0]: row[1] for row in rows if len(row) == 3 and row[2][1:2] == "i"}
