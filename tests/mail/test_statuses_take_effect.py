"""What becomes of people and agencies in the directory becomes of their mail (Điều 6, 9)."""

from __future__ import annotations

import imaplib
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from email.message import EmailMessage

import pytest
from doors import DOORS, IMAPS, SUBMISSIONS, Refused, enter, upload_sieve
from people import GUESSER, OUTSIDE_CLIENT, Person, trusting
from province import Province, wait_for

from staging.config import OUTSIDE

DECISION = ("--decision", "9/QĐ-THU")


@pytest.fixture(scope="module")
def staff(province: Province, edge: str) -> dict[str, Person]:
    """Officials of one agency who are there for these tests alone."""
    names = ["doi.nghi", "doi.khoa", "doi.cu", "doi.giu", "doi.con", "doi.phien", "doi.thu"]
    province.add_officials(*names)
    province.apply()
    return {name: _person(province, edge, name) for name in names}


def _person(province: Province, edge: str, name: str) -> Person:
    address = province.mail(name)
    return Person(address, "Nguyễn Thử", edge, address, province.password(name))


def _rcpt(edge: str, address: str) -> tuple[int, str]:
    """What an outside server is told."""
    with smtplib.SMTP(edge, 25, timeout=30, source_address=(OUTSIDE_CLIENT, 0)) as smtp:
        smtp.ehlo("may.test")
        smtp.mail(f"lan@{OUTSIDE}")
        code, text = smtp.rcpt(address)
        return code, text.decode()


def _stays_out(person: Person) -> None:
    """Two doors: every refusal takes two seconds."""
    for door in (SUBMISSIONS, IMAPS):
        with pytest.raises(Refused):
            enter(door, person.server, person.login, person.password, trusting(), GUESSER)


def _gets_in(person: Person) -> None:
    for door in DOORS:
        enter(door, person.server, person.login, person.password, trusting())


def test_who_is_withdrawn_neither_logs_in_nor_receives_and_loses_nothing(
    province: Province, edge: str, staff: dict[str, Person], colleague: Person, outsider: Person
) -> None:
    person = staff["doi.nghi"]
    identity = province.deliver("doi.nghi")
    _gets_in(person)
    province.danhba("withdraw", "doi.nghi", "--reason", "nghỉ hưu", *DECISION)
    _smtp_servers_are_fresh(province)
    with _session(person) as imap, person.submission() as smtp:
        province.apply()
        wait_for(lambda: _has_ended(imap), "the session for reading ends", limit=10)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.noop()
    _is_told_where_to_write(_rcpt(edge, person.address), province)
    with colleague.submission() as smtp:
        smtp.mail(colleague.address)
        code, text = smtp.rcpt(person.address)
    _is_told_where_to_write((code, text.decode()), province)
    sent = outsider.send(outsider.write([person.address], "Hello", "How are you?\n"))
    bounce = outsider.reads_where("FROM", "MAILER-DAEMON", "TEXT", f'"{sent["Message-ID"]}"')
    words = " ".join(_read_by_people(bounce).split())
    assert f"xin gui den {province.mail('sotaichinh')}" in words
    assert f"write to {province.mail('sotaichinh')}" in words
    _stays_out(person)
    assert province.has("doi.nghi", identity)

    # Who comes back has everything but the password.
    province.danhba("reinstate", "doi.nghi", "--decision", "10/QĐ-THU")
    said = f"clear the password of who is back: {province.dn('doi.nghi')}"
    assert said in province.apply()
    _stays_out(person)
    del province.passwords["doi.nghi"]
    back = replace(person, password=province.password("doi.nghi"))
    assert said not in province.apply()
    _gets_in(back)
    assert province.has("doi.nghi", identity)
    province.deliver("doi.nghi")


def _is_told_where_to_write(answer: tuple[int, str], province: Province) -> None:
    """In both languages, and in letters that every server passes on."""
    code, text = answer
    assert (code, text.split()[0]) == (550, "5.2.1")
    assert text.isascii()
    assert f"khong con su dung, xin gui den {province.mail('sotaichinh')}" in text
    assert f"no longer in use; write to {province.mail('sotaichinh')}" in text


def _read_by_people(bounce: EmailMessage) -> str:
    """The part of a bounce that a mail program shows (RFC 3462: the first)."""
    part = next(part for part in bounce.walk() if part.get_content_type() == "text/plain")
    text: str = part.get_content()
    return text


def _smtp_servers_are_fresh(province: Province) -> None:
    """A server in its first session: master takes its end for a bad command."""
    province.lab.run("mx1", ["systemctl", "reload", "postfix.service"])


def test_who_is_withdrawn_is_not_in_the_address_book(
    province: Province, staff: dict[str, Person]
) -> None:
    def found() -> set[str]:
        reader = staff["doi.con"]
        argv = ["ldapsearch", "-LLL", "-x", "-H", "ldaps://store1.angiang.gov.vn", "-b",
                province.suffix, "-D", province.dn("doi.con"), "-w", reader.password,
                "(uid=doi.*)", "uid"]  # fmt: skip
        rows = province.lab.run("store1", argv).stdout.splitlines()
        return {row.removeprefix("uid: ") for row in rows if row.startswith("uid: ")}

    assert {"doi.giu", "doi.con"} <= found()
    province.danhba("withdraw", "doi.giu", "--reason", "chuyển ngành", *DECISION)
    province.apply()
    assert "doi.giu" not in found()
    assert "doi.con" in found()


def test_a_redirect_to_who_receives_no_more_stays_where_it_came(
    province: Province, staff: dict[str, Person], colleague: Person
) -> None:
    """Else it would reach a mailbox that nobody reads, or get lost as a bounce of a bounce."""
    person, gone = staff["doi.thu"], staff["doi.giu"]
    mine = (person.server, person.login, person.password, trusting())
    upload_sieve(*mine, f'redirect "{gone.address}";\n')
    try:
        sent = colleague.send(colleague.write([person.address], "Chuyển tiếp", "Xin chào\n"))
        person.reads(sent)
        assert not province.has("doi.giu", str(sent["Message-ID"]))
    finally:
        upload_sieve(*mine, "")


def test_a_day_that_has_not_come_changes_nothing(
    province: Province, edge: str, staff: dict[str, Person]
) -> None:
    later = str(date.today() + timedelta(days=30))
    province.danhba("withdraw", "doi.con", "--reason", "nghỉ hưu", "--from", later, *DECISION)
    province.apply()
    _gets_in(staff["doi.con"])
    province.deliver("doi.con")


def test_who_is_locked_still_receives(province: Province, staff: dict[str, Person]) -> None:
    person = staff["doi.khoa"]
    province.danhba("lock", "doi.khoa", "--reason", "lộ mật khẩu")
    province.apply()
    _stays_out(person)
    identity = province.deliver("doi.khoa")
    first = province.first_password("doi.khoa")  # made while the lock stands (Điều 10.2.a)
    province.danhba("unlock", "doi.khoa")
    province.apply()
    _stays_out(person)
    _gets_in(replace(person, password=province.choose_password("doi.khoa", first)))
    assert province.has("doi.khoa", identity)


def test_sessions_of_who_is_locked_end_with_the_apply_and_others_go_on(
    province: Province, staff: dict[str, Person]
) -> None:
    person, other = staff["doi.phien"], staff["doi.con"]
    _smtp_servers_are_fresh(province)
    with other.inbox() as untouched, _session(person) as imap, person.submission() as smtp:
        province.danhba("lock", "doi.phien", "--reason", "lộ mật khẩu")
        province.apply()
        wait_for(lambda: _has_ended(imap), "the session for reading ends", limit=10)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.noop()
        assert untouched.noop()[0] == "OK"
    other.send(other.write([other.address], "Sau đó", "Xin chào\n"))


def test_the_session_of_a_keeper_ends_when_he_keeps_the_mailbox_no_longer(
    province: Province, edge: str, staff: dict[str, Person]
) -> None:
    person = staff["doi.thu"]
    keeper = replace(person, login=f"{province.mail('sotaichinh')}*{person.address}")
    province.danhba("keeper", "sotaichinh", "--add", "doi.thu")
    province.apply()
    with _session(keeper) as imap, person.inbox() as own:
        assert imap.noop()[0] == "OK"
        province.danhba("keeper", "sotaichinh", "--remove", "doi.thu")
        province.apply()
        wait_for(lambda: _has_ended(imap), "the keeper's session ends", limit=10)
        assert own.noop()[0] == "OK"
    with pytest.raises(Refused):
        enter(IMAPS, edge, keeper.login, keeper.password, trusting(), GUESSER)


@contextmanager
def _session(person: Person) -> Iterator[imaplib.IMAP4_SSL]:
    """One that the server ends: there is no good-bye to say."""
    imap = imaplib.IMAP4_SSL(person.server, ssl_context=trusting(), timeout=30)
    imap.login(person.login, person.password)
    yield imap
    imap.shutdown()


def _has_ended(imap: imaplib.IMAP4_SSL) -> bool:
    try:
        imap.noop()
    except (OSError, imaplib.IMAP4.abort):
        return True
    return False


def test_a_new_name_brings_a_new_address_and_the_old_one_only_receives(
    province: Province, edge: str, staff: dict[str, Person], colleague: Person
) -> None:
    old = staff["doi.cu"]
    before = colleague.send(colleague.write([old.address], "Trước", "Xin chào\n"))
    old.reads(before)
    done = province.danhba("rename", "doi.cu", "--name", "Trần Thị Thử Tên Mới", *DECISION)
    address = done.stdout.strip()
    province.apply()
    new = replace(old, address=address, login=address, name="Trần Thị Thử Tên Mới")
    _stays_out(old)
    _gets_in(new)
    new.reads(before)
    for to in (old.address, new.address):
        new.reads(colleague.send(colleague.write([to], f"Cho {to}", "Xin chào\n")))
    colleague.reads(new.send(new.write([colleague.address], "Tên mới", "Xin chào\n")))
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        new.send(new.write([colleague.address], "Tên cũ", "Xin chào\n", sender=old.address))

    yesterday = date.today() - timedelta(days=1)
    line = next(row for row in province.directory.read_text().splitlines() if "doi.cu: {to:" in row)
    province.edit(line, f"{line.split('until:')[0]}until: {yesterday}}}")
    province.apply()
    code, text = _rcpt(edge, old.address)
    assert (code, text.split()[0]) == (550, "5.2.1")
    assert new.address in text
    assert _rcpt(edge, new.address)[0] == 250
    new.reads(before)


def test_a_merged_agency_is_read_and_answered_by_its_successor(
    province: Province, edge: str, colleague: Person
) -> None:
    done = province.danhba(
        "agency", "add", "Sở Thử nghiệm", "--kind", "so", "--decision", "3/NQ-THU"
    )
    successor = done.stdout.strip()
    old = next(agency for agency in province.compiled.grants if agency.agency == "sotnmt").agency
    before = province.deliver(old)
    province.danhba(
        "agency", "merge", old, "--into", successor.partition("@")[0], "--decision", "3/NQ-THU"
    )
    staff = [box for box in province.compiled.mailboxes if box.agency == old]
    people = [box for box in staff if box.kind == "person"]
    province.danhba("keeper", successor.partition("@")[0], "--add", people[0].address)
    province.apply()
    keeper = _person(province, edge, people[0].address)
    reader = replace(keeper, login=f"{successor}*{keeper.address}")
    reader.reads(colleague.send(colleague.write([province.mail(old)], "Gửi sở cũ", "Xin chào\n")))
    archive = replace(keeper, login=f"{province.mail(old)}*{keeper.address}")
    with archive.inbox() as imap:
        _, found = imap.uid("SEARCH", "HEADER", "Message-ID", f'"{before}"')
        assert found[0]
    mine = (colleague.server, colleague.login, colleague.password, trusting())
    upload_sieve(*mine, f'redirect "{province.mail(old)}";\n')
    sent = keeper.send(keeper.write([colleague.address], "Chuyển tiếp", "Xin chào\n"))
    reader.reads(sent)
    upload_sieve(*mine, "")
    keeper.send(keeper.write([colleague.address], "Trả lời", "Xin chào\n", sender=successor))
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        old_name = province.mail(old)
        keeper.send(keeper.write([colleague.address], "Trả lời", "Xin chào\n", sender=old_name))


def test_a_renamed_agency_is_opened_under_its_new_name(
    province: Province, edge: str, colleague: Person
) -> None:
    grant = next(grant for grant in province.compiled.grants if grant.agency == "sonoivu")
    done = province.danhba(
        "agency", "rename", "sonoivu", "--name", "Sở Nội vụ và Lao động", "--decision", "4/NQ-THU"
    )
    address = done.stdout.strip()
    province.apply()
    person = _person(province, edge, grant.keeper)
    keeper = replace(person, login=f"{address}*{person.address}")
    for to in (province.mail("sonoivu"), address):
        keeper.reads(colleague.send(colleague.write([to], f"Cho {to}", "Xin chào\n")))
    person.send(person.write([colleague.address], "Trả lời", "Xin chào\n", sender=address))
    with pytest.raises(Refused):
        old = f"{province.mail('sonoivu')}*{person.address}"
        enter(IMAPS, edge, old, person.password, trusting(), GUESSER)


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
