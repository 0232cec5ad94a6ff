"""One host: its file system, its cable, its processes."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from staging import certificates, cgroup, keys, mounts, network
from staging.config import BOOT_LIMIT, NET1_IPV4, NET1_IPV6
from staging.shell import LabError, say, write


@dataclass(frozen=True)
class Host:
    """names: further names its certificate holds for."""

    name: str
    fqdn: str
    ipv4: str
    ipv6: str
    names: tuple[str, ...] = ()


def start(host: Host) -> None:
    """Boot from the host's overlay, which is made when there is none. Does not wait."""
    ready = mounts.HOSTS / host.name / "ready"
    if not ready.exists():
        mounts.erase(host.name)  # what an interrupted boot left half made
    root = mounts.mount(host.name)
    if not ready.exists():
        _prepare(host, root)
        ready.touch()
    network.plug(host.name, host.ipv4, host.ipv6)
    cgroup.remove(host.name)  # groups left by a killed systemd upset the next one
    joined = [f"echo $$ >{path}/cgroup.procs" for path in cgroup.make(host.name)]
    # the shell leaves at once, so that nobody has to wait for systemd-nspawn's end
    script = "; ".join([*joined, f"exec {shlex.join(_nspawn(host, root))}"])
    with (mounts.HOSTS / f"{host.name}.log").open("ab") as log:
        subprocess.run(
            ["sh", "-c", 'sh -c "$0" &', script],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=True,
            start_new_session=True,
            env={"PATH": os.environ["PATH"], "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        )


def wait(host: Host) -> None:
    """Wait until sshd answers and systemd has settled. Raises LabError."""
    begin = time.monotonic()
    while True:
        state = _state(host)
        left = begin + BOOT_LIMIT - time.monotonic()
        if state in ("running", "degraded"):
            break
        if left < 0 or (not cgroup.alive(host.name) and left < BOOT_LIMIT - 3):
            log = mounts.HOSTS / f"{host.name}.log"
            tail = log.read_text(errors="replace")[-1500:]
            raise LabError(f"{host.name} does not boot ({state or 'no answer'}):\n{tail}\n({log})")
        time.sleep(0.2)
    if state == "degraded":
        failed = keys.ssh(host.ipv4, "systemctl --failed --plain --no-legend").stdout
        say(f"{host.name}: these units failed:\n{failed.rstrip()}")


def stop(host: Host, limit: float = 60.0) -> None:
    """Shut the host down in good order; what does not end in time is killed."""
    keys.hang_up(host.ipv4)
    supervisor = cgroup.supervisor(host.name)
    if supervisor is not None:
        os.kill(supervisor, signal.SIGTERM)
        end = time.monotonic() + limit
        while cgroup.alive(host.name) and time.monotonic() < end:
            time.sleep(0.05)
    kill(host)


def kill(host: Host) -> None:
    """Cut the power."""
    cgroup.kill(host.name)
    keys.hang_up(host.ipv4)


def remove(name: str) -> None:
    """Every trace of a host, whatever state it is in."""
    cgroup.kill(name)
    cgroup.remove(name)
    network.unplug(name)
    mounts.erase(name)


def _state(host: Host) -> str:
    try:
        return keys.ssh(host.ipv4, "systemctl is-system-running --wait", timeout=30).stdout.strip()
    except subprocess.TimeoutExpired:
        return ""


def _nspawn(host: Host, root: Path) -> list[str]:
    return [
        "systemd-nspawn",
        "--quiet",
        "--settings=no",
        "--register=no",
        "--keep-unit",
        "--boot",
        f"--directory={root}",
        f"--machine=danhba-{host.name}",
        f"--hostname={host.name}",
        f"--network-namespace-path=/run/netns/{network.namespace(host.name)}",
        "--capability=CAP_NET_ADMIN",  # nftables
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--console=read-only",
    ]


def _prepare(host: Host, root: Path) -> None:
    """What a hosting centre hands over: a name, addresses, DNS, SSH and a certificate."""
    write(root / "etc/hostname", f"{host.name}\n")
    write(root / "etc/machine-id", f"{uuid.uuid4().hex}\n", 0o444)
    names = f"{host.fqdn} {host.name}"
    local = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
    write(root / "etc/hosts", f"{local}{host.ipv4} {names}\n{host.ipv6} {names}\n")
    write(root / "etc/resolv.conf", f"nameserver {NET1_IPV4}\nnameserver {NET1_IPV6}\n")
    write(root / "etc/locale.conf", "LANG=C.UTF-8\n")
    keys.place(root, host.name)
    certificates.place(root, host.fqdn, host.names, (host.ipv4, host.ipv6))
