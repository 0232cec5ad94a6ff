"""Mailboxes of people who were withdrawn long ago: archived, then removed (Điều 6.3, 8.9)."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.service import Boxes, File, Part, State
from deploys.common import LEAVING

MAIL = "/srv/mail"
ARCHIVE = "/srv/archive"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    """Every store has all of them: it looks for those that it holds, as home or as standby."""
    folder = f"d {ARCHIVE} 0700 root root\n"
    return Part(
        name="retention",
        files=(
            File("/etc/tmpfiles.d/danhba-archive.conf", folder.encode()),
            File(LEAVING, "".join(f"{row.account}\n" for row in directory.leaving).encode()),
        ),
        states=(
            State(f"the mode of {ARCHIVE}", ("stat", "-c", "%U:%G %a", ARCHIVE), "root:root 700\n"),
        ),
        boxes=Boxes(MAIL, ARCHIVE, directory.timezone, directory.leaving),
    )
