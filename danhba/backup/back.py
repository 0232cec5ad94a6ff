"""A blank machine gets back what its repository has of it (danhba rebuild).

    python3 -m backup.back CONFIG mail     mailboxes; {"accounts", "at"} on standard input
    python3 -m backup.back CONFIG host     what else the host had; {"at"} likewise
    python3 -m backup.back CONFIG people   the people, from the backup of the host just brought back

What was done comes as JSON. Cut off, each goes on when it is called again: a mailbox gets its name
when it is whole, and one that has its messages is left alone. On a vault the repositories
themselves come first (vault_back.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from . import archive
from .config import Config
from .freezing import MANIFEST
from .host import TAG as HOST
from .mail import ALL, CHANGED
from .restic import AT_ONCE, Failed, Repository, last_word, of_host, taken

OWNER = "vmail"
MANIFEST_OF_LIVE = Path("/var/lib/danhba/current/manifest.json")
LEFT = (
    "danhba", "danhba-backup", "danhba-rebuild", "danhba-standby", "danhba-backup-vault",
    "danhba-record", "danhba-journal",
)  # fmt: skip
"""Of what is in a backup of a host, below /var/lib: generations are new, the backup's own notes
make themselves anew, what a copy on another store was like holds no more, and that there was a
journal would keep the new vault from beginning one."""
JOURNAL = Path("/srv/vault/journal")
"""Of the vault alone."""
KEPT_RUNNING = "danhba-backup"


def main(argv: Sequence[str]) -> int:
    question = json.load(sys.stdin)
    try:
        work = {"mail": mail, "host": host, "people": people}[argv[2]]
        done = work(Config.read(argv[1]), question)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(done))
    return 0


# Mailboxes


def mail(config: Config, question: Mapping[str, Any]) -> dict[str, Any]:
    """{"mailboxes": how many came back, "messages", "oldest": time of the oldest snapshot that was
    needed, "missing": accounts that the repository has nothing of}. Raises Failed."""
    repository, at = of_host(config), _moment(question)
    chosen = _newest(config, repository.snapshots(), set(question["accounts"]), at)
    counts, messages = 0, 0
    for identity, accounts in _by_snapshot(chosen).items():
        due = [each for each in accounts if not _has_mail(Path(config.mail, each))]
        for first in range(0, len(due), AT_ONCE):
            some = due[first : first + AT_ONCE]
            messages += _bring(config, repository, identity, some)
            counts += len(some)
    _resync(sorted(chosen), question["domain"])
    oldest = min((row["time"] for row in chosen.values()), default="")
    missing = sorted(set(question["accounts"]) - chosen.keys())
    return {"mailboxes": counts, "messages": messages, "oldest": oldest, "missing": missing}


def _moment(question: Mapping[str, Any]) -> float:
    at = question.get("at")
    return datetime.fromisoformat(at).timestamp() if at else time.time()


def _newest(
    config: Config, rows: Iterable[dict[str, Any]], accounts: set[str], at: float
) -> dict[str, dict[str, Any]]:
    """Account to the newest snapshot until then that has it."""
    found: dict[str, dict[str, Any]] = {}
    begin = f"{config.mail}/"
    for row in sorted(rows, key=taken):
        if taken(row) <= at and {ALL, CHANGED}.intersection(row.get("tags") or ()):
            for path in row["paths"]:
                if path.startswith(begin) and (account := path.removeprefix(begin)) in accounts:
                    found[account] = row
    return found


def _by_snapshot(chosen: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for account, row in sorted(chosen.items()):
        groups.setdefault(row["id"], []).append(account)
    return groups


def _has_mail(box: Path) -> bool:
    return next(box.glob("mail/mailboxes/**/dbox-Mails/u.*"), None) is not None


def _bring(config: Config, repository: Repository, identity: str, accounts: Sequence[str]) -> int:
    """Some mailboxes of one snapshot; how many messages. Raises Failed."""
    place = Path(config.mail, ".rebuild")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    _restore_mail(config, repository, identity, accounts, place)
    messages = sum(_settle(config, place, account) for account in accounts)
    shutil.rmtree(place)
    return messages


def _restore_mail(
    config: Config, repository: Repository, identity: str, accounts: Sequence[str], place: Path
) -> None:
    """Of one snapshot the messages and the copies of Dovecot's own files. Raises Failed."""
    paths = [f"{top}/{each}" for each in accounts for top in (config.mail, f"{config.state}/mail")]
    with tempfile.NamedTemporaryFile("w", prefix="danhba-rebuild.") as wanted:
        wanted.writelines(f"{path}\n" for path in paths)
        wanted.flush()
        repository.must("restore", identity, "--target", str(place), "--include-file", wanted.name)


def _settle(config: Config, place: Path, account: str) -> int:
    """Lay the index files over, give it to Dovecot, and give it its name; how many messages."""
    box = Path(f"{place}{config.mail}/{account}")
    copies = Path(f"{place}{config.state}/mail/{account}")
    box.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in [path for path in copies.rglob("*") if path.is_file()]:
        if path.name != MANIFEST:
            target = box / path.relative_to(copies)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.replace(target)
    owner = pwd.getpwnam(OWNER)
    for path in [box, *box.rglob("*")]:
        os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
    live = Path(config.mail, account)
    shutil.rmtree(live, ignore_errors=True)  # without a message: it was looked at before
    box.rename(live)
    return sum(1 for _ in live.glob("mail/mailboxes/**/dbox-Mails/u.*"))


def _resync(accounts: Sequence[str], domain: str) -> None:
    """Index and messages agree afterwards. Raises Failed."""
    with tempfile.NamedTemporaryFile("w", prefix="danhba-rebuild.") as users:
        users.writelines(f"{account}@{domain}\n" for account in accounts)
        users.flush()
        argv = ["doveadm", "force-resync", "-F", users.name, "*"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"doveadm force-resync: {done.stderr.strip()[-500:]}")


# What else a host has


def host(config: Config, question: Mapping[str, Any]) -> dict[str, Any]:
    """{"time": of the snapshot, "" when there is none; "places": what came back; "unread": what
    could not be read, and why}. With "partly" in the question the rest comes back all the same.
    Services that have something there stand still meanwhile. Raises Failed."""
    repository, at = of_host(config), _moment(question)
    rows = [row for row in repository.snapshots() if HOST in (row.get("tags") or ())]
    rows = sorted((row for row in rows if taken(row) <= at), key=taken)
    if not rows:
        return {"time": "", "places": [], "unread": []}
    place = Path(config.state, "back")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    unread = _unpacked(repository, rows[-1], place, bool(question.get("partly")))
    units = _units()
    subprocess.run(["systemctl", "stop", *units], check=False, capture_output=True)
    try:
        places = [_lay(place, each) for each in _folders(place)]
        archive.lay(place / JOURNAL.relative_to("/"), JOURNAL)
        _lay_bases(place / config.state.lstrip("/") / "host")
        _keep_ldif(config, place)
        _keep_record(place, rows[-1]["time"])
    finally:
        done = subprocess.run(["systemctl", "start", *units], check=False, capture_output=True)
    shutil.rmtree(place)
    if done.returncode:
        raise Failed(done.stderr.decode(errors="replace").strip())
    return {"time": rows[-1]["time"], "places": places, "unread": unread}


def _unpacked(
    repository: Repository, row: Mapping[str, Any], place: Path, partly: bool
) -> list[str]:
    """What could not be read, and why. Raises Failed; partly: only when nothing could."""
    try:
        _unpack(repository, row, place)
        return []
    except Failed:
        if not partly:
            raise
    unread, paths = [], sorted(row["paths"])
    for path in paths:
        shutil.rmtree(there := Path(f"{place}{path}"), ignore_errors=True)
        try:
            _unpack(repository, row, place, path)
            _as_live(there, Path(path))
        except Failed as error:
            shutil.rmtree(there, ignore_errors=True)
            unread.append(f"{path}: {error}")
    if len(unread) == len(paths):
        raise Failed("; ".join(unread))
    return unread


def _as_live(there: Path, live: Path) -> None:
    """A directory that is unpacked alone is not in its own tar: whose it is says the machine."""
    if there.is_dir() and live.is_dir():
        own = live.stat()
        os.chown(there, own.st_uid, own.st_gid)
        there.chmod(own.st_mode & 0o7777)


def _unpack(repository: Repository, row: Mapping[str, Any], place: Path, path: str = "/") -> None:
    """As tar: it has the names of owners, whose numbers a new machine gives anew. Raises Failed."""
    argv = repository.argv("dump", "--archive", "tar", row["id"], path)
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=repository.environment()
    ) as dump:
        tar = ["tar", "-x", "-C", str(place), "--same-owner", "-p", "--exclude=*/generations"]
        unpacked = subprocess.run(tar, stdin=dump.stdout, capture_output=True, check=False)
        said = dump.stderr.read().decode(errors="replace") if dump.stderr else ""
    if dump.returncode:
        raise Failed(last_word(subprocess.CompletedProcess(argv, dump.returncode, "", said)))
    if unpacked.returncode:
        raise Failed(f"tar: {unpacked.stderr.decode(errors='replace').strip()}")


def _units() -> list[str]:
    """danhba's services on this host, but those that bring back, and that must be there for it."""
    manifest = json.loads(MANIFEST_OF_LIVE.read_text())
    names = [service["unit"] for service in manifest["services"]]
    return [
        name
        for name in names
        if name.startswith(("danhba-", "valkey", "rspamd")) and not name.startswith(KEPT_RUNNING)
    ]


def _folders(place: Path) -> list[Path]:
    """What is to be laid, as it was unpacked."""
    tops = [*place.glob("var/lib/*"), *place.glob("srv/archive*")]
    return sorted(top for top in tops if top.name not in LEFT)


def _lay(place: Path, source: Path, root: Path = Path("/")) -> str:
    """A directory in the place of what the new machine has made there."""
    target = root / source.relative_to(place)
    if target.exists():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source, target)
    return str(target)


def _lay_bases(copies: Path) -> None:
    """Databases are copied apart (host.py); whose they are says the directory."""
    for path in [each for each in copies.rglob("*") if each.is_file()]:
        target = Path("/") / path.relative_to(copies)
        if target.parts[1] in ("var", "srv") and target.parts[3] not in LEFT:
            for end in ("-wal", "-shm"):
                Path(f"{target}{end}").unlink(missing_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, target)
            owner = target.parent.stat()
            os.chown(target, owner.st_uid, owner.st_gid)


LDIF = "people.ldif"


def _keep_ldif(config: Config, place: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        kept = Path(config.state, LDIF)
        shutil.move(place / config.state.lstrip("/") / "host" / LDIF, kept)
        kept.chmod(0o600)


RECORD = Path("/var/lib/danhba-record")


def _keep_record(place: Path, time: str) -> None:
    """What was done on the machines before, beside what is done on the new one: no chain of lines
    is written anew, and none is put over another. time: of the snapshot."""
    RECORD.mkdir(mode=0o700, exist_ok=True)
    for path in sorted((place / str(RECORD).lstrip("/")).glob("log*")):
        name = f"log.until-{time}" if path.name == "log" else path.name
        while (kept := RECORD / name).exists() and kept.read_bytes() != path.read_bytes():
            name += "+"
        if not kept.exists():
            shutil.move(path, kept)


def people(config: Config, question: Mapping[str, Any]) -> dict[str, Any]:
    """The tree with everybody's password in the place of what an apply has made; {"entries"}: how
    many, 0 when the backup has none. Raises Failed."""
    kept = Path(config.state, LDIF)
    if not kept.exists() or not config.ldap:
        return {"entries": 0}
    configuration, suffix = config.ldap
    count = sum(row.startswith(b"dn:") for row in kept.open("rb"))
    subprocess.run(["systemctl", "stop", "slapd.service"], check=True)
    for path in Path("/var/lib/ldap").rglob("*"):
        if path.is_file():
            path.unlink()
    argv = ["runuser", "-u", "openldap", "--", "slapadd", "-q", "-f", configuration, "-b", suffix]
    with kept.open("rb") as ldif:
        done = subprocess.run(argv, stdin=ldif, capture_output=True, check=False)
    subprocess.run(["systemctl", "start", "slapd.service"], check=not done.returncode)
    if done.returncode:
        raise Failed(f"slapadd: {done.stderr.decode(errors='replace').strip()[-500:]}")
    kept.unlink()
    return {"entries": count}


if __name__ == "__main__":
    sys.exit(main(sys.argv))
