"""A dry run looks and touches nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from province import Province, wait_for

PLACES = (
    "/etc", "/root", "/srv", "/tmp", "/usr/local", "/usr/lib", "/usr/sbin", "/var/cache",
    "/var/lib", "/var/spool", "/var/tmp",
)  # fmt: skip
"""Everything of a host's own disk but what only packages write and what the journal writes."""

NOT_OURS = (
    "/var/lib/systemd/timers", "/var/lib/systemd/random-seed", "/var/spool/postfix",
    "/var/lib/postfix/prng_exch", "/var/lib/postfix-journal/prng_exch",
    "/var/lib/ldap/lock.mdb", "/var/lib/ldap/log/lock.mdb", "/var/lib/danhba-standby",
    "/var/lib/danhba-lockout", "/var/lib/danhba-usage", "/var/spool/danhba-usage",
    "/var/lib/danhba-keepers", "/var/lib/valkey", "/tmp/systemd-private-",
    "/var/tmp/systemd-private-", "/var/lib/danhba-free-mail", "/var/lib/danhba-roots",
    "/var/lib/danhba-backup", "/srv/vault/backup", "/srv/vault/journal/index.db",
)  # fmt: skip
"""What the host changes by itself, whoever looks: its timers, Postfix's queue, its wake-ups and its
hourly random seed, what danhba's own daemons, timers and valkey note, folders of what timers start,
and LMDB's tables of readers, in which every search may enter itself."""
FOLDERS = ("/tmp", "/var/tmp")
"""Of which only the content counts: their own times change with folders of what timers start."""

FORMATS = ("text", "markdown", "json")
Snapshot = dict[str, list[Any]]


def snapshot(province: Province, host: str) -> Snapshot:
    """Path to (type and mode, owner, size, time of change, digest of the content)."""
    done = province.lab.run(host, ["python3", "-c", _SNAPSHOT, *PLACES])
    assert done.returncode == 0, done.stderr
    found: Snapshot = json.loads(done.stdout)
    return {
        path: facts for path, facts in found.items()
        if not path.startswith(NOT_OURS) and path not in FOLDERS
    }  # fmt: skip


def changes(before: Snapshot, after: Snapshot) -> dict[str, tuple[Any, Any]]:
    paths = before.keys() | after.keys()
    rows = {path: (before.get(path), after.get(path)) for path in paths}
    return {path: row for path, row in rows.items() if row[0] != row[1]}


def hosts(province: Province) -> list[str]:
    return [host.name for host in province.environment.hosts]


@pytest.fixture(scope="module", autouse=True)
def nothing_goes_on(province: Province) -> None:
    """What the tests before have sent is delivered, indexed, and copied to the standbys."""
    stores = len(province.environment.having("store"))

    def settled() -> bool:
        said = province.danhba("status", "staging", check=False).stdout
        if said.count("standby: 0 waiting") < stores:
            return False
        return all(snapshot(province, host) == snapshot(province, host) for host in hosts(province))

    wait_for(settled, "all mail has come to rest", 180)


@pytest.fixture
def one_more_official(province: Province) -> Iterator[None]:
    """Something to plan: the file names somebody whom the hosts do not know yet."""
    before = province.directory.read_text(encoding="utf-8")
    title = "title: Chuyên viên"
    assert title in before
    province.directory.write_text(before.replace(title, f"{title} chính", 1), encoding="utf-8")
    yield
    province.directory.write_text(before, encoding="utf-8")


@pytest.mark.parametrize("form", FORMATS)
def test_a_plan_with_changes_writes_nothing_on_any_host(
    province: Province, one_more_official: None, form: str
) -> None:
    before = {host: snapshot(province, host) for host in hosts(province)}
    done = province.danhba("plan", "staging", "--format", form, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    after = {host: snapshot(province, host) for host in hosts(province)}
    for host in before:
        assert len(before[host]) > 1000
        assert changes(before[host], after[host]) == {}, host


def test_a_plan_without_changes_writes_nothing_on_any_host(province: Province) -> None:
    province.apply()
    before = {host: snapshot(province, host) for host in hosts(province)}
    done = province.danhba("plan", "staging")
    after = {host: snapshot(province, host) for host in hosts(province)}
    assert "nothing to do" in done.stdout
    for host in before:
        assert changes(before[host], after[host]) == {}, host


def test_an_apply_that_is_answered_with_no_writes_nothing_on_any_host(
    province: Province, one_more_official: None
) -> None:
    before = {host: snapshot(province, host) for host in hosts(province)}
    done = province.danhba("apply", "staging", check=False)  # its standard input is empty
    assert done.returncode == 1, done.stdout + done.stderr
    after = {host: snapshot(province, host) for host in hosts(province)}
    for host in before:
        assert changes(before[host], after[host]) == {}, host


def test_the_comparison_sees_one_byte_that_changes_and_changes_back_in_time(
    province: Province,
) -> None:
    host = hosts(province)[0]
    province.lab.run(host, ["sh", "-c", "echo a > /etc/seen-by-the-comparison"])
    before = snapshot(province, host)
    province.lab.run(host, ["sh", "-c", "echo b > /etc/seen-by-the-comparison"])
    after = snapshot(province, host)
    province.lab.run(host, ["rm", "/etc/seen-by-the-comparison"])
    assert changes(before, after).keys() == {"/etc/seen-by-the-comparison"}
    assert changes(before, snapshot(province, host)).keys() >= {"/etc/seen-by-the-comparison"}


_SNAPSHOT = """
import hashlib, json, os, stat, sys
found = {}
for place in sys.argv[1:]:
    for folder, folders, files in os.walk(place):
        for path in [folder] + [os.path.join(folder, name) for name in folders + files]:
            try:
                facts = os.lstat(path)
                if stat.S_ISLNK(facts.st_mode):
                    content = os.readlink(path)
                elif stat.S_ISREG(facts.st_mode):
                    content = hashlib.sha256(open(path, "rb").read()).hexdigest()
                else:
                    content = ""
            except FileNotFoundError:
                continue
            owner = "%d:%d" % (facts.st_uid, facts.st_gid)
            found[path] = [
                oct(facts.st_mode), owner, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns,
                content,
            ]
print(json.dumps(found))
"""
