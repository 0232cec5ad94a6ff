"""What danhba status says of the vault's repositories."""

from __future__ import annotations

from collections.abc import Iterator

from .ages import DAY, HOUR, age
from .host import TAG as HOST
from .jobs import Jobs
from .mail import ALL, CHANGED
from .restic import Failed
from .vault import Vault

FINE = "ok: "
"""Begins what nobody has to look at (danhba.service, FINE)."""
LATE = {"mail": 3 * HOUR, "host": 36 * HOUR}
"""Seconds after which somebody has to look."""
JOBS = {
    "copy": 36 * HOUR,
    "archive": 3 * HOUR,
    "verify": 9 * DAY,
    "verify-second": 9 * DAY,
    "prune": 3 * DAY,
}
SAID = {
    "copy": "copied to the second place",
    "archive": "copied to the second place",
    "verify": "checked",
    "verify-second": "checked in the second place",
    "prune": "pruned",
}
AWAY = ("copy", "archive", "verify-second")
"""Jobs that there are with a second place alone."""
FREE = 0.1
"""Share of the disk that somebody has to look at."""


def health(vault: Vault, now: float) -> Iterator[str]:
    lost = vault.lost()
    if lost:
        yield (
            f"backup: the repositories of {', '.join(lost)} were here and are not on the disk:"
            " see docs/backup.md, Refused"
        )
    for host, mail in vault.config.hosts.items():
        if host in lost:
            continue
        try:
            yield from _host(vault, host, mail, now)
        except (Failed, OSError) as error:
            yield f"backup of {host}: {error}: see docs/backup.md, A damaged repository"
    for job, late in JOBS.items():
        if job not in AWAY or vault.config.second:
            yield from _job(vault, job, late, now)
    if vault.free() < FREE:
        yield (
            f"backup: {vault.free():.0%} of the disk is free: make room, or make policy.backup"
            " less, then systemctl start danhba-backup-prune.service"
        )


def _host(vault: Vault, host: str, mail: bool, now: float) -> Iterator[str]:
    found = vault.snapshots(host)
    good, fine = vault.good(host), []
    for kind, tags in (("mail", (CHANGED, ALL)), ("host", (HOST,))):
        if kind == "mail" and not mail:
            continue
        # When it arrived, or what it says: neither a clock that is ahead nor a copy from the second
        # place makes an old backup young.
        times = (min(each.time, each.arrived) for each in good if each.tag in tags)
        arrived = max(times, default=None)
        since = vault.began() if arrived is None else arrived
        words = f"{kind} {age(now - since)} ago" if arrived else f"{kind} never"
        if kind == "mail" and arrived and not any(each.accounts for each in found):
            words = f"no mail yet, {age(now - since)} ago"
        if now - since > LATE[kind]:
            old = f"{age(now - since)} old" if arrived else "missing: there was never one"
            yield f"backup of {host}: the last of {kind} is {old}: danhba status on {host} says why"
        else:
            fine.append(words)
    if fine:
        yield f"{FINE}backup of {host}: {', '.join(fine)}"
    for doubt in vault.doubts(host):
        yield (
            f"backup of {host}: {doubt}: nothing of it is forgotten until somebody has looked;"
            " see docs/backup.md, Doubts"
        )


def _job(vault: Vault, job: str, late: float, now: float) -> Iterator[str]:
    """The oldest counts."""
    notes, unit = Jobs(vault).noted(job), f"danhba-backup-{job}.service"
    fine, archive = [], job == "archive"
    for host in [vault.config.own] if archive else vault.config.hosts:
        whose = "the archive" if archive else f"backup of {host}"
        note = notes.get(host, {"at": None, "why": ""})
        since = vault.began() if note["at"] is None else note["at"]
        why = f" ({note['why']})" if note["why"] else ""
        last = f"last {age(now - since)} ago" if note["at"] else "never"
        if now - since > late or (why and not note["why"].startswith("nothing is forgotten")):
            yield f"{whose}: {SAID[job]} {last}{why}: systemctl start {unit}, then look"
        elif note["at"]:
            fine.append(note["at"])
    if fine:
        whose = "the archive" if archive else "backups"
        yield f"{FINE}{whose} {SAID[job]} {age(now - min(fine))} ago"
