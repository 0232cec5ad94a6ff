"""The scratch machine that a drill restores onto and looks in: a blank root, processes, users and a
network of its own, and of the vault nothing but what is named here (templates/drill/machine.conf).

systemd leaves out what a kernel refuses it, some of it with a warning only. So each step looks
where it is before it does anything.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .places import CONFIG

PROGRAMS = ("/usr", "/bin", "/lib", "/lib64", "/sbin")
"""The vault's, to read."""
SCHEMA = "/etc/ldap/schema"
"""Beside its configuration all that a drill needs of /etc."""
_BLANK = ("/", "/run", "/tmp", "/var/tmp", "/usr/local")
_KERNELS = ("/dev", "/proc", "/sys", "/run/systemd/incoming", "/run/credentials")
"""Or systemd's; with what is below them."""
_WHOLE = "0 0 4294967295"
"""Users of a process that has no users of its own."""


class NotScratch(Exception):
    """Something of the vault can be seen."""


@dataclass(frozen=True)
class Machine:
    """As a process in it sees it. root: type of its file system. sees: what is attached to it.
    network: interfaces. users: lines of /proc/self/uid_map."""

    root: str
    sees: tuple[str, ...]
    network: tuple[str, ...]
    users: tuple[str, ...]
    first: bool
    """Has it processes of its own, of which this is the first?"""

    @classmethod
    def of(cls, process: Path = Path("/proc/self")) -> Machine:
        """Raises OSError."""
        mounts = {}
        for line in (process / "mountinfo").read_text().splitlines():
            before, _, after = line.partition(" - ")
            mounts[before.split()[4]] = after.split()[0]
        sees = (point for point in mounts if point not in _BLANK and not _is_in(point, _KERNELS))
        rows = (process / "net/dev").read_text().splitlines()[2:]
        users = (process / "uid_map").read_text().splitlines()
        return cls(
            root=mounts.get("/", ""),
            sees=tuple(sorted(sees)),
            network=tuple(sorted(row.partition(":")[0].strip() for row in rows)),
            users=tuple(" ".join(row.split()) for row in users),
            first=os.getpid() == 1,
        )

    def must_be_scratch(self, attached: Collection[str]) -> None:
        """attached: what else a step may see, with what is below. Raises NotScratch."""
        known = (*PROGRAMS, SCHEMA, CONFIG, *attached)
        wrong = [point for point in self.sees if not _is_in(point, known)]
        if self.root != "tmpfs":
            wrong.append("the root of the vault")
        if self.network != ("lo",):
            wrong.append(f"the network: {' '.join(self.network)}")
        if self.users == (_WHOLE,):
            wrong.append("the users of the vault")
        if not self.first:
            wrong.append("the processes of the vault")
        if wrong:
            raise NotScratch(f"this is no scratch machine, it sees {', '.join(wrong)}")

    def json(self) -> dict[str, Any]:
        return {"sees": self.sees, "network": self.network, "users": self.users}


def _is_in(point: str, tops: Collection[str]) -> bool:
    return any(point == top or point.startswith(f"{top}/") for top in tops)
