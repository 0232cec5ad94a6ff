"""What several hosts and the control machine must share, and nobody else may know.

One master secret an environment, on the control machine and outside git; every password and key of
the vault comes from it. Who has git, the master and the vault's disks (or the second place) has
everything that a province needs to begin again (docs/recovery.md).
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from danhba.errors import DanhbaError

_BYTES = 32


class SecretsError(DanhbaError):
    """The master secret cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Secrets:
    """master: 32 bytes."""

    master: bytes = field(repr=False)

    def derive(self, label: str) -> bytes:
        """32 bytes for one use (HKDF with SHA-256, RFC 5869): who learns them learns no others."""
        # Late: `danhba check` imports this file and derives nothing.
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(SHA256(), _BYTES, salt=None, info=f"danhba {label}".encode()).derive(
            self.master
        )


def load(folder: Path, environment: str) -> Secrets:
    """The secrets of an environment. Raises SecretsError."""
    place = folder / "master"
    try:
        master = bytes.fromhex(place.read_text())
        open_to_others = place.stat().st_mode & 0o077
    except FileNotFoundError:
        told = f"danhba secrets {environment} makes it, once; or put the one that you keep there"
        raise SecretsError(f"{place}: there is no master secret of the vault: {told}") from None
    except (OSError, ValueError) as error:
        raise SecretsError(f"{place}: this is no master secret ({error})") from None
    if len(master) != _BYTES:
        raise SecretsError(f"{place}: a master secret has {_BYTES} bytes, this one {len(master)}")
    if open_to_others:
        raise SecretsError(f"{place}: others may read it: chmod 600 {place}")
    return Secrets(master)


def make(folder: Path) -> bool:
    """Make the master secret where there is none; false when there is one. Raises OSError."""
    place = folder / "master"
    if place.exists():
        return False
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = place.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{secrets.token_hex(_BYTES)}\n")
        file.flush()
        os.fsync(file.fileno())
    new.rename(place)
    return True
