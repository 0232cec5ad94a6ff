"""Official mail is not forwarded outside by anything automatic (Điều 4.2), and nobody's filter
speaks under another's name."""

from __future__ import annotations

import secrets
import smtplib
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from doors import Refused, upload_sieve
from people import OUTSIDE_CLIENT, Person, filtering, trusting
from province import Province, wait_for

from staging.config import OUTSIDE
from staging.host import Host

ABROAD = f"lan@{OUTSIDE}"


def _without_sender(edge: str, person: Person, mark: str) -> EmailMessage:
    """What a mail server reports; a filter has no other to redirect without a sender."""
    message = EmailMessage()
    message["From"], message["To"] = f"MAILER-DAEMON@{OUTSIDE}", person.address
    message["Subject"], message["Message-ID"] = mark, f"<{mark}@may.test>"
    message["Auto-Submitted"] = "auto-replied"
    message["X-Sieve"] = "none"
    message.set_content(f"{mark}\n")
    with smtplib.SMTP(edge, 25, timeout=30, source_address=(OUTSIDE_CLIENT, 0)) as smtp:
        smtp.starttls(context=trusting())
        assert not smtp.send_message(message, from_addr="<>")
    return message


@pytest.fixture(scope="module")
def marks(official: Person, outsider: Person) -> Iterator[list[str]]:
    """Words of mail that must not have left, by what leaves after it."""
    words: list[str] = []
    yield words
    outsider.reads(official.send(official.write([ABROAD], "Sau cùng", "x\n")))
    with outsider.inbox() as imap:
        for word in words:
            assert not imap.uid("SEARCH", "TEXT", word)[1][0], word


REDIRECTS = {
    "redirect": f'redirect "{ABROAD}";',
    "copy": f'require "copy"; redirect :copy "{ABROAD}";',
    "percent hack": f'redirect "lan%{OUTSIDE}@angiang.gov.vn";',
    "with a variable": f'require "variables"; set "to" "{ABROAD}"; redirect "${{to}}";',
    "with others": 'redirect "{colleague}"; ' + f'redirect "{ABROAD}";',
}


@pytest.mark.parametrize("name", REDIRECTS)
def test_a_redirect_outside_leaves_the_message_where_it_is(
    name: str, edge: str, official: Person, colleague: Person, marks: list[str]
) -> None:
    script = REDIRECTS[name].replace("{colleague}", colleague.address)
    marks += (here := f"chuyen{secrets.token_hex(6)}"), (none := f"chuyen{secrets.token_hex(6)}")
    with filtering(official, script):
        sent = colleague.send(colleague.write([official.address], here, f"{here}\n"))
        report = _without_sender(edge, official, none)
        official.reads(sent)
        official.reads(report)


def test_a_redirect_inside_arrives_with_a_sender_and_without(
    edge: str, official: Person, colleague: Person
) -> None:
    with filtering(official, f'redirect "{colleague.address}";'):
        report = _without_sender(edge, official, f"trong{secrets.token_hex(6)}")
        sent = official.send(official.write([official.address], "Trong tỉnh", "x\n"))
        assert colleague.reads(report)["Return-Path"] == "<>"
        assert colleague.reads(sent)["From"] == sent["From"]
        assert official.has_none(report)


_AT_THE_DOOR = """
import smtplib, sys
edge, to, *senders = sys.argv[1:]
with smtplib.SMTP(edge, 2526, timeout=30) as smtp:
    smtp.starttls()
    smtp.ehlo()
    for sender in senders:
        smtp.mail(sender)
        print(smtp.rcpt(to)[0])
        smtp.rset()
"""


def test_edges_let_nothing_with_a_sender_out_whatever_a_store_says(
    edge: str, official: Person, store: Host, province: Province
) -> None:
    """Were a store to pass a redirect on; bounces and answers, which have no sender, may leave."""
    argv = ["python3", "-", edge, ABROAD, official.address, ABROAD, ""]
    answers = province.lab.run(store.name, argv, _AT_THE_DOOR).stdout.split()
    assert answers == ["554", "554", "250"]


@pytest.mark.parametrize(
    "extension", ["enotify", "editheader", "vnd.dovecot.report", "vnd.dovecot.pipe", "extlists"]
)
def test_nothing_else_that_sends_is_there(extension: str, official: Person) -> None:
    with pytest.raises(Refused):
        upload_sieve(
            official.server, official.login, official.password, trusting(),
            f'require "{extension}"; keep;',
        )  # fmt: skip


def _answered(official: Person, sender: Person, arguments: str) -> tuple[EmailMessage, str]:
    """What somebody sent who is answered by a filter, and a word of the answer."""
    word = f"vang{secrets.token_hex(6)}"
    script = f'require ["vacation", "variables"]; vacation :handle "{word}" :subject "{word}" '
    with filtering(official, f"{script}{arguments};".replace("WORD", word)):
        sent = sender.send(sender.write([official.address], "Hỏi", "x\n"))
        official.reads(sent)
    return sent, word


def test_an_answer_bears_ones_own_name_and_no_sender(official: Person, outsider: Person) -> None:
    sent, word = _answered(official, outsider, '"WORD"')
    answer = outsider.reads_where("SUBJECT", f'"{word}"')
    assert (answer["From"], answer["Return-Path"]) == (official.address, "<>")
    assert answer["Auto-Submitted"].startswith("auto-replied")
    assert answer["In-Reply-To"] == sent["Message-ID"]


FALSE = {
    "a colleague": ':from "{colleague}" "WORD"',
    "an outsider": f':from "{ABROAD}" "WORD"',
    "another's name before it": ':from "\\"{colleague}\\" <{official}>" "WORD"',
    "a second From": ':mime "From: {colleague}\\r\\n\\r\\nWORD"',
    "as if redirected": (
        ':from "{colleague}" :mime "X-Sieve: x\\r\\nX-Sieve-Redirected-From: x\\r\\n\\r\\nWORD"'
    ),
}


@pytest.mark.parametrize("name", FALSE)
def test_an_answer_under_another_name_is_not_sent(
    name: str, official: Person, colleague: Person, outsider: Person, store: Host,
    province: Province, marks: list[str],
) -> None:  # fmt: skip
    begun = time.time()
    arguments = FALSE[name].format(colleague=colleague.address, official=official.address)
    marks += _answered(official, outsider, arguments)[1:]
    said = ["journalctl", "-u", "danhba-filters", "--since", f"@{int(begun)}", "-o", "cat"]
    line = f"filter of {official.address}"
    wait_for(lambda: line in province.lab.run(store.name, said).stdout, "refused")


def test_an_answer_goes_to_the_sender_alone_whatever_it_quotes(
    official: Person, colleague: Person, outsider: Person, marks: list[str]
) -> None:
    """A rejection as well: it has to reach who is outside."""
    word = f"noidung{secrets.token_hex(6)}"
    marks.append(word)
    script = (
        'require ["vacation", "variables", "mime", "foreverypart", "extracttext", "reject"];\n'
        'foreverypart { extracttext "text"; }\n'
        f'vacation :handle "{word}" :addresses "{ABROAD}" :mime '
        f'"To: {ABROAD}\\r\\nBcc: {ABROAD}\\r\\nReply-To: {ABROAD}\\r\\n\\r\\n{word} ${{text}}";'
    )
    with filtering(official, script):
        sent = colleague.write([official.address], "Hỏi", f"{word}\n")
        sent["Reply-To"] = ABROAD
        colleague.send(sent)
        colleague.reads_where("HEADER", "In-Reply-To", f'"{sent["Message-ID"]}"')
    with filtering(official, 'require "reject"; reject "Không nhận";'):
        sent = outsider.send(outsider.write([official.address], "Hỏi", "x\n"))
        rejected = outsider.reads_where("TEXT", f'"{sent["Message-ID"]}"', "SUBJECT", "Rejected")
        assert rejected["Return-Path"] == "<>"
