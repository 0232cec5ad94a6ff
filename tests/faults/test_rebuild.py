"""A machine is lost for good, and a blank one takes its place (docs/recovery.md). A store: see
test_lost_store.py; edges: test_whole_province.py."""

from __future__ import annotations

import json
import time

from province import Province, wait_for

from danhba.backup.mail import CHANGED

COPY = "danhba-backup-copy.service"


def test_what_lives_is_not_overwritten(province: Province) -> None:
    for words in (["store1"], ["--all"]):
        done = province.danhba("rebuild", "staging", *words, "--yes", check=False)
        assert done.returncode == 1
        assert "is in use" in done.stderr
    assert province.plan_status() == 0


def test_the_vault_comes_back_from_the_second_place(province: Province) -> None:
    """With the newest snapshot of each kind and host (of older ones of a day the second place keeps
    one), which hosts then add to."""
    vault = province.environment.having("vault")[0].name
    official = province.officials(1)[0].address
    province.deliver(official)
    wait_for(lambda: bool(_contents(province, vault)), "there is an archive", 60)
    assert province.lab.run(vault, ["systemctl", "start", COPY]).returncode == 0
    before, archive = _snapshots(province, vault), _contents(province, vault)
    # What comes after the copy is lost with the archive, and all hosts have heard of it.
    province.deliver(official)
    wait_for(lambda: _contents(province, vault) != archive, "the archive has it", 60)
    for host in province.environment.hosts:
        province.lab.run(host.name, ["systemctl", "start", "danhba-roots.service"])
    province.lab.blank(vault)
    began = time.monotonic()
    province.danhba("rebuild", "staging", vault, "--yes")
    print(f"the vault: {time.monotonic() - began:.0f} s")
    found = _snapshots(province, vault)
    assert all(found[kind] >= time for kind, time in before.items())
    assert _contents(province, vault).items() >= archive.items()
    province.danhba("archive", "verify", "staging")
    province.danhba("backup", "staging", "--all")
    after = _snapshots(province, vault)
    assert all(after[kind] > time for kind, time in before.items() if kind[1] != CHANGED)
    assert province.plan_status() == 0


def _contents(province: Province, vault: str) -> dict[str, str]:
    """Of what the archive keeps of messages: name and hash of each file."""
    script = "cd /srv/vault/journal && find . -name '*.data' -exec sha256sum {} +"
    rows = province.lab.run(vault, ["sh", "-c", script]).stdout.splitlines()
    return {name: digest for digest, name in (row.split() for row in rows)}


def _snapshots(province: Province, vault: str) -> dict[tuple[str, str], str]:
    """Host and tag to the time of the newest one in its repository on the vault."""
    argv = ["env", "PYTHONPATH=/usr/local/lib/danhba", "python3", "-B", "-m", "backup",
            "/etc/danhba/backup-vault.json", "restic"]  # fmt: skip
    found: dict[tuple[str, str], str] = {}
    for host in province.environment.hosts:
        said = province.lab.run(vault, [*argv, host.name, "snapshots", "--json"]).stdout
        for row in sorted(json.loads(said), key=lambda row: row["time"]):
            found[host.name, row["tags"][0]] = row["time"]
    return found
