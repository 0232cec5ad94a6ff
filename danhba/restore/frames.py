"""A stream that says whether it is whole: what is cut off must not pass for a small mailbox.

Each frame is its length (4 bytes, big endian) and as many bytes; one of length 0 is the end, which
only a sender writes whose source ended well.
"""

from __future__ import annotations

import struct
from typing import IO

from .refusal import Refused

END = struct.pack(">I", 0)


def frame(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


class Frames:
    """Reads one stream of frames as a file."""

    def __init__(self, source: IO[bytes]) -> None:
        self.source = source
        self.left = 0
        self.ended = False

    def read(self, size: int) -> bytes:
        """At most size bytes; b"" at the end. Raises Refused when the stream is cut off."""
        if not self.left and not self.ended:
            (self.left,) = struct.unpack(">I", self._exactly(4))
            self.ended = not self.left
        data = self._exactly(min(size, self.left))
        self.left -= len(data)
        return data

    def drain(self) -> None:
        """To the end, which a tar file may be padded before."""
        while self.read(1024 * 1024):
            pass

    def _exactly(self, size: int) -> bytes:
        data = self.source.read(size)
        if len(data) < size:
            raise Refused("the snapshot was cut off on its way; run it again")
        return data
