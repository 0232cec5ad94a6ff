"""A cgroup per host: who belongs to it, whether it lives, and how to kill all of it at once.

Made beside systemd's own tree, so it works with and without systemd on the machine, and where
cgroup v2 is mounted beside v1 (hybrid).
"""

from __future__ import annotations

import time
from pathlib import Path

from staging.shell import LabError

_TREE = "danhba-lab"
_MOUNTS = Path("/sys/fs/cgroup")


def make(host: str) -> list[Path]:
    """The host's cgroups; a process joins by writing its id to their cgroup.procs."""
    made = []
    for hierarchy in _hierarchies():
        path = hierarchy / _TREE / host
        path.mkdir(parents=True, exist_ok=True)
        made.append(path)
    return made


def hosts() -> list[str]:
    """Hosts that have a cgroup, alive or not."""
    home = _hierarchies()[0] / _TREE
    return sorted(path.name for path in home.iterdir() if path.is_dir()) if home.is_dir() else []


def alive(host: str) -> bool:
    events = _hierarchies()[0] / _TREE / host / "cgroup.events"
    try:
        return "populated 1" in events.read_text()
    except OSError:
        return False


def processes(host: str) -> list[int]:
    found = []
    for path in (_hierarchies()[0] / _TREE / host).glob("**/cgroup.procs"):
        try:
            found += [int(line) for line in path.read_text().split()]
        except OSError:
            continue  # the group has just gone
    return found


def supervisor(host: str) -> int | None:
    """The process id of the host's systemd-nspawn."""
    for pid in processes(host):
        try:
            if Path(f"/proc/{pid}/comm").read_text().strip() == "systemd-nspawn":
                return pid
        except OSError:
            continue
    return None


def kill(host: str) -> None:
    """End every process of the host at once, as a power cut does."""
    group = _hierarchies()[0] / _TREE / host
    if alive(host):
        (group / "cgroup.kill").write_text("1")
    limit = time.monotonic() + 10
    while alive(host):
        if time.monotonic() > limit:
            raise LabError(f"{host}: processes {processes(host)} do not die")
        time.sleep(0.02)


def remove(host: str) -> None:
    """Remove the host's empty cgroups, and the lab's when it was the last one."""
    for hierarchy in _hierarchies():
        home = hierarchy / _TREE
        below = [path for path in (home / host).glob("**/") if path.is_dir()]
        for path in [*sorted(below, key=lambda path: -len(path.parts)), home]:
            try:
                path.rmdir()
            except OSError:
                continue  # other hosts are in it


def _hierarchies() -> list[Path]:
    """Where cgroups have to be made; the first is always cgroup v2."""
    if (_MOUNTS / "cgroup.controllers").exists():
        return [_MOUNTS]
    if (_MOUNTS / "unified/cgroup.controllers").exists():
        return [path for path in (_MOUNTS / "unified", _MOUNTS / "systemd") if path.is_dir()]
    raise LabError("this machine has no cgroup v2 mounted at /sys/fs/cgroup")
