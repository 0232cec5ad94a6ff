"""net1, which plays the Internet: DNS for everybody and a mail domain outside the province.

Set up by the lab, not by danhba: its mail server must not share danhba's mistakes.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from pathlib import Path

from danhba.inventory import Environment
from staging import keys, mounts, outsiders, second_place, tls_domains, zones
from staging.config import MAILBOXES, NET1, NET1_IPV4, NET1_IPV6, OUTSIDE
from staging.host import Host
from staging.shell import LabError, timed, write

HOST = Host(
    NET1, f"mail.{OUTSIDE}", NET1_IPV4, NET1_IPV6, (OUTSIDE, f"ns.{OUTSIDE}", *tls_domains.NAMES)
)

_PACKAGES = ("bind9", "postfix", "dovecot-core", "dovecot-imapd", "libsasl2-modules")
_USERS = {"lan": "lan", "thảo": "thao"}
"""Local part of the mailbox and a login name in plain letters, for clients that know no other."""


def digest(environment: Environment) -> str:
    """Changes when net1 has to be configured anew."""
    parts = [_files(environment, 0), _PACKAGES, _INSTALL, _LOAD, second_place.SETUP]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def passwords() -> dict[str, str]:
    """Address to password of the outside mailboxes; made once per machine."""
    path = Path(MAILBOXES)
    if not path.exists():
        made = {f"{user}@{OUTSIDE}": secrets.token_urlsafe(12) for user in _USERS}
        write(path, json.dumps(made, ensure_ascii=False, indent=1) + "\n", 0o600)
    return dict(json.loads(path.read_text(encoding="utf-8")))


def configure(environment: Environment) -> None:
    """Install what is missing, place all files, load them. net1 must be up. Raises LabError."""
    with timed("setting up net1: DNS and outside mail"):
        _remote(_INSTALL.format(packages=" ".join(_PACKAGES), count=len(_PACKAGES)))
        root = mounts.root(NET1)
        certificate = root / "etc/ssl/danhba/host.pem"
        for path, text in _files(environment, int(time.time())).items():
            write(root / path.lstrip("/"), tls_domains.placed(text, certificate))
        lines = "".join(_account(address, secret) for address, secret in passwords().items())
        write(root / "etc/dovecot/mailboxes", lines, 0o600)
        for path, text in outsiders.public_keys().items():
            write(root / path.lstrip("/"), text)
        _remote(_SIGN.format(zones=" ".join(zones.signed(environment)), keys=zones.KEYS))
        _remote(_LOAD)
        second_place.let_in()
        _remote(second_place.SETUP)


def anchor() -> str:
    """The root's key, which whoever checks DNSSEC has to know."""
    folder = mounts.root(NET1) / zones.KEYS.lstrip("/")
    return next(folder.glob("K.+*.key")).read_text()


def hints() -> str:
    """Where the root is."""
    server = f"ns.{OUTSIDE}."
    return f". IN NS {server}\n{server} IN A {NET1_IPV4}\n{server} IN AAAA {NET1_IPV6}\n"


def _remote(script: str) -> None:
    done = keys.ssh(NET1_IPV4, "sh -eu -s", script)
    if done.returncode:
        raise LabError(f"net1 cannot be set up:\n{(done.stdout + done.stderr)[-2000:]}")


def _account(address: str, secret: str) -> str:
    """Lines of Dovecot's passwd-file: the local part itself, and its plain-letter login."""
    user = address.partition("@")[0]
    login = _USERS[user]
    second = f"{login}:{{PLAIN}}{secret}::::::user={user}\n" if login != user else ""
    return f"{user}:{{PLAIN}}{secret}::::::\n{second}"


def _files(environment: Environment, serial: int) -> dict[str, str]:
    domains = (OUTSIDE, *tls_domains.ALL)
    mailboxes = "".join(f"{user}@{domain} {user}/\n" for domain in domains for user in _USERS)
    return {
        **{zones.path(zone): text for zone, text in zones.zones(environment, serial).items()},
        "/etc/bind/named.conf": zones.configuration(environment),
        "/etc/postfix/main.cf": _POSTFIX.format(
            outside=OUTSIDE, domains=" ".join(domains), reports=outsiders.WATCHING
        ),
        "/srv/policies.py": tls_domains.SERVER,
        "/etc/systemd/system/policies.service": tls_domains.UNIT,
        "/etc/postfix/mailboxes": mailboxes,
        "/etc/postfix/aliases.virtual": (
            f"postmaster@{OUTSIDE} lan@{OUTSIDE}\n{outsiders.REPORTS} lan@{OUTSIDE}\n"
        ),
        "/etc/dovecot/dovecot.conf": _DOVECOT,
    }


# the services start with our configuration, below; started by their packages they would do it twice
_INSTALL = """\
export DEBIAN_FRONTEND=noninteractive
installed=$(dpkg-query -W -f '${{db:Status-Status}}\\n' {packages} 2>/dev/null |
    grep -cx installed || true)
if [ "$installed" != {count} ]; then
    dpkg --configure -a
    printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    echo postfix postfix/main_mailer_type select No configuration | debconf-set-selections
    apt-get -qq update
    apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 install {packages}
    rm /usr/sbin/policy-rc.d
fi
"""

# the root says which keys the zones below it have (DS, RFC 4035 2.4)
_SIGN = """\
install -d -o bind -g bind {keys} /var/lib/bind/danhba
for zone in {zones}; do
    file=$zone; [ "$zone" = . ] || file=$zone.
    ls {keys}/K$file+*.key >/dev/null 2>&1 ||
        dnssec-keygen -q -k default -K {keys} "$zone" >/dev/null
    [ "$zone" = . ] || dnssec-dsfromkey -2 {keys}/K$file+*.key >>/var/lib/bind/danhba/root.zone
done
chown -R bind:bind {keys} /var/lib/bind/danhba
"""

_LOAD = """\
id mailboxes >/dev/null 2>&1 ||
    useradd --uid 5000 --user-group --home-dir /srv/mail mailboxes
install -d -o mailboxes -g mailboxes -m 0700 /srv/mail
named-checkconf -z /etc/bind/named.conf
chgrp dovecot /etc/dovecot/mailboxes && chmod 0640 /etc/dovecot/mailboxes
for protocol in submission submissions; do
    postconf -M "$protocol/inet=$protocol inet n - y - - smtpd"
    postconf -P "$protocol/inet/syslog_name=postfix/$protocol" \\
        "$protocol/inet/smtpd_sasl_auth_enable=yes" \\
        "$protocol/inet/smtpd_relay_restrictions=permit_sasl_authenticated,reject"
done
postconf -P submission/inet/smtpd_tls_security_level=encrypt \\
    submissions/inet/smtpd_tls_wrappermode=yes
postfix check
doveconf -n >/dev/null
systemctl daemon-reload
systemctl enable -q policies
systemctl restart policies
systemctl reload-or-restart named dovecot postfix
"""

_POSTFIX = """\
compatibility_level = 3.9
myhostname = mail.{outside}
mydomain = {outside}
mydestination = localhost
mynetworks = 127.0.0.0/8 [::1]/128
inet_interfaces = all
inet_protocols = all
alias_maps =
alias_database =
biff = no
smtputf8_enable = yes
message_size_limit = 104857600
virtual_mailbox_limit = 0

# virtual(8), not LMTP: Dovecot's LMTP does not announce SMTPUTF8
virtual_mailbox_domains = {domains}
virtual_alias_domains = {reports}
virtual_mailbox_base = /srv/mail
virtual_mailbox_maps = texthash:/etc/postfix/mailboxes
virtual_alias_maps = texthash:/etc/postfix/aliases.virtual
virtual_uid_maps = static:5000
virtual_gid_maps = static:5000

smtpd_tls_chain_files = /etc/ssl/danhba/host.key, /etc/ssl/danhba/host.pem
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtp_tls_security_level = may
smtp_tls_CAfile = /etc/ssl/danhba/ca.pem
smtp_tls_loglevel = 1
smtpd_tls_loglevel = 1
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
# tests send and break things at will: come back soon
minimal_backoff_time = 5s
maximal_backoff_time = 20s
queue_run_delay = 5s
"""

_DOVECOT = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols = imap
ssl = required
ssl_server_cert_file = /etc/ssl/danhba/host.pem
ssl_server_key_file = /etc/ssl/danhba/host.key
auth_mechanisms = plain login
# empty: every character, for logins in UTF-8
auth_username_chars =
auth_username_format = %{user | username | lower}
mail_driver = maildir
mail_path = /srv/mail/%{user}
mail_uid = mailboxes
mail_gid = mailboxes
first_valid_uid = 5000
passdb passwd-file {
  passwd_file_path = /etc/dovecot/mailboxes
}
userdb static {
  fields {
    uid = mailboxes
    gid = mailboxes
    home = /srv/mail
  }
}
namespace inbox {
  inbox = yes
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
service imap-login {
  inet_listener imap {
    port = 0
  }
}
"""
