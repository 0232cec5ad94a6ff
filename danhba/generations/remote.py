"""How a step reaches the host: one command, the program and its input on standard input.

Nothing is left on the host by a question, nothing of the input shows in its process list, and the
host always runs the version that the control machine has.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent / "host"
_PACKAGE = "danhba.generations.host"
_MODULES = (
    "common", "units", "record", "lock", "ldap", "peers", "entries", "states", "boxes", "expiry",
    "report", "stage", "activate", "keepers", "lockout", "incidents", "sessions", "program",
    "rebuild", "main",
)  # fmt: skip
"""In the order of their imports. Parents of the package are empty stand-ins on the host."""

_LOADER = (
    "import sys,json,zlib,base64,types\n"
    "read=lambda:json.loads(zlib.decompress(base64.b64decode(sys.stdin.buffer.readline())))\n"
    "for name,source in read():\n"
    " m=sys.modules[name]=types.ModuleType(name)\n"
    " exec(compile(source,name,'exec'),m.__dict__)\n"
    " p,_,c=name.rpartition('.')\n"
    " p and setattr(sys.modules[p],c,m)\n"
    f"sys.modules['{_PACKAGE}.main'].main(read())"
)

COMMAND = f"python3 -c '{_LOADER.replace(chr(39), chr(39) + chr(92) + chr(39) * 2)}'"
"""The shell command of every step."""


def _pack(value: Any, level: int = 6) -> str:
    return base64.b64encode(zlib.compress(json.dumps(value).encode(), level)).decode()


@cache
def _program() -> str:
    parents = [(name, "") for name in ("danhba", "danhba.generations", _PACKAGE)]
    own = [(f"{_PACKAGE}.{name}", (_HERE / f"{name}.py").read_text()) for name in _MODULES]
    return _pack(parents + own)


def answer(lines: Iterable[str]) -> dict[str, Any]:
    """What a step answered (host/main.py, packed)."""
    found: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode("".join(lines))))
    return found


def stdin(step: str, request: Mapping[str, Any]) -> list[str]:
    """The two lines that COMMAND reads: the program, then the request."""
    return [_program(), _pack({**request, "step": step}, 1)]
