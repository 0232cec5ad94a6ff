"""Whether a domain's mail servers have TLSA records in signed DNS (RFC 7672 2.2)."""

from __future__ import annotations

from typing import Any

import dns.asyncresolver
import dns.flags
import dns.resolver

_PATIENCE = 8.0
"""Seconds for one question, of the resolver on this host."""


async def has_dane(domain: str) -> bool:
    """Raises dns.exception.DNSException when DNS does not answer: nobody knows then."""
    for row in await _signed(domain, "MX"):
        if await _signed(f"_25._tcp.{row.exchange}", "TLSA"):
            return True
    return False


async def _signed(name: str, kind: str) -> list[Any]:
    """Rows whose signatures the resolver has checked; none when there are no such."""
    resolver = dns.asyncresolver.Resolver()
    resolver.flags = dns.flags.RD | dns.flags.AD
    try:
        answer = await resolver.resolve(name, kind, lifetime=_PATIENCE)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    return list(answer) if answer.response.flags & dns.flags.AD else []
