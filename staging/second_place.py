"""Where copies of the backups go: an account on net1, for SFTP and for the vault alone."""

from __future__ import annotations

from pathlib import Path

from staging import certificates, keys, mounts
from staging.config import KEYS, NET1, NET1_IPV4, SECOND_FOLDER, SECOND_USER
from staging.shell import write

SETUP = f"""\
id {SECOND_USER} >/dev/null 2>&1 ||
    useradd --system --user-group --home-dir {SECOND_FOLDER} --shell /bin/sh {SECOND_USER}
install -d -o {SECOND_USER} -g {SECOND_USER} -m 0700 {SECOND_FOLDER} {SECOND_FOLDER}/backup
install -d -o {SECOND_USER} -g {SECOND_USER} -m 0700 {SECOND_FOLDER}/.ssh
chown {SECOND_USER} {SECOND_FOLDER}/.ssh/authorized_keys
"""
"""Run on net1 as root, when the key is there."""

_KEY = Path(KEYS) / "second_place"


def let_in() -> None:
    """The vault's key, on net1."""
    root = mounts.root(NET1)
    public = keys.pair(_KEY, "vault")
    folder = root / SECOND_FOLDER.lstrip("/") / ".ssh"
    write(folder / "authorized_keys", f'restrict,command="internal-sftp" {public}', 0o600)


def place(vault: str) -> None:
    """The key, and net1's own, on the vault."""
    folder = mounts.root(vault) / certificates.DIRECTORY
    keys.pair(_KEY, "vault")
    write(folder / "second_place", _KEY.read_text(), 0o600)
    known = " ".join(keys.pair(keys.host_key(NET1), NET1).split()[:2])
    write(folder / "second_place.hosts", f"{NET1_IPV4} {known}\n")
