"""New, transferred, a keeper who leaves, an agency whose time is over: at one apply (Điều 6, 9)."""

from __future__ import annotations

import imaplib
import re
import smtplib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from email.message import EmailMessage

import pytest
from doors import DOORS, IMAPS, Refused, enter, upload_sieve
from people import GUESSER, OUTSIDE_CLIENT, Person, trusting
from province import Province, wait_for

from staging.config import OUTSIDE

DECISION = ("--decision", "21/QĐ-THU")
FOLDER = "Ho so"
FILTER = (
    f'require ["fileinto"];\nif header :contains "subject" "hồ sơ" {{ fileinto "{FOLDER}"; }}\n'
)


@dataclass(frozen=True)
class Scene:
    """Before and after one apply. Sessions were open when it happened."""

    moved: Person
    left: Person
    new: Person
    message: EmailMessage
    sessions: dict[str, imaplib.IMAP4_SSL]
    ended: str
    heir: str


@pytest.fixture(scope="module")
def scene(province: Province, edge: str, colleague: Person) -> Scene:
    names = ["song.chuyen", "song.nghi"]
    province.add_officials(*names)
    province.danhba("keeper", "sotaichinh", "--add", names[0], "--add", names[1])
    province.apply()
    moved, left = (person(province, edge, name) for name in names)
    upload_sieve(moved.server, moved.login, moved.password, trusting(), FILTER)
    with moved.inbox() as imap:
        imap.create(f'"{FOLDER}"')
    message = colleague.send(colleague.write([moved.address], "Chào", "Xin chào\n"))
    moved.reads(message)
    sessions = {
        "moved, own": session(moved),
        "moved, agency": session(as_keeper(province, moved)),
        "left, own": session(left),
        "left, agency": session(as_keeper(province, left)),
    }

    province.danhba("transfer", names[0], "--to", "sonoivu", *DECISION)
    province.danhba("withdraw", names[1], "--reason", "nghỉ hưu", *DECISION)
    province.add_officials("song.moi")
    ended, heir = (founded(province, name) for name in ("Sở Thử cũ", "Sở Thử kế"))
    close(province, ended, heir)
    province.apply()
    new = person(province, edge, "song.moi")
    return Scene(moved, left, new, message, sessions, ended, heir)


def person(province: Province, edge: str, name: str) -> Person:
    address = province.mail(name)
    return Person(address, "Nguyễn Thử", edge, address, province.password(name))


def as_keeper(province: Province, who: Person) -> Person:
    return replace(who, login=f"{province.mail('sotaichinh')}*{who.address}")


def session(who: Person) -> imaplib.IMAP4_SSL:
    imap = imaplib.IMAP4_SSL(who.server, ssl_context=trusting(), timeout=30)
    imap.login(who.login, who.password)
    return imap


def has_ended(imap: imaplib.IMAP4_SSL) -> bool:
    try:
        imap.noop()
    except (OSError, imaplib.IMAP4.abort):
        return True
    return False


def founded(province: Province, name: str) -> str:
    done = province.danhba("agency", "add", name, "--kind", "so", *DECISION)
    return done.stdout.strip().partition("@")[0]


def close(province: Province, agency: str, heir: str) -> None:
    """As if it had been merged long ago, so that yesterday was the last day of its address."""
    province.danhba("agency", "merge", agency, "--into", heir, *DECISION)
    text = province.directory.read_text()
    line = next(row for row in text.splitlines() if f"successors: [{heir}]" in row)
    first, last = (date.today() - timedelta(days=days) for days in (90, 1))
    past = re.sub(
        r"from: \S+,", f"from: {first},", re.sub(r"until: [^},]+", f"until: {last}", line)
    )
    province.edit(line, past)


def book(province: Province, reader: Person) -> dict[str, str]:
    """Address to agency, of whom somebody finds over LDAP."""
    people = province.environment.having("people")[0]
    name = reader.address.partition("@")[0]
    argv = ["ldapsearch", "-LLL", "-x", "-H", f"ldaps://{people.fqdn}", "-b", province.suffix,
            "-D", province.dn(name), "-w", reader.password, "(uid=song.*)", "mail",
            "departmentNumber"]  # fmt: skip
    said = province.lab.run(people.name, argv).stdout
    found = {}
    for block in said.strip().split("\n\n"):
        row = dict(line.split(": ", 1) for line in block.splitlines())
        found[row["mail"]] = row["departmentNumber"]
    return found


def refused(edge: str, address: str) -> tuple[int, str]:
    with smtplib.SMTP(edge, 25, timeout=30, source_address=(OUTSIDE_CLIENT, 0)) as smtp:
        smtp.ehlo("may.test")
        smtp.mail(f"lan@{OUTSIDE}")
        code, text = smtp.rcpt(address)
        return code, text.decode()


def test_sessions_that_may_not_go_on_have_ended_and_the_others_have_not(scene: Scene) -> None:
    for name in ("moved, agency", "left, own", "left, agency"):
        wait_for(lambda name=name: has_ended(scene.sessions[name]), f"{name} ends", limit=10)  # type: ignore[misc]
    assert scene.sessions["moved, own"].noop()[0] == "OK"


def test_who_is_new_logs_in_receives_sends_and_is_listed(
    province: Province, scene: Scene, colleague: Person
) -> None:
    for door in DOORS:
        enter(door, scene.new.server, scene.new.login, scene.new.password, trusting())
    scene.new.reads(colleague.send(colleague.write([scene.new.address], "Chào", "Xin chào\n")))
    colleague.reads(scene.new.send(scene.new.write([colleague.address], "Chào", "Xin chào\n")))
    assert book(province, scene.moved)[scene.new.address] == "sotaichinh"


def test_who_is_transferred_has_the_new_agency_and_all_that_was_his(
    province: Province, scene: Scene, colleague: Person
) -> None:
    moved = scene.moved
    assert book(province, scene.new)[moved.address] == "sonoivu"
    for door in DOORS:
        enter(door, moved.server, moved.login, moved.password, trusting())
    moved.reads(scene.message)
    filed = colleague.send(colleague.write([moved.address], "Gửi hồ sơ", "Xin chào\n"))
    home = province.home("song.chuyen")
    query = ["mailbox", FOLDER, "header", "message-id", str(filed["Message-ID"])]
    search = ["doveadm", "search", "-u", moved.address, *query]
    wait_for(lambda: bool(province.lab.run(home, search).stdout.strip()), "his filter files it")


def test_who_is_transferred_keeps_the_old_agencys_mailbox_no_longer(
    province: Province, scene: Scene, colleague: Person
) -> None:
    keeper = as_keeper(province, scene.moved)
    with pytest.raises(Refused):
        enter(IMAPS, keeper.server, keeper.login, keeper.password, trusting(), GUESSER)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        as_agency = province.mail("sotaichinh")
        scene.moved.send(
            scene.moved.write([colleague.address], "Chào", "Xin chào\n", sender=as_agency)
        )


def test_a_keeper_who_is_withdrawn_is_on_no_list(province: Province, scene: Scene) -> None:
    assert scene.left.address not in book(province, scene.new)
    keeper = as_keeper(province, scene.left)
    with pytest.raises(Refused):
        enter(IMAPS, keeper.server, keeper.login, keeper.password, trusting(), GUESSER)
    for host in province.environment.having("store"):
        grants = province.lab.run(host.name, ["cat", "/etc/dovecot/grants"]).stdout
        assert "song.nghi@" not in grants
    for host in province.environment.having("edge"):
        senders = province.lab.run(host.name, ["cat", "/etc/danhba/tables/senders"]).stdout
        agency = next(row for row in senders.splitlines() if row.startswith("sotaichinh@"))
        assert "song.nghi@" not in agency
    row = next(line for line in province.directory.read_text().splitlines() if "song.nghi" in line)
    assert "status: withdrawn" in row


def test_the_address_of_a_closed_agency_expires_on_its_day(
    province: Province, edge: str, scene: Scene
) -> None:
    code, text = refused(edge, province.mail(scene.ended))
    assert (code, text.split()[0]) == (550, "5.2.1")
    assert province.mail(scene.heir) in text
