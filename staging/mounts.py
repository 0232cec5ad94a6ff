"""The overlay of each host over the base image."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from staging.config import LAB
from staging.image import BASE
from staging.shell import run

HOSTS = Path(LAB) / "hosts"


def root(host: str) -> Path:
    return HOSTS / host / "root"


def mount(host: str) -> Path:
    """The host's file system; what it wrote before is still there."""
    target = root(host)
    if str(target) in mounted():
        return target
    home = HOSTS / host
    for name in ("upper", "work", "root"):
        (home / name).mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={BASE},upperdir={home / 'upper'},workdir={home / 'work'}"
    run(["mount", "-t", "overlay", "danhba-lab", "-o", options, str(target)])
    return target


def unmount(host: str) -> None:
    """Also what a killed systemd-nspawn left mounted for the host."""
    run_state = re.compile(rf"/run/systemd/nspawn/[^/]+/danhba-{re.escape(host)}(/|$)")
    for target in reversed(mounted()):
        ours = target == str(root(host)) or target.startswith(f"{root(host)}/")
        if (ours or run_state.match(target)) and run(["umount", target], check=False).returncode:
            run(["umount", "--lazy", target])
    for left in Path("/run/systemd/nspawn").glob(f"*/danhba-{host}"):
        shutil.rmtree(left, ignore_errors=True)


def erase(host: str) -> None:
    """Forget everything the host ever wrote."""
    unmount(host)
    for record in HOSTS.glob(f"{host}/upper/var/lib/danhba-record/*"):
        run(["chattr", "-a", str(record)], check=False)
    shutil.rmtree(HOSTS / host, ignore_errors=True)
    HOSTS.joinpath(f"{host}.log").unlink(missing_ok=True)
    HOSTS.joinpath(f".#{host}.lck").unlink(missing_ok=True)


def known() -> list[str]:
    """Hosts that have written something."""
    return sorted(path.name for path in HOSTS.iterdir() if path.is_dir()) if HOSTS.is_dir() else []


def mounted() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4].encode().decode("unicode_escape") for line in lines]
