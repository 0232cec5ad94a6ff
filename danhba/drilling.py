"""Restore drills as an engineer asks the vault for them, and reads them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from typing import Any

from danhba.drill.troubles import Trouble
from danhba.engine import EngineError, session
from danhba.errors import DanhbaError
from danhba.inventory import Environment


class DrillError(DanhbaError):
    """There is no drill to tell of; the message says what to do."""


@dataclass(frozen=True)
class Drill:
    """figures: as danhba.drill.figures makes them; text: their file. certificate: a docx."""

    name: str
    good: bool
    figures: dict[str, Any]
    text: str
    certificate: bytes


def run(env: Environment, program: str, by: str, mailboxes: int | None, seed: int | None) -> Drill:
    """A drill now, and what it found. Raises EngineError, DrillError."""
    question = {"do": "drill", "by": by, "mailboxes": mailboxes, "seed": seed}
    told = "the drill left no record: journalctl -u danhba-drill on the vault says why"
    return _ask(env, program, question, told)


def last(env: Environment, program: str) -> Drill:
    """Of the last one, by a timer or an engineer. Raises EngineError, DrillError."""
    told = f"there has been no drill: danhba drill {env.name}"
    return _ask(env, program, {"do": "last"}, told)


def _ask(env: Environment, program: str, question: dict[str, Any], told: str) -> Drill:
    if env.vault is None:
        raise DrillError(f"{env.name}: no host has the role vault: there is no backup to restore")
    with session(replace(env, hosts=(env.vault,))) as hosts:
        [host] = hosts.hosts()
        found = hosts.ask(host, program, question)
    if not found:
        raise DrillError(told)
    try:
        return Drill(
            name=found["line"]["name"],
            good=found["line"]["good"],
            figures=json.loads(found["figures"]),
            text=found["figures"],
            certificate=base64.b64decode(found["certificate"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise EngineError(f"{env.vault.name}: no record of a drill ({error})") from None


def lines(drill: Drill) -> list[str]:
    """For an engineer: what was restored, how fast, and what was wrong."""
    figures = drill.figures
    told = [f"drill {drill.name}, seed {figures['seed']}"]
    told += [_store(host, figures["mailboxes"]) for host in _stores(figures)]
    if row := figures["people"]:
        told.append(f"{row['host']}: {row['found']} of {row['wanted']} entries")
    if row := figures["edge"]:
        keys = f"{row['keys']} of {row['wanted']} signing keys"
        dumped = row.get("dumped", True)  # which earlier drills do not say
        learned = f"{row['learned']} keys of what was learned" if dumped else "nothing learned yet"
        told.append(f"{row['host']}: {keys}, {learned}")
    size, seconds = figures["bytes"] / 1e6, figures["restore_seconds"]
    rate = f" ({size / seconds:.1f} MB/s)" if seconds else ""
    took = f"{size:.1f} MB restored in {seconds:.1f} s{rate}"
    told.append(f"{took}, compared in {figures['look_seconds']:.1f} s")
    told += [Trouble.of(each).english() for each in figures["troubles"]]
    return [*told, "good" if drill.good else "failed"]


def _stores(figures: dict[str, Any]) -> list[str]:
    return sorted({row["host"] for row in figures["mailboxes"]})


def _store(host: str, rows: list[dict[str, Any]]) -> str:
    own = [row for row in rows if row["host"] == host]
    wanted, found = (sum(row["messages"][side] for row in own) for side in (0, 1))
    files, right = (sum(row[key] for row in own) for key in ("files", "right"))
    boxes = f"{len(own)} mailbox{'es' if len(own) != 1 else ''}"
    return f"{host}: {boxes}, {found} of {wanted} messages, {right} of {files} files right"
