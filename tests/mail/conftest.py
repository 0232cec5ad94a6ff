"""The people whose mail the tests send and read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from people import Person
from people import official as somebody
from province import Province

from staging import internet
from staging.config import NET1_IPV4, OUTSIDE
from staging.host import Host
from staging.lab import Lab


@pytest.fixture(scope="session")
def edge(lab: Lab) -> str:
    return lab.host("mx1").ipv4


@pytest.fixture(scope="session")
def store(lab: Lab, province: Province, official: Person) -> Host:
    """The official's."""
    return lab.host(province.home(official.local))


@pytest.fixture
def placement(province: Province) -> Iterator[Path]:
    """The placement file, which ends as it began: absent."""
    path = province.root / "inventory" / "staging.placement.yaml"
    assert not path.exists()
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def recipients(province: Province, edge: str) -> list[Person]:
    """Fifty officials, spread over the province."""
    return [somebody(province, edge, box.address, box.name) for box in province.officials(50)]


@pytest.fixture(scope="session")
def official(recipients: list[Person]) -> Person:
    return recipients[7]


@pytest.fixture(scope="session")
def colleague(recipients: list[Person]) -> Person:
    return recipients[31]


@pytest.fixture(scope="session")
def agency(province: Province) -> str:
    """Address of an agency's mailbox that somebody keeps."""
    return province.mail(province.compiled.grants[0].agency)


@pytest.fixture(scope="session")
def keeper(province: Province, edge: str, agency: str) -> Person:
    """Who keeps that mailbox: opens it as AGENCY*KEEPER, with his own password."""
    address = province.compiled.grants[0].keeper
    found = next(mailbox for mailbox in province.compiled.mailboxes if mailbox.address == address)
    return somebody(province, edge, address, found.name).as_keeper_of(agency)


@pytest.fixture(scope="session")
def outsider(province: Province) -> Person:
    """Lan, whose mailbox is on net1."""
    return _outsider("lan", "lan", "Lê Thị Lan")


@pytest.fixture(scope="session")
def utf8_outsider(province: Province) -> Person:
    """Thảo, whose address is in UTF-8; she logs in with plain letters."""
    return _outsider("thảo", "thao", "Nguyễn Phương Thảo")


def _outsider(user: str, login: str, name: str) -> Person:
    address = f"{user}@{OUTSIDE}"
    return Person(address, name, NET1_IPV4, login, lambda: internet.passwords()[address])
