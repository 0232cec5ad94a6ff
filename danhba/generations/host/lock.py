"""One apply at a time: a lock on the host, with owner and time, taken over only on request."""

from __future__ import annotations

import json
import os

from danhba.generations.host.common import LOCK, ROOT, Json, Refused, write
from danhba.generations.host.record import after, note


def lock_holder() -> Json | None:
    try:
        found: Json = json.loads(LOCK.read_bytes())
    except (OSError, ValueError):
        return None
    return found


def lock(request: Json) -> Json:
    """Take the lock for request["owner"], or over from request["instead_of"]. Raises Refused."""
    owner = request["owner"]
    ROOT.mkdir(parents=True, exist_ok=True)
    fresh = LOCK.with_name(f".lock.{owner['token']}")
    write(fresh, json.dumps(owner).encode())
    try:
        os.link(fresh, LOCK)  # fails when there is one; never shows a half-written lock
    except FileExistsError:
        holder = lock_holder()
        if holder is not None and holder["token"] != request.get("instead_of"):
            raise Refused(f"locked by {holder['who']} since {holder['since']}") from None
        os.rename(fresh, LOCK)
    finally:
        fresh.unlink(missing_ok=True)
    try:
        note("begun", **_who(owner), over=request.get("instead_of") or "")
    except OSError:  # what cannot be recorded is not done
        LOCK.unlink(missing_ok=True)
        raise
    return {"locked": True}


def _who(owner: Json) -> Json:
    """Of the owner of a lock what stays worth knowing."""
    keys = ("who", "token", "command", "does", "undoes")
    return {key: owner[key] for key in keys if key in owner}


def unlock(request: Json) -> Json:
    """Give the lock back; a lock that someone else holds meanwhile stays."""
    holder = lock_holder()
    if holder and holder["token"] == request["token"]:
        after("ended", token=holder["token"])
        LOCK.unlink(missing_ok=True)
    return {"unlocked": True}


def must_hold(token: str) -> None:
    """Raises Refused when the lock was taken over meanwhile."""
    holder = lock_holder()
    if not holder or holder["token"] != token:
        raise Refused(f"the lock is held by {holder['who'] if holder else 'nobody'}: not by us")
