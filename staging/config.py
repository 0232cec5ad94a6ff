"""Where the lab keeps its state and which addresses it uses.

Imports nothing of danhba: inventory/staging.py reads KEYS from here.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

LAB = "/var/lib/danhba-lab"
"""All state of the lab on this machine, shared by all checkouts: only one lab runs at a time."""

KEYS = LAB + "/keys"
CA_FILE = LAB + "/ca/ca.pem"
MAILBOXES = KEYS + "/net1-mailboxes.json"
"""Local part to password of the mailboxes on net1, made per machine."""

CHECKOUT = Path(__file__).resolve().parent.parent
INVENTORIES = CHECKOUT / "inventory"

BRIDGE = os.environ.get("DANHBA_LAB_BRIDGE", "danhba0")
PROVINCE4 = IPv4Network(os.environ.get("DANHBA_LAB_PROVINCE4", "198.18.0.0/24"))
PROVINCE6 = IPv6Network(os.environ.get("DANHBA_LAB_PROVINCE6", "2001:db8:18::/64"))
INTERNET4 = IPv4Network(os.environ.get("DANHBA_LAB_INTERNET4", "198.19.0.0/24"))
INTERNET6 = IPv6Network(os.environ.get("DANHBA_LAB_INTERNET6", "2001:db8:19::/64"))
RANGES = (PROVINCE4, INTERNET4, PROVINCE6, INTERNET6)

GATEWAYS = tuple(f"{net[1]}/{net.prefixlen}" for net in RANGES)
"""The bridge's own addresses. It routes nothing: hosts reach the package cache there."""

CACHE_ADDRESS = str(PROVINCE4[1])
CACHE_PORT = 3142

NET1 = "net1"
NET1_IPV4 = str(INTERNET4[0x35])
NET1_IPV6 = str(INTERNET6[0x53])
SECOND_USER, SECOND_FOLDER = "second", "/srv/second"
SECOND_PLACE = f"sftp:{SECOND_USER}@{NET1_IPV4}:{SECOND_FOLDER}/backup"
"""Where copies of the backups go, as restic writes it."""
OUTSIDE = "ngoaitinh.test"
"""The mail domain that net1 serves: everybody outside the province."""

BOOT_LIMIT = 90.0
"""Seconds a host may take until sshd answers and systemd has settled."""
