"""What one host sees, all know: every daemon reads what is new at the others, over TLS.

Both sides show the host's certificate, and it has to name a host of the province: what comes in
decides who may log in, and what goes out is who does. Who was away reads on where he stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Mapping

from .rules import Rules, say

_QUIET = 30
"""Seconds after which somebody with nothing to tell says so."""
_LOST = 3 * _QUIET
_AGAIN = 5
"""Seconds before another try."""


class Peers:
    """others: name to address. states: name to what is the matter, "" when it is heard."""

    def __init__(
        self,
        rules: Rules,
        others: Mapping[str, str],
        port: int,
        tls: tuple[ssl.SSLContext, ...],
    ) -> None:
        self._rules, self._others, self._port = rules, others, port
        self._tls = tls
        self.states = dict.fromkeys(others, "not heard yet")

    async def run(self) -> None:
        """Tell and hear until cancelled."""
        if not self._others:
            return
        await asyncio.start_server(self._tell, port=self._port, ssl=self._tls[0])
        await asyncio.gather(*(self._hear(peer) for peer in self._others))

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fresh = asyncio.Event()
        names = {value for _, value in writer.get_extra_info("peercert")["subjectAltName"]}
        try:
            if not names.intersection(self._others):
                return
            epoch, _, after = (
                (await asyncio.wait_for(reader.readline(), _QUIET)).decode().partition(" ")
            )
            seq = int(after) if epoch == self._rules.epoch else 0
            writer.write(f"{self._rules.epoch}\n".encode())
            self._rules.listeners.add(fresh.set)
            while True:
                fresh.clear()
                while rows := self._rules.news(seq):
                    writer.write("".join(f"{json.dumps(row)}\n" for row in rows).encode())
                    await writer.drain()
                    seq = rows[-1]["seq"]
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(fresh.wait(), _QUIET)
                    continue
                writer.write(b"\n")
                await writer.drain()
        except (OSError, LookupError, ValueError):
            pass  # it comes again
        finally:
            self._rules.listeners.discard(fresh.set)
            writer.close()

    async def _hear(self, peer: str) -> None:
        while True:
            try:
                await self._listen(peer)
                problem = "it has closed the connection"
            except (
                OSError,
                LookupError,
                TypeError,
                ValueError,
            ) as error:  # also of another version
                problem = str(error) or type(error).__name__
            if not self.states[peer]:
                say(f"{peer} is not heard: {problem}")
            self.states[peer] = problem
            await asyncio.sleep(_AGAIN)

    async def _listen(self, peer: str) -> None:
        connecting = asyncio.open_connection(
            self._others[peer], self._port, ssl=self._tls[1], server_hostname=peer
        )
        reader, writer = await asyncio.wait_for(connecting, _QUIET)
        try:
            writer.write("{} {}\n".format(*self._rules.heard(peer)).encode())
            epoch = (await asyncio.wait_for(reader.readline(), _QUIET)).decode().strip()
            if not epoch:
                return
            self.states[peer] = ""
            while line := await asyncio.wait_for(reader.readline(), _LOST):
                if line.strip():
                    row = json.loads(line)
                    self._rules.learn(row)
                    self._rules.note_heard(peer, epoch, row["seq"])
        finally:
            writer.close()


def contexts(certificate: str, key: str, authority: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of the side that tells and of the one that hears."""
    found = []
    for purpose in (ssl.Purpose.CLIENT_AUTH, ssl.Purpose.SERVER_AUTH):
        context = ssl.create_default_context(purpose, cafile=authority)
        context.load_cert_chain(certificate, key)
        context.verify_mode = ssl.CERT_REQUIRED
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        found.append(context)
    return found[0], found[1]
