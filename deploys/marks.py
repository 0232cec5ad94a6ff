"""On edges: what somebody submits with a secrecy mark is refused (danhba/marks; Điều 4.4)."""

from __future__ import annotations

import unicodedata

import danhba.marks
from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import MARKS_SOCKET
from deploys.program import HOME, as_json, program

_UNIT = "danhba-marks.service"
_CONFIG = "/etc/danhba/marks.json"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    path = f"/etc/systemd/system/{_UNIT}"
    unit = render("marks/unit.service", config=_CONFIG, home=HOME, socket=MARKS_SOCKET)
    config = {"contact": in_ascii(directory.secrecy_contact), "socket": MARKS_SOCKET}
    return Part(
        name="marks",
        # poppler-utils has pdftotext.
        packages=("python3", "python3-milter", "poppler-utils"),
        files=(
            *program(danhba.marks),
            File(_CONFIG, as_json(config), effect="restart"),
            File(path, unit, effect="restart"),
            File("/etc/sysusers.d/danhba-marks.conf", render("marks/sysusers.conf")),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"/etc/systemd/system/multi-user.target.wants/{_UNIT}": path},
        services=(Service(_UNIT),),
    )


def in_ascii(text: str) -> str:
    """Without its marks, as a reply of SMTP has it (RFC 5321 4.2)."""
    parts = unicodedata.normalize("NFD", text.translate({ord("đ"): "d", ord("Đ"): "D"}))
    return parts.encode("ascii", "ignore").decode()
