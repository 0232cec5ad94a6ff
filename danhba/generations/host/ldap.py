"""Questions to slapd, on this host or another people host, through Debian's ldap-utils."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator

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
_PATIENCE = 3
"""Seconds for a connection to another host."""


def search(*arguments: str, peer: str = "") -> subprocess.CompletedProcess[bytes]:
    """ldapsearch; peer: the name of another people host."""
    argv = ["ldapsearch", "-LLL", "-o", "ldif-wrap=no", *EXTERNAL]
    if not peer:
        return run([*argv, "-H", SOCKET, *arguments])
    patience = ["-o", f"nettimeout={_PATIENCE}", "-l", str(_PATIENCE)]
    return run([*_CERTIFICATE, *argv, *patience, "-H", f"ldaps://{peer}", *arguments])


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
