"""First passwords and new ones, from the paper to the mailbox (Điều 10.2.a)."""

from __future__ import annotations

import io
import smtplib
import subprocess
from pathlib import Path

import pytest
from docx import Document
from doors import IMAPS, SIEVE, Refused, enter
from passwords import BAD, GOOD
from people import (
    GUESSER,
    Person,
    gets_in,
    official,
    session,
    smtp_servers_are_fresh,
    trusting,
)
from province import Province, wait_for

AGENCY = "vpubnd"
NAME = "doi.luat"
NEW = ("doi.mot", "doi.hai")


@pytest.fixture(scope="module")
def person(province: Province, edge: str) -> Person:
    """An official who is there for these tests alone, with a first password of a sheet."""
    province.add_officials(NAME)
    province.add_officials(*NEW, agency=AGENCY)
    province.apply()
    return official(province, edge, NAME)


def on_paper(content: bytes) -> dict[str, str]:
    """Address to password, of a sheet."""
    found, address = {}, ""
    for table in Document(io.BytesIO(content)).tables:
        text = [cell.text for row in table.rows for cell in row.cells]
        address = next((each for each in text if "@" in each), address)
        if len(text) == 1:
            found[address] = text[0]
    return found


@pytest.fixture(scope="module")
def key(desk: Path) -> Path:
    path = desk / "key"
    subprocess.run(["age-keygen", "-o", path], capture_output=True, check=True)
    return path


def test_a_first_password_of_an_encrypted_sheet_opens_the_mailbox(
    province: Province, person: Person, desk: Path, key: Path
) -> None:
    argv = ["age-keygen", "-y", key]
    public = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    sheet = desk / f"{AGENCY}.docx"
    give = ("password", "issue", "staging", "--agency", AGENCY, "--sheet", str(sheet))
    before = province.with_password()
    done = province.danhba(*give, "--age", public)
    assert str(desk) in done.stderr
    assert not sheet.exists()
    argv = ["age", "--decrypt", "-i", key, f"{sheet}.age"]
    given = on_paper(subprocess.run(argv, capture_output=True, check=True).stdout)
    staff = {box.address for box in province.compiled.mailboxes
             if box.agency == AGENCY and box.kind == "person"}  # fmt: skip
    assert {province.mail(name) for name in {*staff, *NEW} - before} == set(given)
    assert list(given)[:2] == [province.mail(name) for name in NEW]  # as the file has them
    assert all(password not in done.stdout + done.stderr for password in given.values())
    chosen = province.choose_password(NEW[0], given[province.mail(NEW[0])])
    enter(IMAPS, person.server, province.mail(NEW[0]), chosen, trusting())
    again = province.danhba(*give)
    assert "had a password already" in again.stderr
    assert not sheet.exists()


@pytest.mark.parametrize("where", ["checkout", "/tmp"])
def test_a_bad_place_is_refused_before_any_password_is_set(
    province: Province, person: Person, where: str
) -> None:
    folder = province.root if where == "checkout" else Path(where)
    sheet = folder / "refused.docx"
    done = province.danhba(
        "password", "reset", "staging", "--address", NAME, "--sheet", str(sheet), check=False
    )
    assert done.returncode == 1 and not sheet.exists()
    enter(IMAPS, person.server, person.login, person.password, trusting())


def test_a_new_password_ends_what_the_old_one_opened(
    province: Province, person: Person, colleague: Person, desk: Path
) -> None:
    """IMAP, ManageSieve and SMTP of his; colleagues read on."""
    smtp_servers_are_fresh(province)
    old, sheet = person.password, desk / "reset.docx"
    with (
        colleague.inbox() as untouched,
        session(person) as imap,
        session(person, SIEVE) as sieve,
        person.submission() as smtp,
    ):
        done = province.danhba(
            "password", "reset", "staging", "--address", NAME, "--sheet", str(sheet)
        )
        wait_for(imap.has_ended, "the session for reading ends", limit=10)
        wait_for(sieve.has_ended, "the session for scripts ends", limit=10)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.noop()
        assert untouched.noop()[0] == "OK"
    assert sheet.stat().st_mode & 0o7777 == 0o600
    (new,) = on_paper(sheet.read_bytes()).values()
    assert new not in done.stdout + done.stderr
    province.choose_password(NAME, new)
    gets_in(person)
    for gone in (old, new):
        with pytest.raises(Refused):
            enter(IMAPS, person.server, person.login, gone, trusting(), GUESSER)
    colleague.reads(person.send(person.write([colleague.address], "Mật khẩu mới", "Xin chào\n")))


@pytest.mark.parametrize("host", ["store1", "store2"])
def test_every_people_host_judges_a_password_as_the_tool_does(
    province: Province, person: Person, host: str
) -> None:
    """Refused with the reason; what is good opens the mailbox afterwards."""
    old = province.password(NAME)
    with province.ldap(NAME, old, host) as connection:
        change = connection.extend.standard.modify_password
        for password, reason in BAD.items():
            assert not change(old_password=old, new_password=password.encode()), password
            assert reason in connection.result["message"], (password, connection.result)
        assert not change(old_password=old), "a password that the server makes"
    for password in GOOD:
        old = province.choose_password(NAME, old, password, host)
    enter(IMAPS, person.server, person.login, person.password, trusting())


def test_a_password_is_not_accepted_when_nobody_judges_it(
    province: Province, person: Person
) -> None:
    old = province.password(NAME)
    units = ["danhba-password.socket", "danhba-password.service"]
    province.lab.run("store1", ["systemctl", "stop", *units])
    try:
        with province.ldap(NAME, old, "store1") as connection:
            change = connection.extend.standard.modify_password
            assert not change(old_password=old, new_password=GOOD[0].encode())
            assert connection.result["result"] == 19
    finally:
        province.lab.run("store1", ["systemctl", "start", units[0]])
    province.choose_password(NAME, old, GOOD[0], "store1")
