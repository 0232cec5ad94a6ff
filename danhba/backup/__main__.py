"""The command line; see danhba.backup."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import pwd
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from . import host, mail
from .config import Config, VaultConfig
from .health import health
from .jobs import Jobs
from .memory import Memory
from .restic import Failed, Repository, of_host
from .vault import ARCHIVE, Snapshot, Vault
from .vault_health import health as vault_health

UNITS = {"mail": "danhba-backup-mail.service", "daily": "danhba-backup-daily.service"}


def main(argv: Sequence[str]) -> int:
    text = json.loads(Path(argv[1]).read_text())
    if "place" in text:
        return _vault(VaultConfig.read(argv[1]), argv[2:])
    return _host(Config.read(argv[1]), argv[2:])


def _host(config: Config, words: Sequence[str]) -> int:
    if words == ["check"]:  # of a generation that is not live: it leaves no trace
        config.accounts()
        return 0
    memory = Memory(config.state)
    match words:
        case ["mail"]:
            return _kind(config, memory, "mail", lambda: _mail(config, memory, False))
        case ["daily"]:
            done = _kind(config, memory, "host", lambda: asdict(host.run(config, of_host(config))))
            if config.homes:
                done |= _kind(config, memory, "mail", lambda: _mail(config, memory, True))
            return done
        case ["host"]:
            return _kind(config, memory, "host", lambda: asdict(host.run(config, of_host(config))))
        case ["accept"]:
            mail.accept(config, memory, of_host(config))
        case ["health"]:
            kinds = ["mail", "host"] if config.homes else ["host"]
            _print(health(memory, kinds, time.time()))
        case ["ask"]:
            print(_packed(_run(json.load(sys.stdin), config, memory)))
    return 0


def _mail(config: Config, memory: Memory, everything: bool) -> dict[str, Any]:
    return asdict(mail.run(config, memory, of_host(config), everything))


def _kind(config: Config, memory: Memory, kind: str, work: Any) -> int:
    """One run at a time; it is noted how it went."""
    if memory.noted("began") is None:
        memory.note("began", time.time())
    with Path(config.state, "turn").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        began = time.time()
        try:
            done = work()
        except (Failed, mail.Refused, OSError) as error:
            memory.note(f"last {kind}", {"at": began, "why": str(error)})
            print(f"{kind}: {error}", file=sys.stderr)
            return 1
        trouble = done.get("trouble", [])
        why = f"{len(trouble)} not backed up, {trouble[0]}" if trouble else ""
        note = {"at": began, "why": why, "seconds": round(time.time() - began, 1), "done": done}
        memory.note(f"last {kind}", note)
        memory.note(f"good {kind}", note)
        print(f"{kind}: {json.dumps(done)}")
        return 1 if trouble else 0


def _run(question: dict[str, Any], config: Config, memory: Memory) -> dict[str, Any]:
    """{"run": "mail" or "daily"}: what the timers would start, now; answers when it has ended."""
    unit = UNITS[question["run"]]
    done = subprocess.run(["systemctl", "start", unit], capture_output=True, text=True, check=False)
    kinds = [*(["mail"] if config.homes else []), *(["host"] if question["run"] == "daily" else [])]
    notes = {kind: memory.noted(f"last {kind}") for kind in kinds}
    return {"failed": done.stderr.strip() if done.returncode else "", "notes": notes}


def _vault(config: VaultConfig, words: Sequence[str]) -> int:
    if words == ["check"]:
        return 0
    secrets = _secrets(config)
    _become(config.user)
    vault = Vault(config, secrets)
    jobs = Jobs(vault)
    match words:
        case ["repositories"]:
            return _made(vault)
        case ["prune" | "copy" | "archive" | "verify" | "verify-second" as job]:
            return _job(jobs, job, getattr(jobs, job.replace("-", "_"))())
        case ["verify", "whole"]:
            return _job(jobs, "verify", jobs.verify(whole=True))
        case ["accept", name] if name == ARCHIVE:
            jobs.accept_archive()
        case ["accept", name]:
            vault.accept(name)
        case ["health"]:
            _print(vault_health(vault, time.time()))
        case ["find"]:
            print(json.dumps(_find(vault, json.load(sys.stdin))))
        case ["ask"]:
            print(_packed(_find(vault, json.load(sys.stdin))))
        case ["dump"]:
            question = json.load(sys.stdin)
            dump = ["dump", "--archive", "tar", question["snapshot"], question["path"]]
            _exec(vault.reading(question["repository"]), dump)
        case ["restic", name, *more]:
            _exec(vault.repository(name), more)
    return 0


def _made(vault: Vault) -> int:
    try:
        vault.make()
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _job(jobs: Jobs, job: str, failed: dict[str, str]) -> int:
    """What failed is noted for health, and said."""
    jobs.note(job, failed)
    for name, why in failed.items():
        print(f"{name}: {why}", file=sys.stderr)
    return 1 if failed else 0


def _secrets(config: VaultConfig) -> dict[str, str]:
    """As systemd hands them over; to root, from their place."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    place = Path(folder, "backup.secret") if folder else Path(config.secret)
    found: dict[str, str] = json.loads(place.read_text())
    return found


def _become(user: str) -> None:
    """Whoever asks is root; the repositories are the user's."""
    if os.geteuid() == 0:
        entry = pwd.getpwnam(user)
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        os.environ["HOME"] = entry.pw_dir


def _find(vault: Vault, question: dict[str, Any]) -> dict[str, Any]:
    """{"account" or "accounts", "at": as of RFC 3339, or absent for now}: of one account the
    snapshot's "repository", "snapshot", "tag" and "time", nothing when there is none; of several
    "found", account to such. {"host", "tag", "at"}: likewise the newest of a tag."""
    at = datetime.fromisoformat(question["at"]).timestamp() if question.get("at") else time.time()
    if "host" in question:
        newest = vault.newest(question["host"], question["tag"], at)
        return _said(newest) if newest else {}
    if "account" in question:
        found = vault.find([question["account"]], at)
        return _said(found[question["account"]]) if found else {}
    some = vault.find(question["accounts"], at)
    return {"found": {account: _said(each) for account, each in some.items()}}


def _said(found: Snapshot) -> dict[str, Any]:
    when = datetime.fromtimestamp(found.time).astimezone().isoformat()
    return {"repository": found.host, "snapshot": found.id, "tag": found.tag, "time": when}


def _exec(repository: Repository, words: Sequence[str]) -> None:
    os.execvpe("restic", repository.argv(*words), repository.environment())


def _packed(answer: object) -> str:
    """As danhba.generations.remote has it."""
    return base64.b64encode(zlib.compress(json.dumps(answer).encode())).decode()


def _print(lines: Iterator[str]) -> None:
    with contextlib.suppress(BrokenPipeError):
        for line in lines:
            print(line)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
