"""Programs of this package on a host: what they read and write are streams, of any length."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, cast

from paramiko import Channel, SSHException
from pyinfra.api.host import Host

from danhba.engine import ConnectionLost, EngineError

_DANHBA = Path(__file__).parents[1]
_PARENTS = ("danhba", "danhba.journal", "danhba.replay")
"""Empty stand-ins on the host."""
_SHARED = ("danhba.journal.ids", "danhba.replay.common")

_BUFFER = 1 << 16
"""Bytes: a packet a line would take longer than what is in it."""

_LOADER = (
    "import sys,json,zlib,base64,types\n"
    "given,out=sys.stdin.buffer,sys.stdout.buffer\n"
    "for name,source in json.loads(zlib.decompress(base64.b64decode(given.readline()))):\n"
    " m=sys.modules[name]=types.ModuleType(name)\n"
    " exec(compile(source,name,'exec'),m.__dict__)\n"
    " p,_,c=name.rpartition('.')\n"
    " p and setattr(sys.modules[p],c,m)\n"
    "m.main(given,out)"
)
_COMMAND = f"python3 -c '{_LOADER.replace(chr(39), chr(39) + chr(92) + chr(39) * 2)}'"
"""Reads the sources from the first line of its input; the last of them has the program's main."""


class Running:
    """A program on a host. given: its standard input; said: its standard output."""

    def __init__(self, host: Host, channel: Channel) -> None:
        self.host, self._channel = host, channel
        self.given = cast(IO[bytes], channel.makefile_stdin("wb", _BUFFER))
        self.said = cast(IO[bytes], channel.makefile("rb", _BUFFER))

    def told_all(self) -> None:
        """Nothing more comes: the program's input ends."""
        self.given.flush()
        self._channel.shutdown_write()

    def end(self) -> None:
        """Raises EngineError when it failed, with its last words."""
        words = self._channel.makefile_stderr("rb").read().decode(errors="replace").strip()
        status = self._channel.recv_exit_status()
        if status == -1:
            raise ConnectionLost(f"{self.host.name}: connection lost")
        if status:
            raise EngineError(f"{self.host.name}: {words or f'ended with status {status}'}")


@contextmanager
def running(host: Host, name: str, user: str = "root") -> Iterator[Running]:
    """danhba.replay.NAME on a host, as a user there; ended when the caller has read what it says.
    Raises EngineError."""
    client = host.connector.client  # type: ignore[attr-defined]
    as_user = f"setpriv --reuid={user} --regid={user} --clear-groups --no-new-privs {_COMMAND}"
    try:
        channel = client.get_transport().open_session()
        channel.exec_command(as_user)
        program = Running(host, channel)
        program.given.write(_sources(name) + b"\n")
        yield program
        program.end()
    except BrokenPipeError:
        program.end()
        raise EngineError(f"{host.name}: the program ended before it had read all") from None
    except (OSError, SSHException) as error:
        raise ConnectionLost(f"{host.name}: connection lost ({error})") from None


@cache
def _sources(name: str) -> bytes:
    own = (*_SHARED, f"danhba.replay.{name}")
    modules = [(parent, "") for parent in _PARENTS]
    modules += [(each, _source(each)) for each in own]
    return base64.b64encode(zlib.compress(json.dumps(modules).encode()))


def _source(name: str) -> str:
    return _DANHBA.joinpath(*name.split(".")[1:]).with_suffix(".py").read_text()
