"""DNS as net1 serves it: the province's domain, the outside one, both reverse trees, and a root.

The root is ours, so a name outside the lab does not exist, which is known at once: no host ever
waits for a server that the lab cannot reach.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from danhba.commands import outbound_records
from danhba.inventory import Environment, Host
from staging import outsiders, tls_domains
from staging.config import INTERNET4, NET1_IPV4, NET1_IPV6, OUTSIDE, RANGES

CLIENT_NAMES = ("imap", "smtp")
"""What officials enter in their programs: every edge, so that one may be lost."""

CLIENTS = {
    f"may.{OUTSIDE}": tuple(str(net[1]) for net in RANGES),
    **{
        f"khach{number}.{OUTSIDE}": (str(INTERNET4[number]),)
        for number in (*range(170, 180), *range(200, 240))
    },
}
"""This machine, from which tests speak as servers outside do, and more of them, for tests that give
it their addresses."""

LISTED = str(INTERNET4[170])
BAD_NAME = outsiders.QUARANTINING
BLOCK_LIST = f"den.{OUTSIDE}"
REFUSING_LIST = f"tuchoi.{OUTSIDE}"
SILENT_LIST = f"im.{OUTSIDE}"
SILENT_SERVER = str(INTERNET4[180])
"""DNS block lists: one with LISTED and BAD_NAME on it; one that tells everybody that he may not
ask, as the great ones do (127.255.255.x); one whose server takes questions and answers none."""

_HEAD = """\
$TTL 60
@ IN SOA ns.{outside}. hostmaster.{outside}. {serial} 3600 600 86400 60
@ IN NS ns.{outside}.
"""


def domain(environment: Environment) -> str:
    """The province's mail domain: what its hosts' names have in common."""
    return environment.hosts[0].fqdn.partition(".")[2]


def names(environment: Environment, host: Host) -> tuple[str, ...]:
    """Further names that a host's certificate holds for: an edge is also what programs for mail
    are told to connect to."""
    own = domain(environment)
    further = CLIENT_NAMES if "edge" in host.roles else ()
    return (own, *(f"{name}.{own}" for name in further))


def zones(environment: Environment, serial: int) -> dict[str, str]:
    """Zone name to zone file."""
    head = _HEAD.format(outside=OUTSIDE, serial=serial)
    hosts = {host.fqdn: (host.ipv4, host.ipv6) for host in environment.hosts}
    reverse = _reverse({**hosts, f"mail.{OUTSIDE}": (NET1_IPV4, NET1_IPV6), **CLIENTS})
    return {
        ".": head + _root(environment),
        domain(environment): head + _province(environment, hosts),
        OUTSIDE: head + _outside(),
        keys(environment): keys_head(serial),
        **{zone: head + text for zone, text in outsiders.zones(SILENT_LIST).items()},
        "in-addr.arpa": head + "".join(line for line in reverse if ".ip6." not in line),
        "ip6.arpa": head + "".join(line for line in reverse if ".ip6." in line),
    }


def configuration(environment: Environment) -> str:
    """named.conf"""
    text = _NAMED
    secured = signed(environment)
    for zone in zones(environment, 0):
        policy = f'dnssec-policy default; key-directory "{KEYS}"; ' if zone in secured else ""
        text += f'zone "{zone}" {{ type primary; {policy}file "{path(zone)}"; }};\n'
    return text


def signed(environment: Environment) -> tuple[str, ...]:
    """Zones with DNSSEC; the root first, whose key edges know (internet.anchor)."""
    return (".", domain(environment), OUTSIDE)


KEYS = "/var/lib/bind/keys"
"""Of signed zones, made on net1."""


def path(zone: str) -> str:
    """Where BIND may write: beside it are the signatures."""
    return f"/var/lib/bind/danhba/{'root' if zone == '.' else zone}.zone"


def _root(environment: Environment) -> str:
    signed = outsiders.zones(SILENT_LIST)
    children = (domain(environment), OUTSIDE, *signed, "in-addr.arpa", "ip6.arpa")
    text = "".join(f"{child}. IN NS ns.{OUTSIDE}.\n" for child in children)
    return text + _address(f"ns.{OUTSIDE}.", NET1_IPV4, NET1_IPV6)


def _province(environment: Environment, hosts: Mapping[str, tuple[str, str]]) -> str:
    """Every edge receives mail, none preferred."""
    edges = environment.having("edge")
    text = "".join(f"@ IN MX 10 {host.fqdn}.\n" for host in edges)
    text += '@ IN TXT "v=spf1 mx -all"\n'
    # What docs/authentication.md asks the province to publish.
    text += f'_dmarc IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@{domain(environment)}"\n'
    for host in edges:
        text += f'{host.fqdn}. IN TXT "v=spf1 a -all"\n'
    for name in CLIENT_NAMES:
        text += "".join(_address(name, host.ipv4, host.ipv6) for host in edges)
    text += _tls_reports(environment) + f"{keys(environment)}. IN NS ns.{OUTSIDE}.\n"
    return text + "".join(_address(f"{name}.", *found) for name, found in hosts.items())


def keys(environment: Environment) -> str:
    """A zone of its own, so that keys for DKIM come and go (staging/dkim_keys.py) and no other
    record with them."""
    return f"_domainkey.{domain(environment)}"


def keys_head(serial: int) -> str:
    """A resolver forgets within two seconds that a record was not there: tests wait for it."""
    head = _HEAD.format(outside=OUTSIDE, serial=serial)
    return head.replace("$TTL 60", "$TTL 2").replace("86400 60", "86400 2")


def _tls_reports(environment: Environment) -> str:
    """As `danhba dkim show` prints it."""
    return outbound_records.tls_reports(domain(environment)) + "\n"


def _outside() -> str:
    text = f'@ IN MX 10 mail.{OUTSIDE}.\n@ IN TXT "v=spf1 mx a:may.{OUTSIDE} -all"\n'
    text += outsiders.outside()
    text += "".join(_address(name, NET1_IPV4, NET1_IPV6) for name in ("@", "mail", "ns"))
    for name, addresses in CLIENTS.items():
        text += "".join(
            f"{name}. IN {'AAAA' if ':' in address else 'A'} {address}\n" for address in addresses
        )
    return text + _block_lists() + tls_domains.records()


def _block_lists() -> str:
    """RFC 5782: an address is a name, turned round, below that of the list."""
    listed = ".".join(reversed(LISTED.split(".")))
    silent = f"ns.{SILENT_LIST}."
    return (
        f"{listed}.{BLOCK_LIST}. IN A 127.0.0.2\n{BAD_NAME}.{BLOCK_LIST}. IN A 127.0.1.5\n"
        f"*.{REFUSING_LIST}. IN A 127.255.255.254\n"
        f"{SILENT_LIST}. IN NS {silent}\n{silent} IN A {SILENT_SERVER}\n"
    )


def _address(name: str, ipv4: str, ipv6: str) -> str:
    return f"{name} IN A {ipv4}\n{name} IN AAAA {ipv6}\n"


def _reverse(names: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [
        f"{ipaddress.ip_address(address).reverse_pointer}. IN PTR {name}.\n"
        for name, addresses in names.items()
        for address in addresses
    ]


_NAMED = """\
options {
    directory "/var/cache/bind";
    listen-on { any; };
    listen-on-v6 { any; };
    allow-query { any; };
    recursion yes;
    allow-recursion { any; };
    // everything is answered from the zones below, the root among them
    dnssec-validation no;
    empty-zones-enable no;
    minimal-responses yes;
};
"""
