"""Stores and edges fail, mailboxes move, and no message is lost or doubled (docs/stores.md)."""

from __future__ import annotations

import imaplib
import re
import signal
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from doors import IMAPS, enter, upload_sieve
from people import OUTSIDE_CLIENT, Person, official, rcpt, trusting
from province import Province, wait_for

from staging.config import OUTSIDE

COPIED = 30.0
"""Seconds within which a delivery or a user's action is on the standby."""

DEAD, ALIVE = "store2", "store1"
"""The store that dies here is the one without the people role: logins go on."""


def on(province: Province, store: str, address: str, mailbox: str = "*") -> Counter[str]:
    """How often a store's copy of a mailbox has each message, by its Message-ID."""
    argv = ["doveadm", "-f", "flow", "fetch", "-u", province.mail(address), "hdr.message-id"]
    done = province.lab.run(store, [*argv, "mailbox", mailbox, "all"])
    return Counter(
        row.partition("hdr.message-id=")[2].strip() for row in done.stdout.splitlines() if row
    )


def send(edge: str, address: str, subject: str) -> str:
    """One message from outside to an edge; its Message-ID."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"lan@{OUTSIDE}", address, subject
    message["Message-ID"] = f"<{subject}.{time.time_ns()}@{OUTSIDE}>"
    message.set_content("Xin chào\n")
    with smtplib.SMTP(edge, 25, timeout=30, source_address=(OUTSIDE_CLIENT, 0)) as smtp:
        assert not smtp.send_message(message)
    return str(message["Message-ID"])


@pytest.fixture(scope="module")
def at_home(province: Province, edge: str) -> dict[str, Person]:
    """An official of each store, there for these tests alone."""
    names = [f"thu.kho{number}" for number in range(12)]
    homes = {province.home(name): name for name in names}
    assert homes.keys() == {DEAD, ALIVE}
    province.add_officials(*homes.values())
    province.apply()
    province.choose_passwords([*homes.values()])
    return {store: official(province, edge, name) for store, name in homes.items()}


@pytest.fixture
def placement(province: Province) -> Iterator[Path]:
    """The placement file, which ends as it began: absent."""
    path = province.root / "inventory" / "staging.placement.yaml"
    assert not path.exists()
    yield path
    path.unlink(missing_ok=True)


# Edges


def test_an_edge_dies_and_mail_and_clients_take_the_other(
    province: Province, at_home: dict[str, Person], outsider: Person
) -> None:
    """Two MX records: the outside server goes on to the next one. A program for mail connects to
    the other address of the same name, and nothing of it was on the edge."""
    person = at_home[ALIVE]
    first, second = province.environment.having("edge")
    names = ["getent", "ahostsv4", f"imap.{province.compiled.domain}"]
    rows = province.lab.run("net1", names).stdout.splitlines()
    assert {row.split()[0] for row in rows} == {first.ipv4, second.ipv4}
    before = outsider.send(outsider.write([person.address], "Trước", "Xin chào\n"))
    person.reads(before)
    province.lab.kill(first.name)
    try:
        moved = replace(person, server=second.ipv4)
        sent = outsider.send(outsider.write([person.address], "Sau", "Xin chào\n"))
        moved.reads(sent)
        moved.reads(before)
        moved.send(moved.write([outsider.address], "Trả lời", "Xin chào\n"))
        enter(IMAPS, second.ipv4, person.login, person.password, trusting(),
              name=f"imap.{province.compiled.domain}")  # fmt: skip
    finally:
        province.lab.start(first.name)
    person.reads(sent)


# Standby copies


def test_what_is_delivered_is_on_the_standby_in_time(
    province: Province, edge: str, at_home: dict[str, Person]
) -> None:
    for store, person in at_home.items():
        other = {DEAD: ALIVE, ALIVE: DEAD}[store]
        began = time.monotonic()
        identity = send(edge, person.address, "ban-sao")
        wait_for(lambda: on(province, other, person.local)[identity] == 1, "copied", COPIED)  # noqa: B023
        print(f"{store} -> {other}: {time.monotonic() - began:.1f} s")


def test_folders_flags_subscriptions_and_scripts_are_copied_too(
    province: Province, edge: str, at_home: dict[str, Person]
) -> None:
    person = at_home[ALIVE]
    identity = send(edge, person.address, "dau-hieu")
    with person.inbox() as imap:
        wait_for(lambda: _number(imap, identity) != "", "it arrives")
        number = _number(imap, identity)
        imap.create('"C&AOA-ng vi&Hsc-c"')
        imap.subscribe('"C&AOA-ng vi&Hsc-c"')
        imap.uid("STORE", number, "+FLAGS", r"(\Seen \Flagged)")
        imap.uid("COPY", number, '"C&AOA-ng vi&Hsc-c"')
    upload_sieve(edge, person.login, person.password, trusting(), "keep;\n")

    def copied() -> bool:
        run = province.lab.run
        user = ["-u", person.address]
        flags = run(DEAD, ["doveadm", "fetch", *user, "flags", "mailbox", "INBOX", "header",
                           "message-id", identity]).stdout  # fmt: skip
        listed = run(DEAD, ["doveadm", "mailbox", "list", "-s", *user]).stdout
        scripts = run(DEAD, ["doveadm", "sieve", "list", *user]).stdout
        return (
            "\\Seen" in flags and "\\Flagged" in flags and "Càng việc" in listed
            and on(province, DEAD, person.local, "Càng việc")[identity] == 1
            and "ACTIVE" in scripts
        )  # fmt: skip

    wait_for(copied, "folder, flags, subscription and script on the standby", COPIED)
    upload_sieve(edge, person.login, person.password, trusting(), "")
    with person.inbox() as imap:
        number = _number(imap, identity)
        imap.uid("STORE", number, "+FLAGS", r"(\Deleted)")
        imap.expunge()
    wait_for(lambda: on(province, DEAD, person.local, "INBOX")[identity] == 0, "gone there", COPIED)
    assert on(province, DEAD, person.local)[identity] == 1  # in the folder


def _number(imap: imaplib.IMAP4_SSL, identity: str) -> str:
    imap.noop()
    _, found = imap.uid("SEARCH", "HEADER", "Message-ID", f'"{identity}"')
    return found[0].decode().split()[-1] if found[0] else ""


def test_only_another_store_gets_in_and_only_to_synchronise(province: Province) -> None:
    """Without a certificate nobody does; an edge's certificate is not one of a store; a store may
    ask for nothing but synchronisation."""
    ask = "VERSION\\tdoveadm-server\\t1\\t2\\n\\t{user}\\tfetch\\ttext\\tall\\n"
    user = province.mail(province.officials(1)[0].address)
    certificate = "-cert /etc/ssl/danhba/host.pem -key /etc/ssl/danhba/host.key"
    talk = f"printf '{ask.format(user=user)}' | timeout 5 openssl s_client -quiet -connect"
    target = province.environment.host(DEAD).fqdn
    opened = province.lab.run("mx1", ["timeout", "3", "bash", "-c", f"</dev/tcp/{target}/4191"])
    assert opened.returncode  # the firewall
    bare = province.lab.run(ALIVE, ["sh", "-c", f"{talk} {target}:4191"])
    assert "VERSION" not in bare.stdout
    own = province.lab.run(ALIVE, ["sh", "-c", f"{talk} {target}:4191 {certificate}"])
    assert "isn't allowed to use command: fetch" in own.stdout


def test_a_dead_standby_is_reported_and_caught_up_with(
    province: Province, edge: str, at_home: dict[str, Person]
) -> None:
    person = at_home[ALIVE]
    province.lab.kill(DEAD)
    try:
        identity = send(edge, person.address, "cho-doi")
        wait_for(lambda: province.has(person.local, identity), "delivered")
        # The queue is what differs, so a restart cannot forget it.
        province.lab.run(ALIVE, ["systemctl", "restart", "danhba-standby.service"])
        done = province.danhba("status", "staging", check=False)
        assert done.returncode == 2
        assert f"{DEAD} does not answer" in done.stdout
    finally:
        province.lab.start(DEAD)
    wait_for(lambda: on(province, DEAD, person.local)[identity] == 1, "caught up", 90)
    wait_for(lambda: _waiting(province) == {ALIVE: 0, DEAD: 0}, "nothing lags", 60)


def _waiting(province: Province) -> dict[str, int]:
    """How many copies each store says that wait."""
    rows = province.danhba("status", "staging", check=False).stdout.splitlines()
    found, store = {}, ""
    for row in rows:
        store = store if row.startswith(" ") else row.partition(":")[0]
        if said := re.fullmatch(r"  standby: (\d+) waiting(, oldest \d+ s)?", row):
            found[store] = int(said[1])
    return found


# Failover


def test_a_store_dies_is_failed_over_and_fails_back(
    province: Province, edge: str, at_home: dict[str, Person], placement: Path
) -> None:
    """The window: what was delivered in the last seconds before the loss and was not copied yet is
    on the dead store only, and comes back with the failback. It is measured and printed here; the
    journal of a later version closes it."""
    person = at_home[DEAD]
    name = person.local
    settled = send(edge, person.address, "truoc")
    wait_for(lambda: on(province, ALIVE, name)[settled] == 1, "copied", COPIED)
    last = [send(edge, person.address, f"cuoi{number}") for number in range(10)]
    wait_for(lambda: province.has(name, last[-1]), "delivered")
    province.lab.kill(DEAD)
    copied = on(province, ALIVE, name)
    print(f"of 10 messages in the last seconds {sum(copied[each] for each in last)} were copied")
    queued = [send(edge, person.address, f"hang-doi{number}") for number in range(10)]
    began = time.monotonic()
    said = province.danhba("failover", "staging", DEAD, "--yes")
    print(f"failover: {time.monotonic() - began:.1f} s")
    assert f"{DEAD}: {{since: " in placement.read_text()
    wait_for(lambda: all(on(province, ALIVE, name)[each] == 1 for each in [settled, *queued]),
             "what was queued arrives", 60)  # fmt: skip
    with person.inbox() as imap:
        assert _number(imap, queued[0]) != ""
        imap.uid("STORE", _number(imap, settled), "+FLAGS", r"(\Flagged)")
    plan = province.danhba("plan", "staging", check=False)
    assert "nothing to do" in plan.stdout and f"{DEAD} does not answer" in plan.stderr, said.stderr
    province.lab.start(DEAD)
    while_away = send(edge, person.address, "trong-luc-do")
    wait_for(lambda: province.has(name, while_away), "delivered to the standby")

    province.danhba("failback", "staging", DEAD, "--yes")
    assert "failed_over" not in placement.read_text()
    everything = [settled, *last, *queued, while_away]
    assert {each: on(province, DEAD, name)[each] for each in everything} == dict.fromkeys(
        everything, 1
    )
    with person.inbox() as imap:
        _, [flags] = imap.uid("FETCH", _number(imap, settled), "(FLAGS)")
        assert rb"\Flagged" in flags
    assert province.plan_status() == 0
    after = send(edge, person.address, "sau")
    wait_for(lambda: on(province, DEAD, name)[after] == 1, "delivered at home")
    wait_for(lambda: on(province, ALIVE, name)[after] == 1, "copied", COPIED)


def test_an_apply_without_a_store_goes_on_and_says_so(
    province: Province, edge: str, at_home: dict[str, Person]
) -> None:
    """Edges learn whom a store that is there knows, not whom the absent one must learn first."""
    new = [f"thu.vang{number}" for number in range(12)]
    homes = {province.home(name): name for name in new}
    province.lab.kill(DEAD)
    try:
        province.add_officials(*homes.values())
        done = province.danhba("apply", "staging", "--yes", check=False)
        assert done.returncode == 1
        assert f"applied, but not to {DEAD}" in done.stderr
        province.deliver(homes[ALIVE])
        [(code, _)] = rcpt(edge, province.mail(homes[DEAD]))
        assert code == 550
    finally:
        province.lab.start(DEAD)
    province.apply()
    assert province.plan_status() == 0
    province.deliver(homes[DEAD])


# Moves


@dataclass
class Life:
    """A mailbox in use: mail comes in, and somebody reads. sent: Message-IDs."""

    edge: str
    person: Person
    sent: list[str] = field(default_factory=list)
    reconnected: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def deliver(self) -> None:
        while not self.stopped.wait(0.2):
            self.sent.append(send(self.edge, self.person.address, "dang-chuyen"))

    def read(self) -> None:
        """As a program for mail does: it connects again when the server ends the session."""
        while not self.stopped.is_set():
            try:
                with self.person.inbox() as imap:
                    while not self.stopped.wait(0.1):
                        imap.noop()
                        imap.uid("SEARCH", "UNSEEN")
            except (OSError, imaplib.IMAP4.error):
                self.reconnected += 1


@contextmanager
def in_use(edge: str, person: Person) -> Iterator[Life]:
    life = Life(edge, person)
    threads = [threading.Thread(target=work) for work in (life.deliver, life.read)]
    for thread in threads:
        thread.start()
    try:
        yield life
    finally:
        life.stopped.set()
        for thread in threads:
            thread.join()


def all_there(
    province: Province, store: str, person: Person, sent: list[str]
) -> Callable[[], bool]:
    return lambda: all(on(province, store, person.local)[each] for each in sent)


def test_a_mailbox_moves_while_it_is_used(
    province: Province, edge: str, at_home: dict[str, Person], placement: Path
) -> None:
    person = at_home[ALIVE]
    for target in (DEAD, ALIVE):
        with in_use(edge, person) as life:
            wait_for(lambda: len(life.sent) > 3, "mail flows")
            province.danhba("move", person.local, "--to", target, "--env", "staging")
            count = len(life.sent)
            wait_for(lambda: len(life.sent) > count + 3, "mail flows on")  # noqa: B023
        wait_for(all_there(province, target, person, life.sent), "all mail is there", 60)
        found = on(province, target, person.local)
        assert {each: found[each] for each in life.sent} == dict.fromkeys(life.sent, 1)
        assert life.reconnected >= 1
        assert province.plan_status() == 0
    assert "moved" not in placement.read_text()  # it is where it belongs anyway


@pytest.mark.parametrize(
    "seen", ["Copy 1 mailboxes; their users work on", "Swap and reload: edges",
             "Compare 1 mailboxes once more"]
)  # fmt: skip
def test_a_move_that_is_killed_goes_on_when_it_is_run_again(
    province: Province, edge: str, at_home: dict[str, Person], placement: Path, seen: str
) -> None:
    person = at_home[ALIVE]
    name = person.local
    words = ("move", name, "--to", DEAD, "--env", "staging")
    before = on(province, ALIVE, name)
    process = province.start(*words)
    assert process.stderr is not None
    while (line := process.stderr.readline()).strip() != seen:
        assert line, f"the move ended before {seen!r}"
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    identity = send(edge, person.address, "giua-chung")
    assert f"{name}: {{from: {ALIVE}, to: {DEAD}}}" in placement.read_text()
    wait_for(lambda: _idle(province), "the step on the hosts ends", 60)
    province.danhba(*words)
    assert "moving" not in placement.read_text()
    wait_for(lambda: on(province, DEAD, name)[identity] == 1, "it arrives")
    now = on(province, DEAD, name)
    assert {each: now[each] for each in before} == before
    assert province.plan_status() == 0
    province.danhba("move", name, "--to", ALIVE, "--env", "staging")


def _idle(province: Province) -> bool:
    agent = "[d]anhba.generations.host.main"
    return all(
        province.lab.run(host.name, ["pgrep", "-f", agent]).returncode == 1
        for host in province.environment.hosts
    )


def test_without_the_placement_file_an_apply_moves_nobody_back(
    province: Province, at_home: dict[str, Person], placement: Path
) -> None:
    """Another engineer who has not pulled."""
    name = at_home[ALIVE].local
    province.danhba("move", name, "--to", DEAD, "--env", "staging")
    remembered = placement.read_text()
    placement.unlink()
    done = province.danhba("apply", "staging", "--yes", check=False)
    assert done.returncode == 1
    assert "REFUSED: 1 mailboxes would get another home" in done.stdout
    assert f"{province.mail(name)} (store:[{DEAD}" in done.stdout
    placement.write_text(remembered)
    assert province.plan_status() == 0
    province.danhba("move", name, "--to", ALIVE, "--env", "staging")
    assert province.plan_status() == 0
