"""New, transferred, a keeper who leaves, an agency whose time is over: at one apply (Điều 6, 9)."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta
from email.message import EmailMessage

import pytest
from doors import IMAPS, POP3S, SIEVE, SUBMISSION, SUBMISSIONS, Line, upload_sieve
from people import Person, gets_in, official, rcpt, session, stays_out, trusting
from province import Province, wait_for

DECISION = ("--decision", "21/QĐ-THU")
FOLDER = "Ho so"
FILTER = (
    f'require ["fileinto"];\nif header :contains "subject" "hồ sơ" {{ fileinto "{FOLDER}"; }}\n'
)


@dataclass(frozen=True)
class Scene:
    """Before and after one apply. Sessions were open when it happened; everywhere: of who left, in
    each protocol at each edge."""

    moved: Person
    left: Person
    new: Person
    message: EmailMessage
    sessions: dict[str, Line]
    everywhere: dict[str, Line]
    ended: str
    heir: str


@pytest.fixture(scope="module")
def scene(province: Province, edge: str, colleague: Person) -> Iterator[Scene]:
    names = ["song.chuyen", "song.nghi"]
    province.add_officials(*names)
    province.danhba("keeper", "sotaichinh", "--add", names[0], "--add", names[1])
    province.apply()
    province.choose_passwords(names)
    moved, left = (official(province, edge, name) for name in names)
    upload_sieve(moved.server, moved.login, moved.password, trusting(), FILTER)
    with moved.inbox() as imap:
        imap.create(f'"{FOLDER}"')
    message = colleague.send(colleague.write([moved.address], "Chào", "Xin chào\n"))
    moved.reads(message)
    agency = province.mail("sotaichinh")
    with ExitStack() as stack:
        sessions = {
            name: stack.enter_context(session(who))
            for name, who in {
                "moved, own": moved,
                "moved, agency": moved.as_keeper_of(agency),
                "left, own": left,
                "left, agency": left.as_keeper_of(agency),
            }.items()
        }
        everywhere = {
            f"{door} at {host.name}": stack.enter_context(
                session(replace(left, server=host.ipv4), door)
            )
            for host in province.environment.having("edge")
            for door in (SUBMISSIONS, SUBMISSION, IMAPS, POP3S, SIEVE)
        }
        ended, heir = changed(province, *names)
        new = official(province, edge, "song.moi")
        yield Scene(moved, left, new, message, sessions, everywhere, ended, heir)


def changed(province: Province, moved: str, left: str) -> tuple[str, str]:
    """All of it at one apply; an agency that has ended, and its heir."""
    province.danhba("transfer", moved, "--to", "sokhdt", *DECISION)
    province.danhba("withdraw", left, "--reason", "nghỉ hưu", *DECISION)
    province.add_officials("song.moi")
    ended, heir = (founded(province, name) for name in ("Sở Thử cũ", "Sở Thử kế"))
    close(province, ended, heir)
    province.apply()
    return ended, heir


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
    argv = ["ldapsearch", "-LLL", "-x", "-H", f"ldaps://{people.fqdn}", "-b", province.suffix,
            "-D", province.dn(reader.local), "-w", reader.password, "(uid=song.*)", "mail",
            "departmentNumber"]  # fmt: skip
    said = province.lab.run(people.name, argv).stdout
    found = {}
    for block in said.strip().split("\n\n"):
        row = dict(line.split(": ", 1) for line in block.splitlines())
        found[row["mail"]] = row["departmentNumber"]
    return found


def test_sessions_that_may_not_go_on_have_ended_and_the_others_have_not(scene: Scene) -> None:
    for name in ("moved, agency", "left, own", "left, agency"):
        wait_for(scene.sessions[name].has_ended, f"{name} ends", limit=10)
    assert not scene.sessions["moved, own"].has_ended()


def test_who_is_withdrawn_is_logged_out_at_every_edge_whatever_he_speaks(scene: Scene) -> None:
    for name, opened in scene.everywhere.items():
        wait_for(opened.has_ended, f"{name} ends", limit=10)


def test_who_is_new_logs_in_receives_sends_and_is_listed(
    province: Province, scene: Scene, colleague: Person
) -> None:
    gets_in(scene.new)
    scene.new.reads(colleague.send(colleague.write([scene.new.address], "Chào", "Xin chào\n")))
    colleague.reads(scene.new.send(scene.new.write([colleague.address], "Chào", "Xin chào\n")))
    assert book(province, scene.moved)[scene.new.address] == "sotaichinh"


def test_who_is_transferred_has_the_new_agency_and_all_that_was_his(
    province: Province, scene: Scene, colleague: Person
) -> None:
    moved = scene.moved
    assert book(province, scene.new)[moved.address] == "sokhdt"
    gets_in(moved)
    moved.reads(scene.message)
    filed = colleague.send(colleague.write([moved.address], "Gửi hồ sơ", "Xin chào\n"))
    home = province.home("song.chuyen")
    query = ["mailbox", FOLDER, "header", "message-id", str(filed["Message-ID"])]
    search = ["doveadm", "search", "-u", moved.address, *query]
    wait_for(lambda: bool(province.lab.run(home, search).stdout.strip()), "his filter files it")


def test_who_is_transferred_keeps_the_old_agencys_mailbox_no_longer(
    province: Province, scene: Scene, colleague: Person
) -> None:
    stays_out(scene.moved.as_keeper_of(province.mail("sotaichinh")), [IMAPS])
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        as_agency = province.mail("sotaichinh")
        scene.moved.send(
            scene.moved.write([colleague.address], "Chào", "Xin chào\n", sender=as_agency)
        )


def test_a_keeper_who_is_withdrawn_is_on_no_list(province: Province, scene: Scene) -> None:
    assert scene.left.address not in book(province, scene.new)
    stays_out(scene.left.as_keeper_of(province.mail("sotaichinh")), [IMAPS])
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
    [(code, text)] = rcpt(edge, province.mail(scene.ended))
    assert (code, text.split()[0]) == (550, "5.2.1")
    assert province.mail(scene.heir) in text
