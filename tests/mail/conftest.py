"""The people whose mail the tests send and read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from people import Person
from province import Province

from danhba.compiled import Mailbox
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
    return lab.host(province.home(official.address.partition("@")[0]))


@pytest.fixture(scope="session")
def recipients(province: Province, edge: str) -> list[Person]:
    """Fifty officials, spread over the province."""
    return [_official(province, edge, found) for found in province.officials(50)]


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
    person = _official(province, edge, found)
    return replace(person, login=f"{agency}*{person.address}")


@pytest.fixture(scope="session")
def outsider(province: Province) -> Person:
    """Lan, whose mailbox is on net1."""
    return _outsider("lan", "lan", "Lê Thị Lan")


@pytest.fixture(scope="session")
def utf8_outsider(province: Province) -> Person:
    """Thảo, whose address is in UTF-8; she logs in with plain letters."""
    return _outsider("thảo", "thao", "Nguyễn Phương Thảo")


def _official(province: Province, edge: str, mailbox: Mailbox) -> Person:
    address = province.mail(mailbox.address)
    password = province.password(mailbox.address)
    return Person(address, mailbox.name, edge, address, password)


def _outsider(user: str, login: str, name: str) -> Person:
    address = f"{user}@{OUTSIDE}"
    return Person(address, name, NET1_IPV4, login, internet.passwords()[address])
