"""Questions to slapd, on this host or another people host, through Debian's ldap-utils."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator, Sequence

from danhba.generations.host.common import run

Attributes = dict[str, list[str]]

SOCKET = "ldapi:///"
EXTERNAL = ("-Q", "-Y", "EXTERNAL")
"""Who asks is known without a password: by the socket here, elsewhere by the host's certificate."""

_CERTIFICATE = (
    "env",
    "LDAPTLS_CERT=/etc/ssl/danhba/host.pem",
    "LDAPTLS_KEY=/etc/ssl/danhba/host.key",
    "LDAPTLS_CACERT=/etc/ssl/danhba/ca.pem",
)
HANGS = 124
"""Exit status, none of LDAP's, of a question that nobody answered."""
_PATIENCE = 3
"""Seconds for a connection to another host."""
PROMPT = 10
"""Seconds within which slapd answers a question about one entry, however busy it is."""
LONG = 300
"""Seconds for what may be about all entries; 30,000 take a tenth of it."""


def search(
    *arguments: str, peer: str = "", limit: float = LONG
) -> subprocess.CompletedProcess[bytes]:
    """ldapsearch; peer: the name of another people host. limit: seconds, as in `within`."""
    argv = ["ldapsearch", "-LLL", "-o", "ldif-wrap=no", *EXTERNAL]
    if not peer:
        return within(limit, [*argv, "-H", SOCKET, *arguments])
    patience = ["-o", f"nettimeout={_PATIENCE}", "-l", str(_PATIENCE)]
    argv = [*_CERTIFICATE, *argv, *patience, "-H", f"ldaps://{peer}", *arguments]
    return within(min(limit, PROMPT), argv)


def within(
    limit: float, argv: Sequence[str], stdin: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a program of ldap-utils. They wait for ever for a slapd that takes the connection and
    says nothing: after `limit` seconds the status is HANGS."""
    try:
        return run(argv, stdin, limit)
    except subprocess.TimeoutExpired:
        words = f"slapd takes the connection and says nothing for {limit:.0f} s"
        return subprocess.CompletedProcess(argv, HANGS, b"", words.encode())


def parse(ldif: bytes) -> Iterator[tuple[str, Attributes]]:
    """Entries of unwrapped LDIF (RFC 2849)."""
    for block in ldif.decode().split("\n\n"):
        dn = ""
        attrs: Attributes = {}
        for line in block.splitlines():
            name, _, value = line.partition(":")
            if not name or name.startswith("#"):
                continue
            if value.startswith(":"):
                value = base64.b64decode(value[1:]).decode(errors="replace")
            value = value.strip()
            if name == "dn":
                dn = value
            else:
                attrs.setdefault(name, []).append(value)
        if dn:
            yield dn, attrs
