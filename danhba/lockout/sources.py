"""Where a login comes from: the source that is counted, and the network that becomes known."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def source_of(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: a subscriber has at least that (RFC 6177), and
    could guess from another address each time. "" for what is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, 64), strict=False))


def within(source: str, networks: Collection[Network]) -> bool:
    """Whether a source touches one of the networks: of an IPv6 address its whole /64 counts."""
    if not source:
        return False
    place = ip_network(source)
    return any(place.version == each.version and place.overlaps(each) for each in networks)


def network_of(source: str) -> str:
    """The /24 or /48 around a source: a telephone has another address of its operator's every day,
    and is to be known all the same."""
    if not source:
        return ""
    prefix = 48 if ":" in source else 24
    return str(ip_network((source.partition("/")[0], prefix), strict=False))
