"""What the record of misused accounts has (danhba/lockout/incidents.py), and what is held here."""

from __future__ import annotations

import json
import time
from pathlib import Path

from danhba.generations.host.common import Json, must
from danhba.generations.host.lockout import ask

_HELD = Path("/var/lib/danhba-suspending/held")


def incidents(request: Json) -> Json:
    """The daemon's answer to {"do", ...}; with request["postfix"], its directory, also the messages
    that are held: queue id, incident, sender, when, octets, how many recipients. Raises Refused."""
    answer = ask(request)
    for each in answer.get("incidents", ()):
        for event in each["events"].values():
            # By the host's clock, which is the province's.
            event["when"] = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event["at"]))
    if request.get("postfix"):
        answer["held"] = _held(request["postfix"])
    return answer


def _held(postfix: str) -> list[Json]:
    names = json.loads(_HELD.read_bytes()) if _HELD.exists() else {}
    lines = must(["postqueue", "-c", postfix, "-j"]).splitlines() if names else []
    found = (json.loads(line) for line in lines)
    return [
        {
            "queue_id": item["queue_id"],
            "incident": names[item["queue_id"]],
            "sender": item["sender"],
            "when": time.strftime("%H:%M:%S", time.localtime(item["arrival_time"])),
            "octets": item["message_size"],
            "recipients": len(item["recipients"]),
        }
        for item in found
        if item["queue_name"] == "hold" and item["queue_id"] in names
    ]
