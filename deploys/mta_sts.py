"""Policies of other domains on TLS (MTA-STS, RFC 8461): an edge's Postfix asks before it sends."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import STS_SOCKET

_UNIT = "postfix-mta-sts-resolver.service"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    config = render("mta_sts/mta-sts-daemon.yml", socket=STS_SOCKET)
    return Part(
        name="mta_sts",
        packages=("postfix-mta-sts-resolver",),
        files=(
            File("/etc/mta-sts-daemon.yml", config, effect="restart"),
            File(f"/etc/systemd/system/{_UNIT}.d/danhba.conf", render("mta_sts/unit.conf"),
                 effect="restart"),
        ),
        services=(Service(_UNIT),),
    )  # fmt: skip
