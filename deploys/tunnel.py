"""stunnel of an edge: the encrypted way from its Dovecot to the stores.

Dovecot could encrypt it itself. But the login proxy of Dovecot 2.4.1, with TLS on both of its
sides, now and then leaves a client's command lying until the client says something more: 7 of 20
readers who asked right after a delivery waited in vain, none of 20 over this tunnel (measured).
"""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Probe, Service
from deploys.common import CA, QUOTA_PORT, STORE_IMAP, STORE_POP3, STORE_SIEVE

PORTS = {
    "imap": (143, STORE_IMAP),
    "pop3": (110, STORE_POP3),
    "sieve": (4190, STORE_SIEVE),
    "quota": (QUOTA_PORT, QUOTA_PORT),
}
"""Where the edge's Dovecot and Postfix knock on the tunnel, and the store's port, encrypted from
the first byte."""

_UNIT = "stunnel@danhba.service"


def entrance(env: Environment, store: Host) -> str:
    """The tunnel to a store has an address of its own on loopback, so that ports stay the usual."""
    return f"127.1.0.{env.having('store').index(store) + 1}"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    stores = {entrance(env, store): store for store in env.having("store")}
    config = render("tunnel/stunnel.conf", stores=stores, ports=PORTS, ca=CA)
    return Part(
        name="tunnel",
        packages=("stunnel4",),
        files=(
            # Of a configuration it cannot read stunnel only says so at a reload, and goes on with
            # the old one until it starts next.
            File("/etc/stunnel/danhba.conf", config, effect="restart"),
            File(f"/etc/systemd/system/{_UNIT}.d/danhba.conf", render("tunnel/unit.conf"),
                 effect="restart"),
        ),
        services=(
            Service(
                _UNIT,
                answers=tuple(
                    Probe(port, address=address)
                    for address in stores
                    for port, _ in PORTS.values()
                ),
            ),
        ),
    )  # fmt: skip
