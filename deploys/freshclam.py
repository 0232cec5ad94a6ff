"""freshclam on edges: keeps ClamAV's signatures up to date, from its makers' mirrors."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import SIGNATURES

_UNIT = "clamav-freshclam.service"
_CONFIG = "/etc/danhba/freshclam.conf"
_OLD = (
    f"find {SIGNATURES} -name 'daily.c?d' -mtime -3 | grep -q . && exit;"
    f" echo 'virus signatures are older than three days: journalctl -u {_UNIT}'"
)


_ONCE = {
    f"/etc/systemd/system/clamav-freshclam-once.{kind}": "/dev/null"
    for kind in ("service", "timer")
}
"""Debian's, which fetches once a day and at each boot, beside the daemon."""


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    path = f"/etc/systemd/system/{_UNIT}"
    if host.signatures == "lab":
        return Part(name="freshclam", links={path: "/dev/null", **_ONCE})
    return Part(
        name="freshclam",
        packages=("clamav-freshclam",),
        files=(
            File(_CONFIG, render("clamav/freshclam.conf", folder=SIGNATURES), effect="restart"),
            File(path, render("clamav/freshclam.service", config=_CONFIG), effect="restart"),
        ),
        links={f"/etc/systemd/system/multi-user.target.wants/{_UNIT}": path, **_ONCE},
        services=(Service(_UNIT),),
        health=(("sh", "-c", _OLD),),
    )
