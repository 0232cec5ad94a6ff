"""A blank vault gets back what the second place has: all repositories, and the archive (danhba
rebuild). What it had as any other host comes after it, from one of them (back.py).

    python3 -m backup.vault_back CONFIG

What was done comes as JSON. Cut off, it goes on when it is called again.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import archive
from .config import VaultConfig
from .restic import Failed, Repository, taken
from .vault import ARCHIVE, HANDED, Vault

JOURNAL_UNIT = "danhba-journal.service"
SECOND_KEY, SECOND_WORDS = "/etc/ssl/danhba/second_place", "/etc/ssl/danhba/second_place.env"


def main(argv: Sequence[str]) -> int:
    try:
        done = bring(VaultConfig.read(argv[1]))
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(done))
    return 0


def bring(config: VaultConfig) -> dict[str, Any]:
    """{"snapshots": of each host, how many there are; "missing": hosts of which the second place
    has nothing; "segments": of the archive, how many came back, "copied": as of when, "" when there
    is none}. All are taken for good: they arrive today, whatever day they are of. Raises Failed:
    what cannot be reached is not missing."""
    words = config.sftp.replace(HANDED, str(Path(SECOND_KEY).parent))
    secrets = json.loads(Path(config.secret).read_text())
    found = Vault(replace(config, sftp=words), secrets)
    os.environ.update(_words(Path(SECOND_WORDS)))
    counts: dict[str, int] = {}
    for name in config.hosts:
        there, here = found.second(name), found.repository(name)
        if not there.exists():
            continue
        both = Repository(here.place, there.secrets, there.words)
        both.must("copy", "--from-repo", there.place)
        counts[name] = len(here.snapshots())
        found.accept(name)
    came = _archive(config, found)
    owner = pwd.getpwnam(config.user)
    for top in (config.place, config.state):
        for folder, _, names in os.walk(top):
            for path in (folder, *(f"{folder}/{name}" for name in names)):
                os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
    missing = sorted(config.hosts.keys() - counts.keys())
    return {"snapshots": counts, "missing": missing, **came}


def _archive(config: VaultConfig, found: Vault) -> dict[str, Any]:
    """What the second place has of the archive: its chain, and what messages say. Raises Failed."""
    there = found.second(config.own, ARCHIVE)
    rows = there.snapshots(ARCHIVE) if there.exists() else []
    if not rows:
        return {"segments": 0, "copied": ""}
    newest = max(rows, key=taken)
    place = Path(config.state, "back")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    there.must("restore", newest["id"], "--target", str(place), "--exclude", "index.db*")
    came = place / config.archive.lstrip("/")
    count = sum(1 for _ in came.rglob("*.chain"))
    subprocess.run(["systemctl", "stop", JOURNAL_UNIT], check=False, capture_output=True)
    archive.lay(came, Path(config.archive))
    subprocess.run(["systemctl", "start", JOURNAL_UNIT], check=False, capture_output=True)
    shutil.rmtree(place)
    return {"segments": count, "copied": newest["time"]}


def _words(path: Path) -> dict[str, str]:
    """Credentials of S3, as systemd reads them."""
    rows = path.read_text().splitlines() if path.exists() else []
    return dict(row.split("=", 1) for row in rows if "=" in row and not row.startswith("#"))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
