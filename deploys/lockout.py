"""The daemon that locks out who guesses passwords (danhba/lockout): on every host, for each may
check passwords and all know what one has seen."""

from __future__ import annotations

from dataclasses import asdict

import danhba.lockout
from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Probe, Service
from deploys.common import (
    CA,
    CERTIFICATE,
    KEY,
    LDAP_GATE_PORT,
    LOCKOUT_PORT,
    POLICY_PORT,
    addresses,
    suffix,
)
from deploys.instance import edge
from deploys.program import HOME, as_json, program

_UNIT = "danhba-lockout.service"
_CONFIG = "/etc/danhba/lockout.json"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    path = f"/etc/systemd/system/{_UNIT}"
    unit = render("lockout/unit.service", config=_CONFIG, home=HOME, key=KEY)
    return Part(
        name="lockout",
        packages=("python3",),
        files=(
            *program(danhba.lockout),
            File(_CONFIG, _config(directory, env, host), effect="restart"),
            File(path, unit, effect="restart"),
            File("/etc/sysusers.d/danhba-lockout.conf", render("lockout/sysusers.conf")),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"/etc/systemd/system/multi-user.target.wants/{_UNIT}": path},
        services=(Service(_UNIT, answers=(Probe(POLICY_PORT, address="127.0.0.1"),)),),
    )


def question(directory: Compiled) -> str:
    """What the configuration of a Dovecot that checks passwords has of it."""
    shown = render("lockout/dovecot.conf", policy_port=POLICY_PORT, domain=directory.domain)
    return shown.decode()


def _config(directory: Compiled, env: Environment, host: Host) -> bytes:
    config = {
        "host": host.fqdn,
        # Edges ask about what is submitted, stores about what filters send.
        "sending": _sending(directory) if {"edge", "store"} & set(host.roles) else None,
        "figures": asdict(directory.lockout),
        # A host may speak for many: it is never refused, and nobody else for what it does.
        "own": [*directory.own_networks, *addresses(env.hosts)],
        "domain": directory.domain,
        "logins": f"{edge(host).dovecot}/logins" if "edge" in host.roles else "",
        "policy_port": POLICY_PORT,
        "port": LOCKOUT_PORT,
        "ldap": _ldap(directory, host) if "people" in host.roles else None,
        "peers": {other.fqdn: other.ipv4 for other in env.hosts if other != host},
        "certificate": CERTIFICATE,
        "authority": CA,
    }
    return as_json(config)


def _sending(directory: Compiled) -> dict[str, object]:
    """What is to be known of who sends how much."""
    keepers = sorted({f"{grant.keeper}@{directory.domain}" for grant in directory.grants})
    return {
        "limits": asdict(directory.sending),
        "keepers": keepers,
        "junk": directory.spam_junk_score,
    }


def _ldap(directory: Compiled, host: Host) -> dict[str, object]:
    """The gate before slapd, to which the firewall leads who comes from outside."""
    slapd = {
        "port": 636,
        "name": host.fqdn,
        "suffix": suffix(directory),
        "domain": directory.domain,
    }
    return {"port": LDAP_GATE_PORT, "slapd": slapd}
