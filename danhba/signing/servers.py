"""What the name servers of a zone say, each asked itself: no resolver remembers anything else."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.resolver

_PATIENCE = 5.0
"""Seconds for one question."""


class NoAnswer(Exception):
    """DNS could not be asked; the message says what was."""


@dataclass(frozen=True)
class Said:
    """texts: of each name the TXT records there. ttl: seconds; the longest of them, and of what
    resolvers remember when there was none (RFC 2308 5)."""

    server: str
    texts: Mapping[str, tuple[str, ...]]
    ttl: int


def ask(names: Iterable[str]) -> list[Said]:
    """Every name server of the zone, at each of its addresses. Raises NoAnswer when one is silent:
    it may be the one that others ask. names: all of one zone."""
    names = list(names)
    if not names:
        return []
    resolver = dns.resolver.Resolver()
    resolver.lifetime = 2 * _PATIENCE
    try:
        zone = dns.resolver.zone_for_name(names[0], resolver=resolver)
        servers = sorted(str(row.target) for row in resolver.resolve(zone, "NS"))
        found = [
            said
            for server in servers
            for said in _of(server, _addresses(resolver, server), zone, names)
        ]
    except dns.exception.DNSException as error:
        raise NoAnswer(f"DNS does not say who serves {names[0]}: {error}") from None
    return found


def _addresses(resolver: dns.resolver.Resolver, server: str) -> list[str]:
    found = []
    for kind in ("A", "AAAA"):
        try:
            found += [str(row.address) for row in resolver.resolve(server, kind)]
        except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
            continue
    return found


def _of(server: str, addresses: list[str], zone: dns.name.Name, names: list[str]) -> list[Said]:
    found = []
    for address in addresses:
        try:
            found.append(_asked(server, address, zone, names))
        except OSError as error:
            # This host may have no IPv6; the server's other address says the same.
            if error.errno not in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL):
                raise NoAnswer(f"{server} ({address}): {error}") from None
        except dns.exception.DNSException as error:
            raise NoAnswer(f"{server} ({address}): {error}") from None
    if not found:
        raise NoAnswer(f"{server} cannot be reached")
    return found


def _asked(server: str, address: str, zone: dns.name.Name, names: list[str]) -> Said:
    texts, longest = {}, _forgetting(address, zone)
    for name in names:
        answer = _question(address, dns.name.from_text(name), dns.rdatatype.TXT)
        rows = [row for row in answer.answer if row.rdtype == dns.rdatatype.TXT]
        texts[name] = tuple(
            b"".join(row.strings).decode(errors="replace") for rows_of in rows for row in rows_of
        )
        longest = max([longest, *(row.ttl for row in answer.answer)])
    return Said(server, texts, longest)


def _forgetting(address: str, zone: dns.name.Name) -> int:
    """How long a resolver may remember that a name was not there."""
    answer = _question(address, zone, dns.rdatatype.SOA)
    return max((min(row.ttl, row[0].minimum) for row in answer.answer), default=0)


def _question(
    address: str, name: dns.name.Name, kind: dns.rdatatype.RdataType
) -> dns.message.Message:
    question = dns.message.make_query(name, kind, use_edns=0, payload=1232)
    question.flags &= ~dns.flags.RD
    answer, _ = dns.query.udp_with_fallback(question, address, timeout=_PATIENCE)
    if not answer.flags & dns.flags.AA:
        raise NoAnswer(f"{address} does not serve {name}")
    return answer
