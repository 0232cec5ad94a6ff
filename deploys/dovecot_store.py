"""Dovecot of a store: holds mailboxes, reached by the edges only."""

from __future__ import annotations

from danhba.compiled import Compiled, Mailbox
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Probe, Service, State
from danhba.usage.records import EVENTS
from deploys import junk, learning, lockout
from deploys.common import (
    BLOCKED,
    CA,
    CERTIFICATE,
    FOLDERS,
    GRANTS,
    KEPT,
    KEY,
    LOCAL_PORT,
    MUST_CHANGE,
    NO_SIEVE,
    NOTICE,
    PEOPLE_PORT,
    QUOTA_PORT,
    STANDBY_SOCKET,
    STORE_IMAP,
    STORE_POP3,
    STORE_SIEVE,
    WARNINGS,
    addresses,
    held,
    passwd,
    suffix,
)

MAIL = "/srv/mail"
ACCOUNTS = "/etc/dovecot/accounts"
NAMES = "/etc/dovecot/names"

FULL = "Hop thu da day, khong nhan them thu / Mailbox is full"
"""ASCII: replies of SMTP are (RFC 5321 4.2)."""


_PACKAGES = (
    "dovecot-imapd",
    "dovecot-pop3d",
    "dovecot-lmtpd",
    "dovecot-managesieved",
    "dovecot-ldap",
    "dovecot-flatcurve",
)
_PORTS = {"imap": STORE_IMAP, "pop3": STORE_POP3, "sieve": STORE_SIEVE}
_GREETINGS = {"imap": "* OK", "pop3": "+OK", "sieve": '"IMPLEMENTATION"'}
_OWNER = State(
    "the mode of /srv/mail", ("stat", "-c", "%U:%G %a", "/srv/mail"), "vmail:vmail 700\n"
)


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    greets = tuple(Probe(_PORTS[name], said, tls=True) for name, said in _GREETINGS.items())
    return Part(
        name="dovecot_store",
        packages=_PACKAGES,
        files=(
            File("/etc/dovecot/dovecot.conf", _configuration(directory, env, host),
                 effect="reload"),
            File(ACCOUNTS, accounts(directory, env, host), accounts=True),
            File(NAMES, names(directory, env, host)),
            File("/etc/sysusers.d/danhba-vmail.conf", render("dovecot_store/sysusers.conf")),
            File("/etc/tmpfiles.d/danhba-vmail.conf", render("dovecot_store/tmpfiles.conf")),
        ),
        services=(Service("dovecot.service", answers=greets),),
        states=(_OWNER,),
        validate=(("doveconf", "-n"),),
    )  # fmt: skip


def _configuration(directory: Compiled, env: Environment, host: Host) -> bytes:
    return render(
        "dovecot_store/dovecot.conf",
        host=host,
        edges=addresses(env.having("edge")),
        ports=_PORTS,
        local_port=LOCAL_PORT,
        ca=CA,
        certificate=CERTIFICATE,
        key=KEY,
        standby=STANDBY_SOCKET if len(env.having("store")) > 1 else "",
        events=EVENTS,
        **_logins(directory),
        **_mailboxes(directory),
    )


def _logins(directory: Compiled) -> dict[str, object]:
    """What the template has to know of who gets in."""
    return {
        "accounts": ACCOUNTS,
        "grants": GRANTS,
        "blocked": BLOCKED,
        "people_port": PEOPLE_PORT,
        "must_change": MUST_CHANGE,
        "suffix": suffix(directory),
        "lockout": lockout.question(directory),
    }


def _mailboxes(directory: Compiled) -> dict[str, object]:
    """What it has to know of folders, and of room in them."""
    return {
        "domain": directory.domain,
        "names": NAMES,
        "folders": FOLDERS,
        "junk": {"script": junk.SCRIPT, "compiled": junk.COMPILED},
        "learning": learning.dovecot(),
        "kept": KEPT,
        "quota_port": QUOTA_PORT,
        "notice": NOTICE,
        "warnings": WARNINGS,
        "full": FULL,
        "without": NO_SIEVE,
    }


def accounts(directory: Compiled, env: Environment, host: Host) -> bytes:
    return passwd(
        {
            f"{mailbox.account}@{directory.domain}": _fields(mailbox, directory.domain)
            for mailbox in held(directory, env, host)
        }
    )


def names(directory: Compiled, env: Environment, host: Host) -> bytes:
    """Further addresses of the accounts whose mail is here: senders write to any of them."""
    domain = directory.domain
    here = {box.account: box for box in held(directory, env, host)}
    rows = {
        f"{name.address}@{domain}": (
            f"userdb_user={name.account}@{domain} userdb_home={MAIL}/{name.account} "
            f"{_room(here[name.account])}"
        )
        for name in directory.names
        if name.account in here
    }
    return passwd(rows)


def _room(mailbox: Mailbox) -> str:
    return f"userdb_quota_storage_size={mailbox.quota_mb}M"


def _fields(mailbox: Mailbox, domain: str) -> str:
    """An agency's mail is nobody's to delete (Điều 9.2.c). Filters answer under today's name."""
    kept = f" userdb_lazy_expunge_mailbox={KEPT}" if mailbox.kind == "agency" else ""
    today = f" userdb_sieve_user_email={mailbox.address}@{domain}"
    return _room(mailbox) + kept + (today if mailbox.address != mailbox.account else "")
