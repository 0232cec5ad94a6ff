"""Standby copies: what changes in a mailbox is on a second store within seconds.

The mailbox's own store does the work (danhba/standby), over TLS with certificates on both
sides. Dovecot 2.4 has no replication any more; `doveadm sync` is what remains of it.
"""

from __future__ import annotations

import danhba.standby
from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Probe, Service
from deploys.common import (
    CA,
    CERTIFICATE,
    KEY,
    LEAVING,
    STANDBY_PORT,
    STANDBY_SOCKET,
    STANDBY_WAY,
    held,
)
from deploys.program import HOME, as_json, program

TABLE = "/etc/danhba/places"
CONFIG = "/etc/danhba/standby.json"
PROGRAM = ("env", f"PYTHONPATH={HOME}", "python3", "-B", "-m", "standby", CONFIG)
"""The command that danhba/standby is on a store, up to its words."""
_TUNNEL = "stunnel@standby.service"
_UNIT, _ALL = "danhba-standby.service", "danhba-standby-all.timer"
_SYSTEMD = "/etc/systemd/system"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    """Nothing where there is no second store."""
    others = tuple(store for store in env.having("store") if store != host)
    if not others:
        return Part(name="standby")
    words = {"home": HOME, "config": CONFIG}
    tunnel = render(
        "standby/stunnel.conf",
        unit=_TUNNEL,
        ca=CA,
        certificate=CERTIFICATE,
        port=STANDBY_PORT,
        socket=STANDBY_SOCKET,
        stores={way(env, store): store for store in others},
    )
    return Part(
        name="standby",
        packages=("stunnel4", "python3"),
        files=(
            File("/etc/stunnel/standby.conf", tunnel, effect="restart"),
            File(f"{_SYSTEMD}/{_TUNNEL}.d/danhba.conf", render("standby/tunnel.unit.conf", key=KEY),
                 effect="restart"),
            # The program reads it at every look.
            File(TABLE, places(directory, env, host), accounts=True),
            *program(danhba.standby),
            File(CONFIG, configuration(directory, env, host), effect="restart"),
            File(f"{_SYSTEMD}/{_UNIT}", render("standby/unit.service", **words), effect="restart"),
            File(f"{_SYSTEMD}/danhba-standby-all.service", render("standby/all.service", **words)),
            File(f"{_SYSTEMD}/{_ALL}", render("standby/all.timer")),
        ),
        # `systemctl enable` would follow the links into the generation of today.
        links={
            f"{_SYSTEMD}/multi-user.target.wants/{_UNIT}": f"{_SYSTEMD}/{_UNIT}",
            f"{_SYSTEMD}/timers.target.wants/{_ALL}": f"{_SYSTEMD}/{_ALL}",
        },
        services=(
            Service(_TUNNEL, answers=(Probe(STANDBY_PORT),)),
            Service(_UNIT),
            Service(_ALL),
        ),
        validate=((*PROGRAM, "check"),),
        health=((*PROGRAM, "health"),),
    )  # fmt: skip


def way(env: Environment, store: Host) -> str:
    """The near end of the tunnel to a store. doveadm could encrypt by itself, but with Dovecot's
    own TLS one synchronisation in some hundreds lies still for ten minutes (seen).
    """
    return f"127.2.0.{env.having('store').index(store) + 1}:{STANDBY_WAY}"


def places(directory: Compiled, env: Environment, host: Host) -> bytes:
    """A row a mailbox that the store knows: who serves it, who has the copy."""
    rows = []
    for box in held(directory, env, host):
        place = env.place(box)
        rows.append(f"{box.account}@{directory.domain} {place.home} {place.standby or '-'}\n")
    return "".join(sorted(rows)).encode()


def configuration(directory: Compiled, env: Environment, host: Host) -> bytes:
    """CONFIG of danhba/standby."""
    others = [store for store in env.having("store") if store != host]
    content = {
        "host": host.name,
        "domain": directory.domain,
        "stores": {store.name: store.fqdn for store in others},
        "ways": {store.name: way(env, store) for store in others},
        "port": STANDBY_PORT,
        "table": TABLE,
        "leaving": LEAVING,
        "mail": "/srv/mail",
        "state": "/var/lib/danhba-standby",
    }
    return as_json(content)
