"""What becomes of people and agencies in the directory becomes of their mail (Điều 6, 9).

On two days, and an apply on each: `day` and, after the tests that look at it, `next_day`.
"""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta
from email.message import EmailMessage

import pytest
from doors import IMAPS, Line, upload_sieve
from people import (
    Person,
    gets_in,
    official,
    rcpt,
    session,
    smtp_servers_are_fresh,
    stays_out,
    trusting,
)
from province import Province, wait_for

DECISION = ("--decision", "9/QĐ-THU")
AGENCY, OTHER = "sotaichinh", "soldtbxh"
MERGED, RENAMED = "sotnmt", "sonoivu"


@pytest.fixture(scope="module")
def staff(province: Province, edge: str) -> dict[str, Person]:
    """Officials of two agencies who are there for these tests alone."""
    here, there = ["nghi", "giu", "con", "thu", "cu"], ["khoa", "phien"]
    province.add_officials(*(f"doi.{name}" for name in here))
    province.add_officials(*(f"doi.{name}" for name in there), agency=OTHER)
    province.danhba("keeper", AGENCY, "--add", "doi.thu")
    province.apply()
    keepers = [_somebody_of(province, MERGED), _keeper_of(province, RENAMED)]
    province.choose_passwords([*(f"doi.{name}" for name in here + there), *keepers])
    return {name: official(province, edge, f"doi.{name}") for name in here + there}


@dataclass(frozen=True)
class Day:
    """What one apply found, with sessions open, and made.

    received: Message-ID by local part. listed: in the address book before. reading, sending:
    sessions. name, successor, agency: addresses that came.
    """

    received: dict[str, str]
    letter: EmailMessage
    listed: set[str]
    reading: dict[str, Line]
    sending: dict[str, smtplib.SMTP]
    name: str
    successor: str
    agency: str


@pytest.fixture(scope="module")
def day(province: Province, staff: dict[str, Person], colleague: Person) -> Iterator[Day]:
    received = {name: province.deliver(name) for name in ("doi.nghi", MERGED)}
    letter = colleague.send(colleague.write([staff["cu"].address], "Trước", "Xin chào\n"))
    staff["cu"].reads(letter)
    gets_in(staff["nghi"])
    listed = _listed(province, staff["con"])
    came = _written(province)
    smtp_servers_are_fresh(province)
    with ExitStack() as stack:
        readers = {name: staff[name] for name in ("nghi", "phien", "con", "thu")}
        readers["keeper"] = staff["thu"].as_keeper_of(province.mail(AGENCY))
        reading = {name: stack.enter_context(session(who)) for name, who in readers.items()}
        sending = {
            name: stack.enter_context(staff[name].submission()) for name in ("nghi", "phien")
        }
        province.apply()
        yield Day(received, letter, listed, reading, sending, *came)


def _written(province: Province) -> tuple[str, str, str]:
    """Into the directory; the addresses that come of it: a person's, a successor's, an agency's."""
    later = str(date.today() + timedelta(days=30))
    province.danhba("withdraw", "doi.nghi", "--reason", "nghỉ hưu", *DECISION)
    province.danhba("withdraw", "doi.giu", "--reason", "chuyển ngành", *DECISION)
    province.danhba("withdraw", "doi.con", "--reason", "nghỉ hưu", "--from", later, *DECISION)
    for name in ("doi.khoa", "doi.phien"):
        province.danhba("lock", name, "--reason", "lộ mật khẩu")
    province.danhba("keeper", AGENCY, "--remove", "doi.thu")
    renamed = province.danhba("rename", "doi.cu", "--name", "Trần Thị Thử Tên Mới", *DECISION)
    paper = ("--decision", "3/NQ-THU")
    founded = province.danhba("agency", "add", "Sở Thử nghiệm", "--kind", "so", *paper)
    successor = founded.stdout.strip()
    heir = successor.partition("@")[0]
    province.danhba("agency", "merge", MERGED, "--into", heir, *paper)
    province.danhba("keeper", heir, "--add", _somebody_of(province, MERGED))
    agency = province.danhba("agency", "rename", RENAMED, "--name", "Sở Nội vụ và Lao động", *paper)
    return renamed.stdout.strip(), successor, agency.stdout.strip()


def _somebody_of(province: Province, agency: str) -> str:
    boxes = province.compiled.mailboxes
    return next(box.address for box in boxes if (box.agency, box.kind) == (agency, "person"))


def _keeper_of(province: Province, agency: str) -> str:
    return next(grant.keeper for grant in province.compiled.grants if grant.agency == agency)


def _listed(province: Province, reader: Person) -> set[str]:
    """Who of them is in the address book."""
    with province.ldap(reader.local, reader.password) as ldap:
        ldap.search(province.suffix, "(uid=doi.*)", attributes=["uid"])
        return {str(entry.uid) for entry in ldap.entries}


def test_who_is_withdrawn_neither_logs_in_nor_receives_and_loses_nothing(
    province: Province, edge: str, staff: dict[str, Person], day: Day, colleague: Person,
    outsider: Person,
) -> None:  # fmt: skip
    person = staff["nghi"]
    wait_for(day.reading["nghi"].has_ended, "the session for reading ends", limit=10)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        day.sending["nghi"].noop()
    [told] = rcpt(edge, person.address)
    _is_told_where_to_write(told, province)
    with colleague.submission() as smtp:
        smtp.mail(colleague.address)
        code, text = smtp.rcpt(person.address)
    _is_told_where_to_write((code, text.decode()), province)
    sent = outsider.send(outsider.write([person.address], "Hello", "How are you?\n"))
    bounce = outsider.reads_where("FROM", "MAILER-DAEMON", "TEXT", f'"{sent["Message-ID"]}"')
    words = " ".join(_read_by_people(bounce).split())
    assert f"xin gui den {province.mail(AGENCY)}" in words
    assert f"write to {province.mail(AGENCY)}" in words
    stays_out(person)
    assert province.has("doi.nghi", day.received["doi.nghi"])


def _is_told_where_to_write(answer: tuple[int, str], province: Province) -> None:
    """In both languages, and in letters that every server passes on."""
    code, text = answer
    assert (code, text.split()[0]) == (550, "5.2.1")
    assert text.isascii()
    assert f"khong con su dung, xin gui den {province.mail(AGENCY)}" in text
    assert f"no longer in use; write to {province.mail(AGENCY)}" in text


def _read_by_people(bounce: EmailMessage) -> str:
    """The part of a bounce that a mail program shows (RFC 3462: the first)."""
    part = next(part for part in bounce.walk() if part.get_content_type() == "text/plain")
    text: str = part.get_content()
    return text


def test_sessions_of_who_is_locked_end_with_the_apply_and_others_go_on(
    staff: dict[str, Person], day: Day
) -> None:
    wait_for(day.reading["phien"].has_ended, "the session for reading ends", limit=10)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        day.sending["phien"].noop()
    assert not day.reading["con"].has_ended()
    other = staff["con"]
    other.send(other.write([other.address], "Sau đó", "Xin chào\n"))


def test_the_session_of_a_keeper_ends_when_he_keeps_the_mailbox_no_longer(
    province: Province, staff: dict[str, Person], day: Day
) -> None:
    wait_for(day.reading["keeper"].has_ended, "the keeper's session ends", limit=10)
    assert not day.reading["thu"].has_ended()
    stays_out(staff["thu"].as_keeper_of(province.mail(AGENCY)), [IMAPS])


def test_who_is_withdrawn_is_not_in_the_address_book(
    province: Province, staff: dict[str, Person], day: Day
) -> None:
    assert {"doi.giu", "doi.con"} <= day.listed
    found = _listed(province, staff["con"])
    assert "doi.giu" not in found
    assert "doi.con" in found


def test_a_redirect_to_who_receives_no_more_stays_where_it_came(
    province: Province, staff: dict[str, Person], day: Day, colleague: Person
) -> None:
    """Else it would reach a mailbox that nobody reads, or get lost as a bounce of a bounce."""
    person, gone = staff["thu"], staff["giu"]
    mine = (person.server, person.login, person.password, trusting())
    upload_sieve(*mine, f'redirect "{gone.address}";\n')
    try:
        sent = colleague.send(colleague.write([person.address], "Chuyển tiếp", "Xin chào\n"))
        person.reads(sent)
        assert not province.has("doi.giu", str(sent["Message-ID"]))
    finally:
        upload_sieve(*mine, "")


def test_a_day_that_has_not_come_changes_nothing(
    province: Province, staff: dict[str, Person], day: Day
) -> None:
    gets_in(staff["con"])
    province.deliver("doi.con")


def test_a_new_name_brings_a_new_address_and_the_old_one_only_receives(
    staff: dict[str, Person], day: Day, colleague: Person
) -> None:
    old = staff["cu"]
    new = _with_new_name(old, day)
    stays_out(old)
    gets_in(new)
    new.reads(day.letter)
    for to in (old.address, new.address):
        new.reads(colleague.send(colleague.write([to], f"Cho {to}", "Xin chào\n")))
    colleague.reads(new.send(new.write([colleague.address], "Tên mới", "Xin chào\n")))
    assert _answers(new, colleague)["From"] == new.address
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        new.send(new.write([colleague.address], "Tên cũ", "Xin chào\n", sender=old.address))


def _answers(person: Person, colleague: Person) -> EmailMessage:
    """What the filter of somebody who is away answers to a letter."""
    mine = (person.server, person.login, person.password, trusting())
    upload_sieve(*mine, 'require "vacation"; vacation "Tôi nghỉ phép.";')
    try:
        sent = colleague.send(colleague.write([person.address], "Hỏi", "x\n"))
        return colleague.reads_where("HEADER", "In-Reply-To", f'"{sent["Message-ID"]}"')
    finally:
        upload_sieve(*mine, "")


def _with_new_name(old: Person, day: Day) -> Person:
    return replace(old, address=day.name, login=day.name, name="Trần Thị Thử Tên Mới")


def test_a_merged_agency_is_read_and_answered_by_its_successor(
    province: Province, edge: str, day: Day, colleague: Person
) -> None:
    old = province.mail(MERGED)
    keeper = official(province, edge, _somebody_of(province, MERGED))
    reader = keeper.as_keeper_of(day.successor)
    reader.reads(colleague.send(colleague.write([old], "Gửi sở cũ", "Xin chào\n")))
    with keeper.as_keeper_of(old).inbox() as archive:
        _, found = archive.uid("SEARCH", "HEADER", "Message-ID", f'"{day.received[MERGED]}"')
        assert found[0]
    mine = (colleague.server, colleague.login, colleague.password, trusting())
    upload_sieve(*mine, f'redirect "{old}";\n')
    try:
        sent = keeper.send(keeper.write([colleague.address], "Chuyển tiếp", "Xin chào\n"))
        reader.reads(sent)
    finally:
        upload_sieve(*mine, "")
    keeper.send(keeper.write([colleague.address], "Trả lời", "Xin chào\n", sender=day.successor))
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        keeper.send(keeper.write([colleague.address], "Trả lời", "Xin chào\n", sender=old))


def test_a_renamed_agency_is_opened_under_its_new_name(
    province: Province, edge: str, day: Day, colleague: Person
) -> None:
    person = official(province, edge, _keeper_of(province, RENAMED))
    keeper = person.as_keeper_of(day.agency)
    for to in (province.mail(RENAMED), day.agency):
        keeper.reads(colleague.send(colleague.write([to], f"Cho {to}", "Xin chào\n")))
    person.send(person.write([colleague.address], "Trả lời", "Xin chào\n", sender=day.agency))
    stays_out(person.as_keeper_of(province.mail(RENAMED)), [IMAPS])


@dataclass(frozen=True)
class NextDay:
    """received: Message-ID, while he was locked. old, first: his passwords. said: by the apply."""

    received: str
    old: str
    first: str
    said: str


@pytest.fixture(scope="module")
def next_day(province: Province, staff: dict[str, Person], day: Day) -> NextDay:
    old = staff["khoa"].password
    stays_out(staff["khoa"])
    received = province.deliver("doi.khoa")
    first = province.first_password("doi.khoa")  # made while the lock stands (Điều 10.2.a)
    province.danhba("unlock", "doi.khoa")
    province.danhba("reinstate", "doi.nghi", "--decision", "10/QĐ-THU")
    yesterday = date.today() - timedelta(days=1)
    line = next(row for row in province.directory.read_text().splitlines() if "doi.cu: {to:" in row)
    province.edit(line, f"{line.split('until:')[0]}until: {yesterday}}}")
    return NextDay(received, old, first, province.apply())


def test_who_is_locked_still_receives(
    province: Province, staff: dict[str, Person], next_day: NextDay
) -> None:
    person = staff["khoa"]
    stays_out(replace(person, secret=lambda: next_day.old))
    province.choose_password("doi.khoa", next_day.first)
    gets_in(person)
    assert province.has("doi.khoa", next_day.received)


def test_who_comes_back_has_everything_but_the_password(
    province: Province, staff: dict[str, Person], day: Day, next_day: NextDay
) -> None:
    person = staff["nghi"]
    said = f"clear the password of who is back: {province.dn('doi.nghi')}"
    assert said in next_day.said
    stays_out(person)
    province.choose_password("doi.nghi", province.first_password("doi.nghi"))
    assert province.plan_status() == 0
    gets_in(person)
    assert province.has("doi.nghi", day.received["doi.nghi"])
    province.deliver("doi.nghi")


def test_an_old_address_ends_on_its_day_and_says_what_the_new_one_is(
    edge: str, staff: dict[str, Person], day: Day, next_day: NextDay
) -> None:
    new = _with_new_name(staff["cu"], day)
    [(code, text), (new_code, _)] = rcpt(edge, staff["cu"].address, new.address)
    assert (code, text.split()[0]) == (550, "5.2.1")
    assert new.address in text
    assert new_code == 250
    new.reads(day.letter)


def test_many_at_once_need_an_approval_that_names_the_number(province: Province) -> None:
    of_agency = [
        box.address for box in province.compiled.mailboxes
        if box.kind == "person" and box.agency == "soyte"
    ]  # fmt: skip
    assert len(of_agency) > 3
    province.danhba("withdraw", *of_agency, "--reason", "thử", *DECISION)
    assert province.plan_status() == 1
    refused = province.danhba("apply", "staging", "--yes", check=False)
    assert refused.returncode == 1
    assert "soyte is left without anybody" in refused.stdout
    number = f"agencies: {{soyte: {len(of_agency)}}}"
    assert f"approve: DECISION: {{{number}}}" in refused.stdout
    province.edit("\nreserved:", f"\napprove:\n  5/NQ-THU: {{{number}}}\nreserved:")
    province.apply()
    assert province.plan_status() == 0
