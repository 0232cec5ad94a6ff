"""What somebody submits with a secrecy mark is refused, to whomever it goes (Điều 4.4)."""

from __future__ import annotations

import os
import smtplib
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email.message import EmailMessage

import pytest
from marked import attach, docx, mail
from people import Person, wait_for
from province import Province

UNIT = "danhba-marks.service"
SECRET = "ke hoach phong thu Tinh Bien"
"""A content that nobody but sender and recipient may ever read."""
PLACES = {
    "subject": "[MẬT] {}",
    "text": "{}\n\nTỐI MẬT\n",
    "html": "<p>{}</p><table><tr><td>Độ mật</td><td>Mật</td></tr></table>",
    "file name": "MẬT 12-UBND {}.docx",
    "docx": "TUYỆT MẬT\n{}",
    "xlsx": "TèI MËT\n{}",
    "pptx": "TO\u0302\u0301I MA\u0302\u0323T\n{}",
    "odt": "TOÁI MAÄT\n{}",
    "pdf": "MẬT\n{}",
    "zip": "a.docx\nTOI MAT\n{}",
    "forwarded": "TỐI MẬT: {}",
}


def _refusal(sender: Person, message: EmailMessage, *to: str) -> str:
    """What the server says to the whole message, after its last line."""
    with sender.submission() as smtp, pytest.raises(smtplib.SMTPDataError) as refused:
        smtp.send_message(message, sender.address, to)
    assert refused.value.smtp_code == 550
    said = refused.value.smtp_error
    assert isinstance(said, bytes)
    return said.decode("ascii")


@pytest.mark.parametrize("place", PLACES)
def test_a_mark_is_refused_wherever_it_stands_and_to_whomever_it_goes(
    place: str, official: Person, colleague: Person, outsider: Person
) -> None:
    message = mail(place, PLACES[place].format(SECRET), official.address, colleague.address)
    for to in ((colleague.address,), (outsider.address,), (colleague.address, outsider.address)):
        said = _refusal(official, message, *to)
        assert said.startswith("5.7.1 Thu bi tu choi")
        assert "Van thu mat, Van phong UBND tinh An Giang" in said
        assert SECRET not in said and "MAT" not in said


def test_refused_mail_reaches_nobody_and_the_log_tells_only_where_the_mark_stood(
    province: Province, official: Person, colleague: Person
) -> None:
    message = official.write([colleague.address], f"[MẬT] {SECRET}", f"{SECRET}\n")
    _refusal(official, message, colleague.address)
    log = province.lab.run("mx1", ["journalctl", "-o", "cat", "-u", UNIT]).stdout
    last = log.splitlines()[-1]
    queued, _, rest = last.partition(": ")
    assert rest == f"refused: MẬT in subject, from <{official.address}>"
    everything = province.lab.run("mx1", ["journalctl", "-o", "cat", "--since", "-10min"]).stdout
    assert f"{queued}: milter-reject: END-OF-MESSAGE" in everything
    assert SECRET not in everything
    sent = official.send(official.write([colleague.address], "Sau thư bị từ chối", "Chào anh\n"))
    colleague.reads(sent)
    assert colleague.has_none(message)


def test_mail_that_only_looks_so_arrives(official: Person, colleague: Person) -> None:
    text = 'Bảo mật, mật khẩu, mật độ, "hoả tốc"; anh Mật.\n\nBẢO MẬT\n\n> Mật\n'
    message = official.write([colleague.address], "BẢO MẬT THÔNG TIN: đổi mật khẩu", text)
    attach(message, docx("QUY CHẾ BẢO MẬT\nNguyễn Văn Mật"), "octet-stream", "BẢO MẬT.docx")
    attach(message, b"PK\x03\x04 no zip", "zip", "mật khẩu.zip")
    colleague.reads(official.send(message))


def test_mail_from_outside_is_not_looked_at(outsider: Person, official: Person) -> None:
    """The regulation is about who uses this system; nobody outside could be told."""
    official.reads(outsider.send(outsider.write([official.address], "[MẬT] a", "TỐI MẬT\n")))


def test_the_largest_message_passes_in_time(official: Person, colleague: Person) -> None:
    message = official.write(
        [colleague.address], "Ảnh", "Kính gửi\n", attached=os.urandom(21 << 20)
    )
    size, began = len(message.as_bytes()), time.monotonic()
    official.send(message)
    took = time.monotonic() - began
    print(f"{size >> 20} MB were accepted in {took:.1f} s")
    assert size > 28 << 20 and took < 30
    colleague.reads(message)


def test_messages_of_one_account_that_hang_their_readers_are_deferred_and_others_pass_meanwhile(
    official: Person, colleague: Person
) -> None:
    """More of them than there are readers, at the first of which the account has its one place."""
    slow = official.write([colleague.address], "a", "MAT\n" * 6_000_000)
    data = slow.as_bytes().replace(b"\n", b"\r\n").replace(b"\r\r", b"\r") + b"\r\n.\r\n"
    with ExitStack() as stack:
        lines = [stack.enter_context(official.submission()) for _ in range(6)]
        for smtp in lines:
            smtp.mail(official.address)
            smtp.rcpt(colleague.address)
            smtp.docmd("DATA")
            # Two are sent to their ends. Of the others a reader's place is all that is wanted.
            smtp.send(data if smtp in lines[:2] else data[: 1 << 20])
        began = time.monotonic()
        official.reads(
            colleague.send(colleague.write([official.address], "Thư khác", "Chào anh\n"))
        )
        print(f"another's message took {time.monotonic() - began:.1f} s")
        assert time.monotonic() - began < 15
        assert lines[0].getreply()[0] == 451
        for smtp in lines:
            smtp.close()


# Without the daemon


@contextmanager
def _told(province: Province, before: str, after: str) -> Iterator[None]:
    for host in ("mx1", "mx2"):
        province.lab.run(host, ["systemctl", *before.split(), UNIT])
    try:
        yield
    finally:
        for host in ("mx1", "mx2"):
            province.lab.run(host, ["systemctl", *after.split(), UNIT])


def _deferred(sender: Person, to: Person) -> float:
    """The seconds after which the sender is told to come again."""
    message, began = sender.write([to.address], "Chào", "Chào anh\n"), time.monotonic()
    with pytest.raises(smtplib.SMTPException) as told:
        sender.send(message)
    code = (
        getattr(told.value, "smtp_code", 0)
        or next(iter(getattr(told.value, "recipients", {"": (0,)}).values()))[0]
    )
    assert 400 <= code < 500, told.value
    assert to.has_none(message)
    return time.monotonic() - began


def _sends_again(official: Person, colleague: Person) -> None:
    def look() -> bytes | None:
        try:
            sent = official.send(official.write([colleague.address], "Chào", "Chào anh\n"))
        except smtplib.SMTPException:
            return None
        return str(sent["Message-ID"]).encode()

    wait_for(look, "mail is accepted again")


def test_while_the_daemon_is_down_mail_is_deferred_and_comes_in_all_the_same(
    province: Province, official: Person, colleague: Person, outsider: Person
) -> None:
    with _told(province, "stop", "start"):
        assert _deferred(official, colleague) < 10
        status = province.danhba("status", "staging", check=False)
        assert f"{UNIT} is not running" in status.stdout
        official.reads(outsider.send(outsider.write([official.address], "Hello", "How are you?\n")))
    _sends_again(official, colleague)


def test_while_the_daemon_hangs_mail_is_deferred_after_seconds_and_comes_in_all_the_same(
    province: Province, official: Person, colleague: Person, outsider: Person
) -> None:
    with _told(province, "kill -s STOP", "kill -s CONT"):
        took = _deferred(official, colleague)
        official.reads(outsider.send(outsider.write([official.address], "Hello", "How are you?\n")))
    print(f"deferred after {took:.1f} s")
    assert took < 25
    _sends_again(official, colleague)


def test_a_killed_daemon_comes_again_by_itself(
    province: Province, official: Person, colleague: Person
) -> None:
    province.lab.run("mx1", ["systemctl", "kill", "-s", "KILL", UNIT])
    _sends_again(official, colleague)
    _refusal(official, mail("text", "MẬT", official.address), colleague.address)
