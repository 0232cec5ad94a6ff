"""Where a role's Postfix and Dovecot live on a host.

On a host of one role they have Debian's usual places, and every tool finds them unasked. A host
that is edge and store has two of each, on different ports; there the store has the usual places and
the edge second ones: `doveadm -c /etc/dovecot-edge/dovecot.conf`, `postqueue -c /etc/postfix-edge`.
"""

from __future__ import annotations

from dataclasses import dataclass

from danhba.inventory import Host


@dataclass(frozen=True)
class Instance:
    """name: "" in the usual places."""

    name: str = ""

    def beside(self, path: str) -> str:
        """A usual path, or the one beside it: /etc/dovecot, /etc/dovecot-edge."""
        return f"{path}-{self.name}" if self.name else path

    @property
    def dovecot(self) -> str:
        return self.beside("/etc/dovecot")

    @property
    def sasl(self) -> str:
        """Where Dovecot is asked whether a password is right, by danhba/sasl_door.py alone."""
        return f"{self.beside('/run/dovecot')}/sasl"

    @property
    def postfix(self) -> str:
        return self.beside("/etc/postfix")

    @property
    def queue(self) -> str:
        return self.beside("/var/spool/postfix")

    @property
    def tables(self) -> str:
        """Not below /etc/postfix, where Postfix warns of every link: a link's own mode is 0777."""
        return self.beside("/etc/danhba/tables")

    @property
    def dovecot_unit(self) -> str:
        return f"{self.beside('dovecot')}.service"

    @property
    def postfix_unit(self) -> str:
        """A second one is Debian's own template unit: it reads /etc/postfix-NAME."""
        return f"postfix@{self.name}.service" if self.name else "postfix.service"

    @property
    def sessions_unit(self) -> str:
        return f"{self.beside('danhba-sessions')}.service"


USUAL = Instance()
"""Of a store, always."""


def edge(host: Host) -> Instance:
    """Of an edge, which makes room for a store on the same host."""
    return Instance("edge") if "store" in host.roles else USUAL
