"""An edge that knows nothing yet takes what another one knows: whatever was learned before it came,
or before it lost its disk, stores do not bring again.

It becomes the other's replica for as long as the copy takes.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

_BEGUN = "yes"
MARK = "danhba:begun"
"""Key of who has what the others know."""
_PAUSE = 10.0
"""Seconds between two looks: valkey may begin anew at any time."""
_COPIED = 300.0
"""Seconds that a copy may take."""


class Valkey:
    """A connection for a few questions (RESP 2)."""

    def __init__(self, address: str) -> None:
        """address: of a socket's file, or HOST:PORT. Raises OSError."""
        if address.startswith("/"):
            self._line = socket.socket(socket.AF_UNIX)
            self._line.settimeout(5)
            self._line.connect(address)
        else:
            host, _, port = address.rpartition(":")
            self._line = socket.create_connection((host, int(port)), timeout=5)
        self._file = self._line.makefile("rb")

    def ask(self, *words: str) -> str:
        """The answer as text. Raises OSError, also for an error that valkey tells."""
        asked = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        self._line.sendall(f"*{len(words)}\r\n{asked}".encode())
        line = self._file.readline().decode().rstrip("\r\n")
        if not line or line[0] == "-":
            raise OSError(line[1:] or "valkey has closed the connection")
        if line[0] != "$" or line == "$-1":
            return line[1:]
        return self._file.read(int(line[1:]) + 2)[:-2].decode()

    def close(self) -> None:
        self._file.close()
        self._line.close()


def ask(address: str, *words: str) -> str:
    """One question. Raises OSError."""
    valkey = Valkey(address)
    try:
        return valkey.ask(*words)
    finally:
        valkey.close()


@dataclass(frozen=True)
class Beginning:
    """own: valkey's address here. peers: names of the other edges to the address of each one's."""

    own: str
    peers: Mapping[str, str]

    def run(self) -> None:
        """For ever."""
        told = ""
        while True:
            try:
                self.look()
                told = ""
            except OSError as error:
                if str(error) != told:
                    print(f"it is not clear yet what other edges know: {error}", flush=True)
                told = str(error)
            time.sleep(_PAUSE)

    def look(self) -> None:
        """Take what the others know, if this edge may not know it. Raises OSError when that cannot
        be told yet."""
        if "role:slave" in ask(self.own, "INFO", "replication"):
            ask(self.own, "REPLICAOF", "NO", "ONE")  # a copy was cut off
        # Asked often enough not to be thrown away when valkey is full.
        if ask(self.own, "GET", MARK) == _BEGUN:
            return
        silent: list[str] = []
        for name, address in self.peers.items():
            try:
                begun = ask(address, "GET", MARK) == _BEGUN
            except OSError as error:
                silent.append(f"{name}: {error}")
                continue
            if begun:
                self._copy(address)
                print(f"has what {name} has learned", flush=True)
                break
        else:
            if silent:  # it may know something
                raise OSError("; ".join(silent))
        ask(self.own, "SET", MARK, _BEGUN)

    def _copy(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        ask(self.own, "REPLICAOF", host, port)
        try:
            until = time.monotonic() + _COPIED
            while "master_link_status:up" not in ask(self.own, "INFO", "replication"):
                if time.monotonic() > until:
                    raise OSError("the copy does not end")
                time.sleep(0.2)
        finally:
            ask(self.own, "REPLICAOF", "NO", "ONE")
