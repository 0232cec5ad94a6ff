"""Do the LDAP entries of a backup make the same tree again? A slapd of its own takes them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .mailboxes import file_facts
from .troubles import Trouble, some

_SECONDS = 3600
_ROOM = 4 * 1024**3

_CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
database mdb
suffix "{suffix}"
directory {directory}
maxsize {room}
"""


@dataclass
class Entries:
    """wanted: how many were backed up; found: how many the new tree has."""

    wanted: int = 0
    found: int = 0
    troubles: list[Trouble] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        return {"wanted": self.wanted, "found": self.found}


def look(ldif: Path, work: Path, suffix: str, host: str) -> Entries:
    result = Entries()
    config, directory = work / "slapd.conf", work / "ldap"
    directory.mkdir()
    config.write_text(_CONFIG.format(suffix=suffix, directory=directory, room=_ROOM))
    try:
        file_facts(ldif)  # a file, and not a pipe that somebody left
        wanted = entries(ldif.read_bytes())
        result.wanted = len(wanted)
        _slap("slapadd", "-q", "-f", str(config), "-l", str(ldif))
        found = entries(_slap("slapcat", "-f", str(config)))
    except OSError as error:
        result.troubles.append(Trouble("no-entries", host, f"{ldif.name}: {error.strerror}"))
        return result
    except subprocess.SubprocessError as error:
        said = (getattr(error, "stderr", b"") or b"").decode(errors="replace").strip()
        result.troubles.append(Trouble("ldif", host, said[-300:] or str(error)))
        return result
    result.found = len(found)
    if not wanted:
        result.troubles.append(Trouble("no-entries", host, f"{ldif.name} is empty"))
    if other := sorted(dn for dn in {*wanted, *found} if wanted.get(dn) != found.get(dn)):
        result.troubles.append(Trouble("entries", host, some(other)))
    return result


def _slap(*argv: str) -> bytes:
    """Raises CalledProcessError, TimeoutExpired."""
    return subprocess.run(argv, capture_output=True, check=True, timeout=_SECONDS).stdout


def entries(ldif: bytes) -> dict[str, tuple[bytes, ...]]:
    """Name, as LDIF has it (RFC 2849), to the lines of the entry in order."""
    found = {}
    for block in ldif.replace(b"\r\n", b"\n").replace(b"\n ", b"").split(b"\n\n"):
        lines = [line for line in block.split(b"\n") if line and not line.startswith(b"#")]
        name = next((line for line in lines if line.startswith(b"dn:")), None)
        if name:
            found[name.decode(errors="replace")] = tuple(sorted(lines))
    return found
