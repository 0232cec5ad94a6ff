"""Restore drills on the vault (danhba/drill): every month, and whenever an engineer wants one."""

from __future__ import annotations

import danhba.drill
from danhba.compiled import Compiled
from danhba.drill import machine
from danhba.drill.places import CONFIG, UNIT, Places
from danhba.generations.host.common import CURRENT
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.backup import PLACE, USER, VAULT_SECRET, VAULT_STATE
from deploys.common import suffix
from deploys.program import HOME, as_json, program

PROGRAM = ("env", f"PYTHONPATH={HOME}", "python3", "-B", "-m", "drill", CONFIG)
"""The command that danhba/drill is on the vault, up to its word."""
_SYSTEMD = "/etc/systemd/system"
_TIMER = "danhba-drill.timer"
_MAILBOXES = 20
_TURN = f"{VAULT_STATE}/turn"
_MASKED = ("dovecot.service", "slapd.service")
"""Their programs are used, and no daemon of them."""


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    words = {
        "program": f"/usr/bin/python3 -B -m drill {CONFIG}",
        "config": CONFIG,
        "home": HOME,
        # What lies in HOME are links to this.
        "code": CURRENT / f"files{HOME}/drill",
        "programs": " ".join(f"-{each}" for each in machine.PROGRAMS),
        "schema": machine.SCHEMA,
        "place": Places().home,
        "run": Places().run,
        "repositories": PLACE,
        "turn": _TURN,
        "secret": VAULT_SECRET,
        "state": VAULT_STATE,
    }
    units = {"danhba-drill-fetch.service": "fetch.service", "danhba-drill-look.service":
             "look.service", UNIT: "certify.service", _TIMER: "drill.timer"}  # fmt: skip
    return Part(
        name="drill",
        packages=(
            "restic", "dovecot-core", "slapd", "valkey-tools", "openssl",
            "python3", "python3-nacl", "python3-docx",
        ),
        # Else the package makes a tree with an administrator's password in it.
        debconf=("slapd slapd/no_configuration boolean true",),
        files=(
            *program(danhba.drill),
            File(CONFIG, as_json(configuration(directory, env, host))),
            File("/etc/sysusers.d/danhba-drill.conf",
                 render("drill/sysusers.conf", home=Places().home)),
            File("/etc/tmpfiles.d/danhba-drill.conf",
                 render("drill/tmpfiles.conf", home=Places().home, turn=_TURN, user=USER)),
            *(File(f"{_SYSTEMD}/{unit}", render(f"drill/{template}", **words))
              for unit, template in units.items()),
        ),
        links={
            # `systemctl enable` would follow the link into the generation of today.
            f"{_SYSTEMD}/timers.target.wants/{_TIMER}": f"{_SYSTEMD}/{_TIMER}",
            **{f"{_SYSTEMD}/{unit}": "/dev/null" for unit in _MASKED if host.roles == ("vault",)},
        },
        services=(Service(_TIMER),),
        health=((*PROGRAM, "health"),),
    )  # fmt: skip


def configuration(directory: Compiled, env: Environment, host: Host) -> dict[str, object]:
    """CONFIG of danhba/drill."""
    return {
        "host": host.name,
        "province": directory.province,
        "basis": directory.decision,
        "timezone": directory.timezone,
        "suffix": suffix(directory),
        "stores": [store.name for store in env.having("store")],
        "people": [each.name for each in env.having("people")],
        "edges": [edge.name for edge in env.having("edge")],
        "mailboxes": _MAILBOXES,
        "repositories": PLACE,
        "turn": _TURN,
    }
