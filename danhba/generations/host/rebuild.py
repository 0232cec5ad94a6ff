"""A blank machine becomes a host again: is it blank, how far is it, who may reach it meanwhile.

Old mail, keys and passwords come to a host that is being rebuilt after its services: until then
nobody may hand it new ones, also when it is booted or applied to in between. So a rule of its own,
which danhba's firewall includes, keeps everybody out who does not bring the old.
"""

from __future__ import annotations

import json
from pathlib import Path

from danhba.generations.host import states
from danhba.generations.host.common import (
    Json,
    Refused,
    live_digest,
    manifest_of,
    must,
    write,
)

STATE = Path("/var/lib/danhba-rebuild/state.json")
CLOSED = Path("/etc/nftables.d/danhba-closed.nft")
HOLDING = ("/srv/mail", "/srv/vault", "/var/lib/ldap", "/var/lib/danhba-signing")
"""Directories that are empty, or not there, on a machine that nobody has used yet."""


def rebuild(request: Json) -> Json:
    """request["do"]: one of look, begin, note, open, end. Raises Refused."""
    does = {"look": _look, "begin": _begin, "note": _note, "open": _open, "end": _end}
    return does[request["do"]](request)


def _look(request: Json) -> Json:
    """{"begun": what was noted, None when no rebuild is under way; "used": why it is not blank}."""
    return {"begun": _begun(), "used": _used()}


def _begun() -> Json | None:
    try:
        found: Json = json.loads(STATE.read_bytes())
    except FileNotFoundError:
        return None
    return found


def _used() -> str:
    if digest := live_digest():
        return f"it has generation {digest[:12]}"
    held = [place for place in map(Path, HOLDING) if place.is_dir() and any(place.iterdir())]
    return f"there is something in {', '.join(map(str, held))}" if held else ""


def _begin(request: Json) -> Json:
    """Close the host, then write down that its rebuild has begun. request: {"rules", "state"}."""
    if (begun := _begun()) is not None:
        return {"begun": begun}
    if used := _used():
        raise Refused(f"not blank: {used}; nothing done")
    write(CLOSED, request["rules"].encode())
    return _note(request)


def _note(request: Json) -> Json:
    write(STATE, json.dumps(request["state"]).encode())
    return {"begun": request["state"]}


def _open(request: Json) -> Json:
    """Everybody gets in who may."""
    CLOSED.unlink(missing_ok=True)
    must(["systemctl", "reload", "nftables.service"])
    if manifest := manifest_of(live_digest()):
        states.note(manifest)  # or the rules would count as edited by hand
    return {}


def _end(request: Json) -> Json:
    STATE.unlink(missing_ok=True)
    return {}
