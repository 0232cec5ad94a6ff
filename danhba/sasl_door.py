"""Stands between an edge's Postfix and Dovecot: python3 sasl_door.py SOCKET DOVECOT.

When Dovecot cannot ask whether a password is right, it says FAIL with `code=temp_fail`. Postfix
3.10 does not know that word and tells the user that his password is wrong (535): mail programs then
throw it away. What it does know is an answer that never comes: "454 4.7.0 Temporary authentication
failure" (RFC 4954 6). So such an answer is kept back and the connection ended; everything else
passes as it is. Postfix connects anew for the next user.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio import StreamReader, StreamWriter
from functools import partial

_READ = 65536


def is_temporary(line: bytes) -> bool:
    """Does a line of Dovecot's authentication protocol say that nobody could be asked?"""
    verb, *fields = line.rstrip(b"\n").split(b"\t")
    return verb == b"FAIL" and b"code=temp_fail" in fields


async def serve(dovecot: str, reader: StreamReader, writer: StreamWriter) -> None:
    """One connection of Postfix, until either side ends it or an answer is kept back."""
    with contextlib.suppress(OSError, ValueError):  # gone, not there, or a line without an end
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(dovecot)
            try:
                ways = [
                    asyncio.ensure_future(_questions(reader, far_writer)),
                    asyncio.ensure_future(_answers(far_reader, writer)),
                ]
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
            finally:
                far_writer.close()
        finally:
            writer.close()


async def _questions(reader: StreamReader, writer: StreamWriter) -> None:
    while said := await reader.read(_READ):
        writer.write(said)
        await writer.drain()


async def _answers(reader: StreamReader, writer: StreamWriter) -> None:
    while (line := await reader.readline()) and not is_temporary(line):
        writer.write(line)
        await writer.drain()


async def main(listens: str, dovecot: str) -> None:
    """Serve until killed."""
    server = await asyncio.start_unix_server(partial(serve, dovecot), listens, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
