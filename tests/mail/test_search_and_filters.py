"""Search as people type, folders as programs show them, filters as their owners write them."""

from __future__ import annotations

import imaplib
import time
import unicodedata
from collections.abc import Iterator

import pytest
from doors import SIEVE, Line
from folders import named
from people import Person, filtering, trusting
from province import Province, wait_for

from deploys.common import FOLDERS

TEXTS = {
    "duong": ("Báo cáo quý III", "Kính gửi: nhà số 5, đường Trần Hưng Đạo"),
    "giao": ("Giấy mời họp", "Họp giao ban tuần"),
}


def _search(imap: imaplib.IMAP4_SSL, *criteria: str) -> set[str]:
    """UIDs; the last word goes as a literal in UTF-8, as programs send it."""
    imap.literal = criteria[-1].encode()
    _, found = imap.uid("SEARCH", "CHARSET", "UTF-8", *criteria[:-1])
    return set(found[0].decode().split())


@pytest.fixture(scope="module")
def indexed(official: Person, colleague: Person) -> Iterator[tuple[imaplib.IMAP4_SSL, set[str]]]:
    """An inbox to which two texts were sent, each as composed and as decomposed letters; UIDs of
    the first one."""
    mark = f"m{time.time_ns()}"
    for form in ("NFC", "NFD"):
        for subject, body in TEXTS.values():
            text = unicodedata.normalize(form, f"{body} {mark}\n")
            subject = unicodedata.normalize(form, subject)
            official.reads(colleague.send(colleague.write([official.address], subject, text)))
    with official.inbox() as imap:
        assert len(_search(imap, "BODY", mark)) == 4
        yield imap, _search(imap, "BODY", mark, "SUBJECT", "quý")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("SUBJECT", "báo cáo"), ("SUBJECT", "bao cao"), ("SUBJECT", "BÁO CÁO"),
        ("BODY", "đường"), ("BODY", "duong"), ("BODY", "ĐƯỜNG"), ("BODY", "Trần Hưng Đạo"),
        ("BODY", "tran hung dao"), ("TEXT", "bao cao"), ("TEXT", "duong"), ("TEXT", "Tran Hung"),
    ],
)  # fmt: skip
def test_words_are_found_with_marks_and_without(
    indexed: tuple[imaplib.IMAP4_SSL, set[str]], key: str, words: str, form: str
) -> None:
    imap, wanted = indexed
    assert len(wanted) == 2
    assert wanted <= _search(imap, key, unicodedata.normalize(form, words))
    assert not wanted & _search(imap, key, "giao ban")


def test_a_delivery_is_indexed_before_anybody_searches(
    province: Province, official: Person, colleague: Person
) -> None:
    store = province.home(official.local)
    place = f"/srv/mail/{official.local}/mail/mailboxes/INBOX/dbox-Mails/fts-flatcurve"

    def written() -> float:
        found = province.lab.run(store, ["find", place, "-type", "f", "-printf", "%T@\\n"])
        return max(map(float, found.stdout.split()), default=0.0)

    before = written()
    colleague.send(colleague.write([official.address], "Chưa ai tìm", "Xin chào\n"))
    wait_for(lambda: written() > before, "the index grows")


def test_folders_have_vietnamese_names_and_the_flags_that_programs_know(official: Person) -> None:
    with official.inbox() as imap:
        listed = [row.decode() for row in imap.list()[1]]
    for use, folder in FOLDERS.items():
        [row] = [each for each in listed if f"\\{use}" in each]
        assert named(folder).strip('"') in row
    with official.inbox() as imap:
        subscribed = str(imap.lsub()[1])
    assert all(named(folder).strip('"') in subscribed for folder in FOLDERS.values())


def test_an_old_folder_goes_into_the_new_one_without_loss(
    province: Province, official: Person
) -> None:
    """As docs/mailboxes.md says, and again where it was cut off."""
    store, who = province.home(official.local), ["-u", official.address]
    identity = f"<cu.{time.time_ns()}@may.test>"
    with official.inbox() as imap:
        imap.create("Sent")
        text = f"Message-ID: {identity}\r\n\r\nx\r\n".encode()
        assert imap.append("Sent", "", "", text)[0] == "OK"
    delete = ["doveadm", "mailbox", "delete", *who, "-e", "Sent"]
    assert province.lab.run(store, delete).returncode != 0
    province.lab.run(store, ["doveadm", "move", *who, FOLDERS["Sent"], "mailbox", "Sent", "all"])
    assert province.lab.run(store, delete).returncode == 0
    with official.inbox() as imap:
        assert imap.select("Sent")[0] == "NO"
        imap.select(named(FOLDERS["Sent"]))
        assert imap.uid("SEARCH", "HEADER", "Message-ID", f'"{identity}"')[1][0]


def test_a_filter_files_into_a_folder_with_a_vietnamese_name(
    official: Person, colleague: Person
) -> None:
    rule = (
        'require ["fileinto", "mailbox"];\n'
        'if header :contains "subject" "báo cáo" { fileinto :create "Lưu trữ/Báo cáo"; }\n'
    )
    with filtering(official, rule):
        sent = colleague.send(colleague.write([official.address], "Nộp báo cáo", "x\n"))
        other = colleague.send(colleague.write([official.address], "Khác", "x\n"))
        official.reads(other)
    with official.inbox() as imap:
        imap.select(named("Lưu trữ/Báo cáo"))
        assert imap.uid("SEARCH", "HEADER", "Message-ID", f'"{sent["Message-ID"]}"')[1][0]


ABSENT = f"""\
require "vacation";
vacation :days 7 :handle "{time.time_ns()}" :subject "Vắng mặt: thư của Ông/Bà đã nhận được"
    "Tôi nghỉ phép đến hết thứ Sáu.";
"""
"""The handle: whoever was answered on another run of the tests is answered again."""


def test_an_absent_official_answers_once_and_no_list(official: Person, colleague: Person) -> None:
    listed = colleague.write([official.address], "Từ danh sách", "x\n")
    listed["List-Id"] = "<ds.may.test>"
    generated = colleague.write([official.address], "Tự động", "x\n")
    generated["Auto-Submitted"] = "auto-generated"
    with filtering(official, ABSENT):
        for message in (listed, generated):
            official.reads(colleague.send(message))
        first = colleague.send(colleague.write([official.address], "Lần một", "x\n"))
        answer = colleague.reads_where("HEADER", "In-Reply-To", f'"{first["Message-ID"]}"')
        again = colleague.send(colleague.write([official.address], "Lần hai", "x\n"))
        official.reads(again)
        last = colleague.send(colleague.write([colleague.address], "Sau cùng", "x\n"))
        colleague.reads(last)
    assert answer["Subject"] == "Vắng mặt: thư của Ông/Bà đã nhận được"
    assert answer["Auto-Submitted"].startswith("auto-replied")
    assert answer.get_content().strip() == "Tôi nghỉ phép đến hết thứ Sáu."
    with colleague.inbox() as imap:
        for message in (listed, generated, again):
            query = ("HEADER", "In-Reply-To", f'"{message["Message-ID"]}"')
            assert not imap.uid("SEARCH", *query)[1][0]


def test_managesieve_offers_what_filters_need_and_nothing_that_sends_out(official: Person) -> None:
    with Line(SIEVE, official.server, trusting()) as line:
        line.start_tls()
        offered = line.capabilities()
    assert all(word in offered for word in ("FILEINTO", "VACATION", "IMAP4FLAGS", "MAILBOX"))
    assert "EXECUTE" not in offered and "VND.DOVECOT.PIPE" not in offered
