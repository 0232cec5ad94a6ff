"""The base image: a small Debian with systemd and sshd that every host's overlay lies on."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from staging.config import LAB
from staging.mirrors import SUITE, Mirrors, proxy
from staging.shell import LabError, say, timed, write

BASE = Path(LAB) / "base"
_RECIPE = Path(LAB) / "base.recipe"
_LOG = Path(LAB) / "base.log"

_PACKAGES = (
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "python3",
    "ca-certificates",
    "ssl-cert",  # the group that may read the host's key
    "iproute2",
    "procps",
    "nftables",
    "tzdata",
)

_DPKG = (
    "force-unsafe-io",
    "path-exclude=/usr/share/doc/*",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
)

MASKED = {
    "e2scrub_reap.service": "there is no block device to look after",
    "systemd-journald-audit.socket": "the kernel's audit belongs to the machine, not to a host",
    "systemd-networkd-wait-online.service": "the lab sets the addresses from outside",
    "systemd-udevd.service": "devices belong to the machine",
    "systemd-udev-trigger.service": "devices belong to the machine",
    "sys-kernel-debug.mount": "the kernel belongs to the machine",
    "sys-kernel-tracing.mount": "the kernel belongs to the machine",
}
"""Units that cannot work in a container, each with the reason."""


def recipe(mirrors: Mirrors) -> str:
    """The digest of everything that makes the image what it is."""
    parts = [_PACKAGES, _DPKG, sorted(MASKED), mirrors.sources(), proxy(), _hooks()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def is_current(mirrors: Mirrors) -> bool:
    return BASE.is_dir() and _RECIPE.is_file() and _RECIPE.read_text().strip() == recipe(mirrors)


def build(mirrors: Mirrors) -> None:
    """Build the image. The package cache must run, and no host may lie on the old image."""
    fresh = BASE.with_name("base.new")
    _RECIPE.unlink(missing_ok=True)
    for old in (fresh, BASE):
        shutil.rmtree(old, ignore_errors=True)
    with timed(f"building the Debian {SUITE} image"), _LOG.open("w") as log:
        argv = _mmdebstrap(fresh)
        done = subprocess.run(
            argv, input=mirrors.sources(), stdout=log, stderr=log, text=True, check=False
        )
    if done.returncode:
        say("".join(_LOG.read_text(errors="replace").splitlines(keepends=True)[-15:]))
        raise LabError(f"mmdebstrap failed; the whole story is in {_LOG}")
    fresh.rename(BASE)
    write(_RECIPE, recipe(mirrors) + "\n")


def _mmdebstrap(target: Path) -> list[str]:
    argv = ["mmdebstrap", "--mode=root", "--variant=minbase", "--skip=check/qemu"]
    argv += [f"--include={','.join(_PACKAGES)}", f"--aptopt={proxy().rstrip()}"]
    argv += [f"--dpkgopt={option}" for option in _DPKG]
    argv += [f"--customize-hook={hook}" for hook in _hooks()]
    return [*argv, SUITE, str(target), "-"]


def _hooks() -> list[str]:
    """What is done inside the image; host keys and the machine id are each host's own."""
    return [
        'rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/ssl/private/ssl-cert-snakeoil.key',
        'rm -f "$1"/etc/ssl/certs/ssl-cert-snakeoil.pem',
        f'chroot "$1" systemctl mask {" ".join(MASKED)}',
    ]
