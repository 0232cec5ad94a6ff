"""From one host to another, through this machine: they have no way to each other's programs, and
what passes through here is written nowhere."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from paramiko import Channel, SSHException
from pyinfra.api.host import Host

from danhba.engine import EngineError
from danhba.generations import remote
from danhba.restore.frames import END, frame

BLOCK = 256 * 1024


@dataclass(frozen=True)
class Program:
    """argv on a host, and what it reads first."""

    host: Host
    argv: Sequence[str]
    text: str = ""


def pipe(sources: Iterable[Program], target: Program) -> dict[str, Any]:
    """What each of the sources prints, as one stream of frames (danhba/restore/frames.py) each, to
    the target; what that answers. Raises EngineError: then the target knows that a stream was cut
    off."""
    with _started(target) as into:
        try:
            for each in sources:
                with _started(each) as out:
                    out.shutdown_write()
                    while data := out.recv(BLOCK):
                        into.sendall(frame(data))
                    _must_be_well(each, out)
                into.sendall(END)
            into.shutdown_write()
        except OSError:  # it reads no more, and has said why
            _must_be_well(target, into)
            raise EngineError(f"{target.host.name}: connection lost") from None
        said = b"".join(iter(lambda: into.recv(BLOCK), b""))
        _must_be_well(target, into)
    return remote.answer(said.decode().splitlines())


@contextlib.contextmanager
def _started(program: Program) -> Iterator[Channel]:
    client: Any = getattr(program.host.connector, "client", None)
    try:
        channel: Channel = client.get_transport().open_session()
    except (OSError, SSHException, AttributeError) as error:
        raise EngineError(f"{program.host.name}: connection lost ({error})") from None
    with contextlib.closing(channel):
        channel.exec_command(shlex.join(program.argv))
        channel.sendall(program.text.encode())
        yield channel


def _must_be_well(program: Program, channel: Channel) -> None:
    """Of a program that prints no more. Raises EngineError with its own words."""
    status = channel.recv_exit_status()
    if status == 0:
        return
    said = b"".join(iter(lambda: channel.recv_stderr(BLOCK), b"")).decode(errors="replace").strip()
    reason = said or ("it was killed" if status < 0 else f"exit status {status}")
    raise EngineError(f"{program.host.name}: {reason}")
