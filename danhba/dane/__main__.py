"""The daemon: python3 -m dane SOCKET."""

from __future__ import annotations

import asyncio
import sys

from .socketmap import serve


async def main(path: str) -> None:
    server = await asyncio.start_unix_server(serve, path)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
