"""The archive of all mail (danhba/journal; Điều 8.4): from the edges' queues to the vault's chain.

On an edge every message has one more recipient for each of its own, in the same queue file: when
its sender is told 250, the copy is as safe as the message. A second Postfix takes the copies, so
that a vault that is away fills no mail queue, and hands them to the vault over TLS, with
certificates on both sides.
"""

from __future__ import annotations

from dataclasses import replace

import danhba.journal
from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.journal import ids, tag
from danhba.journal.desk import SOCKET
from danhba.journal.seal import public_half
from danhba.journal.segment import BEGUN, ROOT
from danhba.render import render
from danhba.service import File, Part, Probe, Service
from deploys.common import CA, CERTIFICATE, JOURNAL_DOOR, JOURNAL_PORT, JOURNAL_WAY, KEY, table
from deploys.free_mail import agencies
from deploys.instance import Instance
from deploys.instance import edge as mail_queue
from deploys.postfix import postfix
from deploys.program import HOME, as_json, program

INSTANCE = Instance("journal")
BCC = "/etc/danhba/journal-bcc"
"""What adds the recipients; deploys/postfix_edge.py names it."""
CONFIG = "/etc/danhba/journal.json"
LAG_CONFIG = "/etc/danhba/journal-lag.json"
_AGENCIES = "/etc/danhba/journal-agencies"
_CLASSES = "/etc/danhba/journal-classes.json"
_FLOOR = 2 << 30
"""Bytes that stay free on the vault's disk: entries of what was read or expired still find room."""
_RECIPIENTS = 100_000
_CONCURRENCY = 5
_UNIT, _TUNNEL = "danhba-journal.service", "stunnel@danhba-journal.service"
_SYSTEMD = "/etc/systemd/system"


def _program(config: str, what: str) -> tuple[str, ...]:
    return ("env", f"PYTHONPATH={HOME}", "python3", "-B", "-m", "journal", config, what)


def edge(directory: Compiled, env: Environment, host: Host) -> Part:
    """What hands the copies on. Nothing where no host is a vault."""
    if env.vault is None:
        return Part(name="journal_edge")
    main = render(
        "journal/main.cf",
        host=host,
        domain=directory.domain,
        instance=INSTANCE,
        mail_name=ids.JOURNAL,
        recipients=_RECIPIENTS,
        size=2 * directory.message_mb * 1024 * 1024,
        concurrency=_CONCURRENCY,
        vault=env.vault,
        port=JOURNAL_PORT,
        ca=CA,
        certificate=CERTIFICATE,
        key=KEY,
    )
    lag = {
        "queue": INSTANCE.queue,
        "mail": mail_queue(host).postfix,
        "unit": INSTANCE.postfix_unit,
        "vault": env.vault.name,
    }
    queue = f"d {INSTANCE.queue} 0755 root root\n"
    own = postfix(
        "journal_edge",
        INSTANCE,
        files=(
            *program(danhba.journal),
            File(f"{INSTANCE.postfix}/main.cf", main, effect="reload"),
            File(f"{INSTANCE.postfix}/master.cf", render("journal/master.cf", way=JOURNAL_WAY),
                 effect="reload"),
            File(BCC, tag.RULES.encode(), effect="reload"),
            File(LAG_CONFIG, as_json(lag)),
            File("/etc/tmpfiles.d/danhba-journal-queue.conf", queue.encode()),
        ),
        tables={},
        answers=(Probe(JOURNAL_WAY, "220 ", address="127.0.0.1"),),
    )  # fmt: skip
    return replace(own, health=(_program(LAG_CONFIG, "lag"),))


def vault(directory: Compiled, env: Environment, host: Host) -> Part:
    """The chain, and the way to it."""
    unit, tunnel = f"{_SYSTEMD}/{_UNIT}", f"{_SYSTEMD}/{_TUNNEL}.d/danhba.conf"
    return Part(
        name="journal_vault",
        packages=("python3", "python3-aiosmtpd", "python3-nacl", "python3-zstandard", "stunnel4"),
        files=(
            *program(danhba.journal),
            File(CONFIG, as_json(config(directory, env)), effect="restart"),
            File(_AGENCIES, table(agencies(directory)), rows=True),
            File(_CLASSES, as_json(classes(directory))),
            File(unit, render("journal/unit.service", config=CONFIG, home=HOME, root=ROOT),
                 effect="restart"),
            File("/etc/sysusers.d/danhba-journal.conf", render("journal/sysusers.conf")),
            File("/etc/tmpfiles.d/danhba-journal.conf",
                 render("journal/tmpfiles.conf", root=ROOT)),
            File("/etc/stunnel/danhba-journal.conf", _stunnel(env), effect="restart"),
            File(tunnel, render("journal/tunnel.unit.conf", key=KEY), effect="restart"),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"{_SYSTEMD}/multi-user.target.wants/{_UNIT}": unit},
        services=(
            Service(_UNIT, answers=(Probe(JOURNAL_DOOR, "220 ", address="127.0.0.1"),)),
            Service(_TUNNEL, answers=(Probe(JOURNAL_PORT),)),
        ),
        health=(_program(CONFIG, "health"),),
    )  # fmt: skip


def config(directory: Compiled, env: Environment) -> dict[str, object]:
    """Of the daemon. Only the public half of the key that opens the archive goes to the vault."""
    return {
        "root": str(ROOT),
        "begun": BEGUN,
        "socket": SOCKET,
        "port": JOURNAL_DOOR,
        "public": public_half(env.secrets.derive("journal")).hex(),
        "edges": {edge.fqdn: edge.name for edge in env.having("edge")},
        "timezone": directory.timezone,
        "agencies": _AGENCIES,
        "classes": _CLASSES,
        "floor": _FLOOR,
    }


def classes(directory: Compiled) -> dict[str, dict[str, object]]:
    """Kinds of agencies, and for how many years mail of each is kept."""
    years = dict(directory.archive_kinds)
    kinds = dict(directory.agency_kinds)
    return {
        "kinds": dict(kinds),
        "years": {kind: years.get(kind, directory.archive_years) for kind in kinds.values()},
    }


def _stunnel(env: Environment) -> bytes:
    return render(
        "journal/stunnel.conf",
        unit=_TUNNEL,
        ca=CA,
        certificate=CERTIFICATE,
        port=JOURNAL_PORT,
        door=JOURNAL_DOOR,
        edges=env.having("edge"),
    )
