"""Refuses address ranges that this machine already uses for something else."""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from staging.config import BRIDGE, RANGES
from staging.shell import LabError, run

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def check(mirrors: Iterable[str]) -> None:
    """Raises LabError when a range of the lab is in use. mirrors: host names of apt's mirrors."""
    routes = [*_ip("-4", "route", "show", "table", "all")]
    routes += _ip("-6", "route", "show", "table", "all")
    resolvers = Path("/etc/resolv.conf").read_text(errors="replace")
    servers = [line.split()[1] for line in resolvers.splitlines() if line.startswith("nameserver ")]
    named = [(f"the resolver {server}", server) for server in servers]
    for name in dict.fromkeys(mirrors):
        named += [(f"the package mirror {name}", address) for address in _resolve(name)]
    found = clashes(RANGES, routes, _ip("address", "show"), named)
    if found:
        raise LabError(
            "the lab's address ranges are in use on this machine:\n  "
            + "\n  ".join(found)
            + "\nchoose others with DANHBA_LAB_PROVINCE4, _INTERNET4, _PROVINCE6, _INTERNET6"
        )


def clashes(
    ranges: Sequence[Network],
    routes: Iterable[dict[str, Any]],
    links: Iterable[dict[str, Any]],
    named: Iterable[tuple[str, str]],
) -> list[str]:
    """What uses a range: routes and links as `ip -json` tells them, named single addresses."""
    used = [_route(route) for route in routes]
    for link in links:
        if link.get("ifname") != BRIDGE:
            for info in link.get("addr_info", ()):
                text = f"{info.get('local')}/{info.get('prefixlen')}"
                used.append((f"the address {text} of {link.get('ifname')}", _network(text)))
    used += [(what, _network(address)) for what, address in named]
    return [
        f"{mine} overlaps {what}"
        for mine in ranges
        for what, theirs in used
        if theirs is not None and mine.version == theirs.version and _overlap(mine, theirs)
    ]


def _route(route: dict[str, Any]) -> tuple[str, Network | None]:
    """A route as a range; None for what does not count: our own, multicast, the default route."""
    text = str(route.get("dst", ""))
    way = route.get("dev") or route.get("type") or "?"
    own = route.get("dev") == BRIDGE or route.get("type") in ("unreachable", "multicast")
    network = None if own or text == "default" else _network(text)
    wide = network is not None and network.prefixlen < (8 if network.version == 4 else 16)
    return f"the route to {text} ({way})", None if wide else network


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text.partition("%")[0], strict=False)
    except ValueError:
        return None


def _overlap(one: Network, other: Network) -> bool:
    first, last = int(one.network_address), int(one.broadcast_address)
    return first <= int(other.broadcast_address) and int(other.network_address) <= last


def _ip(*argv: str) -> list[dict[str, Any]]:
    text = run(["ip", "-json", *argv]).stdout.strip()
    return list(json.loads(text)) if text else []


def _resolve(name: str) -> list[str]:
    try:
        return sorted({str(info[4][0]) for info in socket.getaddrinfo(name, None)})
    except OSError:
        return []
