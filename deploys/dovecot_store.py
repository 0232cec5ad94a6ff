"""Dovecot of a store: holds mailboxes, reached by the edges only."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Probe, Service, State
from danhba.usage.records import EVENTS
from deploys.common import (
    BLOCKED,
    CA,
    CERTIFICATE,
    GRANTS,
    KEY,
    LOCAL_PORT,
    STORE_IMAP,
    STORE_POP3,
    STORE_SIEVE,
    addresses,
    held,
    passwd,
    suffix,
)

ACCOUNTS = "/etc/dovecot/accounts"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    config = render(
        "dovecot_store/dovecot.conf",
        host=host,
        domain=directory.domain,
        accounts=ACCOUNTS,
        grants=GRANTS,
        blocked=BLOCKED,
        edges=addresses(env.having("edge")),
        people=env.having("people"),
        suffix=suffix(directory),
        local_port=LOCAL_PORT,
        ports={"imap": STORE_IMAP, "pop3": STORE_POP3, "sieve": STORE_SIEVE},
        ca=CA,
        certificate=CERTIFICATE,
        key=KEY,
        events=EVENTS,
    )
    return Part(
        name="dovecot_store",
        packages=(
            "dovecot-imapd",
            "dovecot-pop3d",
            "dovecot-lmtpd",
            "dovecot-managesieved",
            "dovecot-ldap",
        ),
        files=(
            File("/etc/dovecot/dovecot.conf", config, effect="reload"),
            File(ACCOUNTS, accounts(directory, env, host), accounts=True),
            File("/etc/sysusers.d/danhba-vmail.conf", render("dovecot_store/sysusers.conf")),
            File("/etc/tmpfiles.d/danhba-vmail.conf", render("dovecot_store/tmpfiles.conf")),
        ),
        services=(
            Service(
                "dovecot.service",
                answers=(
                    Probe(STORE_IMAP, "* OK", tls=True),
                    Probe(STORE_POP3, "+OK", tls=True),
                    Probe(STORE_SIEVE, '"IMPLEMENTATION"', tls=True),
                ),
            ),
        ),
        states=(
            State("the mode of /srv/mail", ("stat", "-c", "%U:%G %a", "/srv/mail"),
                  "vmail:vmail 700\n"),
        ),
        validate=(("doveconf", "-n"),),
    )  # fmt: skip


def accounts(directory: Compiled, env: Environment, host: Host) -> bytes:
    return passwd(
        {
            f"{mailbox.account}@{directory.domain}": (
                f"userdb_quota_storage_size={mailbox.quota_mb}M"
            )
            for mailbox in held(directory, env, host)
        }
    )
