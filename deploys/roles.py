"""Which services make up a role. A new service is a module beside this one and a name here."""

from __future__ import annotations

from collections.abc import Callable

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.service import Part
from deploys import (
    abuse,
    archive,
    backup,
    base,
    clamav,
    dane,
    dmarc,
    dovecot_edge,
    dovecot_store,
    drill,
    firewall,
    free_mail,
    freshclam,
    journal,
    junk,
    keepers,
    learning,
    lockout,
    marks,
    mta_sts,
    password_check,
    people,
    people_door,
    postfix_edge,
    postfix_store,
    quota,
    resolver,
    restore,
    retention,
    rspamd,
    sasl_door,
    senders,
    sessions,
    signing,
    standby,
    suspending,
    tunnel,
    usage,
    valkey,
)

EVERY = "every"

# Services start in this order: what Dovecot asks comes before it.
ROLES: dict[str, tuple[Callable[[Compiled, Environment, Host], Part], ...]] = {
    EVERY: (
        base.name, base.certificate, base.guard, base.ahead, base.ldap, base.clock, base.upgrades,
        base.journal, firewall.part, usage.part, lockout.part, backup.part, archive.every,
    ),
    "vault": (backup.vault, journal.vault, archive.vault, drill.part),
    "people": (password_check.part, people.part),
    "store": (
        people_door.part, junk.part, learning.part, senders.part, dovecot_store.part,
        postfix_store.part, quota.store, keepers.store, sessions.store, retention.part,
        standby.part, suspending.part, restore.part,
    ),
    "edge": (
        resolver.part, people_door.part, tunnel.part, sasl_door.part, senders.part, marks.part,
        valkey.part, valkey.tunnel, freshclam.part, clamav.part, signing.part, rspamd.part,
        learning.part, abuse.part, dmarc.part, dane.part, mta_sts.part, dovecot_edge.part,
        journal.edge, postfix_edge.part, sessions.edge, free_mail.part, suspending.part,
    ),
}  # fmt: skip


def parts(directory: Compiled, env: Environment, host: Host) -> tuple[Part, ...]:
    """Everything that makes up a host; what two of its roles need is there once."""
    roles = [role for role in ROLES if role in (EVERY, *host.roles)]
    builds = dict.fromkeys(build for role in roles for build in ROLES[role])
    return tuple(build(directory, env, host) for build in builds)
