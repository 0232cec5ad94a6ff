"""Postfix's socketmap protocol (socketmap_table(5)): a question and an answer, each a netstring."""

from __future__ import annotations

import asyncio
import sys

import dns.exception

from .lookup import has_dane

_LONGEST = 1000
"""Octets of a question: a domain has 253 at most."""


async def answer(question: str) -> str:
    """For "MAP DOMAIN", as smtp_tls_policy_maps has it: DANE, or nothing to say. What stands in
    brackets or begins with a dot is no domain with MX records."""
    domain = question.partition(" ")[2]
    if domain.startswith((".", "[")) or ":" in domain:
        return "NOTFOUND "
    try:
        return "OK dane" if await has_dane(domain) else "NOTFOUND "
    except dns.exception.DNSException as error:
        print(f"{domain}: {error}", file=sys.stderr)
        return "TEMP DNS does not answer"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, which Postfix keeps for many questions."""
    try:
        while True:
            length = int((await reader.readuntil(b":"))[:-1])
            if length > _LONGEST:
                raise ValueError("too long")
            question = await reader.readexactly(length + 1)
            said = (await answer(question[:-1].decode())).encode()
            writer.write(b"%d:%s," % (len(said), said))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ValueError, asyncio.LimitOverrunError):
        pass  # gone, or no Postfix
    finally:
        writer.close()
