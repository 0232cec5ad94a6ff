"""Are an edge's keys still keys, and is what it has learned readable?"""

from __future__ import annotations

import base64
import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from .mailboxes import file_facts
from .troubles import Trouble

_SECONDS = 600


@dataclass
class Edge:
    """wanted: private keys that were backed up; keys: those that are the halves of published ones.
    learned: keys in valkey's dump."""

    wanted: int = 0
    keys: int = 0
    learned: int = 0
    troubles: list[Trouble] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        return {"wanted": self.wanted, "keys": self.keys, "learned": self.learned}


def look(keys: Path, dump: Path | None, host: str) -> Edge:
    """keys: directory of the pairs that sign, and of state.json with their public halves. dump:
    None when valkey has written none yet."""
    result = Edge()
    try:
        file_facts(keys / "state.json")
        found = json.loads((keys / "state.json").read_bytes())
        pairs = [(str(pair["name"]), dict(pair["public"])) for pair in found["pairs"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        result.troubles.append(Trouble("no-key", host, f"state.json: {type(error).__name__}"))
        pairs = []
    for name, public in pairs:
        for kind, half in public.items():
            result.wanted += 1
            if reason := _broken(keys / name / f"{kind}.key", kind, half):
                result.troubles.append(Trouble("key", host, f"{name}/{kind}.key: {reason}"))
            else:
                result.keys += 1
    if not result.wanted and not result.troubles:
        result.troubles.append(Trouble("no-key", host))
    if dump:
        _learned(result, dump, host)
    return result


def _broken(path: Path, kind: str, public: str) -> str:
    """Why what it holds is not the private half of a public key, as DNS has it (RFC 6376, 8463)."""
    try:
        file_facts(path)
        text = path.read_bytes()
        found = _rsa(text) if kind == "rsa" else _ed25519(text)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return str(error)
    return "" if base64.b64encode(found).decode() == public else "another public half"


def _rsa(text: bytes) -> bytes:
    """From PEM to what RFC 6376 publishes. Raises ValueError."""
    argv = ["openssl", "pkey", "-pubout", "-outform", "DER"]
    done = subprocess.run(argv, input=text, capture_output=True, check=False, timeout=_SECONDS)
    if done.returncode:
        raise ValueError("openssl does not read it")
    return done.stdout


def _ed25519(text: bytes) -> bytes:
    """From rspamd's file: the seed, and with it mostly the public key. Raises ValueError."""
    seed = base64.b64decode(text, validate=False)[:32]
    if len(seed) != 32:
        raise ValueError("no Ed25519 key")
    return bytes(SigningKey(seed).verify_key)


def _learned(result: Edge, dump: Path, host: str) -> None:
    try:
        file_facts(dump)
        done = subprocess.run(
            ["valkey-check-rdb", str(dump)],
            stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        result.troubles.append(Trouble("learned", host, f"{dump.name}: {error}"))
        return
    count = re.search(rb"([0-9]+) keys read", done.stdout)
    result.learned = int(count[1]) if count else 0
