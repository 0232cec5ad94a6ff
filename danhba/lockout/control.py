"""What an engineer asks (danhba/generations/host/lockout.py), and the program that carries a
suspension out (danhba/suspending): as root, over a socket."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from .incidents import Incidents
from .misuse import Misuse
from .peers import Peers
from .rules import Rules, say
from .sources import source_of


class Control:
    """misuse: None on hosts where nothing is sent."""

    def __init__(
        self, rules: Rules, peers: Peers, incidents: Incidents, misuse: Misuse | None
    ) -> None:
        self._rules, self._peers = rules, peers
        self._incidents, self._misuse = incidents, misuse

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """To {"do": "list"}; {"do": "lift", "account", "source"}, one of them "" for all;
        {"do": "incidents", "since"}, see Incidents.all; {"do": "release", "name", "by", "queue",
        "at"}, see Incidents.release; {"do": "told", "id"}."""
        match request["do"]:
            case "list":
                return {"refusals": self._rules.standing(), "peers": self._peers.states}
            case "lift":
                return self._lift(request["account"], source_of(request["source"]))
            case "incidents":
                queued = self._misuse.in_queue() if self._misuse else []
                return {"incidents": self._incidents.all(request.get("since", 0)), "queued": queued,
                        "peers": self._peers.states}  # fmt: skip
            case "release":
                name, by, queue = request["name"], request["by"], request["queue"]
                return {"released": self._incidents.release(name, by, queue, request["at"])}
            case "told":
                self._incidents.told(request["id"])
        return {}

    def _lift(self, account: str, source: str) -> dict[str, Any]:
        lifted = self._rules.lift(account, source)
        say(f"lifted: {account or 'every account'} from {source or 'everywhere'}")
        return {"lifted": lifted}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            writer.write(json.dumps(self.answer(request)).encode())
            await writer.drain()
        finally:
            writer.close()
