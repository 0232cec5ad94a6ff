"""Every machine is lost but the vault, and the province is there again from it and git, by the
procedure of docs/recovery.md."""

from __future__ import annotations

import signal
import time

import pytest
from lost import LEARNED, VALKEY, Holding, keys, machines_say
from mailboxes import idle, send
from province import Province, wait_for

SEEN = "Swap and reload: stores, people"
"""When the rebuild is killed for the first time."""


def _archived(province: Province, address: str) -> int:
    said = province.danhba("archive", "search", "staging", "--address", address).stdout
    return sum("@" in row for row in said.splitlines())


@pytest.fixture
def holdings(province: Province) -> list[Holding]:
    """Of an official of each store."""
    names = {province.home(box.address): box.address for box in province.officials(50)}
    edge = province.lab.host("mx1").ipv4
    return [Holding.of(province, edge, name) for name in names.values()]


def test_everything_but_the_vault(province: Province, holdings: list[Holding]) -> None:
    """Killed once midway, on the control machine."""
    for each in ("mx1", "mx2"):
        province.lab.run(each, [*VALKEY, "set", LEARNED, "42"])
        province.lab.run(each, [*VALKEY, "save"])  # as it does by itself every five minutes
    signing, passwords = keys(province), province.with_password()
    province.danhba("backup", "staging", "--all")
    edge = province.lab.host("mx1").ipv4
    for each in holdings:  # in no backup: it comes from the archive
        each.late = send(edge, each.person.address, "sau-ban-sao")
        wait_for(lambda each=each: province.has(each.person.local, each.late), "delivered", 60)  # type: ignore[misc]
    address = holdings[0].person.address
    wait_for(lambda: _archived(province, address) >= 3, "archived", 60)
    vault = province.environment.having("vault")[0].name
    lost = [host.name for host in province.environment.hosts if host.name != vault]
    for name in lost:
        province.lab.kill(name)
    province.lab.blank(*lost)
    began = time.monotonic()
    process = province.start("rebuild", "staging", "--all", "--yes")
    assert process.stderr is not None
    while (line := process.stderr.readline()).strip() != SEEN:
        assert line, f"the rebuild ended before {SEEN!r}"
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    assert all(machines_say(province, *lost).values())
    wait_for(lambda: idle(province), "the step on the hosts ends", 120)
    said = province.danhba("rebuild", "staging", "--all", "--yes").stderr
    print(f"the province: {time.monotonic() - began:.0f} s\n{said}")
    for each in holdings:
        wait_for(each.enters, "he gets in with the password that he chose", 60)
        each.is_there(province, province.home(each.person.local))
    assert province.with_password() == passwords
    assert keys(province) == signing
    for name in ("mx1", "mx2"):
        assert province.lab.run(name, [*VALKEY, "get", LEARNED]).stdout.strip() == "42"
    assert _archived(province, address) >= 3
    assert not any(machines_say(province, *lost).values())
    assert province.plan_status() == 0
    province.deliver(holdings[0].person.local)
