"""Backups (Điều 8.9): restic on every host, its repositories on the vault (danhba/backup).

Hosts may add to their own repository and remove nothing; what is old is forgotten on the vault, by
policy, and a copy of all goes to a second place.
"""

from __future__ import annotations

import base64
import hashlib

import danhba.backup
from danhba.compiled import Compiled
from danhba.drill.places import Places
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Probe, Service, State
from deploys.common import BACKUP_PORT, CA, CERTIFICATE, KEY, suffix
from deploys.dovecot_store import MAIL
from deploys.program import HOME, as_json, program
from deploys.retention import ARCHIVE

CONFIG = "/etc/danhba/backup.json"
VAULT_CONFIG = "/etc/danhba/backup-vault.json"
STATE = "/var/lib/danhba-backup"
PLACE = "/srv/vault/backup"
USER = "danhba-backup"
_ARCHIVE = "/srv/vault/journal"
_SECRET = "/etc/danhba/backup.secret"
VAULT_SECRET = "/etc/danhba/backup-vault.secret"
HOMES = "/etc/danhba/backup-homes"
_SERVERS = "/etc/danhba/backup-hosts.htpasswd"
VAULT_STATE = "/var/lib/danhba-backup-vault"
SECOND_KEY = "/etc/ssl/danhba/second_place"
SECOND_HOSTS = "/etc/ssl/danhba/second_place.hosts"
SECOND_WORDS = "/etc/ssl/danhba/second_place.env"
_SYSTEMD = "/etc/systemd/system"
_RUNS = {"mail": "mailboxes that have changed", "daily": "what the host has"}
_JOBS = {
    "prune": "old backups are forgotten, and what nobody needs is removed",
    "copy": "backups are copied to the second place",
    "archive": "the archive is copied to the second place",
    "verify": "backups are checked",
    "verify-second": "backups are checked in the second place",
}
_WHEN = {
    "prune": "*-*-* 04:00:00",
    "copy": "*-*-* 05:00:00",
    "archive": "hourly",
    "verify": "Sun *-*-* 06:00:00",
    "verify-second": "Sun *-*-* 12:00:00",
}
_AWAY = ("copy", "archive", "verify-second")
"""Jobs that reach the second place."""
_REPOSITORIES, _SERVER = "danhba-backup-repositories.service", "danhba-backup-server.service"


def program_of(config: str) -> tuple[str, ...]:
    """The command that danhba/backup is on a host, up to its words."""
    return ("env", f"PYTHONPATH={HOME}", "python3", "-B", "-m", "backup", config)


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    """Of every host. Nothing where there is no vault."""
    if not env.having("vault"):
        return Part(name="backup")
    mail = "store" in host.roles
    runs = {name: what for name, what in _RUNS.items() if mail or name != "mail"}
    words = {"home": HOME, "config": CONFIG, "mail": MAIL if mail else ""}
    homes = (File(HOMES, homes_of(directory, env, host), rows=True),) * mail
    units = [
        File(f"{_SYSTEMD}/danhba-backup-{name}.service",
             render("backup/run.service", run=name, what=what, **words))
        for name, what in runs.items()
    ]  # fmt: skip
    timers = {
        f"danhba-backup-{name}.timer": render(f"backup/{name}.timer") for name in runs
    }  # fmt: skip
    return Part(
        name="backup",
        packages=("restic", "python3"),
        files=(
            *program(danhba.backup),
            File(CONFIG, _config(directory, env, host)),
            File(_SECRET, _secret(env, host), mode="0600", secret=True),
            *homes,
            *units,
            *(File(f"{_SYSTEMD}/{name}", text, effect="restart") for name, text in timers.items()),
        ),
        # `systemctl enable` would follow the links into the generation of today.
        links={f"{_SYSTEMD}/timers.target.wants/{name}": f"{_SYSTEMD}/{name}" for name in timers},
        services=tuple(Service(name) for name in timers),
        validate=((*program_of(CONFIG), "check"),),
        health=((*program_of(CONFIG), "health"),),
    )


def homes_of(directory: Compiled, env: Environment, host: Host) -> bytes:
    """The accounts whose mail a store backs up: their home is here, and it is not about to be
    removed, with an archive of it there (deploys/retention.py)."""
    going = {row.account for row in directory.leaving if row.step == "remove"}
    here = (box.account for box in directory.mailboxes if env.place(box).home == host.name)
    return "".join(f"{account}\n" for account in sorted({*here} - going)).encode()


def _config(directory: Compiled, env: Environment, host: Host) -> bytes:
    [vault] = env.having("vault")
    mail, people = "store" in host.roles, "people" in host.roles
    paths = {
        # Whatever danhba remembers: generations, records, keys of DKIM.
        "": ("/var/lib/danhba", "/var/lib/danhba-*"),
        "store": (ARCHIVE,),
        "edge": ("/var/lib/valkey",),
        "vault": (_ARCHIVE,),
    }
    content = {
        "host": host.name,
        "vault": vault.fqdn,
        "port": BACKUP_PORT,
        "ca": CA,
        "secret": _SECRET,
        "homes": HOMES if mail else "",
        "mail": MAIL,
        "state": STATE,
        "paths": [path for role in paths if role in ("", *host.roles) for path in paths[role]],
        "apart": [
            *(f"{STATE}/{name}" for name in ("mail", "cache", "turn", "backup.sqlite",
                                             "backup.sqlite-wal", "backup.sqlite-shm")),
            f"{VAULT_STATE}/cache",
            str(Places().work),
            # What messages say is in the archive's own files alone; here is what proves them.
            f"{_ARCHIVE}/**/*.data",
            # The index is made again from the chain.
            *(f"{_ARCHIVE}/index.db{end}" for end in ("", "-wal", "-shm")),
        ],
        "ldap": ["/etc/ldap/slapd.conf", suffix(directory)] if people else [],
    }  # fmt: skip
    return as_json(content)


def _secret(env: Environment, host: Host) -> bytes:
    words = {"repository": _repository(env, host), "server": _server(env, host)}
    return as_json(words)


def _repository(env: Environment, host: Host) -> str:
    return env.secrets.derive(f"restic/{host.name}").hex()


def _server(env: Environment, host: Host) -> str:
    return env.secrets.derive(f"rest/{host.name}").hex()


def vault(directory: Compiled, env: Environment, host: Host) -> Part:
    """Of the vault."""
    server = render(
        "backup/server.service",
        unit=_SERVER, repositories=_REPOSITORIES, user=USER, place=PLACE, port=BACKUP_PORT,
        servers=_SERVERS, certificate=CERTIFICATE, key=KEY,
    )  # fmt: skip
    words = {"home": HOME, "config": VAULT_CONFIG, "user": USER, "place": PLACE,
             "secret": VAULT_SECRET, "key": SECOND_KEY, "words": SECOND_WORDS}  # fmt: skip
    jobs = [name for name in _JOBS if name not in _AWAY or host.second_place]
    timers = {f"danhba-backup-{name}.timer": _timer(name) for name in jobs}
    return Part(
        name="backup_vault",
        packages=("restic", "restic-rest-server", "python3", "openssh-client"),
        files=(
            File(VAULT_CONFIG, _vault_config(directory, env, host)),
            File(VAULT_SECRET, _passwords(env), mode="0600", secret=True),
            File(_SERVERS, _htpasswd(env), mode="0640", group=USER, secret=True, effect="restart"),
            File("/etc/sysusers.d/danhba-backup.conf",
                 render("backup/sysusers.conf", user=USER, state=VAULT_STATE)),
            File("/etc/tmpfiles.d/danhba-backup.conf",
                 render("backup/tmpfiles.conf", user=USER, place=PLACE, state=VAULT_STATE)),
            File(f"{_SYSTEMD}/{_REPOSITORIES}", render("backup/repositories.service", **words),
                 effect="restart"),
            File(f"{_SYSTEMD}/{_SERVER}", server, effect="restart"),
            *(File(f"{_SYSTEMD}/danhba-backup-{name}.service",
                   render("backup/job.service", job=name, what=_JOBS[name], away=name in _AWAY,
                          **words))
              for name in jobs),
            *(File(f"{_SYSTEMD}/{name}", text, effect="restart") for name, text in timers.items()),
        ),
        # `systemctl enable` would follow the links into the generation of today.
        links={
            **{f"{_SYSTEMD}/timers.target.wants/{name}": f"{_SYSTEMD}/{name}" for name in timers},
            **{f"{_SYSTEMD}/multi-user.target.wants/{name}": f"{_SYSTEMD}/{name}"
               for name in (_REPOSITORIES, _SERVER)},
        },
        services=(
            Service(_REPOSITORIES),
            Service(_SERVER, answers=(Probe(BACKUP_PORT, tls=True),)),
            *(Service(name) for name in timers),
        ),
        states=(
            State(
                f"the mode of {PLACE}", ("stat", "-c", "%U:%G %a", PLACE), f"{USER}:{USER} 700\n"
            ),
        ),
        validate=((*program_of(VAULT_CONFIG), "check"),),
        health=((*program_of(VAULT_CONFIG), "health"),),
    )  # fmt: skip


def _timer(job: str) -> bytes:
    return render("backup/job.timer", what=_JOBS[job], when=_WHEN[job])


def _vault_config(directory: Compiled, env: Environment, host: Host) -> bytes:
    sftp = (
        "-i ${CREDENTIALS_DIRECTORY}/second_place -o IdentitiesOnly=yes -o BatchMode=yes"
        f" -o UserKnownHostsFile={SECOND_HOSTS} -o GlobalKnownHostsFile=/dev/null"
        " -o StrictHostKeyChecking=yes -o ServerAliveInterval=30"
    )
    content = {
        "hosts": {each.name: "store" in each.roles for each in env.hosts},
        "place": PLACE,
        "secret": VAULT_SECRET,
        "second": host.second_place,
        "sftp": sftp if host.second_place.startswith("sftp:") else "",
        "keep": {
            "days": directory.backup.days,
            "weeks": directory.backup.weeks,
            "months": directory.backup.months,
        },
        "mail": MAIL,
        "user": USER,
        "state": VAULT_STATE,
        "own": host.name,
        "archive": _ARCHIVE,
        "copies": f"{STATE}/mail",
        "held": sorted({name for hold in directory.holds for name in hold.addresses}),
    }
    return as_json(content)


def _passwords(env: Environment) -> bytes:
    return as_json({host.name: _repository(env, host) for host in env.hosts})


def _htpasswd(env: Environment) -> bytes:
    """By SHA-1, which is no weakness of passwords with 256 random bits, and without salt, so that
    the file is the same each time."""
    rows = []
    for host in env.hosts:
        digest = hashlib.sha1(_server(env, host).encode(), usedforsecurity=False).digest()
        rows.append(f"{host.name}:{{SHA}}{base64.b64encode(digest).decode()}\n")
    return "".join(rows).encode()
