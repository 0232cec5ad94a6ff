"""SSH between this machine and its hosts: keys, known_hosts, and running a command there.

Made once per machine and kept over fresh overlays, so known_hosts stays true and checking strict.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from staging.config import KEYS, LAB
from staging.shell import run, write

IDENTITY = Path(KEYS) / "id_ed25519"
KNOWN_HOSTS = Path(KEYS) / "known_hosts"


def prepare(hosts: dict[str, tuple[str, ...]]) -> None:
    """Keys for this machine and for each host. hosts: name to the addresses it answers at."""
    Path(KEYS).mkdir(mode=0o700, parents=True, exist_ok=True)
    _make(IDENTITY, "danhba lab")
    lines = []
    for name, addresses in hosts.items():
        _make(host_key(name), name)
        public = " ".join(_public(host_key(name)).split()[:2])
        lines.append(f"{','.join((name, *addresses))} {public}\n")
    text = "".join(lines)
    if not KNOWN_HOSTS.exists() or KNOWN_HOSTS.read_text() != text:
        write(KNOWN_HOSTS, text)


def host_key(name: str) -> Path:
    return Path(KEYS) / f"host_{name}"


def place(root: Path, name: str) -> None:
    """Put a host's key and this machine's permission to log in into the host's file system."""
    write(root / "root/.ssh/authorized_keys", _public(IDENTITY), 0o600)
    (root / "root/.ssh").chmod(0o700)
    write(root / "etc/ssh/ssh_host_ed25519_key", host_key(name).read_text(), 0o600)
    write(root / "etc/ssh/ssh_host_ed25519_key.pub", _public(host_key(name)))


def options() -> list[str]:
    """ssh's options: nothing of the user's own configuration, and never an unknown host."""
    wanted = {
        "IdentityFile": str(IDENTITY),
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": str(KNOWN_HOSTS),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
        "ConnectTimeout": "5",
        "ServerAliveInterval": "5",
        "ServerAliveCountMax": "3",
        "LogLevel": "ERROR",
        "ControlMaster": "auto",
        "ControlPersist": "60",
        "ControlPath": f"{LAB}/ssh/%h",
    }
    return ["-F", "none", *(part for key in wanted for part in ("-o", f"{key}={wanted[key]}"))]


def ssh(
    address: str, command: str, input: str | None = None, timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    (Path(LAB) / "ssh").mkdir(mode=0o700, exist_ok=True)
    argv: Sequence[str] = ["ssh", *options(), f"root@{address}", command]
    stdin = {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=timeout, **stdin
    )


def log_in(address: str) -> NoReturn:
    """Become a shell on a host."""
    os.execvp("ssh", ["ssh", *options(), f"root@{address}"])


def hang_up(address: str) -> None:
    """End the shared connection, so that the next command does not wait for a dead one."""
    if (Path(LAB) / "ssh" / address).exists():
        run(["ssh", *options(), "-O", "exit", f"root@{address}"], check=False)


def pair(path: Path, comment: str) -> str:
    """The public half of a key, which is made when there is none."""
    _make(path, comment)
    return _public(path)


def _make(path: Path, comment: str) -> None:
    if not path.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])


def _public(path: Path) -> str:
    return Path(f"{path}.pub").read_text()
