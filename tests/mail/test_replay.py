"""What a mailbox lacks comes back from the archive, once, and writes to nobody (docs/replay.md)."""

from __future__ import annotations

import re
import smtplib
import time
from collections import Counter
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from mailboxes import on
from people import OUTSIDE_CLIENT, Person, filtering, official
from province import Province, wait_for

from staging.config import OUTSIDE

LIMIT = 60.0


@pytest.fixture(scope="module")
def homes(province: Province, edge: str) -> dict[str, Person]:
    """An official of each store."""
    found: dict[str, Person] = {}
    for box in province.officials(12):
        found.setdefault(province.home(box.account), official(province, edge, box.address))
    assert len(found) == 2
    return found


@pytest.fixture(scope="module")
def alias(province: Province) -> tuple[str, str]:
    """A further address of somebody, and his account."""
    living = {box.account for box in province.compiled.mailboxes if box.state == "active"}
    name = next(each for each in province.compiled.names if each.account in living)
    return province.mail(name.address), name.account


def sent(edge: str, subject: str, shown: str, *to: str) -> str:
    """One message from outside to all of them, whatever its header shows; its Message-ID."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"lan@{OUTSIDE}", shown, subject
    message["Message-ID"] = f"<{subject}.{time.time_ns()}@{OUTSIDE}>"
    message.set_content("Xin chào\n")
    with smtplib.SMTP(edge, 25, timeout=30, source_address=(OUTSIDE_CLIENT, 0)) as smtp:
        assert not smtp.send_message(message, to_addrs=to)
    return str(message["Message-ID"])


def held(province: Province, account: str, identity: str) -> int:
    return on(province, province.home(account), account)[identity]


def gone(province: Province, account: str, identity: str) -> None:
    """It is taken out of the mailbox, as if its file had never been written."""
    argv = ["doveadm", "expunge", "-u", province.mail(account), "mailbox", "*"]
    done = province.lab.run(
        province.home(account), [*argv, "header", "message-id", identity.strip("<>")]
    )
    assert done.returncode == 0, done.stderr
    assert held(province, account, identity) == 0


def now() -> str:
    """For --since: what other tests have taken out of mailboxes is not meant."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def came_back(said: str) -> int:
    found = re.search(r"^  (\d+) came back$", said, re.MULTILINE)
    assert found, said
    return int(found[1])


def test_exactly_what_a_mailbox_lacks_comes_back_once(
    province: Province, edge: str, homes: dict[str, Person], alias: tuple[str, str], agency: str
) -> None:
    """One message to four, on both stores: shown in its header is one of them; one is written to
    by an alias, one is an agency. Another one stays where it is. A filter sorts what comes back,
    and its answer goes to nobody."""
    since = ("--since", now())
    one, other = homes["store1"], homes["store2"]
    accounts = [one.local, other.local, alias[1], agency.partition("@")[0]]
    lost = sent(edge, "mat", one.address, one.address, other.address, alias[0], agency)
    kept = sent(edge, "con", one.address, one.address, other.address)
    for account in accounts:
        wait_for(lambda: held(province, account, lost) == 1, f"delivered to {account}", LIMIT)  # noqa: B023
    wait_for(lambda: held(province, other.local, kept) == 1, "delivered", LIMIT)
    names = [*(person.address for person in homes.values()), alias[0], agency]
    for account in accounts:
        gone(province, account, lost)

    counted = province.danhba("replay", "staging", *names, *since, "--dry-run", check=False)
    assert counted.returncode == 2 and "  4 are missing" in counted.stdout, counted.stdout
    script = 'require ["vacation", "fileinto"]; vacation "Tôi nghỉ."; fileinto "Lưu trữ";'
    with filtering(one, script):
        assert came_back(province.danhba("replay", "staging", *names, *since).stdout) == 4
    assert {account: held(province, account, lost) for account in accounts} == dict.fromkeys(
        accounts, 1
    )
    assert on(province, "store1", one.local, "Lưu trữ")[lost] == 1
    assert {account: held(province, account, kept) for account in (one.local, other.local)} == {
        one.local: 1, other.local: 1
    }  # fmt: skip
    _nobody_was_written_to(province, "store1")

    assert came_back(province.danhba("replay", "staging", *names, *since).stdout) == 0
    assert Counter(held(province, account, lost) for account in accounts) == {1: 4}
    for account in accounts:
        wait_for(
            lambda: on(province, province.standby(account), account)[lost] == 1,  # noqa: B023
            f"the standby copy of {account} has it", LIMIT,
        )  # fmt: skip


def _nobody_was_written_to(province: Province, store: str) -> None:
    """The answer of the filter was refused by the port that accepts nothing."""
    argv = ["journalctl", "-t", "danhba-replay", "--since", "-5min", "-o", "cat", "--no-pager"]
    said = province.lab.run(store, argv).stdout
    assert "fileinto action: stored mail into mailbox 'Lưu trữ'" in said
    assert "Client host rejected" in said or "vacation" not in said, said


def test_what_waits_on_an_edge_does_not_come_twice(
    province: Province, edge: str, homes: dict[str, Person]
) -> None:
    """The store takes no mail for a while: an edge keeps the message, and will deliver it."""
    since, person = ("--since", now()), homes["store2"]
    stop = ["systemctl", "stop", "postfix.service"]
    assert province.lab.run("store2", stop).returncode == 0
    try:
        waiting = sent(edge, "cho", person.address, person.address)
        said = province.danhba("replay", "staging", person.address, *since).stdout
        assert "1 still in a queue" in said and came_back(said) == 0, said
    finally:
        province.lab.run("store2", ["systemctl", "start", "postfix.service"])
    for host in province.environment.having("edge"):
        province.lab.run(host.name, ["postqueue", "-f"])
    wait_for(lambda: held(province, person.local, waiting) == 1, "the edge delivers it", LIMIT)
    assert came_back(province.danhba("replay", "staging", person.address, *since).stdout) == 0
    assert held(province, person.local, waiting) == 1


def test_there_is_room_for_what_comes_back(
    province: Province, edge: str, homes: dict[str, Person]
) -> None:
    """At delivery there was; now the mailbox is full."""
    since, person = ("--since", now()), homes["store1"]
    identity = sent(edge, "day", person.address, person.address)
    wait_for(lambda: held(province, person.local, identity) == 1, "delivered", LIMIT)
    gone(province, person.local, identity)
    table = "/etc/dovecot/accounts"
    row = f"s/^{person.local}@\\(.*\\)=[0-9]*M/{person.local}@\\1=1k/"
    small = f"cp {table} /run/accounts && sed '{row}' /run/accounts >/run/small"
    small += f" && mount --bind /run/small {table}"
    try:
        done = province.lab.run("store1", ["sh", "-c", small])
        assert done.returncode == 0, done.stderr
        assert came_back(province.danhba("replay", "staging", person.address, *since).stdout) == 1
    finally:
        province.lab.run("store1", ["umount", table])
    assert held(province, person.local, identity) == 1
