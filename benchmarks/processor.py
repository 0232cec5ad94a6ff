"""Processor time of the lab's hosts by service, as systemd accounts for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from staging.lab import Lab

Processor = dict[tuple[str, str], float]
"""(host, unit) to seconds."""

_SHOW = ["systemctl", "show", "--type=service", "--property=Id,CPUUsageNSec", "*"]


def seconds(lab: Lab, hosts: Iterable[str]) -> Processor:
    """Since each unit was started."""
    found = {}
    for host in hosts:
        for block in lab.run(host, _SHOW).stdout.split("\n\n"):
            facts = dict(row.split("=", 1) for row in block.splitlines() if row)
            if facts.get("CPUUsageNSec", "").isdecimal():
                found[host, facts["Id"]] = int(facts["CPUUsageNSec"]) / 1e9
    return found


def used(before: Mapping[tuple[str, str], float], after: Processor) -> Processor:
    """Between two looks."""
    return {key: each - before.get(key, 0.0) for key, each in after.items()}
