"""Where the milter on an edge (danhba/abuse) asks how much somebody may still send, and tells what
he has sent, and the one on a store (danhba/senders) asks whether his filter may answer: lines of
JSON over a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from .misuse import Message, Misuse

_MOST = 4 << 20
"""Bytes of a line; 5,000 addresses of 320 octets have less."""


class Desk:
    def __init__(self, misuse: Misuse) -> None:
        self._misuse = misuse

    def answer(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """To {"do": "left", "account"}; {"do": "sent", ...} with the fields of Message;
        {"do": "room", "account", "inside"}; {"do": "answer", "account", "outside"};
        {"do": "asked", "account", "kind", "address"}; {"do": "bounced", "queue_id", "address",
        "at"}. Raises LookupError, TypeError and ValueError for what is none of these."""
        match told["do"]:
            case "left":
                messages, recipients = self._misuse.left(told["account"])
                room = self._misuse.room(told["account"], ())
                return {"messages": messages, "recipients": recipients, "inside": room}
            case "sent":
                facts = {key: value for key, value in told.items() if key != "do"}
                facts |= {kind: tuple(facts[kind]) for kind in ("outside", "inside")}
                return {"answer": self._misuse.sent(Message(**facts))}
            case "room":
                return {"room": self._misuse.room(told["account"], told["inside"])}
            case "answer":
                return {"answer": self._misuse.answer(told["account"], told["outside"])}
            case "asked":
                self._misuse.asked(told["account"], told["kind"], (told["address"],))
            case "bounced":
                self._misuse.bounced(told["queue_id"], told["address"], told["at"])
            case other:
                raise ValueError(other)
        return {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            told = b""
            while not told.endswith(b"\n") and (piece := await reader.read(65536)):
                told += piece
                if len(told) > _MOST:
                    return
            writer.write(json.dumps(self.answer(json.loads(told))).encode())
            await writer.drain()
        except (OSError, LookupError, TypeError, ValueError):
            pass  # it is gone, or was not the milter
        finally:
            writer.close()
