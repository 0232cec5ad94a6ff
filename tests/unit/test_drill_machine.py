"""The scratch machine of a drill, as a process in it sees it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from danhba.drill.machine import CONFIG, SCHEMA, Machine, NotScratch

WORK = "/var/lib/danhba-drill/work"
MOUNTS = f"""\
1 0 0:1 / / ro,nosuid - tmpfs tmpfs ro,size=2468412k
2 1 0:2 / /usr ro - ext4 /dev/vda1 rw
3 2 0:3 / /usr/local ro - tmpfs tmpfs ro
4 3 0:2 /var/lib/danhba/generations/1a/files/drill /usr/local/lib/danhba/drill ro - ext4 /dev/vda1 rw
5 1 0:2 /usr/lib /lib ro shared:7 master:1 - ext4 /dev/vda1 rw
6 1 0:2 /etc/ldap/schema {SCHEMA} ro - ext4 /dev/vda1 rw
7 1 0:2 /var/lib/danhba/generations/1a/files/drill.json {CONFIG} ro - ext4 /dev/vda1 rw
8 1 0:5 / /proc rw - proc proc rw
9 1 0:6 / /dev/shm rw - tmpfs tmpfs rw
10 1 0:7 / /run rw - tmpfs tmpfs rw
11 10 0:7 / /run/systemd/incoming ro - tmpfs tmpfs rw
12 1 0:8 / /tmp rw - tmpfs tmpfs rw
13 1 0:2 {WORK} {WORK} rw - ext4 /dev/vda1 rw
"""  # noqa: E501
NETWORK = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop
    lo:       0       0    0    0    0     0          0         0        0       0    0    0
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    (tmp_path / "net").mkdir()
    (tmp_path / "mountinfo").write_text(MOUNTS)
    (tmp_path / "net/dev").write_text(NETWORK)
    (tmp_path / "uid_map").write_text("         0          0          1\n       990        990 1\n")
    monkeypatch.setattr(os, "getpid", lambda: 1)
    return Machine.of(tmp_path)


def test_a_scratch_machine_says_what_is_attached_to_it(machine: Machine) -> None:
    machine.must_be_scratch([WORK])
    said = machine.json()
    own = {CONFIG, SCHEMA, "/lib", "/usr", "/usr/local/lib/danhba/drill", WORK}
    assert {*said["sees"]} == own
    assert (said["network"], said["users"]) == (("lo",), ("0 0 1", "990 990 1"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"root": "ext4"}, "the root of the vault"),
        ({"sees": ("/srv", "/usr")}, "/srv"),
        ({"sees": ("/usrs",)}, "/usrs"),
        ({"network": ("eth0", "lo")}, "the network: eth0 lo"),
        ({"users": ("0 0 4294967295",)}, "the users of the vault"),
        ({"first": False}, "the processes of the vault"),
    ],
)
def test_what_of_the_vault_can_be_seen_is_told(
    machine: Machine, change: dict[str, object], told: str
) -> None:
    with pytest.raises(NotScratch, match=f"sees {told}$"):
        replace(machine, **change).must_be_scratch([WORK])  # type: ignore[arg-type]


def test_what_no_step_of_its_kind_has_attached(machine: Machine) -> None:
    with pytest.raises(NotScratch, match=WORK):
        machine.must_be_scratch([f"{WORK}/tree"])
