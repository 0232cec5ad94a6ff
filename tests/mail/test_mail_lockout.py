"""Who guesses passwords is locked out, and nobody else is (docs/lockout.md).

Guesses come from addresses on the "Internet" that this machine has for these tests alone.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count, repeat

import pytest
from doors import DOORS, IMAPS, POP3S, SIEVE, SUBMISSIONS, Door, Refused, enter
from ldap3 import MODIFY_ADD, MODIFY_DELETE, Connection, Server, Tls
from people import Person, trusting
from province import Province, wait_for
from test_mail_wrong_password import REFUSALS

from staging.config import BRIDGE, CA_FILE, INTERNET4, INTERNET6

FOUR = (IMAPS, POP3S, SUBMISSIONS, SIEVE)
FIRST, LAST = 100, 160
GUESSER, PHONE, FLOODER = (str(INTERNET4[number]) for number in (100, 101, 102))
ABROAD = str(INTERNET6[0x102])
"""In no network of the botnet's."""
BOTNET = [str(INTERNET4[number]) for number in range(110, LAST)]
UNIT = "danhba-lockout.service"
OFFICE, CAFE = (str(INTERNET4[number]) for number in (103, 104))
"""One address of an agency, in the province's own networks, and one that is in none."""
SUBSCRIBER = [str(INTERNET6[0x110 + number]) for number in range(10)]
"""He has a /64."""


@pytest.fixture(scope="module", autouse=True)
def addresses() -> Iterator[None]:
    places = [f"{INTERNET4[number]}/{INTERNET4.prefixlen}" for number in range(FIRST, LAST)]
    places += [f"{each}/{INTERNET6.prefixlen}" for each in (ABROAD, *SUBSCRIBER)]
    for place in places:
        nodad = ["nodad"] if ":" in place else []
        subprocess.run(["ip", "address", "replace", place, "dev", BRIDGE, *nodad], check=True)
    yield
    for place in places:
        subprocess.run(["ip", "address", "delete", place, "dev", BRIDGE], check=True)


@pytest.fixture(scope="module", autouse=True)
def forgotten(province: Province) -> None:
    """A lab that is used again remembers who is known from where."""
    hosts = [host.name for host in province.environment.hosts]
    for argv in (
        ["systemctl", "stop", UNIT],
        ["find", "/var/lib/danhba-lockout", "-name", "table*", "-delete"],
        ["systemctl", "start", UNIT],
    ):
        for host in hosts:
            province.lab.run(host, argv)
    wait_for(
        lambda: not province.danhba("lockout", "list", "staging", check=False).returncode,
        "the lock-out answers on all hosts",
    )


TURNS = count(14)


@pytest.fixture
def minister(province: Province, recipients: list[Person]) -> Iterator[Person]:
    """At his desk he has logged in. Each test has its own."""
    person = recipients[next(TURNS)]
    assert _try(IMAPS, person, person.password) == "in"
    yield person
    _lift(province, person.address)


def _try(door: Door, person: Person, password: str, source: str = "") -> str:
    """ "in", or how he was refused."""
    try:
        enter(door, person.server, person.login, password, trusting(), source)
    except Refused as refused:
        return str(refused)
    return "in"


def _guess(person: Person, tries: Iterable[tuple[Door, str, str]]) -> None:
    """(door, password, source): all at once, for every answer takes two seconds."""

    def one(tried: tuple[Door, str, str]) -> None:
        door, password, source = tried
        assert _try(door, person, password, source).startswith(REFUSALS[door.protocol])

    with ThreadPoolExecutor(25) as pool:
        list(pool.map(one, tries))


def _everywhere(person: Person, source: str) -> set[str]:
    """What the right password is told at every door: "in" or "refused", as a wrong one is."""
    with ThreadPoolExecutor(len(DOORS)) as pool:
        said = pool.map(lambda door: (door, _try(door, person, person.password, source)), DOORS)
        return {
            "refused" if text.startswith(REFUSALS[door.protocol]) else text for door, text in said
        }


def _listed(province: Province) -> str:
    return province.danhba("lockout", "list", "staging").stdout


def _lift(province: Province, *arguments: str) -> str:
    return province.danhba("lockout", "lift", "staging", *arguments).stdout


def _wait_until_listed(province: Province, text: str) -> None:
    """By every host: what one sees it tells the others."""
    hosts = [host.name for host in province.environment.hosts]

    def on_all() -> bool:
        rows = [row for row in _listed(province).splitlines() if row.startswith(text)]
        return any(all(name in row.partition(", on ")[2] for name in hosts) for row in rows)

    wait_for(on_all, f"{text} refused on all hosts")


def test_ten_guesses_through_any_door_shut_all_doors_there_and_nowhere_else(
    province: Province, minister: Person, recipients: list[Person]
) -> None:
    _guess(minister, ((FOUR[n % 4], f"doan-{n}", GUESSER) for n in range(10)))
    _wait_until_listed(province, f"{minister.address} from {GUESSER}")
    assert _everywhere(minister, GUESSER) == {"refused"}
    assert _everywhere(minister, "") == {"in"}
    assert _everywhere(recipients[13], GUESSER) == {"in"}

    assert "lifted on " in _lift(province, minister.address)
    assert _everywhere(minister, GUESSER) == {"in"}


def test_a_forgotten_telephone_locks_nobody_out(province: Province, minister: Person) -> None:
    _guess(minister, ((FOUR[n % 4], "mat-khau-cu", PHONE) for n in range(100)))
    assert _everywhere(minister, PHONE) == {"in"}
    assert minister.address not in _listed(province)


def test_a_botnet_does_not_lock_out_the_owner_where_he_is_known(
    province: Province, minister: Person
) -> None:
    _guess(minister, ((FOUR[n % 4], f"doan-{n}", bot) for n, bot in enumerate(BOTNET)))
    _wait_until_listed(province, f"{minister.address} from where it is not known")
    abroad = replace(minister, server=province.lab.host("mx1").ipv6)
    assert _everywhere(abroad, ABROAD) == {"refused"}
    assert _everywhere(minister, "") == {"in"}

    _lift(province, minister.address, "--source", ABROAD)
    assert _everywhere(abroad, ABROAD) == {"in"}
    assert minister.address in _listed(province)  # elsewhere it is refused still
    _lift(province, minister.address)
    assert minister.address not in _listed(province)


def test_a_keepers_guesses_are_counted_at_his_own_account(
    province: Province, keeper: Person
) -> None:
    _guess(keeper, ((IMAPS, f"doan-{n}", GUESSER) for n in range(10)))
    _wait_until_listed(province, f"{keeper.address} from {GUESSER}")
    own = replace(keeper, login=keeper.address)
    assert _try(POP3S, own, keeper.password, GUESSER).startswith(REFUSALS["pop3"])
    _lift(province, "--source", GUESSER)
    assert _try(POP3S, own, keeper.password, GUESSER) == "in"


def test_without_the_daemon_logins_go_on_and_with_it_all_is_remembered(
    province: Province, minister: Person
) -> None:
    _guess(minister, ((IMAPS, f"doan-{n}", GUESSER) for n in range(10)))
    _wait_until_listed(province, f"{minister.address} from {GUESSER}")
    hosts = [host.name for host in province.environment.hosts]
    for host in hosts:
        province.lab.run(host, ["systemctl", "stop", UNIT])
    try:
        assert _everywhere(minister, "") == {"in"}
        status = province.danhba("status", "staging", check=False)
        assert (status.returncode, f"{UNIT} is not running" in status.stdout) == (2, True)
    finally:
        for host in hosts:
            province.lab.run(host, ["systemctl", "start", UNIT])
    _wait_until_listed(province, f"{minister.address} from {GUESSER}")
    assert _everywhere(minister, GUESSER) == {"refused"}
    assert _everywhere(minister, "") == {"in"}


def test_a_killed_daemon_comes_again_by_itself(province: Province) -> None:
    host = province.environment.hosts[0].name
    pid = province.lab.run(host, ["systemctl", "show", "-P", "MainPID", UNIT]).stdout
    province.lab.run(host, ["systemctl", "kill", "-s", "KILL", UNIT])

    def is_back() -> bool:
        shown = province.lab.run(host, ["systemctl", "show", "-P", "MainPID", UNIT]).stdout
        return (
            shown not in (pid, "0\n")
            and not province.danhba("lockout", "list", "staging", check=False).returncode
        )

    wait_for(is_back, "the daemon runs again")


def _bind(province: Province, name: str, password: str, source: str = "") -> bool:
    """Log in over LDAP; False for a password that is said to be wrong."""
    (people, *_) = province.environment.having("people")
    tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=CA_FILE, valid_names=[people.fqdn])
    server = Server(people.ipv4, 636, use_ssl=True, tls=tls, connect_timeout=10)
    ldap = Connection(server, name, password, source_address=source or None)
    try:
        done = bool(ldap.bind())
        assert done or ldap.result["description"] == "invalidCredentials", ldap.result
        return done
    finally:
        ldap.unbind()


def test_the_address_book_is_no_way_round(province: Province, minister: Person) -> None:
    dn = province.dn(minister.local)
    with ThreadPoolExecutor(10) as pool:
        tried = pool.map(lambda n: _bind(province, dn, f"doan-{n}", GUESSER), range(10))
        assert not any(tried)
    _wait_until_listed(province, f"{minister.address} from {GUESSER}")
    assert not _bind(province, dn, minister.password, GUESSER)
    assert _everywhere(minister, GUESSER) == {"refused"}
    assert _bind(province, dn, minister.password)
    # In another spelling it would be another account to the count, and the same one to slapd.
    for other in (
        dn.replace("uid=", "0.9.2342.19200300.100.1.1="),
        dn.replace(",", "+cn=x,", 1),
        dn.replace("uid=", "uid=\\") if dn[4] in "abcdef" else dn.replace(",", " ,", 1),
    ):
        assert not _bind(province, other, minister.password), other


def test_who_is_in_the_address_book_reads_and_changes_as_before(province: Province) -> None:
    local = province.stranger()
    own, dn = province.password(local), province.dn(local)
    (people, *_) = province.environment.having("people")
    tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=CA_FILE, valid_names=[people.fqdn])
    server = Server(people.ipv4, 636, use_ssl=True, tls=tls, connect_timeout=10)
    with Connection(server, dn, own, raise_exceptions=True) as ldap:
        ldap.search(f"ou=people,{province.suffix}", "(uid=*)", attributes=["cn"], paged_size=400)
        assert len(ldap.entries) == 400
        ldap.search(f"ou=people,{province.suffix}", "(pwdChangedTime=*)", attributes=["+"])
        assert not ldap.entries
    province.choose_password(local, own)
    with Connection(server) as stranger:
        stranger.search(f"ou=people,{province.suffix}", "(uid=*)")
        assert not stranger.entries


def test_who_floods_the_address_book_keeps_only_himself_from_it(province: Province) -> None:
    (people, *_) = province.environment.having("people")

    def knock(source: str, patience: float) -> bool:
        try:
            socket.create_connection((people.ipv4, 636), patience, (source, 0)).close()
        except TimeoutError:
            return False
        return True

    with ThreadPoolExecutor(50) as pool:
        answered = sum(pool.map(knock, [FLOODER] * 500, repeat(1)))
    assert 200 < answered < 450  # a burst of 300, and 10 a second; some are slow
    assert knock(PHONE, 30)


def test_a_colleagues_password_is_not_tried_by_changing_it(
    province: Province, minister: Person, recipients: list[Person]
) -> None:
    """slapd itself compares before it asks who may change it (ppolicy)."""
    colleague = recipients[13]
    dn = province.dn(colleague.local)
    with province.ldap(minister.local, minister.password) as ldap:
        said = []
        for guess in (colleague.password, "doan-1"):
            changes = [(MODIFY_DELETE, [guess]), (MODIFY_ADD, ["con đò qua bến buổi sáng"])]
            assert not ldap.modify(dn, {"userPassword": changes})
            said.append((ldap.result["description"], ldap.result["message"]))
            assert not ldap.extend.standard.modify_password(dn, guess, "con đò qua bến buổi sáng")
            said.append((ldap.result["description"], ldap.result["message"]))
    assert set(said) == {("insufficientAccessRights", "")}
    assert _try(IMAPS, colleague, colleague.password) == "in"


def test_who_changes_his_address_within_a_64_is_one_source(
    province: Province, minister: Person
) -> None:
    abroad = replace(minister, server=province.lab.host("mx1").ipv6)
    _guess(abroad, ((FOUR[n % 4], f"doan-{n}", each) for n, each in enumerate(SUBSCRIBER)))
    _wait_until_listed(province, f"{minister.address} from {INTERNET6}")
    assert _everywhere(abroad, ABROAD) == {"refused"}
    assert _everywhere(minister, "") == {"in"}


@pytest.fixture
def own_office(province: Province) -> Iterator[None]:
    before = province.directory.read_text(encoding="utf-8")
    text = before.replace("\nrequests:", f"\n  own_networks: [{OFFICE}/32]\nrequests:", 1)
    province.directory.write_text(text, encoding="utf-8")
    province.apply()
    yield
    province.directory.write_text(before, encoding="utf-8")
    province.apply()
    _lift(province, "--source", CAFE)


def test_an_own_network_is_never_refused_and_its_guesses_count_against_accounts(
    province: Province, own_office: None, minister: Person, recipients: list[Person]
) -> None:
    newcomer = recipients[12]

    def misses(source: str) -> None:
        tries = ((person, source) for person in recipients[26:46])
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda tried: _try(IMAPS, tried[0], "doan", tried[1]), tries))

    misses(CAFE)
    _wait_until_listed(province, f"{CAFE}: accounts")
    assert _everywhere(newcomer, CAFE) == {"refused"}

    misses(OFFICE)
    assert _everywhere(newcomer, OFFICE) == {"in"}
    _guess(minister, ((FOUR[n % 4], f"doan-{n}", OFFICE) for n in range(10)))
    _wait_until_listed(province, f"{minister.address} from {OFFICE}")
    assert _everywhere(minister, OFFICE) == {"refused"}
    assert f"{OFFICE}: accounts" not in _listed(province)
