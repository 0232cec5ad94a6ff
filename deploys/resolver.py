"""unbound on edges: DNS whose signatures somebody checked (DNSSEC). Without it DANE (RFC 7672)
would rest on the word of whoever answers."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service

_UNIT = "unbound.service"
_CONFIG = "/etc/unbound/unbound.conf"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    return Part(
        name="resolver",
        packages=("unbound", "dns-root-data"),
        files=(
            File(_CONFIG, render("resolver/unbound.conf", root=host.dns_root), effect="restart"),
            File(f"/etc/systemd/system/{_UNIT}.d/danhba.conf", render("resolver/unit.conf"),
                 effect="restart"),
            File("/etc/resolv.conf", render("resolver/resolv.conf")),
        ),
        services=(Service(_UNIT),),
        validate=(("unbound-checkconf", _CONFIG),),
    )  # fmt: skip
