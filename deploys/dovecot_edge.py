"""Dovecot of an edge: passes clients on to their store, checks passwords for SMTP."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Probe, Service
from danhba.usage.records import EVENTS
from deploys import lockout
from deploys.common import CA, CERTIFICATE, KEY, MUST_CHANGE, PEOPLE_PORT, home, passwd, suffix
from deploys.instance import Instance, edge
from deploys.tunnel import entrance


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    instance = edge(host)
    unit = f"/etc/systemd/system/{instance.dovecot_unit}"
    config = render(
        "dovecot_edge/dovecot.conf",
        host=host,
        instance=instance,
        domain=directory.domain,
        typed=typed(directory.domain),
        people_port=PEOPLE_PORT,
        must_change=MUST_CHANGE,
        suffix=suffix(directory),
        lockout=lockout.question(directory),
        ca=CA,
        certificate=CERTIFICATE,
        key=KEY,
        events=EVENTS,
    )
    return Part(
        name="dovecot_edge",
        packages=("dovecot-imapd", "dovecot-pop3d", "dovecot-managesieved", "dovecot-ldap"),
        files=(
            File(f"{instance.dovecot}/dovecot.conf", config, effect="reload"),
            File(f"{unit}.d/danhba.conf", render("dovecot_edge/unit.conf")),
            *_second(instance, unit),
            File(f"{instance.dovecot}/routes", routes(directory, env), accounts=True),
            File(f"{instance.dovecot}/logins", logins(directory)),
        ),
        services=(Service(instance.dovecot_unit, answers=ANSWERS),),
        validate=(("doveconf", "-c", f"{instance.dovecot}/dovecot.conf", "-n"),),
    )


def _second(instance: Instance, unit: str) -> tuple[File, ...]:
    """Debian's unit is for one Dovecot; another needs its own."""
    if not instance.name:
        return ()
    config = f"{instance.dovecot}/dovecot.conf"
    return (File(unit, render("dovecot_edge/second.service", config=config), effect="restart"),)


ANSWERS = (
    Probe(143, "* OK"),
    Probe(993, "* OK", tls=True),
    Probe(110, "+OK"),
    Probe(995, "+OK", tls=True),
    Probe(4190, '"IMPLEMENTATION"'),
)


def typed(domain: str) -> str:
    """Dovecot's words for what somebody types, without the domain: NAME, or AGENCY*KEEPER."""
    at = f"(@{domain.replace('.', '[.]')})?"
    return f"%{{user | lower | regexp('^([^*@]*){at}([*]?)([^*@]*){at}$', '\\\\1\\\\3\\\\4')}}"


def logins(directory: Compiled) -> bytes:
    """What is typed to the account that is meant, for who was renamed and for keepers of what was.

    The rest of the way knows accounts only: neither mail nor passwords move when a name changes.
    """
    rows = {}
    for login, account in directory.logins:
        names = (f"{name}@{directory.domain}" for name in account.split("*"))
        rows[login] = f"user={'*'.join(names)}"
    return passwd(rows)


def routes(directory: Compiled, env: Environment) -> bytes:
    """Mailbox to store: host is for the log, hostip the way there (deploys/tunnel.py)."""
    rows = {}
    for mailbox in directory.mailboxes:
        store = home(mailbox, env)
        rows[mailbox.account] = f"host={store.fqdn} hostip={entrance(env, store)}"
    return passwd(rows)
