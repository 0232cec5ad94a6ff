"""What officials move to and from the folder for junk is learned by the filters of all edges
(danhba/learning; Điều 8.6).

On stores Dovecot spools each such message, and a daemon takes it to every edge, over TLS with
certificates on both sides; on edges a daemon hands it to rspamd. Every edge keeps what it learns in
its own valkey, and none depends on another: a replica would be empty when its primary has lost its
disk (docs/learning.md).
"""

from __future__ import annotations

import danhba.learning
from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.learning.door import MOST
from danhba.render import render
from danhba.service import File, Part, Probe, Service
from deploys.common import (
    CA,
    CERTIFICATE,
    FOLDERS,
    KEPT,
    KEY,
    LEARNING_PORT,
    NO_SIEVE,
    RSPAMD_CONTROLLER,
    VALKEY_SOCKET,
)
from deploys.program import HOME, as_json, program
from deploys.valkey import ways

SPOOL = "/var/spool/danhba-learning"
_SCRIPTS = "/etc/danhba/learning"
_PROGRAMS = "/etc/danhba/learning-programs"
_COMPILED = "/run/danhba-learning-sieve"
_NAMES = ("spam", "ham")
_SIEVE, _CARRY = "danhba-learning-sieve.service", "danhba-learning.service"
_DOOR = "danhba-learning-door.service"
_CARRY_CONFIG = "/etc/danhba/learning-carry.json"
_DOOR_CONFIG = "/etc/danhba/learning-door.json"
_PROGRAM = ("env", f"PYTHONPATH={HOME}", "python3", "-B", "-m", "learning")
_SYSTEMD = "/etc/systemd/system"
_WANTS = f"{_SYSTEMD}/multi-user.target.wants"


def dovecot() -> dict[str, str]:
    """What the configuration of a store's Dovecot has to know of it."""
    return {
        "junk": FOLDERS["Junk"],
        "spam": f"{_SCRIPTS}/spam.sieve",
        "ham": f"{_SCRIPTS}/ham.sieve",
        "compiled": _COMPILED,
        "programs": _PROGRAMS,
    }


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    """Of a store, before Dovecot, which demands the scripts; of an edge; of a host that is both."""
    store, edge = "store" in host.roles, "edge" in host.roles
    units = (_SIEVE, _CARRY) * store + (_DOOR,) * edge
    return Part(
        name="learning",
        packages=("python3", *("dovecot-sieve", "dovecot-imapd") * store),
        files=(
            *program(danhba.learning),
            *(_of_store(env) if store else ()),
            *(_of_edge(env, host) if edge else ()),
        ),
        # `systemctl enable` would follow the links into the generation of today.
        links={f"{_WANTS}/{unit}": f"{_SYSTEMD}/{unit}" for unit in units},
        services=(
            *(Service(unit) for unit in units if unit != _DOOR),
            *(Service(_DOOR, answers=(Probe(LEARNING_PORT),)),) * edge,
        ),
        health=((*_PROGRAM, _CARRY_CONFIG, "health"),) * store,
    )  # fmt: skip


def _of_store(env: Environment) -> tuple[File, ...]:
    words = {"most": MOST // 1024, "nowhere": (FOLDERS["Trash"], FOLDERS["Junk"], KEPT)}
    scripts = {name: render(f"learning/{name}.sieve", **words) for name in _NAMES}
    carry = render("learning/carry.service", config=_CARRY_CONFIG, home=HOME, key=KEY, spool=SPOOL)
    sieve = render(
        "learning/sieve.service",
        names=_NAMES, scripts=_SCRIPTS, folder=_COMPILED, without=NO_SIEVE,
    )  # fmt: skip
    spool = render("learning/spool", spool=SPOOL)
    return (
        *(File(f"{_SCRIPTS}/{name}.sieve", scripts[name], effect="restart") for name in _NAMES),
        File(f"{_PROGRAMS}/spool", spool, mode="0755"),
        File(_CARRY_CONFIG, _carry(env), effect="restart"),
        File(f"{_SYSTEMD}/{_SIEVE}", sieve, effect="restart"),
        File(f"{_SYSTEMD}/{_CARRY}", carry, effect="restart"),
        File("/etc/sysusers.d/danhba-learning.conf", render("learning/sysusers.conf")),
        File("/etc/tmpfiles.d/danhba-learning.conf", render("learning/tmpfiles.conf", spool=SPOOL)),
    )


def _of_edge(env: Environment, host: Host) -> tuple[File, ...]:
    unit = render("learning/door.service", config=_DOOR_CONFIG, home=HOME, key=KEY)
    return (
        File(_DOOR_CONFIG, _door(env, host), effect="restart"),
        File(f"{_SYSTEMD}/{_DOOR}", unit, effect="restart"),
    )


def _carry(env: Environment) -> bytes:
    return _json({
        "spool": SPOOL,
        "state": "/var/lib/danhba-learning",
        "edges": {edge.name: edge.fqdn for edge in env.having("edge")},
        "port": LEARNING_PORT,
        "certificate": CERTIFICATE,
        "authority": CA,
    })  # fmt: skip


def _door(env: Environment, host: Host) -> bytes:
    return _json({
        "port": LEARNING_PORT,
        "stores": [store.fqdn for store in env.having("store")],
        "controller": RSPAMD_CONTROLLER,
        "valkey": VALKEY_SOCKET,
        "peers": ways(env, host),
        "certificate": CERTIFICATE,
        "authority": CA,
    })  # fmt: skip


def _json(content: dict[str, object]) -> bytes:
    return as_json(content)
