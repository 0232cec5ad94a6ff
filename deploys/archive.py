"""Who reads the archive of all mail (danhba/journal; Điều 8.4, 8.9): proof, memory, expiry.

The vault signs the end of its chain every day, and every host remembers it, and the end of every
hour: nobody who has the vault can take back what the others know. By which rules messages go is in
the manifest, so that a plan shows what goes and an apply does no more.
"""

from __future__ import annotations

import danhba.journal
from danhba.compiled import Compiled, Hold
from danhba.inventory import Environment, Host
from danhba.journal.segment import BEGUN, ROOT
from danhba.render import render
from danhba.service import Expiry, File, Part, Probe, Service
from deploys.common import CA, CERTIFICATE, KEY, ROOTS_PORT
from deploys.program import HOME, as_json, program

CONFIG = "/etc/danhba/journal.json"
"""Of the archive's own program; deploys/journal.py writes it."""
USER = "danhba-journal"
PROGRAM = (
    "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs",
    "env", f"PYTHONPATH={HOME}", "python3", "-B", "-m", "journal", CONFIG,
)  # fmt: skip
"""The command that danhba/journal is on the vault, up to its word: whoever asks has no more rights
there than the daemon."""
MEMORY_CONFIG = "/etc/danhba/roots.json"
MEMORY = ("env", f"PYTHONPATH={HOME}", "python3", "-B", "-m", "journal", MEMORY_CONFIG)
"""Likewise on every host."""
ENGINEERS = "/etc/danhba/engineers.json"
"""Who may approve an export, as it was applied."""
MEMORY_USER = "danhba-roots"
_DOOR_CONFIG = "/etc/danhba/roots-door.json"
_SEED = "/etc/danhba/journal-sign"
_SYSTEMD = "/etc/systemd/system"
_DOOR, _SIGN = "danhba-roots-door.service", "danhba-roots-sign.timer"
_REMEMBER = "danhba-roots.timer"


def every(directory: Compiled, env: Environment, host: Host) -> Part:
    """What remembers, on every host. Nothing where no host is a vault."""
    if env.vault is None:
        return Part(name="roots")
    unit = render("archive/remember.service", config=MEMORY_CONFIG, home=HOME, key=KEY)
    has_program = {"edge", "vault"}.intersection(host.roles)  # with deploys/journal.py
    return Part(
        name="roots",
        packages=("python3", "python3-nacl", "python3-zstandard"),
        files=(
            *(() if has_program else program(danhba.journal)),
            File(MEMORY_CONFIG, as_json(_memory(directory, env, env.vault))),
            File("/etc/sysusers.d/danhba-roots.conf", render("archive/sysusers.conf")),
            File(f"{_SYSTEMD}/danhba-roots.service", unit),
            File(f"{_SYSTEMD}/{_REMEMBER}", render("archive/remember.timer"), effect="restart"),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"{_SYSTEMD}/timers.target.wants/{_REMEMBER}": f"{_SYSTEMD}/{_REMEMBER}"},
        services=(Service(_REMEMBER),),
        health=((*MEMORY, "memory"),),
    )


def _memory(directory: Compiled, env: Environment, vault: Host) -> dict[str, object]:
    from danhba.journal.roots import public_half

    return {
        "vault": vault.fqdn,
        "port": ROOTS_PORT,
        "public": public_half(env.secrets.derive("sign")).hex(),
        "certificate": CERTIFICATE,
        "authority": CA,
        "state": "/var/lib/danhba-roots",
        "years": _years(directory),
    }


def vault(directory: Compiled, env: Environment, host: Host) -> Part:
    """What signs, who is told, and what goes."""
    words = {"home": HOME, "root": ROOT}
    door = render("archive/door.service", config=_DOOR_CONFIG, key=KEY, **words)
    sign = render("archive/sign.service", config=CONFIG, seed=_SEED, **words)
    return Part(
        name="archive",
        files=(
            File(_DOOR_CONFIG, as_json(_door(env)), effect="restart"),
            File(f"{_SYSTEMD}/{_DOOR}", door, effect="restart"),
            File(_SEED, f"{env.secrets.derive('sign').hex()}\n".encode(), mode="0600", secret=True),
            File(f"{_SYSTEMD}/danhba-roots-sign.service", sign),
            File(ENGINEERS, as_json(sorted(directory.engineers))),
            File(f"{_SYSTEMD}/{_SIGN}", render("archive/sign.timer"), effect="restart"),
        ),
        links={
            f"{_SYSTEMD}/multi-user.target.wants/{_DOOR}": f"{_SYSTEMD}/{_DOOR}",
            f"{_SYSTEMD}/timers.target.wants/{_SIGN}": f"{_SYSTEMD}/{_SIGN}",
        },
        services=(Service(_DOOR, answers=(Probe(ROOTS_PORT),)), Service(_SIGN)),
        expiry=Expiry((*PROGRAM, "ask"), rules(directory)),
    )  # fmt: skip


def _door(env: Environment) -> dict[str, object]:
    return {
        "root": str(ROOT),
        "begun": BEGUN,
        "port": ROOTS_PORT,
        "hosts": sorted(host.fqdn for host in env.hosts),
        "certificate": CERTIFICATE,
        "authority": CA,
    }


def rules(directory: Compiled) -> dict[str, object]:
    """For danhba/journal/expiry.py."""
    return {
        "timezone": directory.timezone,
        "years": _years(directory),
        "holds": [_hold(hold, directory.domain) for hold in directory.holds],
    }


def _years(directory: Compiled) -> dict[str, int]:
    return {"": directory.archive_years, **dict(directory.archive_kinds)}


def _hold(hold: Hold, domain: str) -> dict[str, object]:
    return {
        "case": hold.case,
        "addresses": [f"{address}@{domain}" for address in hold.addresses],
        "first": str(hold.first),
        "last": str(hold.last) if hold.last else "",
    }
