"""danhba audit tells what was done by whom, from records that nobody can change unseen."""

from __future__ import annotations

import getpass
import json
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from doors import IMAPS, Refused, enter
from people import GUESSER, Person, trusting
from province import Province

from danhba.project import Project

RECORD = "/var/lib/danhba-record/log"
_ATTRIBUTE = f"""
import contextlib, fcntl, struct, sys
with open({RECORD!r}) as file, contextlib.suppress(OSError):
    flags = struct.unpack("l", fcntl.ioctl(file, 0x80086601, struct.pack("l", 0)))[0]
    wanted = flags | 32 if sys.argv[1] == "1" else flags & ~32
    fcntl.ioctl(file, 0x40086602, struct.pack("l", wanted))
"""
"""As chattr(1) does, which no host has."""
NAMES = ("so.sach", "so.sach02")


def audit(
    province: Province, begun: datetime, *options: str, status: int = 0
) -> list[dict[str, Any]]:
    done = province.danhba("audit", "staging", "--format", "json", *options, check=False)
    assert done.returncode == status, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return [each for each in told if datetime.fromisoformat(each["when"]) >= begun]


def of(told: Sequence[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in told if each["kind"] == kind]


@pytest.fixture(scope="module")
def begun(province: Province) -> datetime:
    """An apply, one that is killed on its way, and one that takes its lock over."""
    start = datetime.now(UTC)
    province.add_officials(NAMES[0])
    province.apply()
    province.add_officials(NAMES[1])
    killed = province.started_until("Stage and validate")
    killed.kill()
    killed.wait()
    province.apply()
    return start


def test_an_apply_is_told_with_revision_engineer_and_hosts(
    province: Province, begun: datetime
) -> None:
    first, killed, last = of(audit(province, begun), "apply")
    hosts = {host.name for host in province.environment.hosts}
    for each in (first, last):
        assert set(each["facts"]["swaps"]) <= set(each["hosts"]) <= hosts
        assert {"mx1", "mx2", "store1", "store2"} <= set(each["facts"]["swaps"])
        assert {swap["outcome"] for swap in each["facts"]["swaps"].values()} == {"live"}
        assert each["facts"]["not_ended"] == []
        assert each["who"].startswith(f"{getpass.getuser()}@")
        assert each["facts"]["revisions"] == [Project().revision()]
        assert "apply staging --yes" in each["facts"]["command"]
    assert first["facts"]["swaps"]["mx1"]["to"] == last["facts"]["swaps"]["mx1"]["from"]
    assert last["facts"]["swaps"]["mx1"]["to"] == province.live("mx1")
    # The one that was killed has begun, swapped nothing and not ended, on all its hosts.
    assert killed["facts"]["swaps"] == {}
    assert killed["facts"]["taken_over"] == killed["facts"]["not_ended"] == killed["hosts"]
    assert {"mx1", "store1"} <= set(killed["hosts"])


def test_passwords_lockouts_and_keepers_are_told(
    province: Province, begun: datetime, keeper: Person, official: Person
) -> None:
    province.danhba("password", "issue", "staging", "--agency", "sotaichinh")
    done = province.danhba("lockout", "lift", "staging", official.address)
    assert done.returncode == 0
    enter(IMAPS, keeper.server, keeper.login, keeper.password, trusting())
    with pytest.raises(Refused):
        enter(IMAPS, keeper.server, keeper.login, "sai.mat.khau", trusting(), GUESSER)
    told = audit(province, begun)
    [given] = [each for each in of(told, "passwords") if NAMES[0] in each["facts"]["accounts"]]
    assert given["facts"]["replaced"] is False and set(NAMES) <= set(given["facts"]["accounts"])
    assert given["who"].startswith(f"{getpass.getuser()}@")
    lifted = of(told, "lockout")
    assert {each["hosts"][0] for each in lifted} >= {"mx1", "store1"}
    assert {each["facts"]["account"] for each in lifted} == {official.address}
    opened = {each["what"].split()[0] for each in of(told, "keeper")}
    assert {"opened", "was"} <= opened
    province.danhba("lockout", "lift", "staging", "--source", GUESSER)


def test_the_text_has_a_line_an_event(province: Province, begun: datetime) -> None:
    day = begun.astimezone().date()
    done = province.danhba("audit", "staging", "--since", "2020-01-01")
    assert " apply " in done.stdout and "NOT ENDED: cut off, and the next run took" in done.stdout
    nothing = province.danhba("audit", "staging", "--until", "2020-01-01")
    assert nothing.stdout == "" and day.year >= 2026


def test_a_rollback_is_told(province: Province, begun: datetime) -> None:
    before = province.live("mx1")
    province.danhba("rollback", "staging", "--yes")
    province.apply()
    [back] = of(audit(province, begun), "rollback")
    assert back["facts"]["swaps"]["mx1"]["from"] == before == province.live("mx1")


def test_a_record_that_was_changed_is_named(province: Province, begun: datetime) -> None:
    """Whoever is root can take the attribute away; that is why there are hashes, and a backup."""

    def on_host(command: str) -> subprocess.CompletedProcess[str]:
        return province.lab.run("mx2", ["sh", "-c", command])

    def attribute(on: bool) -> None:
        province.lab.run("mx2", ["python3", "-c", _ATTRIBUTE, "1" if on else "0"])

    assert on_host(f"stat -c '%U %a' {RECORD}").stdout == "root 600\n"
    kept = on_host(f"cat {RECORD}").stdout
    try:
        attribute(False)
        on_host(f"sed -i '1s/begun/begum/' {RECORD}")
        told = province.danhba("audit", "staging", check=False)
        assert told.returncode == 1
        assert f"CHANGED: mx2: {RECORD}, line 2: not the one that followed" in told.stderr
        assert "CHANGED: mx1" not in told.stderr
    finally:
        province.lab.run("mx2", ["tee", RECORD], kept)
        attribute(True)
    assert audit(province, begun)
