"""Parts of a host's services add up to its generation."""

from __future__ import annotations

import json
from collections.abc import Sequence

from danhba.compiled import NOBODY, Guard
from danhba.errors import DanhbaError
from danhba.generations.generation import REMOVED, SIZES, Generation
from danhba.generations.host.common import Json, sha256
from danhba.service import Boxes, Expiry, File, Part, Probe, Service, State, Tree


class AssemblyError(DanhbaError):
    """Two parts disagree; the message names both."""


def assemble(
    parts: Sequence[Part], revision: str, guard: Guard = NOBODY, removed: Sequence[str] = ()
) -> Generation:
    """The generation of one host. guard: of the directory. removed: names that may leave it.

    Raises AssemblyError when two parts claim one path.
    """
    sizes = {"people": guard.people, "agencies": dict(guard.agencies)}
    contents: dict[str, bytes] = {
        SIZES: json.dumps(sizes).encode(),
        REMOVED: json.dumps(removed).encode(),
    }
    files: dict[str, Json] = {}
    claimed: dict[str, str] = {}
    for part in parts:
        for path in [file.path for file in part.files] + list(part.links):
            if path in claimed:
                raise AssemblyError(f"{path} is claimed by {claimed[path]} and by {part.name}")
            claimed[path] = part.name
        for file in part.files:
            digest = sha256(file.content)
            contents[digest] = file.content
            files[file.path] = {
                "sha256": digest, "mode": file.mode, "owner": file.owner, "group": file.group,
                "secret": file.secret, "effect": file.effect,
                "accounts": file.accounts, "ways": file.ways, "rows": file.rows,
            }  # fmt: skip
    trees = [part.tree for part in parts if part.tree]
    boxes = [_boxes(part.boxes) for part in parts if part.boxes]
    expiries = [part.expiry for part in parts if part.expiry]
    manifest = {
        "format": 1,
        "files": files,
        "links": {path: target for part in parts for path, target in part.links.items()},
        "tables": sorted(path for part in parts for path in part.tables),
        "packages": sorted({name for part in parts for name in part.packages}),
        "debconf": sorted({line for part in parts for line in part.debconf}),
        "services": [_service(service, part) for part in parts for service in part.services],
        "states": [_state(state) for part in parts for state in part.states],
        "validate": [list(argv) for part in parts for argv in part.validate],
        "health": [list(argv) for part in parts for argv in part.health],
        "tree": _tree(trees[0], contents[files[trees[0].path]["sha256"]]) if trees else None,
        "boxes": boxes[0] if boxes else None,
        "expiry": _expiry(expiries[0]) if expiries else None,
    }
    return Generation(manifest, contents, revision)


def _tree(tree: Tree, content: bytes) -> Json:
    return {
        "path": tree.path, "base": tree.base, "top": tree.top, "peers": list(tree.peers),
        "count": content.count(b"\n"),
    }  # fmt: skip


def _boxes(boxes: Boxes) -> Json:
    leaving = [
        {"account": row.account, "step": row.step,
         "since": str(row.since), "until": str(row.until), "days": row.days}
        for row in boxes.leaving
    ]  # fmt: skip
    return {
        "mail": boxes.mail, "archive": boxes.archive, "timezone": boxes.timezone,
        "leaving": leaving,
    }  # fmt: skip


def _expiry(expiry: Expiry) -> Json:
    return {"argv": list(expiry.argv), "rules": dict(expiry.rules)}


def _service(service: Service, part: Part) -> Json:
    reads = [file for file in part.files if file.effect != "none"]
    return {
        "unit": service.unit,
        "reads": [file.path for file in reads],
        "reload_digest": _digest([file for file in reads if file.effect == "reload"]),
        "restart_digest": _digest([file for file in reads if file.effect == "restart"]),
        "answers": [_probe(probe) for probe in service.answers],
    }


def _state(state: State) -> Json:
    return {
        "name": state.name,
        "argv": list(state.argv),
        "expected": state.expected,
        "unit": state.unit,
        "way": state.way,
    }


def _digest(files: Sequence[File]) -> str:
    """Of what a service takes up in one way: says whether it has to do it again."""
    rows = [[file.path, sha256(file.content), file.mode, file.owner, file.group] for file in files]
    return sha256(json.dumps(rows).encode())


def _probe(probe: Probe) -> Json:
    return {
        "port": probe.port,
        "expect": probe.expect,
        "tls": probe.tls,
        "timeout": probe.timeout,
        "ca": probe.ca,
        "address": probe.address,
        "talk": [list(turn) for turn in probe.talk],
    }
