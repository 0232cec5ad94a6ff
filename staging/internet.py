"""net1, which plays the Internet."""

from __future__ import annotations

from danhba.inventory import Environment
from staging.config import NET1, NET1_IPV4, NET1_IPV6, OUTSIDE
from staging.host import Host

HOST = Host(NET1, f"mail.{OUTSIDE}", NET1_IPV4, NET1_IPV6, (OUTSIDE, f"ns.{OUTSIDE}"))


def domain(environment: Environment) -> str:
    """The province's mail domain: what its hosts' names have in common."""
    return environment.hosts[0].fqdn.partition(".")[2]


def digest(environment: Environment) -> str:
    return ""
