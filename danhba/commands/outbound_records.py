"""Records beside those of DKIM that concern what other servers send to us over TLS."""

from __future__ import annotations

from danhba.generations.host.common import sha256
from danhba.inventory import Environment
from danhba.signing.records import zone_line

_WEEK = 7 * 24 * 3600
"""How long a sender may keep our policy (RFC 8461 3.2): weeks are asked for, and a day's notice is
enough to change an edge."""


def tls_reports(domain: str) -> str:
    """Where other servers report that TLS failed (RFC 8460 3)."""
    return zone_line(f"_smtp._tls.{domain}.", f"v=TLSRPTv1; rua=mailto:postmaster@{domain}")


def policy(env: Environment) -> str:
    """Our own MTA-STS policy (RFC 8461 3.2): our edges by name, and not without TLS."""
    edges = "".join(f"mx: {host.fqdn}\n" for host in env.having("edge"))
    return f"version: STSv1\nmode: enforce\n{edges}max_age: {_WEEK}\n"


def lines(domain: str, env: Environment) -> list[str]:
    """For the end of what `danhba dkim show` prints. The MTA-STS record is a comment: without a web
    server that has the policy it would be one that nobody can follow."""
    text = policy(env)
    return [
        "; reports on TLS (RFC 8460)",
        tls_reports(domain),
        f"; MTA-STS (RFC 8461): once https://mta-sts.{domain}/.well-known/mta-sts.txt says",
        *(f";   {line}" for line in text.splitlines()),
        f"; {zone_line(f'_mta-sts.{domain}.', f'v=STSv1; id={_identity(text)}')}",
    ]


def _identity(text: str) -> str:
    """Another one for another policy (RFC 8461 3.1), 1 to 32 letters and digits."""
    return sha256(text.encode())[:16]
