"""An example to copy: a province with two edges, four stores, two people hosts.

    cp inventory/production.example.py inventory/production.py

Then change what the comments say; `danhba plan production` reads it, and tells what is missing. The
dot in its name keeps this file itself from being taken for an environment. Its names and addresses
are for documentation (RFC 2606, RFC 5737, RFC 3849): nothing answers there.
"""

from datetime import date
from pathlib import Path
from typing import Any

# What the hosts' names have in common; nothing else depends on it. The mail domain is that of
# directory.yaml, and DNS names the edges in its MX records.
_DOMAIN = "tinh.example"
_SSH = Path.home() / ".ssh"


def _host(name: str, ipv4: str, ipv6: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return name, {
        # The name in the host's certificate (/etc/ssl/danhba/host.pem): other hosts check it, and
        # it is how the host greets. Forward and reverse DNS of an edge must agree on it, or much of
        # the world refuses its mail.
        "fqdn": f"{name}.{_DOMAIN}",
        # Addresses at which the other hosts of this file reach it; those of an edge are public.
        # Both are needed. No two hosts share one, and none sits behind address translation: the
        # firewalls let each other in by them.
        "ipv4": ipv4,
        "ipv6": ipv6,
        # Where danhba logs in. Left out, it is the name before the brackets; whatever else pyinfra
        # knows about a connection may stand here as well (ssh_port, ssh_user, ...).
        "ssh_hostname": ipv4,
        **more,
    }


hosts = (
    [
        # Edges keep nothing: any of them may be lost, and two in different buildings are better.
        _host("mx1", "203.0.113.11", "2001:db8:113::11"),
        _host("mx2", "203.0.113.12", "2001:db8:113::12"),
        # Stores need disks. Every mailbox has a home store and a copy on another one. Nobody but
        # edges and stores talks to them, so a network inside the province will do.
        _host("store1", "198.51.100.21", "2001:db8:100::21"),
        _host("store2", "198.51.100.22", "2001:db8:100::22"),
        _host("store3", "198.51.100.23", "2001:db8:100::23"),
        # A store that came later says since when (the first day it takes mailboxes of new people):
        # so nobody who was there before moves. `danhba rebalance` moves people when you say so.
        _host("store4", "198.51.100.24", "2001:db8:100::24", since=date(2027, 3, 1)),
        # The address book and the passwords, each host with all of them. Programs for mail look up
        # addresses here (LDAP over TLS, 636), so officials must reach them.
        _host("people1", "203.0.113.31", "2001:db8:113::31"),
        _host("people2", "203.0.113.32", "2001:db8:113::32"),
        # The archive of all mail, and everybody's backups: large disks, in another building than
        # the stores. `danhba secrets production` makes what its keys come from in this directory,
        # which git never sees; without it nobody can read archive or backups.
        _host(
            "vault1",
            "198.51.100.41",
            "2001:db8:100::41",
            secrets=str(Path.home() / "danhba-production"),
            # Copies of all backups elsewhere (docs/backup.md); or s3:https://HOST/BUCKET.
            second_place="sftp:danhba@sao-luu.example:/backup",
        ),
    ],
    # For all hosts, unless a host says otherwise above.
    {
        # danhba installs packages and writes below /etc: it logs in as root, with a key.
        "ssh_user": "root",
        "ssh_key": str(_SSH / "danhba_ed25519"),
        # The hosts' own keys, from whoever set them up; an unknown one is refused.
        "ssh_known_hosts_file": str(_SSH / "known_hosts_danhba"),
        "ssh_strict_host_key_checking": "yes",
    },
)

# The roles; a host may be named in several (inventory/single.py has one host in all of them).
# Officials' programs for mail connect to an edge, and so does the world.
edge = ["mx1", "mx2"]
store = ["store1", "store2", "store3", "store4"]
people = ["people1", "people2"]
vault = ["vault1"]
