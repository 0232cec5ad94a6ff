"""People hosts die, part, come back empty, run late, and are edited behind the directory's back."""

from __future__ import annotations

import imaplib
import time
from collections.abc import Iterator
from contextlib import contextmanager

import doors
import ldap3
import pytest
from doors import Refused, enter
from people import trusting
from province import Province, wait_for

HOSTS = ("store1", "store2")
PARTED = """
table inet parted {
    chain input {
        type filter hook input priority -10
        ip saddr 198.18.0.21 drop
        ip6 saddr 2001:db8:18::21 drop
    }
    chain output {
        type filter hook output priority -10
        ip daddr 198.18.0.21 drop
        ip6 daddr 2001:db8:18::21 drop
    }
}
"""
"""The way between store1 and store2 is cut; both are there for everybody else."""
LATE = """[Service]
Environment=FAKETIME="-60s"
Environment=LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1
"""
FAKETIME = "/etc/systemd/system/slapd.service.d/zz-faketime.conf"


def changed(province: Province, host: str, address: str, attribute: str, value: str) -> None:
    """An entry edited by hand on one people host."""
    ldif = f"dn: {province.dn(address)}\nreplace: {attribute}\n{attribute}: {value}\n"
    argv = ["ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///"]
    done = province.lab.run(host, argv, input=ldif)
    assert done.returncode == 0, done.stderr


def added(province: Province, host: str, name: str) -> None:
    """An entry added by hand on one people host."""
    ldif = (
        f"dn: {province.dn(name)}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\n"
        f"sn: {name}\nuserPassword: tu-them-vao-2026\n"
    )
    argv = ["ldapadd", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///"]
    done = province.lab.run(host, argv, input=ldif)
    assert done.returncode == 0, done.stderr


def entry(province: Province, host: str, address: str) -> dict[str, list[str]]:
    """The entry as one people host has it, the hash of its password as well."""
    argv = ["ldapsearch", "-LLL", "-Q", "-o", "ldif-wrap=no", "-Y", "EXTERNAL", "-H", "ldapi:///"]
    argv += ["-b", province.dn(address), "-s", "base", "*", "pwdReset"]
    found: dict[str, list[str]] = {}
    for row in province.lab.run(host, argv).stdout.splitlines():
        key, _, value = row.partition(":")
        if key:
            found.setdefault(key, []).append(value)
    return {key: sorted(values) for key, values in found.items()}


def agree(province: Province, *addresses: str) -> bool:
    return all(
        entry(province, "store1", address) == entry(province, "store2", address)
        for address in addresses
    )


def opens(province: Province, address: str, password: str, host: str) -> bool:
    try:
        province.ldap(address, password, host).unbind()
    except ldap3.core.exceptions.LDAPBindError:
        return False
    return True


def chosen(province: Province, host: str, address: str, old: str, new: str) -> None:
    """A password changed on a host that no other host hears of: asked for on the host itself."""
    program = (
        "read -r old; read -r new; place=$(mktemp -d); trap 'rm -r $place' EXIT; umask 077;"
        ' printf %s "$old" >$place/old; printf %s "$new" >$place/new;'
        ' ldappasswd -x -H "ldaps://$1.angiang.gov.vn" -D "$2" -y $place/old -T $place/new'
    )
    argv = ["sh", "-c", program, "-", host, province.dn(address)]
    done = province.lab.run(host, argv, input=f"{old}\n{new}\n")
    assert done.returncode == 0, done.stderr


def top(province: Province, host: str) -> list[str]:
    """The topmost entry as one people host has it, but for the stamps of what it knows."""
    argv = ["ldapsearch", "-LLL", "-Q", "-o", "ldif-wrap=no", "-Y", "EXTERNAL", "-H", "ldapi:///"]
    said = province.lab.run(host, [*argv, "-b", province.suffix, "-s", "base", "*", "+"]).stdout
    return sorted(row for row in said.splitlines() if not row.startswith("contextCSN:"))


@contextmanager
def parted(province: Province) -> Iterator[None]:
    """store1 and store2 do not reach each other; when joined again they come to agree."""
    assert province.lab.run("store2", ["nft", "-f", "-"], input=PARTED).returncode == 0
    try:
        yield
    finally:
        province.lab.run("store2", ["nft", "delete", "table", "inet", "parted"])
    wait_for(lambda: len(province.stamps()) == 1, "the people hosts agree", 60)


def test_a_start_leaves_entries_what_they_were_everywhere(province: Province) -> None:
    """A host that knew one by another entryUUID would delete it with all below when it next takes
    whole entries, which a conflict makes it do."""
    before = top(province, "store1")
    for host in HOSTS:
        province.lab.run(host, ["systemctl", "restart", "slapd"])
    wait_for(lambda: len(province.stamps()) == 1, "the people hosts agree", 60)
    assert [top(province, host) for host in HOSTS] == [before, before]
    assert any(row.startswith("entryUUID: ") for row in before)


def test_what_was_changed_on_both_sides_of_a_cut_survives(province: Province) -> None:
    """Of one password the newer change, of one entry both: a user's password on one side, his
    title on the other, though the title was changed later.

    Nobody changes one password on both sides in the same second: ppolicy notes the old one with the
    second, twice the same, which slapd takes for an error; then whole entries are taken, the newer.
    """
    first, second, third = (person.address for person in province.officials(3))
    old = {address: province.password(address) for address in (first, second, third)}
    with parted(province):
        chosen(province, "store2", first, old[first], "cu-hon-tren-store2")
        chosen(province, "store1", second, old[second], "cu-hon-tren-store1")
        chosen(province, "store2", third, old[third], "doi-trong-luc-dut")
        now = int(time.time())
        wait_for(lambda: int(time.time()) > now, "the next second")
        chosen(province, "store1", first, old[first], "moi-hon-tren-store1")
        chosen(province, "store2", second, old[second], "moi-hon-tren-store2")
        changed(province, "store1", third, "title", "Pho phong")
    assert agree(province, first, second, third)
    for host in HOSTS:
        assert opens(province, first, "moi-hon-tren-store1", host)
        assert opens(province, second, "moi-hon-tren-store2", host)
        assert opens(province, third, "doi-trong-luc-dut", host)
        assert entry(province, host, third)["title"] == [" Pho phong"]
    province.passwords.update({
        first: "moi-hon-tren-store1", second: "moi-hon-tren-store2", third: "doi-trong-luc-dut",
    })  # fmt: skip
    plans = {plan["host"]: plan["entries"] for plan in province.plan()}
    for host in HOSTS:  # the title by hand is drift, and the password is no business of ours
        assert [item["dn"] for item in plans[host]] == [province.dn(third)]
    province.apply()
    assert province.plan_status() == 0
    assert all(opens(province, third, "doi-trong-luc-dut", host) for host in HOSTS)


def test_passwords_are_made_with_one_people_host_dead_and_are_there_when_it_is_back(
    province: Province,
) -> None:
    address = [box.address for box in province.compiled.mailboxes if box.kind == "person"][-4]
    province.lab.kill("store1")
    try:
        # Sessions cannot be ended on a host that is dead: that is said, and the status is 1.
        given = ("password", "reset", "staging", "--address", address)
        first = province.danhba(*given, check=False).stdout.strip().split("\t")[1]
        own = "cua-rieng-toi-2026"
        chosen(province, "store2", address, first, own)
    finally:
        province.lab.start("store1")
    wait_for(lambda: len(province.stamps()) == 1, "store1 has caught up", 120)
    assert opens(province, address, own, "store1")
    assert not opens(province, address, first, "store1")
    province.passwords[address] = own


def test_a_people_host_that_lost_its_disk_is_filled_by_the_other(province: Province) -> None:
    """Also when somebody applies before it is: no empty tree is loaded over the passwords."""
    people = [person.address for person in province.officials(3)]
    old = {address: province.password(address) for address in people}
    wipe = "systemctl stop slapd; rm -rf /var/lib/ldap/*"
    province.lab.run("store1", ["sh", "-c", wipe])
    province.add_officials("thu.phuchoi")
    province.apply()
    wait_for(lambda: len(province.stamps()) == 1, "store1 is filled", 120)
    assert province.plan_status() == 0
    assert agree(province, *people, "thu.phuchoi")
    for address in people:
        assert all(opens(province, address, old[address], host) for host in HOSTS)


@contextmanager
def unreadable(province: Province, *hosts: str) -> Iterator[None]:
    """slapd died, and its database lets it start no more."""
    for host in hosts:
        broken = (
            "systemctl kill -s KILL slapd; cd /var/lib/ldap; mv data.mdb kept; echo x >data.mdb"
        )
        assert province.lab.run(host, ["sh", "-c", broken]).returncode == 0
    try:
        yield
    finally:
        for host in hosts:
            mend = "cd /var/lib/ldap; systemctl stop slapd; rm lock.mdb; mv kept data.mdb"
            restart = "systemctl reset-failed slapd; systemctl start slapd"
            province.lab.run(host, ["sh", "-c", f"{mend}; {restart}"])


@contextmanager
def hanging(province: Province) -> Iterator[None]:
    """slapd of the host that writes takes connections and says nothing."""
    province.lab.run("store1", ["systemctl", "kill", "--signal=STOP", "slapd"])
    try:
        yield
    finally:
        province.lab.run("store1", ["systemctl", "kill", "--signal=CONT", "slapd"])


@contextmanager
def empty(province: Province) -> Iterator[None]:
    """A host has lost its disk, and nobody is there to fill it."""
    aside = "systemctl stop slapd; mkdir /var/lib/kept; mv /var/lib/ldap/* /var/lib/kept"
    province.lab.run("store2", ["sh", "-c", f"{aside}; systemctl start slapd"])
    try:
        yield
    finally:
        back = "systemctl stop slapd; rm -rf /var/lib/ldap/*; mv /var/lib/kept/* /var/lib/ldap"
        back = f"{back}; rmdir /var/lib/kept; systemctl start slapd"
        province.lab.run("store2", ["sh", "-c", back])


def is_refused(province: Province, words: str) -> None:
    """An apply ends with these words, before any host has swapped."""
    done = province.danhba("apply", "staging", "--yes", check=False)
    assert done.returncode == 1, done.stdout
    assert words in done.stderr
    assert "Swap and reload" not in done.stderr


def all_live(province: Province) -> dict[str, str]:
    return {host.name: province.live(host.name) for host in province.environment.hosts}


def test_who_cannot_write_the_people_keeps_all_hosts_from_swapping(province: Province) -> None:
    """slapd dead everywhere, or hanging where it would write; beside a host that is dead, another
    whose slapd is dead, or empty: the passwords may be on the one that is silent."""
    live, with_password = all_live(province), province.with_password()
    province.add_officials("thu.khongghi")
    with unreadable(province, *HOSTS):
        is_refused(province, "LDAP here does not answer")
    with hanging(province):
        is_refused(province, "takes the connection and says nothing")
    province.lab.kill("store1")
    try:
        with unreadable(province, "store2"):
            is_refused(province, "LDAP here does not answer")
        with empty(province):
            is_refused(province, "LDAP here is empty, and whether others hold the people is not")
    finally:
        province.lab.start("store1")
    assert all_live(province) == live
    province.apply()
    assert province.plan_status() == 0
    assert province.with_password() == with_password


def test_what_a_slapd_that_dies_had_not_handed_on_is_not_lost(province: Province) -> None:
    """A change that the other host has not got, then SIGKILL. Before, status names who lacks it."""
    assert "LDAP" not in province.danhba("status", "staging", check=False).stdout
    person = province.officials(1)[0].address
    with parted(province):
        changed(province, "store1", person, "title", "Truong phong")
        said = province.danhba("status", "staging", check=False)
        assert said.returncode == 2
        assert "LDAP of store1.angiang.gov.vn cannot be asked from here" in said.stdout
        province.lab.run("store1", ["systemctl", "kill", "-s", "KILL", "slapd"])
    for host in HOSTS:
        assert entry(province, host, person)["title"] == [" Truong phong"]
    province.apply()
    assert province.plan_status() == 0


def test_who_is_locked_while_connected_sees_nothing_more_and_keeps_the_password(
    province: Province,
) -> None:
    """By hand here, as an apply does it: what was done by hand is named and mended, somebody who is
    not in the directory included."""
    person = province.officials(1)[0].address
    password, filters = province.password(person), f"(uid={person})"
    with province.ldap(person, password, "store1") as connection:
        assert connection.search(province.suffix, filters)
        added(province, "store1", "hacker")
        changed(province, "store1", person, "employeeType", "locked")
        assert not connection.search(province.suffix, filters)
    assert not opens(province, person, password, "store1")
    plans = {plan["host"]: plan["entries"] for plan in province.plan()}
    assert [(item["dn"], item["action"], item["drift"]) for item in plans["store1"]] == [
        (province.dn("hacker"), "delete", ["entry"]),
        (province.dn(person), "change", ["employeeType"]),
    ]
    said = province.apply()
    assert said.count("not danhba's: somebody added it by hand; it will be deleted") == len(HOSTS)
    assert not any(entry(province, host, "hacker") for host in HOSTS)
    assert said.count("    -employeeType: locked  (drift: edited by hand)\n") == len(HOSTS)
    assert province.plan_status() == 0
    assert all(opens(province, person, password, host) for host in HOSTS)


def test_a_clock_that_differs_is_told_and_no_password_is_made(province: Province) -> None:
    """slapd alone runs late: the lab's hosts share the machine's clock."""
    address = province.officials(1)[0].address
    own = province.password(address)
    place = "mkdir -p /etc/systemd/system/slapd.service.d; apt-get -qq install -y faketime"
    assert province.lab.run("store2", ["sh", "-c", place]).returncode == 0
    province.lab.run("store2", ["sh", "-c", f"cat >{FAKETIME}"], input=LATE)
    restart = "systemctl daemon-reload; systemctl restart slapd"
    province.lab.run("store2", ["sh", "-c", restart])
    try:
        said = province.danhba("status", "staging", check=False)
        assert said.returncode == 2
        assert "the clock of store2.angiang.gov.vn differs by -60 s" in said.stdout
        done = province.danhba("password", "reset", "staging", "--address", address, check=False)
        assert done.returncode == 1
        assert "no password was set" in done.stderr
        assert opens(province, address, own, "store1")
    finally:
        province.lab.run("store2", ["sh", "-c", f"rm {FAKETIME}; {restart}"])
    wait_for(lambda: "LDAP" not in province.danhba("status", "staging", check=False).stdout, "well")


def test_an_apply_and_a_users_change_at_the_same_time_both_last(province: Province) -> None:
    """He changes his password on one people host while the other is loaded, again and again."""
    person = province.officials(1)[0]
    old = province.password(person.address)
    before = province.directory.read_text()
    line = next(row for row in before.splitlines() if f"address: {person.address}," in row)
    titled = line.replace("}", ", title: Phó phòng}", 1) if "title:" not in line else line
    province.edit(line, titled)
    apply = province.start("apply", "staging", "--yes")
    count = 0
    while apply.poll() is None:
        count += 1
        new = f"doi-lien-tuc-{count}"
        chosen(province, "store2", person.address, old, new)
        old = new
    assert apply.returncode == 0, apply.communicate()
    wait_for(lambda: len(province.stamps()) == 1, "the people hosts agree")
    assert count > 2
    for host in HOSTS:
        assert opens(province, person.address, old, host)
    assert agree(province, person.address)
    province.passwords[person.address] = old
    province.directory.write_text(before)
    province.apply()
    assert province.plan_status() == 0


def test_without_people_hosts_mail_arrives_sessions_go_on_and_logins_fail_for_now(
    province: Province,
) -> None:
    address = province.officials(1)[0].address
    password, edge = province.password(address), province.lab.host("mx1").ipv4
    with imaplib.IMAP4_SSL(edge, ssl_context=trusting(), timeout=30) as imap:
        imap.login(address, password)
        for host in HOSTS:
            province.lab.run(host, ["systemctl", "stop", "slapd"])
        try:
            identity = province.deliver(address)
            imap.select("INBOX")
            assert imap.search(None, "HEADER", "Message-ID", f'"{identity}"')[1][0]
            for door, answer in ((doors.SUBMISSIONS, "454 4.7.0"), (doors.IMAPS, "[UNAVAILABLE]")):
                with pytest.raises(Refused) as refused:
                    enter(door, edge, address, password, trusting())
                assert answer in str(refused.value)
        finally:
            for host in HOSTS:
                province.lab.run(host, ["systemctl", "start", "slapd"])
    wait_for(lambda: len(province.stamps()) == 1, "the people hosts agree", 60)
    for door in (doors.IMAPS, doors.SUBMISSIONS):
        wait_for(lambda door=door: _enters(door, edge, address, password), f"{door} opens", 60)


def _enters(door: doors.Door, edge: str, address: str, password: str) -> bool:
    """False: not for now. A wrong password would be something else."""
    try:
        enter(door, edge, address, password, trusting())
    except Refused as refused:
        assert "454 4.7.0" in str(refused) or "[UNAVAILABLE]" in str(refused)
        return False
    return True


def _of_store2(province: Province) -> str:
    """Somebody whose mail is not on store1."""
    return next(
        box.address
        for box in province.compiled.mailboxes
        if (box.kind, box.state) == ("person", "active") and province.home(box.account) == "store2"
    )


def _seconds(door: doors.Door, edge: str, address: str, password: str) -> float:
    """How long a login takes."""
    began = time.monotonic()
    enter(door, edge, address, password, trusting())
    return time.monotonic() - began


def test_a_silent_people_host_keeps_nobody_from_logging_in(province: Province) -> None:
    """The first that the edges ask loses its network: nobody refuses their connections."""
    address = _of_store2(province)
    password, edge = province.password(address), province.lab.host("mx1").ipv4
    first = "systemctl restart haproxy"  # back to the first, wherever the tests before have led
    assert province.lab.run("mx1", ["sh", "-c", first]).returncode == 0
    wait_for(lambda: _enters(doors.SUBMISSIONS, edge, address, password), "the edge asks", 30)
    province.lab.cut("store1")
    try:
        ways = (doors.SUBMISSIONS, doors.IMAPS, doors.SUBMISSIONS, doors.SUBMISSION)
        took = [_seconds(door, edge, address, password) for door in ways]
    finally:
        province.lab.join("store1")
    assert max(took) < 12, took
    assert max(took[1:]) < 5, took
    wait_for(lambda: len(province.stamps()) == 1, "the people hosts agree", 60)


def test_a_slapd_that_hangs_keeps_nobody_from_reading(province: Province) -> None:
    """It takes connections and says nothing; its own store asks it first."""
    address = _of_store2(province)
    password, edge = province.password(address), province.lab.host("mx1").ipv4
    province.lab.run("store2", ["systemctl", "kill", "--signal=STOP", "slapd"])
    try:
        took = [_seconds(door, edge, address, password) for door in (doors.IMAPS, doors.POP3S)]
    finally:
        province.lab.run("store2", ["systemctl", "kill", "--signal=CONT", "slapd"])
    assert max(took) < 12, took
    wait_for(lambda: len(province.stamps()) == 1, "the people hosts agree", 60)
