"""Is a restored mailbox what was backed up? Every file by its hash, every folder by Dovecot."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .fetch import INDEXES, MAIL
from .troubles import Trouble, some

MANIFEST = "manifest.jsonl"
_MESSAGE = re.compile(r"mail/mailboxes/(.+)/dbox-Mails/u\.[0-9]+")
_SECONDS = 600

# Folders by the names that their directories have. Neither index of folders nor search is asked:
# counted is what is there.
_CONFIG = """\
dovecot_config_version = 2.4.1
dovecot_storage_version = 2.4.1
base_dir = {work}/run
state_dir = {work}/run
log_path = /dev/stderr
ssl = no
mail_driver = sdbox
mail_path = {home}/mail
mailbox_list_index = no
mailbox_list_utf8 = yes
mail_plugins {{
  mail_compress = yes
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""


@dataclass
class Looked:
    """What was found in one mailbox. folders: of each, messages of the manifest and messages that
    Dovecot sees. bytes: of the files that are right."""

    files: int = 0
    right: int = 0
    bytes: int = 0
    folders: dict[str, tuple[int, int]] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        return {
            "files": self.files,
            "right": self.right,
            "bytes": self.bytes,
            "folders": {name: list(both) for name, both in sorted(self.folders.items())},
            "messages": [sum(both[side] for both in self.folders.values()) for side in (0, 1)],
        }


def look(tree: Path, work: Path, host: str, account: str) -> Looked:
    """tree: of its host. work: a directory for what Dovecot needs."""
    where = f"{host} {account}"
    found = Looked()
    home, copies = tree / MAIL[1:] / account, tree / INDEXES[1:] / account
    try:
        rows = [json.loads(line) for line in (copies / MANIFEST).read_bytes().splitlines()]
        wanted = {str(row["path"]): (int(row["size"]), str(row["sha256"])) for row in rows}
    except (OSError, ValueError, TypeError, KeyError) as error:
        found.troubles.append(Trouble("no-manifest", where, f"{type(error).__name__}: {error}"))
        return found
    _compare(found, home, wanted, where)
    _lay_over(copies, home)
    counts = Counter(match[1] for path in wanted if (match := _MESSAGE.fullmatch(path)))
    _count(found, home, work, counts, where)
    return found


def _compare(found: Looked, home: Path, wanted: dict[str, tuple[int, str]], where: str) -> None:
    missing, damaged = [], []
    for path, known in wanted.items():
        try:
            facts = file_facts(home / path)
        except OSError:
            missing.append(path)
            continue
        if facts == known:
            found.right += 1
            found.bytes += known[0]
        else:
            damaged.append(path)
    found.files = len(wanted)
    for kind, paths in (("missing", missing), ("damaged", damaged)):
        if paths:
            found.troubles.append(Trouble(kind, where, some(paths)))


def file_facts(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a regular file; of nothing that a link or a pipe could lead to. Raises
    OSError."""
    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(opened, "rb") as file:
        facts = os.fstat(opened)
        if not stat.S_ISREG(facts.st_mode):
            raise FileNotFoundError(path)
        return facts.st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _lay_over(copies: Path, home: Path) -> None:
    """The copies of the indexes where Dovecot has its indexes, as a restore does."""
    for folder, _, files in os.walk(copies):
        for name in files:
            source = Path(folder) / name
            target = home / source.relative_to(copies)
            if source.is_symlink() or not source.is_file() or name == MANIFEST:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(source, target)


def _count(found: Looked, home: Path, work: Path, counts: Counter[str], where: str) -> None:
    config = work / "dovecot.conf"
    config.write_text(_CONFIG.format(work=work, home=home))
    try:
        _doveadm(config, home, ("force-resync",), "*")
        said = _doveadm(config, home, ("mailbox", "status"), "messages", "*")
        seen = {str(row["mailbox"]): int(row["messages"]) for row in json.loads(said)}
        # Each message is unpacked once; what is in it is nobody's business.
        _doveadm(config, home, ("fetch",), "text", "ALL", out=subprocess.DEVNULL)
    except (subprocess.SubprocessError, ValueError, TypeError, KeyError) as error:
        reason = getattr(error, "stderr", "") or str(error)
        found.troubles.append(Trouble("dovecot", where, reason.strip()[-300:]))
        return
    names = sorted({*counts, *seen})
    found.folders = {name: (counts[name], seen.get(name, 0)) for name in names}
    if wrong := [
        f"{name}: {seen} of {wanted}"
        for name, (wanted, seen) in found.folders.items()
        if seen != wanted
    ]:
        found.troubles.append(Trouble("count", where, some(wrong)))


def _doveadm(
    config: Path, home: Path, command: tuple[str, ...], *argv: str, out: int = subprocess.PIPE
) -> str:
    """Raises CalledProcessError, TimeoutExpired."""
    done = subprocess.run(
        ["doveadm", "-c", str(config), "-f", "json", *command, "--no-userdb-lookup", *argv],
        env={"HOME": str(home), "USER": home.name, "PATH": "/usr/bin:/usr/sbin:/bin:/sbin"},
        stdout=out, stderr=subprocess.PIPE, text=True, check=True, timeout=_SECONDS,
    )  # fmt: skip
    return done.stdout or ""
