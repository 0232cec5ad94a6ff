"""Which ports a host opens, and to whom: nftables."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.generations.host.rebuild import CLOSED, STATE
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service, State
from deploys.common import (
    BACKUP_PORT,
    JOURNAL_PORT,
    LDAP_GATE_PORT,
    LEARNING_PORT,
    LOCKOUT_PORT,
    QUOTA_PORT,
    REPLY_PORT,
    ROOTS_PORT,
    STANDBY_PORT,
    STORE_IMAP,
    STORE_POP3,
    STORE_PORT,
    STORE_SIEVE,
    VALKEY_PORT,
)

PUBLIC: dict[str, tuple[int, ...]] = {
    "edge": (25, 110, 143, 465, 587, 993, 995, 4190),
    "people": (LDAP_GATE_PORT, 636),
}
"""Ports open to everyone, per role. Officials look up the address book and change their passwords
from wherever they are, so LDAP over TLS is one of them; but who is no host of the province is led
from there to the gate that counts guesses (danhba/lockout/gate.py)."""

INTERNAL: dict[str, tuple[tuple[str, tuple[int, ...]], ...]] = {
    "store": (
        ("edge", (STORE_PORT, STORE_IMAP, STORE_POP3, STORE_SIEVE, QUOTA_PORT)),
        ("store", (STANDBY_PORT,)),
    ),
    "vault": (("edge", (JOURNAL_PORT,)),),
    "edge": (
        ("store", (REPLY_PORT, LEARNING_PORT)),
        ("edge", (VALKEY_PORT,)),
    ),
}
"""Ports open to the hosts of one role only, its other hosts when it is the same."""

FILLED_BY = (STANDBY_PORT, VALKEY_PORT)
"""Ports over which other hosts bring a host that is being rebuilt what it had."""


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    public = sorted({22}.union(*(PUBLIC.get(role, ()) for role in host.roles)))
    internal = [{"peers": peers, "ports": ports} for peers, ports in openings(env, host)]
    gate = {"own": env.hosts, "port": LDAP_GATE_PORT} if "people" in host.roles else None
    ways = "store" in host.roles and len(env.having("store")) > 1
    learned = "edge" in host.roles and len(env.having("edge")) > 1
    rules = render(
        "firewall/nftables.conf",
        public=public, internal=internal, gate=gate, ways=ways, learned=learned,
        closed=str(CLOSED).replace(".nft", "*.nft"),  # with a star none need be there
    )  # fmt: skip
    return Part(
        name="firewall",
        packages=("nftables",),
        files=(File("/etc/nftables.conf", rules, effect="reload"),),
        services=(Service("nftables.service"),),
        states=(
            State("the rules of nftables", ("nft", "-s", "-t", "list", "ruleset"),
                  unit="nftables.service", way="reload"),
        ),
        validate=(("nft", "-c", "-f", "/etc/nftables.conf"),),
        health=(("sh", "-c", f"test ! -e {STATE} || echo {_NOT_ENDED}"),),
    )  # fmt: skip


_NOT_ENDED = "its rebuild has not ended: danhba rebuild ENV HOST again"


def closed(env: Environment, host: Host) -> str:
    """The rules that come before all others on a host until it has what it had: users, mail and
    other hosts are told, as of one that is dead, that nobody is there."""
    ports = {port for role in host.roles for port in PUBLIC.get(role, ())}
    ports |= {port for _, some in openings(env, host) for port in some} - {LOCKOUT_PORT}
    peers = tuple(each for each in env.having("people") if each != host)
    people = "people" in host.roles
    rules = render(
        "firewall/closed.nft",
        ports=sorted(ports.difference(FILLED_BY)),
        peers=peers if people else (),
    )
    return rules.decode()


def openings(env: Environment, host: Host) -> list[tuple[tuple[Host, ...], tuple[int, ...]]]:
    """The hosts that reach a host on ports that are closed to everybody else."""
    found = [
        (tuple(peer for peer in env.having(role) if peer != host), ports)
        for own in host.roles
        for role, ports in INTERNAL.get(own, ())
    ]
    found.append((tuple(peer for peer in env.hosts if peer != host), (LOCKOUT_PORT,)))
    if "vault" in host.roles:
        found.append((tuple(peer for peer in env.hosts if peer != host), (BACKUP_PORT, ROOTS_PORT)))
    return [(peers, ports) for peers, ports in found if peers]
