"""The province of inventory/single.py: its one host takes the place of the staging hosts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from people import Person, official
from province import Province

from danhba.project import ROOT
from staging import dkim_keys, internet, mounts
from staging.config import NET1_IPV4, OUTSIDE
from staging.lab import Lab

NAME = "single"


@pytest.fixture(scope="session")
def single() -> Iterator[Lab]:
    """Booted from scratch; net1 stays as the tests before have left it, if there were any."""
    reuse = os.environ.get("DANHBA_REUSE_LAB")
    lab = Lab.open(NAME)
    left = any(host.name in mounts.known() for host in lab.environment.hosts)
    lab.boot(fresh=left and not reuse)
    yield lab
    if not reuse and not os.environ.get("DANHBA_KEEP_LAB"):
        lab.down()


@pytest.fixture(scope="session")
def province(single: Lab, tmp_path_factory: pytest.TempPathFactory) -> Province:
    """Applied once; tests edit a copy of directory.yaml, never the file."""
    copy: Path = tmp_path_factory.mktemp("single") / "directory.yaml"
    copy.write_bytes((ROOT / "directory.yaml").read_bytes())
    province = Province(single, copy, inventory=NAME)
    province.apply()
    dkim_keys.publish(single, dkim_keys.records(single))
    return province


@pytest.fixture(scope="session")
def host(single: Lab) -> str:
    """The address of the one host."""
    return single.environment.hosts[0].ipv4


@pytest.fixture(scope="session")
def people(province: Province, host: str) -> list[Person]:
    """Four officials."""
    return [official(province, host, box.address, box.name) for box in province.officials(4)]


@pytest.fixture(scope="session")
def outsider(province: Province) -> Person:
    """Lan, whose mailbox is on net1."""
    address = f"lan@{OUTSIDE}"
    return Person(address, "Lê Thị Lan", NET1_IPV4, "lan", lambda: internet.passwords()[address])
