"""No door opens to a wrong password, though the edge's proxy lets any through (design, section 4).

Guesses come from an address of their own, which may get locked out (docs/lockout.md).
"""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import doors
import pytest
from doors import DOORS, Door, Refused, enter
from people import GUESSER, Person, trusting
from province import Province

from deploys.common import LOCAL_PORT, STORE_IMAP, STORE_POP3, STORE_PORT, STORE_SIEVE
from staging.host import Host
from staging.lab import Lab

WRONG = "sai-mat-khau-2009"
BEHIND_THE_EDGE = (
    Door(STORE_IMAP, "imap", implicit_tls=True),
    Door(STORE_POP3, "pop3", implicit_tls=True),
    Door(STORE_SIEVE, "sieve", implicit_tls=True),
)
REFUSALS = {
    "smtp": "535 5.7.8",
    "imap": "a NO [AUTHENTICATIONFAILED]",
    "pop3": "-ERR [AUTH]",
    "sieve": "NO ",
}
"""How each protocol says that a password is wrong, and not that something else is amiss."""


WAYS = ("address", "local part", "no password", "somebody else's")


@pytest.fixture(scope="module")
def told(official: Person, colleague: Person) -> dict[tuple[str, Door], str]:
    """What is said to each of them at every door: all at once, for an answer takes two seconds."""
    secrets = ((official.address, WRONG), (official.local, WRONG), (official.login, ""),
               (official.login, colleague.password))  # fmt: skip
    tries = {(way, door): pair for way, pair in zip(WAYS, secrets, strict=True) for door in DOORS}

    def said(pair: tuple[str, str], door: Door) -> str:
        try:
            return f"welcome: {enter(door, official.server, *pair, trusting(), GUESSER)}"
        except Refused as refused:
            return str(refused)

    with ThreadPoolExecutor(14) as pool:
        answers = pool.map(said, tries.values(), (door for _, door in tries))
        return dict(zip(tries, answers, strict=True))


@pytest.mark.parametrize("door", DOORS, ids=str)
@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_password_fails_at_the_edge(
    door: Door, way: str, told: dict[tuple[str, Door], str]
) -> None:
    if way == "no password":  # which some doors take for a mistake in the command
        assert not told[way, door].startswith("welcome")
    else:
        assert told[way, door].startswith(REFUSALS[door.protocol])


@pytest.mark.parametrize("door", DOORS, ids=str)
@pytest.mark.parametrize("way", WAYS[:2])
def test_the_right_password_opens_the_same_door(door: Door, way: str, official: Person) -> None:
    login = official.address if way == "address" else official.local
    enter(door, official.server, login, official.password, trusting())


@pytest.mark.parametrize("door", [doors.IMAP, doors.IMAPS], ids=str)
def test_an_agency_opens_to_its_keepers_password_only(
    door: Door, keeper: Person, official: Person, agency: str
) -> None:
    enter(door, keeper.server, keeper.login, keeper.password, trusting())
    stranger = official.as_keeper_of(agency).login
    for login, password in ((keeper.login, WRONG), (stranger, official.password)):
        with pytest.raises(Refused) as refused:
            enter(door, keeper.server, login, password, trusting(), GUESSER)
        assert str(refused.value).startswith(REFUSALS[door.protocol])


def test_a_keeper_puts_no_script_into_his_agencys_mailbox(keeper: Person) -> None:
    """A script could discard what the agency receives. His own mailbox he may script."""
    with pytest.raises(Refused) as refused:
        enter(doors.SIEVE, keeper.server, keeper.login, keeper.password, trusting(), GUESSER)
    assert str(refused.value).startswith(REFUSALS["sieve"])
    enter(doors.SIEVE, keeper.server, keeper.address, keeper.password, trusting())


def test_no_store_answers_an_outsider_on_any_mail_port(province: Province) -> None:
    usual = (25, 110, 143, 465, 587, 993, 995, 4190)
    ports = (*usual, STORE_PORT, STORE_IMAP, STORE_POP3, STORE_SIEVE, LOCAL_PORT)
    stores = province.environment.having("store")
    addresses = [address for host in stores for address in (host.ipv4, host.ipv6)]

    def is_open(place: tuple[str, int]) -> bool:
        try:
            with socket.create_connection(place, timeout=3):
                return True
        except OSError:
            return False

    places = [(address, port) for address in addresses for port in ports]
    with ThreadPoolExecutor(len(places)) as pool:
        found = dict(zip(places, pool.map(is_open, places), strict=True))
    assert [place for place in places if found[place]] == []
    for host in province.environment.having("people"):  # it is there
        assert is_open((host.ipv4, 636)) and is_open((host.ipv6, 636))


@pytest.mark.parametrize("door", BEHIND_THE_EDGE, ids=str)
def test_a_wrong_password_fails_at_the_store_seen_from_the_edge(
    door: Door, lab: Lab, store: Host, official: Person
) -> None:
    place = (store.ipv4, store.fqdn)
    wrong = _enter_from(lab, "mx1", door, *place, official.login, WRONG)
    assert wrong.startswith(f"refused: {REFUSALS[door.protocol]}")
    right = _enter_from(lab, "mx1", door, *place, official.login, official.password)
    assert right.startswith("welcome: ")


def _enter_from(
    lab: Lab, host: str, door: Door, server: str, name: str, login: str, password: str
) -> str:
    """What a program on a host of the lab is told when it logs in; it is doors.py itself."""
    arguments = {"host": server, "login": login, "password": password, "name": name}
    program = (
        Path(doors.__file__).read_text(encoding="utf-8")
        + f"""
context = ssl.create_default_context(cafile="/etc/ssl/danhba/ca.pem")
try:
    print("welcome:", enter({door!r}, context=context, **{json.dumps(arguments)}))
except Refused as refused:
    print("refused:", refused)
"""
    )
    done = lab.run(host, ["python3", "-"], input=program)
    assert done.returncode == 0, done.stderr
    return done.stdout
