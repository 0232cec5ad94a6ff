"""Dovecot of an edge: passes clients on to their store, checks passwords for SMTP."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Probe, Service
from deploys.common import BLOCKED, CA, CERTIFICATE, KEY, home, passwd, suffix
from deploys.tunnel import entrance

ROUTES = "/etc/dovecot/routes"
LOGINS = "/etc/dovecot/logins"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    config = render(
        "dovecot_edge/dovecot.conf",
        host=host,
        domain=directory.domain,
        routes=ROUTES,
        logins=LOGINS,
        blocked=BLOCKED,
        typed=typed(directory.domain),
        people=env.having("people"),
        suffix=suffix(directory),
        ca=CA,
        certificate=CERTIFICATE,
        key=KEY,
    )
    return Part(
        name="dovecot_edge",
        packages=("dovecot-imapd", "dovecot-pop3d", "dovecot-managesieved", "dovecot-ldap"),
        files=(
            File("/etc/dovecot/dovecot.conf", config, effect="reload"),
            File(
                "/etc/systemd/system/dovecot.service.d/danhba.conf",
                render("dovecot_edge/unit.conf"),
            ),
            File("/etc/tmpfiles.d/danhba-auth-socket.conf", render("dovecot_edge/tmpfiles.conf")),
            File(ROUTES, routes(directory, env), accounts=True),
            File(LOGINS, logins(directory)),
        ),
        services=(Service("dovecot.service", answers=ANSWERS),),
        validate=(("doveconf", "-n"),),
    )


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
