"""Memory of the lab's hosts by service, as the kernel accounts for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from staging import cgroup

Memory = dict[str, dict[str, float]]
"""Host to unit to megabytes."""


def megabytes(hosts: Iterable[str]) -> Memory:
    """Proportional set sizes: pages that processes share count once. Hosts of the lab share the
    code of their daemons too, so a host of its own has some megabytes more."""
    return {host: _of_host(host) for host in hosts}


def _of_host(host: str) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for process in map(str, set(cgroup.processes(host))):
        try:
            group = Path("/proc", process, "cgroup").read_text()
            rollup = Path("/proc", process, "smaps_rollup").read_text()
        except OSError:
            continue  # it has just ended
        kilobytes = next(row.split()[1] for row in rollup.splitlines() if row.startswith("Pss:"))
        found[_unit(group)] += int(kilobytes) / 1024
    return dict(found)


def _unit(group: str) -> str:
    """The systemd unit in the path of a cgroup."""
    names = [name for name in group.split("/") if name.strip().endswith(".service")]
    return names[-1].strip() if names else "systemd"
