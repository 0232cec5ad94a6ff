"""What the edges' filter refuses, files and lets through, and what becomes of mail without it."""

from __future__ import annotations

import base64
import binascii
import gzip
import os
import secrets
import smtplib
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from functools import partial
from io import BytesIO

import pytest
from doors import upload_sieve
from folders import named
from greylist import later, strangers
from marked import attach, docx, odt, packed, pdf, xlsx
from people import OUTSIDE_CLIENT, Person, trusting, wait_for
from province import Province

from staging.config import OUTSIDE

EDGES = ("mx1", "mx2")
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
EICAR = ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").encode()
"""In two halves, or scanners would find it here."""
SENDER = f"lan@{OUTSIDE}"

VIRUS = "5.7.1 Thu bi tu choi: co vi rut Lab.Eicar"
KIND = "5.7.1 Thu bi tu choi: tep dinh kem thuoc loai khong duoc gui"
LIMIT = "5.7.1 Thu bi tu choi: tep dinh kem qua lon hoac qua nhieu lop nen"
AGAIN = "4.7.1 Chua kiem tra duoc vi rut"


def _written(subject: str = "Gửi anh chị", text: str = "Kính gửi anh chị\n") -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = f"Lê Thị Lan <{SENDER}>", "official@may.test"
    message["Subject"], message["Date"] = subject, formatdate()
    message["Message-ID"] = f"<{secrets.token_hex(8)}@{OUTSIDE}>"
    message.set_content(text, cte="base64")
    return message


def _with(data: bytes, name: str) -> bytes:
    message = _written()
    attach(message, data, "octet-stream", name)
    return message.as_bytes()


def _zip(name: str, data: str | bytes) -> bytes:
    return packed({name: data})


def _into(document: bytes, name: str, data: bytes) -> bytes:
    """The document with one more file in it."""
    out = BytesIO(document)
    with zipfile.ZipFile(out, "a") as package:
        package.writestr(name, data)
    return out.getvalue()


def _nested(times: int) -> bytes:
    data = _zip("a.txt", "x")
    for _ in range(times):
        data = _zip("b.zip", data)
    return data


def _bare(*headers: str) -> bytes:
    """No multipart, no file name: the whole body is the virus."""
    head = (
        f"From: {SENDER}",
        "Subject: a",
        *headers,
        "MIME-Version: 1.0",
        "Content-Transfer-Encoding: base64",
    )
    return "\r\n".join((*head, "", base64.b64encode(EICAR).decode(), "")).encode()


def _forwarded() -> bytes:
    message, inner = _written(), _written()
    attach(inner, _zip("a.txt", EICAR), "zip", "a.zip")
    message.add_attachment(inner)
    return message.as_bytes()


LONG = "Quyết định về việc phê duyệt kế hoạch đào tạo, bồi dưỡng cán bộ năm 2026, tỉnh An Giang"


def _called(disposition: str, kind: str = "application/octet-stream", data: bytes = b"x") -> bytes:
    """With an attachment whose headers are these, whatever they say."""
    message = _written()
    message.add_attachment(data, "application", "octet-stream", filename="FILE")
    return (
        message.as_bytes()
        .replace(b'attachment; filename="FILE"', disposition.encode())
        .replace(b"application/octet-stream", kind.encode())
    )


def _words(name: str) -> str:
    """In several encoded words, in quotes: as Outlook and Gmail write long names."""
    words = (name[at : at + 12] for at in range(0, len(name), 12))
    coded = (f"=?UTF-8?B?{base64.b64encode(word.encode()).decode()}?=" for word in words)
    return '"' + "\r\n ".join(coded) + '"'


def _uuencoded(data: bytes, name: str) -> bytes:
    line = binascii.b2a_uu(data).decode()
    return _written(text=f"Chào anh\n\nbegin 644 {name}\n{line}`\nend\n").as_bytes()


PROGRAM = b"MZ\x90\0\3" + bytes(55) + b"\x80\0\0\0" + bytes(64) + b"PE\0\0"
"""How a program of Windows begins."""
HIDDEN: dict[str, Callable[[], bytes]] = {
    "long exe": lambda: _with(b"x", f"{LONG}.exe"),
    "long js": lambda: _with(b"x", f"{LONG}.js"),
    "long docm": lambda: _with(b"x", f"{LONG}.docm"),
    "an ending in two pieces": lambda: _called('attachment; filename*0="a.e"; filename*1="xe"'),
    "pieces in another order": lambda: _called("attachment; filename*1*=e%78e; filename*0*=u''a."),
    "encoded words": lambda: _called(f"attachment;\r\n filename={_words(LONG + '.exe')}"),
    "an ending in two words": lambda: _called(
        'attachment; filename="=?UTF-8?B?YS5l?= =?utf-8?q?x=65?="'
    ),
    "the name in Content-Type": lambda: _called("attachment", 'application/pdf; name="a.exe"'),
    "blanks": lambda: _called('attachment; filename = "a.exe"'),
    "a blank at its end": lambda: _called('attachment; filename="a.exe "'),
    "an escaped letter": lambda: _called('attachment; filename="a.ex\\e"'),
    "a comment": lambda: _called('attachment; filename=(";)a.txt")"a.exe"'),
    "two names": lambda: _called('attachment; filename="a.txt"; filename="a.exe"'),
    "dots in a zip": lambda: _with(_zip("a.exe. .", b"x"), "a.zip"),
    "gz": lambda: _with(gzip.compress(b"x"), "a.exe.gz"),
    "bz2": lambda: _with(b"x", "a.exe.bz2"),
    "gz in a zip": lambda: _with(_zip("a.exe.gz", b"x"), "a.zip"),
    "uuencoded": lambda: _uuencoded(b"x", "a.exe"),
    "a program called txt": lambda: _with(PROGRAM, "a.txt"),
    "a program called nothing, in gz": lambda: _with(gzip.compress(PROGRAM), "a.gz"),
    "a program in a zip, called txt": lambda: _with(_zip("a.txt", PROGRAM), "a.zip"),
    "a page of a web site with its scripts": lambda: _with(
        packed({"trang.html": "<html>", "trang_files/a.js": "x()"}), "a.zip"
    ),
} | {
    f"type {ending}": partial(_with, b"x", f"a.{ending}")
    for ending in ("img", "one", "url", "msix", "library-ms", "settingcontent-ms", "pyw", "ws")
}  # fmt: skip
"""Programs by other ways of writing their names, or by what they are."""


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "attachment": (lambda: _with(EICAR, "bao cao.txt"), VIRUS),
    "zip": (lambda: _with(_zip("a.txt", EICAR), "a.zip"), VIRUS),
    "zip in zip": (lambda: _with(_zip("b.zip", _zip("a.txt", EICAR)), "a.zip"), VIRUS),
    "docx": (lambda: _with(_into(docx("Kính gửi"), "word/media/a.png", EICAR), "a.docx"), VIRUS),
    "forwarded": (_forwarded, VIRUS),
    "body of no type": (lambda: _bare("Content-Type: application/octet-stream"), VIRUS),
    "behind an unknown header": (lambda: b"Foo: bar\r\n" + _with(EICAR, "a.txt"), VIRUS),
    "program": (lambda: _with(b"MZ\x90", "hóa đơn.exe"), KIND),
    "program in a zip": (lambda: _with(_zip("HOADON.SCR", b"MZ\x90"), "a.zip"), KIND),
    "script in a zip in a zip": (lambda: _with(_zip("b.zip", _zip("a.js", "x()")), "a.zip"), KIND),
    "docm": (lambda: _with(docx("Kính gửi"), "mau.docm"), KIND),
    "macros under another name": (
        lambda: _with(_into(docx("Kính gửi"), "word/vbaProject.bin", b"\xd0\xcf"), "mau.docx"),
        KIND,
    ),
    "a zip twelve deep": (lambda: _with(_nested(12), "a.zip"), LIMIT),
    "six thousand files": (
        lambda: _with(packed({f"{n}.txt": str(n) for n in range(6000)}), "a.zip"), LIMIT,
    ),
    "a bomb of 450 MB": (
        lambda: _with(packed({f"{n}.txt": bytes([n]) * (90 << 20) for n in range(5)}), "a.zip"),
        LIMIT,
    ),
}  # fmt: skip
"""What was sent, and what the sender is told."""
CLEAN = {
    "text": _written().as_bytes(),
    "docx": _with(docx("Kính gửi Ủy ban"), "công văn.docx"),
    "xlsx": _with(xlsx("a|b"), "bảng.xlsx"),
    "odt": _with(odt("Kính gửi"), "a.odt"),
    "pdf": _with(pdf("Kính gửi"), "a.pdf"),
    "zip": _with(_zip("công văn.docx", docx("Kính gửi")), "a.zip"),
    "zip in a zip": _with(_nested(1), "a.zip"),
    "name that looks so": _with(b"x", "angiang.com.txt"),
    "long name": _with(b"x", f"{LONG}.pdf"),
    "long name in words": _called(f"attachment; filename={_words(LONG + '.pdf')}"),
    "gz": _with(gzip.compress(b"x"), "a.csv.gz"),
    "text about a program": _written(text="begin 644 a.exe\nTôi gửi anh\n").as_bytes(),
    "text that begins with MZ": _with(b"MZ la gi?\n" * 20, "a.txt"),
    "bytes": _with(os.urandom(1 << 20), "anh.jpg"),
}


@contextmanager
def _connection(edge: str) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(edge, 25, timeout=90, source_address=(OUTSIDE_CLIENT, 0)) as smtp:
        smtp.ehlo(f"mail.{OUTSIDE}")
        yield smtp


def _said(smtp: smtplib.SMTP, sender: str, to: Sequence[str], raw: bytes) -> tuple[int, str]:
    """The server's last word: to the sender's or a recipient's address or to the message."""
    for code, text in (smtp.mail(sender), *(smtp.rcpt(each) for each in to)):
        if code >= 400:
            return code, text.decode()
    code, text = smtp.data(raw)
    return code, text.decode()


def _outside(edge: str, to: Person, raw: bytes) -> tuple[int, str]:
    with _connection(edge) as smtp:
        return _said(smtp, SENDER, [to.address], raw)


@pytest.mark.parametrize("what", REFUSED)
def test_viruses_and_dangerous_files_are_refused_from_outside(
    what: str, edge: str, official: Person
) -> None:
    make, wanted = REFUSED[what]
    code, said = _outside(edge, official, make())
    assert code == 554 and said.startswith(wanted), (code, said)


def test_programs_are_refused_however_their_names_are_written_both_ways(
    edge: str, official: Person, colleague: Person
) -> None:
    passed, cases = [], list(HIDDEN.items())
    for some in (cases[at : at + 8] for at in range(0, len(cases), 8)):  # Postfix slows down at ten
        with _connection(edge) as outside, official.submission() as inside:
            inside.ehlo()
            for what, make in some:
                raw = make()
                said = [_said(outside, SENDER, [official.address], raw)]
                raw = raw.replace(SENDER.encode(), official.address.encode())
                said.append(_said(inside, official.address, [colleague.address], raw))
                passed += [
                    f"{what}: {code} {text}"
                    for code, text in said
                    if code != 554 or not text.startswith(KIND)
                ]
    assert passed == []


@pytest.mark.parametrize("what", ["attachment", "zip", "docx", "program in a zip"])
def test_officials_send_no_viruses_either(
    what: str, official: Person, colleague: Person, outsider: Person
) -> None:
    make, wanted = REFUSED[what]
    raw = make().replace(SENDER.encode(), official.address.encode())
    for to in (colleague, outsider):
        with official.submission() as smtp:
            smtp.ehlo()
            code, said = _said(smtp, official.address, [to.address], raw)
        assert code == 554 and said.startswith(wanted), (code, said)


@pytest.mark.parametrize("what", CLEAN)
def test_clean_mail_arrives_and_is_no_junk(what: str, edge: str, official: Person) -> None:
    raw, identity = CLEAN[what], f"<{secrets.token_hex(8)}@{OUTSIDE}>"
    lines = raw.split(b"\r\n")
    raw = b"\r\n".join(
        f"Message-ID: {identity}".encode() if line.startswith(b"Message-ID:") else line
        for line in lines
    )
    assert _outside(edge, official, raw)[0] == 250
    read = official.reads_where("HEADER", "Message-ID", f'"{identity}"')
    assert read["X-Spam"] is None


# Spam


def _junk(mark: str, *headers: str) -> bytes:
    """Looks like spam: to nobody, in capitals, neither date nor identifier. Not bad enough to be
    refused."""
    message = _written("TRUNG THUONG 5.000.000.000 DONG!!!", "Chuc mung ban da trung thuong\n")
    for name in ("To", "Date", "From", "Message-ID"):
        del message[name]
    message["From"], message["X-Mark"] = SENDER, mark
    for header in headers:
        name, _, value = header.partition(": ")
        message[name] = value
    return message.as_bytes()


def test_gtube_is_refused(edge: str, official: Person) -> None:
    code, said = _outside(edge, official, _written(text=f"{GTUBE}\n").as_bytes())
    assert code == 554 and said.startswith("5.7.1"), said


def test_what_scores_above_the_limit_is_refused(edge: str, official: Person) -> None:
    message = _written()
    message.set_content(
        "Your password is known. Send 1000 USD in bitcoin to"
        " 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa. I recorded you through your camera.\n"
    )
    attach(message, _nested(1), "zip", "a.zip")
    for name in ("To", "Subject", "Date", "Message-ID"):
        del message[name]
    message["To"], message["X-Spam"] = "undisclosed-recipients: ;", "Yes"
    code, said = _outside(edge, official, message.as_bytes())
    assert code == 554 and said.startswith("5.7.1 Thu bi tu choi: thu rac"), (code, said)


def _in(person: Person, folder: str, mark: str) -> bool:
    with person.inbox() as imap:
        imap.select(folder)
        return bool(imap.uid("SEARCH", "HEADER", "X-Mark", f'"{mark}"')[1][0])


def _filed(person: Person, mark: str, folder: str) -> None:
    def look() -> bytes | None:
        return b"there" if _in(person, folder, mark) else None

    wait_for(look, f"{mark} in {folder} of {person.address}")


JUNK, MINE = named("Thư rác"), named("Việc riêng")


def test_junk_is_filed_before_the_owners_own_filter_which_does_all_the_rest(
    edge: str, official: Person
) -> None:
    mine = (official.server, official.login, official.password, trusting())
    script = (
        'require ["fileinto", "mailbox"];\nif exists "X-Mark" { fileinto :create "Việc riêng"; }\n'
    )
    upload_sieve(*mine, script)
    try:
        junk, fine = secrets.token_hex(8), secrets.token_hex(8)
        assert _outside(edge, official, _junk(junk))[0] == 250
        message = _written()
        message["X-Mark"] = fine
        assert _outside(edge, official, message.as_bytes())[0] == 250
        _filed(official, junk, JUNK)
        _filed(official, fine, MINE)
        assert not _in(official, MINE, junk) and not _in(official, '"INBOX"', junk)
    finally:
        upload_sieve(*mine, "")


def test_nobody_outside_marks_mail_as_junk_or_as_none(
    province: Province, edge: str, official: Person
) -> None:
    """That another filter took it for spam counts, and is not all: a stranger has to come again."""
    strangers(province)
    fine, junk = _written(), secrets.token_hex(8)
    fine["X-Spam"] = "Yes"
    assert _outside(edge, official, fine.as_bytes())[0] == 451
    later(province, "mx1")
    assert _outside(edge, official, fine.as_bytes())[0] == 250
    assert official.reads(fine)["X-Spam"] is None
    assert _outside(edge, official, _junk(junk, "X-Spam: No"))[0] == 250
    _filed(official, junk, JUNK)


def test_what_an_official_writes_is_never_junk(official: Person, colleague: Person) -> None:
    mark = secrets.token_hex(8)
    raw = _junk(mark).replace(SENDER.encode(), official.address.encode())
    with official.submission() as smtp:
        smtp.ehlo()
        assert _said(smtp, official.address, [colleague.address], raw)[0] == 250
    _filed(colleague, mark, '"INBOX"')


# Without one of them


@contextmanager
def _told(province: Province, unit: str, before: str, after: str) -> Iterator[None]:
    """On both edges. Afterwards mail is accepted again."""
    for host in EDGES:
        province.lab.run(host, ["systemctl", *before.split(), unit])
    try:
        yield
    finally:
        for host in EDGES:
            province.lab.run(host, ["systemctl", *after.split(), unit])


def _accepted_again(edge: str, official: Person) -> None:
    def look() -> bytes | None:
        return b"yes" if _outside(edge, official, _written().as_bytes())[0] == 250 else None

    wait_for(look, "mail is accepted")


def _both(edge: str, official: Person, colleague: Person) -> Iterable[tuple[int, str, float]]:
    """What is said to mail from outside and from an official at once, after how many seconds."""

    def inside() -> tuple[int, str]:
        with official.submission() as smtp:
            smtp.ehlo()
            raw = official.write([colleague.address], "Chào", "Chào anh\n").as_bytes()
            return _said(smtp, official.address, [colleague.address], raw)

    def timed(send: Callable[[], tuple[int, str]]) -> tuple[int, str, float]:
        began = time.monotonic()
        try:
            code, said = send()
        except smtplib.SMTPResponseException as told:  # before anybody logged in
            code, said = told.smtp_code, str(told.smtp_error)
        return code, said, time.monotonic() - began

    with ThreadPoolExecutor() as pool:
        outside = partial(_outside, edge, official, _written().as_bytes())
        return list(pool.map(timed, (outside, inside)))


@pytest.mark.parametrize(
    ("unit", "before", "after", "limit"),
    [
        ("clamav-daemon", "stop", "start", 5),
        ("clamav-daemon", "kill -s STOP", "kill -s CONT", 35),
        ("rspamd", "stop", "start", 5),
        ("rspamd", "kill -s STOP", "kill -s CONT", 25),
    ],
    ids=lambda value: str(value),
)
def test_what_nobody_could_look_at_is_deferred(
    province: Province, edge: str, official: Person, colleague: Person,
    unit: str, before: str, after: str, limit: int,
) -> None:  # fmt: skip
    with _told(province, unit, before, after):
        for code, said, took in _both(edge, official, colleague):
            print(f"{unit} {before}: {code} {said} after {took:.1f} s")
            assert 400 <= code < 500 and took < limit
            if unit == "clamav-daemon":
                assert said.startswith(AGAIN)
    _accepted_again(edge, official)


def test_without_signatures_nothing_is_called_clean(
    province: Province, edge: str, official: Person
) -> None:
    """clamd does not start; it would find nothing, and say so of everything."""
    unit, path = "clamav-daemon", "/var/lib/clamav/lab.ndb"
    province.lab.run("mx1", ["systemctl", "stop", unit])
    province.lab.run("mx1", ["mv", path, "/var/lib/lab.ndb"])
    try:
        province.lab.run("mx1", ["systemctl", "start", "--no-block", unit])
        code, said = _outside(edge, official, _with(EICAR, "a.txt"))
        assert code == 451 and said.startswith(AGAIN), (code, said)
        status = province.danhba("status", "staging", check=False)
        assert f"{unit}.service" in status.stdout
    finally:
        province.lab.run("mx1", ["mv", "/var/lib/lab.ndb", path])
    _accepted_again(edge, official)
    assert _outside(edge, official, _with(EICAR, "a.txt"))[0] == 554


@pytest.mark.parametrize(("before", "after"), [("stop", "start"), ("kill -s STOP", "kill -s CONT")])
def test_without_valkey_mail_goes_on(
    province: Province, edge: str, official: Person, colleague: Person, before: str, after: str
) -> None:
    with _told(province, "valkey-server", before, after):
        for code, said, took in _both(edge, official, colleague):
            print(f"valkey-server {before}: {code} after {took:.1f} s")
            assert code == 250 and took < 10, said
        assert _outside(edge, official, _with(EICAR, "a.txt"))[0] == 554


_CLAMD_OUT_OF_MEMORY = """
import os, socket
os.makedirs("/run/clamav", exist_ok=True)
server = socket.socket(socket.AF_UNIX)
server.bind("/run/clamav/clamd")
os.chmod("/run/clamav/clamd", 0o666)
server.listen()
print("listens", flush=True)
asked, _ = server.accept()
while not asked.recv(65536).endswith(bytes(4)):
    pass
asked.sendall(b"stream: Can't allocate memory ERROR\\0")
"""


def test_an_error_of_clamd_is_no_word_that_a_message_is_clean(
    province: Province, edge: str, official: Person
) -> None:
    province.lab.run("mx1", ["systemctl", "stop", "clamav-daemon"])
    argv = province.lab.ssh_argv("mx1", ["python3", "-c", _CLAMD_OUT_OF_MEMORY])
    try:
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as stand_in:
            assert stand_in.stdout and stand_in.stdout.readline() == "listens\n"
            code, said = _outside(edge, official, _with(EICAR, "a.txt"))
        assert code == 451 and said.startswith(AGAIN), (code, said)
    finally:
        province.lab.run("mx1", ["rm", "-rf", "/run/clamav"])
        province.lab.run("mx1", ["systemctl", "start", "clamav-daemon"])
    _accepted_again(edge, official)
