"""Sessions that may not go on: of who is locked or withdrawn, of who keeps a mailbox no longer.

Whoever is logged in is asked for nothing any more; so when the tables change, sessions are ended.
It is a unit of systemd, so that an apply that is cut off in between does it when it is run again.
"""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import BLOCKED, GRANTS, passwd
from deploys.instance import USUAL, Instance
from deploys.instance import edge as edge_of

_SCRIPT = "/etc/danhba/end-sessions"
_SEEN = "/run/danhba-sessions"
_SENDING = "/run/danhba-sending"
"""What was there when the script ran last, of a store and of an edge; gone after a boot, like all
sessions."""


def programs(host: Host) -> list[str]:
    """What ends sessions on a host. With accounts as arguments they end theirs, whatever the tables
    say: after a new password."""
    roles = [USUAL] * ("store" in host.roles) + [edge_of(host)] * ("edge" in host.roles)
    return [instance.beside(_SCRIPT) for instance in roles]


def reading(host: Host) -> list[str]:
    """Likewise, of sessions for reading alone."""
    return [USUAL.beside(_SCRIPT)] if "store" in host.roles else []


def edge(directory: Compiled, env: Environment, host: Host) -> Part:
    blocked = passwd(dict.fromkeys(directory.blocked, ""))
    instance = edge_of(host)
    # Beside those of the store's Dovecot: only the script reads them here.
    grants = f"{instance.dovecot}/keepers"
    shut = f"{instance.dovecot}/blocked"
    script = render("sessions/edge", seen=instance.beside(_SENDING), grants=grants, blocked=shut)
    tables = (
        File(shut, blocked, effect="restart"),
        File(grants, _grants(directory), effect="restart"),
    )
    return _part("edge", instance, script, tables)


def store(directory: Compiled, env: Environment, host: Host) -> Part:
    return _part(
        "store",
        USUAL,
        render("sessions/store", blocked=BLOCKED, grants=GRANTS, seen=_SEEN),
        (
            File(BLOCKED, _blocked(directory), effect="restart"),
            File(GRANTS, _grants(directory), effect="restart"),
        ),
    )


def _part(role: str, instance: Instance, script: bytes, tables: tuple[File, ...]) -> Part:
    unit, program = instance.sessions_unit, instance.beside(_SCRIPT)
    path = f"/etc/systemd/system/{unit}"
    return Part(
        name=f"sessions_{role}",
        packages=("procps",),
        files=(
            *tables,
            File(program, script, mode="0755"),
            File(path, render("sessions/unit.service", script=program, instance=instance)),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"/etc/systemd/system/multi-user.target.wants/{unit}": path},
        services=(Service(unit),),
    )


def _blocked(directory: Compiled) -> bytes:
    """Accounts that nobody logs in to: the edges refuse them too, but a store is not to depend on
    that."""
    boxes = (box for box in directory.mailboxes if box.state in ("locked", "withdrawn"))
    return passwd(dict.fromkeys((f"{box.account}@{directory.domain}" for box in boxes), ""))


def _grants(directory: Compiled) -> bytes:
    """KEEPER>AGENCY: whether the one may open the other's mailbox (Điều 9.2.c)."""
    domain = directory.domain
    keys = [f"{grant.keeper}@{domain}>{grant.agency}@{domain}" for grant in directory.grants]
    return passwd(dict.fromkeys(keys, ""))
