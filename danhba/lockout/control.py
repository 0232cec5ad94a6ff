"""What an engineer asks (danhba/generations/host/lockout.py): as root, over a socket."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from .peers import Peers
from .rules import Rules, say
from .sources import source_of


class Control:
    def __init__(self, rules: Rules, peers: Peers) -> None:
        self._rules, self._peers = rules, peers

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """{"do": "list"}, or {"do": "lift", "account", "source"}, one of them "" for all."""
        if request["do"] == "list":
            return {"refusals": self._rules.standing(), "peers": self._peers.states}
        account, source = request["account"], source_of(request["source"])
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
