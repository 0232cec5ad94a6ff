"""Every role on one host: edge and store meet there as they do over a network."""

from __future__ import annotations

import re
import smtplib

import pytest
from doors import DOORS, IMAPS, SUBMISSIONS, Door, Refused, enter
from people import GUESSER, OUTSIDE_CLIENT, Person, assert_same, official, session, trusting
from province import Province, wait_for

from staging.config import OUTSIDE
from staging.lab import Lab

NEW = "mat khau moi cua toi 2009"
JOURNAL = ("journalctl", "--quiet", "--output=cat")
LOOP = re.compile(r"own hostname|loops back")


def test_a_second_apply_would_change_nothing(province: Province) -> None:
    assert province.plan_status() == 0


def test_the_host_is_what_every_role_wants(province: Province) -> None:
    done = province.danhba("verify", province.inventory, check=False)
    assert done.returncode == 0, done.stdout


def test_every_door_opens_to_the_right_password(people: list[Person]) -> None:
    for door in DOORS:
        enter(door, people[0].server, people[0].login, people[0].password, trusting())


@pytest.mark.parametrize("door", [SUBMISSIONS, IMAPS], ids=str)
def test_a_wrong_password_is_refused(people: list[Person], door: Door) -> None:
    with pytest.raises(Refused, match=r"5[.]7[.]8|AUTHENTICATIONFAILED"):
        enter(door, people[0].server, people[0].login, "sai-mat-khau-2009", trusting(), GUESSER)


@pytest.mark.parametrize("way", ["in", "out", "within"])
def test_mail_arrives_as_it_was_written(way: str, people: list[Person], outsider: Person) -> None:
    pairs = {"in": (outsider, people[0]), "out": (people[0], outsider), "within": people[:2]}
    sender, recipient = pairs[way]
    sent = sender.send(sender.write([recipient.address], "Lịch trực", "Xin chào Ả Ẵ Ậ\n"))
    assert_same(recipient.reads(sent), sent)


def test_a_stranger_relays_nothing(people: list[Person], host: str) -> None:
    with smtplib.SMTP(host, 25, timeout=30, source_address=(OUTSIDE_CLIENT, 0)) as smtp:
        smtp.ehlo("may.test")
        smtp.mail(people[0].address)
        code, text = smtp.rcpt(f"lan@{OUTSIDE}")
        assert (code, text.split()[0]) == (554, b"5.7.1")


def test_a_keeper_reads_the_agencys_mail(
    province: Province, host: str, people: list[Person]
) -> None:
    grant = province.compiled.grants[0]
    agency = province.mail(grant.agency)
    person = official(province, host, grant.keeper, "Văn thư").as_keeper_of(agency)
    sent = people[0].send(people[0].write([agency], "Công văn", "Kính gửi\n"))
    assert_same(person.reads(sent), sent)


def test_who_changes_the_password_logs_in_with_it(province: Province, people: list[Person]) -> None:
    person = people[2]
    province.choose_password(person.local, person.password, NEW)
    for door in (SUBMISSIONS, IMAPS):
        enter(door, person.server, person.login, NEW, trusting())


def test_a_lock_ends_sessions_at_the_edge_and_in_the_store(
    province: Province, people: list[Person]
) -> None:
    person = people[3]
    with session(person) as reading, session(person, SUBMISSIONS) as sending:
        for line in (reading, sending):
            line.ask("NOOP")
        province.danhba("lock", person.local, "--reason", "lộ mật khẩu")
        province.apply()
        for line in (reading, sending):
            wait_for(line.has_ended, f"the end of {line.door}", limit=10)


def test_after_a_power_cut_everything_is_back(
    province: Province, single: Lab, people: list[Person]
) -> None:
    (host,) = single.environment.hosts
    single.kill(host.name)
    single.start(host.name)
    assert single.run(host.name, ["systemctl", "is-system-running"]).stdout.strip() == "running"
    assert province.plan_status() == 0
    sent = people[0].send(people[0].write([people[1].address], "Sau mất điện", "Xin chào\n"))
    assert_same(people[1].reads(sent), sent)


def test_neither_postfix_takes_the_other_for_itself(province: Province, single: Lab) -> None:
    """They have one name, and a server that meets its own suspects a loop (RFC 5321 6.3)."""
    (host,) = single.environment.hosts
    shown = single.run(host.name, [*JOURNAL, "-u", "postfix*"]).stdout
    assert "status=sent" in shown
    assert [row for row in shown.splitlines() if LOOP.search(row)] == []


def test_what_is_submitted_with_a_secrecy_mark_is_refused(people: list[Person]) -> None:
    message = people[0].write([people[1].address], "[MẬT] Kế hoạch", "Kính gửi anh\n")
    with people[0].submission() as smtp, pytest.raises(smtplib.SMTPDataError, match=r"5\.7\.1 Thu"):
        smtp.send_message(message)
