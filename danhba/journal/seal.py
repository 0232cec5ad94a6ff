"""Contents at rest: compressed, then encrypted for one key whose private half is not on the vault.

A sealed box (libsodium) has a fresh key of its own for each message: who only has the public half
can write and read nothing, not even what he has written before.
"""

from __future__ import annotations

import zstandard
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

_LEVEL = 3
MOST = 1 << 30
"""Bytes that a message may have when it is opened: no frame makes the reader's memory overflow."""


class SealError(ValueError):
    """The content was not sealed for this key, or has changed since."""


def public_half(private: bytes) -> bytes:
    """Of an X25519 key, 32 bytes."""
    return bytes(PrivateKey(private).public_key)


def sealed(message: bytes, public: bytes) -> bytes:
    """What is stored of a message."""
    packed = zstandard.ZstdCompressor(level=_LEVEL).compress(message)
    return bytes(SealedBox(PublicKey(public)).encrypt(packed))


def opened(stored: bytes, private: bytes) -> bytes:
    """The message again. Raises SealError."""
    try:
        packed = SealedBox(PrivateKey(private)).decrypt(stored)
        return zstandard.ZstdDecompressor().decompress(packed, max_output_size=MOST)
    except (CryptoError, zstandard.ZstdError) as error:
        raise SealError(str(error)) from None
