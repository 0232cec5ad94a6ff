"""With the password that was handed to him somebody can do one thing: choose his own (RFC 3062)."""

from __future__ import annotations

import doors
import ldap3
import pytest
from doors import DOORS, Door, Refused, enter
from people import Person, trusting
from province import Province

ASKED = "Change your first password before using mail"
SAID = {
    "smtp": "535 5.7.8 Error: authentication failed: Hay doi mat khau",
    "imap": "a NO [CONTACTADMIN] Hay doi mat khau",
    "pop3": "-ERR [AUTH] Hay doi mat khau",
}


@pytest.fixture(scope="module")
def newcomer(province: Province) -> str:
    return province.stranger()


@pytest.fixture(scope="module")
def first(province: Province, newcomer: str) -> str:
    return province.first_password(newcomer)


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_no_door_of_mail_opens_and_the_reason_is_given(
    province: Province, edge: str, newcomer: str, first: str, door: Door
) -> None:
    with pytest.raises(Refused) as refused:
        enter(door, edge, newcomer, first, trusting())
    if door.protocol in SAID:  # an edge's proxy passes no store's words on for ManageSieve
        assert str(refused.value).startswith(SAID[door.protocol])
        assert ASKED in str(refused.value)


def test_no_door_counts_a_first_password_as_a_guess(
    province: Province, newcomer: str, first: str
) -> None:
    for host in province.environment.hosts:
        argv = ["python3", "-c", _COUNTED, province.mail(newcomer)]
        assert province.lab.run(host.name, argv).stdout == "0\n", host.name


_COUNTED = """
import sqlite3, sys
table = sqlite3.connect("/var/lib/danhba-lockout/table")
asked = "SELECT count(*) FROM guess WHERE account = ?"
print(table.execute(asked, sys.argv[1:]).fetchone()[0])
"""


def test_who_guesses_is_not_told(edge: str, newcomer: str, first: str) -> None:
    with pytest.raises(Refused) as refused:
        enter(doors.IMAPS, edge, newcomer, f"{first}x", trusting(), "198.19.0.1")
    assert "[AUTHENTICATIONFAILED]" in str(refused.value)


def test_the_address_book_stays_closed(province: Province, newcomer: str, first: str) -> None:
    with province.ldap(newcomer, first) as connection:
        assert not connection.search(province.suffix, "(uid=*)")
        assert connection.result["description"] == "insufficientAccessRights"


def test_the_same_password_is_no_other_one(province: Province, newcomer: str, first: str) -> None:
    with province.ldap(newcomer, first) as connection:
        change = connection.extend.standard.modify_password
        assert not change(old_password=first, new_password=first)
        assert connection.result["description"] == "constraintViolation"


def test_a_short_password_is_not_taken(province: Province, newcomer: str, first: str) -> None:
    with province.ldap(newcomer, first) as connection:
        change = connection.extend.standard.modify_password
        assert not change(old_password=first, new_password="ngan-qua")
        assert connection.result["description"] == "constraintViolation"
    with pytest.raises(ldap3.core.exceptions.LDAPBindError):
        province.ldap(newcomer, "ngan-qua")


def test_after_the_change_all_doors_open_at_once(
    province: Province, edge: str, newcomer: str, first: str
) -> None:
    """The change is made on the last people host; each store asks itself first."""
    last = province.environment.having("people")[-1].name
    own = province.choose_password(newcomer, first, host=last)
    for door in DOORS:
        enter(door, edge, newcomer, own, trusting())
    for door in (doors.IMAPS, doors.SUBMISSIONS):
        with pytest.raises(Refused):
            enter(door, edge, newcomer, first, trusting(), "198.19.0.1")


def test_a_keepers_first_password_opens_no_agencys_mailbox(
    province: Province, keeper: Person
) -> None:
    first = province.first_password(keeper.local)
    with pytest.raises(Refused) as refused:
        enter(doors.IMAPS, keeper.server, keeper.login, first, trusting())
    assert ASKED in str(refused.value)
    province.choose_password(keeper.local, first)
    enter(doors.IMAPS, keeper.server, keeper.login, keeper.password, trusting())
