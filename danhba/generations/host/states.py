"""What must be true on the host beyond files: rules the kernel holds, modes, its name."""

from __future__ import annotations

import json

from danhba.generations.host.common import ROOT, Json, run, sha256, write

NOTED = ROOT / "states"
"""Digests of what was printed after the last load, by the name of the state."""


def altered(manifest: Json) -> list[str]:
    """Names of the states that are not as they should be."""
    noted = _noted()
    return [
        state["name"] for state in manifest["states"]
        if _printed(state) != noted.get(state["name"], state["expected"])
    ]  # fmt: skip


def note(manifest: Json) -> None:
    """Everything has just been loaded: what is now must stay."""
    found = {
        state["name"]: _printed(state)
        for state in manifest["states"] if state["expected"] is None
    }  # fmt: skip
    if found != _noted():
        write(NOTED, json.dumps(found).encode())


def _printed(state: Json) -> str:
    """What the program printed, or a digest of it where only change counts."""
    try:
        text = run(state["argv"]).stdout
    except FileNotFoundError:  # gone with its package, which the plan names
        text = b""
    return text.decode(errors="replace") if state["expected"] is not None else sha256(text)


def _noted() -> Json:
    try:
        found: Json = json.loads(NOTED.read_bytes())
    except (OSError, ValueError):
        return {}
    return found
