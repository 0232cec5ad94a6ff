"""What several services must agree on: names, ports between hosts, where certificates are."""

from __future__ import annotations

from danhba.compiled import Compiled, Mailbox
from danhba.inventory import Environment, Host

CERTIFICATE = "/etc/ssl/danhba/host.pem"
KEY = "/etc/ssl/danhba/host.key"
CA = "/etc/ssl/danhba/ca.pem"

STORE_PORT = 2525
"""Edges hand mail to a store here: port 25 of a store would invite mail that no edge has seen."""

STORE_IMAP, STORE_POP3, STORE_SIEVE = 2993, 2995, 6190
"""For the edges' tunnels, encrypted from the first byte; 2000 above the usual ports, which are the
edge's on a host that is both."""

REPLY_PORT = 2526
"""Stores hand what Sieve and bounces send to an edge here; its rules differ from port 25's."""

LOCAL_PORT = 10025
"""On loopback only: where a store's Dovecot submits what Sieve sends."""

QUOTA_PORT = 12340
"""Where a store says whether a mailbox has room: Dovecot on loopback, to edges over TLS."""

LOCKOUT_PORT = 2527
"""Every host tells every other one who guesses passwords."""

LDAP_GATE_PORT = 2529
"""Where LDAP clients from outside end up when they knock on 636: guesses are counted there."""

JOURNAL_PORT = 2540
"""Edges hand the vault's archive each message here."""

JOURNAL_WAY = 10027
"""On loopback only: where an edge's mail queue hands the archive's copies over."""

JOURNAL_DOOR = 10028
"""On loopback only: where the vault's archive takes them, behind the tunnel."""

BACKUP_PORT = 2541
"""Every host hands the vault its backups here."""

ROOTS_PORT = 2542
"""Every host learns here what the archive's chain has come to, and remembers it."""

POLICY_PORT = 2528
"""On loopback only: where Dovecot asks whether somebody may try a password."""

PEOPLE_PORT = 3389
"""On loopback only: where Dovecot finds the people, whichever of their hosts are there."""

SASL_SOCKET = "/run/danhba-sasl-door/auth"
"""Where an edge's Postfix asks whether a password is right."""

SINK_PORT = 10027
"""On loopback only: where a replay's filters try to send something; nothing is accepted."""

MARKS_SOCKET = "/run/danhba-marks/milter"
"""Where an edge's Postfix asks whether a document bears a secrecy mark."""

SENDERS_SOCKET = "/run/danhba-senders/milter"
"""Where an edge's Postfix asks whether a header names its own sender."""

FILTERS_SOCKET = "/run/danhba-filters/milter"
"""Where a store's Postfix asks whether what a filter sends may go."""

ABUSE_SOCKET = "/run/danhba-abuse/milter"
"""Where an edge's Postfix asks whether somebody has sent too much."""

DESK_SOCKET = "/run/danhba-lockout/sending"
"""Where that is counted, for all edges together."""

SCORE_HEADER = "X-Danhba-Score"
"""In which rspamd tells what it thinks of what somebody submits; it does not leave the edge."""

FILTER_SOCKET = "/run/rspamd/milter"
"""Where an edge's Postfix asks what to do with a message."""

REPORTS_PORT = 10026
"""On loopback only: where an edge submits its own reports of DMARC."""

CLAMD_SOCKET = "/run/clamav/clamd"
"""Where rspamd asks whether it carries a virus."""

DANE_SOCKET = "/run/danhba-dane/socketmap"
"""Where an edge's Postfix asks whether a domain's servers are known by signed DNS."""

STS_SOCKET = "/run/mta-sts/socket"
"""Where an edge's Postfix asks for another domain's MTA-STS policy."""

SIGNATURES = "/var/lib/clamav"
"""What clamd knows viruses by."""

SCAN_SECONDS = 20
"""How long clamd may take over one message."""

VALKEY_SOCKET = "/run/valkey/valkey"
"""Where rspamd keeps what it remembers."""

RSPAMD_CONTROLLER = "/run/rspamd/controller"
"""Where rspamd takes orders, of its own user alone."""

LEARNING_PORT = 2530
"""Where stores tell an edge what is junk and what is not."""

VALKEY_PORT = 2531
"""Where edges tell each other's valkey whom they have greylisted."""

VALKEY_WAY = 2532
"""On loopback only, rspamd's and valkey's alone: the near end of the way there."""

JUNK_HEADER = "X-Spam"
"""With it edges mark what their filter takes for spam, and stores file it."""

NO_SIEVE = ("enotify",)
"""Extensions of Sieve that nobody has."""

STANDBY_PORT = 4191
"""Where a store takes synchronisations from the others."""

STANDBY_WAY = 4192
"""On loopback only, and root's alone: where a store's own doveadm finds the way to the others."""

STANDBY_SOCKET = "/run/dovecot/standby"
"""Behind it: Dovecot's end of the tunnel."""

BLOCKED = "/etc/dovecot/blocked"
GRANTS = "/etc/dovecot/grants"
"""Dovecot reads them; deploys/sessions.py writes them, for sessions end when they change."""

LEAVING = "/etc/danhba/leaving"
"""Accounts whose mailbox waits beside its archive; deploys/retention.py writes it."""

NOTICE = "/etc/danhba/quota-notice"
"""What Dovecot calls when a mailbox runs out of room; deploys/quota.py has it."""

KEEPER_LOG = "/var/lib/danhba-keepers"
KEEPER_UNIT = "danhba-keeper-log"
"""The record of who opened agencies' mailboxes, and the unit that brings it up to date."""

WARNINGS = (95, 90, 80)
"""Percent of the room for mail at which its holder is told; the highest first."""

FOLDERS = {
    "Archive": "Lưu trữ",
    "Drafts": "Thư nháp",
    "Junk": "Thư rác",
    "Sent": "Thư đã gửi",
    "Trash": "Thùng rác",
}
"""What RFC 6154 calls a folder, and its name, which programs show that know no such flags."""


MUST_CHANGE = (
    "Hay doi mat khau lan dau truoc khi dung thu dien tu"
    " / Change your first password before using mail"
)
"""What somebody is told who comes with the password that was handed to him. IMAP (RFC 3501 9, text)
and SMTP (RFC 5321 4.2) show clients ASCII only."""


def people_for(host: Host, env: Environment) -> tuple[Host, ...]:
    """The people hosts in the order in which a host asks them: itself first."""
    return tuple(sorted(env.having("people"), key=lambda each: each != host))


TREE = "/etc/danhba/people.jsonl"
"""The entries of the address book on a people host."""


KEPT = "Expunged"
"""Folder of an agency's mailbox, for engineers only: what its keepers' programs took away."""


def home(mailbox: Mailbox, env: Environment) -> Host:
    """The store that serves a mailbox."""
    return env.host(env.place(mailbox).home)


def way(store: Host) -> str:
    """Where edges hand on the mail of a store's mailboxes, as Postfix writes it."""
    return f"store:[{store.fqdn}]:{STORE_PORT}"


def held(directory: Compiled, env: Environment, host: Host) -> tuple[Mailbox, ...]:
    """The mailboxes that a store knows: its own, and those of which it has the standby copy."""
    return tuple(box for box in directory.mailboxes if host.name in env.place(box).holders)


def addresses(hosts: tuple[Host, ...]) -> list[str]:
    """Every address of the hosts, IPv4 before IPv6."""
    return [host.ipv4 for host in hosts] + [host.ipv6 for host in hosts]


def networks(hosts: tuple[Host, ...]) -> list[str]:
    """The hosts as Postfix writes address patterns: IPv6 in brackets."""
    return [address if "." in address else f"[{address}]" for address in addresses(hosts)]


def suffix(directory: Compiled) -> str:
    """The root of the LDAP tree, from the domain (RFC 2247)."""
    return ",".join(f"dc={label}" for label in directory.domain.split("."))


def table(rows: dict[str, str]) -> bytes:
    """A Postfix lookup table in text form: one key per line, so that a diff is one line."""
    return "".join(f"{key} {rows[key]}\n" for key in sorted(rows)).encode()


def passwd(rows: dict[str, str]) -> bytes:
    """A Dovecot passwd-file without passwords: the user and, in the eighth field, extra fields."""
    return "".join(f"{user}:::::::{rows[user]}\n" for user in sorted(rows)).encode()


def silent(command: str) -> tuple[str, ...]:
    """Reject what a checker only warns about: Postfix tells of a misspelt name with status 0."""
    said = f"said=$({{ {command}; }} 2>&1 >/dev/null)"
    return ("sh", "-c", f'{said} && test -z "$said" && exit 0; echo "$said"; exit 1')
