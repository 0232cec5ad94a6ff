"""Who opened an agency's mailbox, or tried to: a record of its own on every store.

Dovecot tells every such login, with the keeper's name, in the journal; from there it goes, every
five minutes and whenever somebody asks, to files that only root reads and nothing deletes.
"""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import KEEPER_LOG, KEEPER_UNIT

_SCRIPT = "/etc/danhba/keeper-log"
_MEGABYTES = 16
"""Of one file; the ones before it are compressed."""


def store(directory: Compiled, env: Environment, host: Host) -> Part:
    timer = f"/etc/systemd/system/{KEEPER_UNIT}.timer"
    return Part(
        name="keepers",
        files=(
            File(_SCRIPT, render("keepers/collect", place=KEEPER_LOG, megabytes=_MEGABYTES),
                 mode="0755"),
            File(f"/etc/systemd/system/{KEEPER_UNIT}.service",
                 render("keepers/collect.service", script=_SCRIPT)),
            File(timer, render("keepers/collect.timer"), effect="restart"),
            File("/etc/tmpfiles.d/danhba-keepers.conf",
                 f"d {KEEPER_LOG} 0700 root root\n".encode()),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"/etc/systemd/system/timers.target.wants/{KEEPER_UNIT}.timer": timer},
        services=(Service(f"{KEEPER_UNIT}.timer"),),
    )  # fmt: skip
