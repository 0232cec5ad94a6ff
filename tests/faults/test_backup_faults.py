"""Power cuts, a full disk and damage of backups: told, and mended as docs/backup.md says."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from province import Province, wait_for

from deploys.backup import PLACE, VAULT_CONFIG, program_of

STORE = "store2"
"""The one without the people role: logins go on."""
_RESTIC = (*program_of(VAULT_CONFIG), "restic", STORE)


def run(province: Province, host: str, *argv: str) -> str:
    done = province.lab.run(host, argv)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout


def shell(province: Province, host: str, script: str) -> str:
    return run(province, host, "sh", "-euc", script)


def backed_up(province: Province) -> str:
    return province.danhba("backup", "staging", "--host", STORE, "--all").stdout


def newest(province: Province, account: str) -> str:
    """The snapshot that has a mailbox."""
    find = ["sh", "-c", " ".join((*program_of(VAULT_CONFIG), "find"))]
    said = province.lab.run("vault1", find, json.dumps({"account": account})).stdout
    return str(json.loads(said)["snapshot"])


def told(province: Province, what: str) -> bool:
    return what in province.danhba("status", "staging", check=False).stdout


@pytest.fixture
def bulk(province: Province) -> Iterator[str]:
    """A mailbox of that store with so much new mail that its backup takes its time."""
    address = next(name for name in iter(province.stranger, "") if province.home(name) == STORE)
    user = province.mail(address)
    shell(province, STORE, f"doveadm mailbox create -u {user} Lon; for n in 1 2 3 4 5 6; do"
          f" (printf 'Subject: %s\\n\\n' $n; head -c 6000000 /dev/urandom | base64) |"
          f" doveadm save -u {user} -m Lon; done")  # fmt: skip
    yield user
    province.lab.run(STORE, ["doveadm", "mailbox", "delete", "-u", user, "-s", "Lon"])


def test_a_host_loses_its_power_while_it_backs_up(province: Province, bulk: str) -> None:
    process = province.start("backup", "staging", "--host", STORE)
    running = ["sh", "-c", "pgrep -x restic >/dev/null"]
    wait_for(lambda: province.lab.run(STORE, running).returncode == 0, "restic runs", 60)
    province.lab.kill(STORE)
    process.communicate(timeout=120)
    assert process.returncode == 1
    province.lab.start(STORE)
    assert "mail: " in backed_up(province)
    run(province, "vault1", *_RESTIC, "unlock", "--remove-all")
    run(province, "vault1", *_RESTIC, "check")


def test_the_vault_loses_its_power_while_it_removes_what_is_old(province: Province) -> None:
    run(province, "vault1", "systemctl", "start", "--no-block", "danhba-backup-prune.service")
    running = ["sh", "-c", "pgrep -f 'restic.*prune' >/dev/null"]
    wait_for(lambda: province.lab.run("vault1", running).returncode == 0, "restic runs", 60)
    province.lab.kill("vault1")
    # Without the vault a run fails at once, and says so; the next one makes up for it.
    done = province.danhba("backup", "staging", "--host", STORE, check=False)
    assert done.returncode == 1 and "does not answer" in done.stdout, done.stdout
    province.lab.start("vault1")
    backed_up(province)
    run(province, "vault1", "systemctl", "start", "danhba-backup-prune.service")
    run(province, "vault1", *_RESTIC, "check")


def test_a_damaged_pack_is_found_told_and_mended(province: Province, bulk: str) -> None:
    backed_up(province)
    largest = shell(province, "vault1", f"find {PLACE}/{STORE}/data -type f -printf '%s %p\\n' |"
                    " sort -n | tail -1 | cut -d' ' -f2").strip()  # fmt: skip
    shell(province, "vault1", f"chmod u+w {largest}; printf broken |"
          f" dd of={largest} bs=1 seek=100000 conv=notrunc status=none")  # fmt: skip
    whole = (*program_of(VAULT_CONFIG), "verify", "whole")
    assert province.lab.run("vault1", whole).returncode == 1
    assert told(province, f"backup of {STORE}: checked")
    pack = largest.rpartition("/")[2]
    # As docs/backup.md says.
    restic = " ".join(_RESTIC)
    shell(province, "vault1", f"cd /var/lib/danhba-backup-vault && {restic} repair packs {pack}")
    run(province, "vault1", *_RESTIC, "repair", "snapshots", "--forget")
    backed_up(province)
    # A message is left out, as by a pattern that means something else.
    account, snapshots = bulk.partition("@")[0], f"{PLACE}/{STORE}/snapshots"
    shell(province, "vault1", f"{restic} rewrite --forget --exclude Lon/dbox-Mails/u.3"
          f" {newest(province, account)}; cd {snapshots};"
          " touch -d '2 hours ago' $(ls -t | head -1)")  # fmt: skip
    assert province.lab.run("vault1", whole).returncode == 1
    assert told(province, f"(1 of the listed messages of {account} in snapshot ")
    backed_up(province)
    run(province, "vault1", *whole)
    assert not told(province, f"backup of {STORE}: checked")
    listed = run(province, "vault1", *_RESTIC, "ls", newest(province, account))
    assert sum("/Lon/dbox-Mails/u." in row for row in listed.splitlines()) == 6


def test_no_room_on_the_vault(province: Province, bulk: str) -> None:
    """The run waits for room (a quarter of an hour, then it fails and is told), and ends well."""
    place, full = f"{PLACE}/{STORE}", "/run/thu-day"
    shell(province, "vault1", f"""\
        mkdir -p {full}; used=$(du -sk {place} | cut -f1)
        mount -t tmpfs -o size=$((used + 2048))k x {full}
        chown danhba-backup:danhba-backup {full}; chmod 700 {full}
        cp -a {place}/. {full}/; mount --bind {full} {place}""")  # fmt: skip
    since = shell(province, "vault1", "date +%s").strip()
    answers = f"journalctl -u danhba-backup-server --since @{since} -o cat"
    log = ["sh", "-c", f"{answers} | grep -qE '\" (500|507) '"]
    process = province.start("backup", "staging", "--host", STORE)
    try:
        wait_for(lambda: province.lab.run("vault1", log).returncode == 0, "the disk is full", 60)
        shell(province, "vault1", f"mount -o remount,size=1g {full}")
        said, _ = process.communicate(timeout=120)
    finally:
        shell(province, "vault1", f"umount -l {place}; cp -an {full}/. {place}/; umount -l {full}")
    assert process.returncode == 0, said
    run(province, "vault1", *_RESTIC, "check")
