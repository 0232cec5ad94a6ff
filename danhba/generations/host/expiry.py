"""Messages whose years are over go from the archive of all mail (danhba/journal/expiry.py).

The archive's own program decides and does it, as its own user; a host that is no vault has none.
"""

from __future__ import annotations

import base64
import json
import zlib

from danhba.generations.host.common import Json, Refused, live_digest, manifest_of, must
from danhba.generations.host.lock import must_hold


def state(question: Json, live: Json | None) -> Json:
    """What is due: {"due": [{"segment", "class", "years", "messages", "size", "held"}],
    "unfinished": is something half done, "error": why nobody knows}.

    question: of the manifest to come, {"argv", "rules"}, and "day": today. Before the first apply
    there is no archive.
    """
    if not live or not live["expiry"]:
        return {"due": [], "unfinished": False, "error": ""}
    asked = {"ask": "due", "rules": question["rules"], "day": question["day"]}
    try:
        return {**_ask(live["expiry"]["argv"], asked), "error": ""}
    except Refused as refusal:
        return {"due": [], "unfinished": False, "error": str(refusal)}


def carry_out(request: Json) -> Json:
    """Do what the plan has: {"token", "day": of the plan, "who", "expiries": [{"segment",
    "class"}]}, by the rules of the live manifest. Raises Refused."""
    must_hold(request["token"])
    live = (manifest_of(live_digest()) or {"expiry": None})["expiry"]
    if not live:
        raise Refused("this host has no word that it keeps the archive")
    asked = {key: request[key] for key in ("day", "who", "expiries")}
    return _ask(live["argv"], {"ask": "expire", "rules": live["rules"], **asked})


def _ask(argv: list[str], question: Json) -> Json:
    said = must(argv, json.dumps(question).encode())
    found: Json = json.loads(zlib.decompress(base64.b64decode(said)))
    return found
