"""Local parts that no agency and no person may have, and the form every local part has."""

from __future__ import annotations

import re

LOCAL_PART = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
"""A dot-atom of RFC 5321 narrowed to what folding produces; nothing a shell or a map interprets."""

MAX_OCTETS = 64
"""RFC 5321, 4.5.3.1.1."""

ROLES = frozenset(
    (
        # RFC 2142
        *("info", "marketing", "sales", "support"),
        *("abuse", "noc", "security"),
        *("postmaster", "hostmaster", "usenet", "news", "webmaster", "www", "uucp", "ftp"),
        # Whoever reads these can have a certificate issued for the domain (CA/Browser Forum
        # Baseline Requirements, 3.2.2.4.4).
        *("admin", "administrator"),
    )
)
SYSTEM = frozenset(
    (
        *("root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "proxy", "backup"),
        *("list", "irc", "nobody", "sshd", "systemd-network", "messagebus", "openldap"),
        *("postfix", "dovecot", "dovenull", "vmail", "amavis", "clamav", "rspamd"),
        *("mailer-daemon", "double-bounce", "noreply", "no-reply"),
    )
)

RESERVED = ROLES | SYSTEM
"""An alias may take one of them, so that postmaster reaches somebody; a mailbox may not."""
