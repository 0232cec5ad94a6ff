"""Servers outside that speak to port 25, from addresses that this machine has for it."""

from __future__ import annotations

import smtplib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network, IPv6Network

from staging.config import BRIDGE, INTERNET4


@contextmanager
def addresses(*numbers: int, network: IPv4Network | IPv6Network = INTERNET4) -> Iterator[None]:
    """Of the "Internet", by their last numbers."""
    places = [f"{network[number]}/{network.prefixlen}" for number in numbers]
    for place in places:
        argv = ["ip", "address", "replace", place, "dev", BRIDGE]
        subprocess.run([*argv, "nodad"] if network.version == 6 else argv, check=True)
    yield
    for place in places:
        subprocess.run(["ip", "address", "delete", place, "dev", BRIDGE], check=True)


def reply(answer: tuple[int, bytes]) -> tuple[int, str]:
    """Reply code and enhanced code."""
    return answer[0], answer[1].decode().split()[0]


@contextmanager
def client(edge: str, source: str, helo: str = "may.ngoaitinh.test") -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(edge, 25, helo, timeout=60, source_address=(source, 0)) as smtp:
        smtp.ehlo()
        yield smtp
