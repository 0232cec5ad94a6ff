"""Where in a message and in its documents a secrecy mark is found, and what is left unread."""

from __future__ import annotations

import time
import unicodedata
import zipfile
from base64 import encodebytes
from contextlib import suppress
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from docx import Document
from docx.oxml import parse_xml
from hypothesis import given, settings
from hypothesis import strategies as st
from marked import attach, docx, mail, packed, pdf

from danhba.marks import documents, hypertext, message, rule
from danhba.marks.message import Mark, Skipped, look
from danhba.marks.refusal import UNABLE, refusal

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
V = 'xmlns:v="urn:schemas-microsoft-com:vml"'


def found(raw: bytes) -> list[Mark | Skipped]:
    return [each for each in look(raw) if each is not None]


def attached(data: bytes, name: str = "tep.bin") -> list[Mark | Skipped]:
    letter = mail("text", "Kính gửi anh chị\n")
    attach(letter, data, "octet-stream", name)
    return found(letter.as_bytes())


IN_ATTACHMENT = [Mark("TỐI MẬT", "attachment", 1)]


def saved(document: object) -> bytes:
    out = BytesIO()
    document.save(out)  # type: ignore[attr-defined]
    return out.getvalue()


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ("Subject: =?utf-8?b?W03huqxUXSBBQkM=?=", "subject"),
        ("Subject: =?utf-8?q?T=E1=BB=90I?=\r\n =?utf-8?q?_M=E1=BA=ACT?=", "subject"),
        ("Subject: =?windows-1258?q?M=C2=F2T?=", "subject"),  # Â and a dot that combines
        ("Subject: [MẬT] chữ UTF-8 như là thế", "subject"),
        ("Subject: TUYỆT\r\n MẬT", "subject"),
        ("Comments: Độ mật: Tối mật", "header"),
        ("X-Do-Mat: TUYỆT MẬT", "header"),
        ("Content-Description: TỐI MẬT", "header"),
        ("Content-Type: application/pdf; name=\"=?utf-8?b?TeG6rFQucGRm?=\"", "file name"),
        ("Content-Disposition: attachment; filename*=utf-8''M%E1%BA%ACT.pdf", "file name"),
        ("Content-Disposition: attachment;\r\n filename*0*=utf-8''T%E1%BB%90;\r\n"
         " filename*1*=I%20M%E1%BA%ACT;\r\n filename*2=.pdf", "file name"),
        ("Content-Disposition: attachment; filename=\"MẬT.pdf\"", "file name"),
    ],
)  # fmt: skip
def test_headers_however_they_are_written(raw: str, place: str) -> None:
    marks = found(f"From: a@b.test\r\n{raw}\r\n\r\n".encode())
    assert [mark.place for mark in marks if isinstance(mark, Mark)] == [place]


def test_names_of_people_are_no_marks() -> None:
    assert found('From: MẬT <mat@b.test>\r\nTo: "MẬT" <a@b.test>\r\n\r\n'.encode()) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain; charset=utf-8", "TỐI MẬT".encode()),
        ("text/plain", "TỐI MẬT".encode()),  # without a word on its charset
        ("text/plain; charset=us-ascii", "TỐI MẬT".encode()),
        ("text/plain; charset=iso-8859-1", "TỐI MẬT".encode()),
        ("text/plain; charset=no-such", "TỐI MẬT".encode()),
        ("text/plain; charset=utf-16", "TỐI MẬT".encode("utf-16")),
        ("text/plain; charset=windows-1258", b"T\xd4\xecI M\xc2\xf2T"),
        ("text/plain; charset=iso-8859-1", b"T\xe8I M\xcbT"),  # TCVN3
        ("text/plain; charset=windows-1252", b"TO\xc1I MA\xc4T"),  # VNI
        ("text/plain", b"T\xe8I M\xcbT"),
        ("text/html", b"<p>T\xe8I M\xcbT"),
        ("text/calendar", "SUMMARY:x\nTỐI MẬT".encode()),
        ("application/octet-stream; name=a.txt", "TỐI MẬT".encode()),
    ],
)
def test_texts_in_any_charset(kind: str, body: bytes) -> None:
    raw = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode()
    assert found(raw + encodebytes(body)) == [Mark("TỐI MẬT", "text")]


def test_messages_within_messages() -> None:
    inner = mail("docx", "TỐI MẬT")
    outer = mail("text", "Xin chuyển\n")
    outer.add_attachment(inner)
    assert found(outer.as_bytes()) == IN_ATTACHMENT
    saved_one = mail("text", "Xin chuyển\n")
    attach(saved_one, inner.as_bytes(), "octet-stream", "thu.eml")
    assert Mark("TỐI MẬT", "attachment", 2) in found(saved_one.as_bytes())


def test_a_document_without_a_text_beside_it() -> None:
    alone = EmailMessage()
    alone.set_content(pdf("TỐI MẬT"), maintype="application", subtype="pdf")
    assert found(alone.as_bytes()) == IN_ATTACHMENT


def test_what_a_document_is_called_does_not_matter() -> None:
    assert attached(docx("TỐI MẬT"), "anh.jpg") == IN_ATTACHMENT


def test_a_word_document_has_more_places_than_its_paragraphs() -> None:
    header, foot, box, mark, capitals, font, split = (Document() for _ in range(7))
    header.sections[0].header.paragraphs[0].text = "TỐI MẬT"
    foot.sections[0].footer.paragraphs[0].text = "TỐI MẬT"
    box.add_paragraph("Số: 5 ").add_run()._r.append(
        parse_xml(f"<w:pict {W}><w:txbxContent><w:p><w:r><w:t>TỐI MẬT</w:t></w:r></w:p>"
                  "</w:txbxContent></w:pict>")
    )  # fmt: skip
    mark.add_paragraph("Số: 5").add_run()._r.append(
        parse_xml(f'<w:pict {W} {V}><v:shape><v:textpath string="TỐI MẬT"/></v:shape></w:pict>')
    )
    capitals.add_paragraph().add_run("tối mật").font.all_caps = True
    font.add_paragraph().add_run("tèi mËt").font.name = ".VnTimeH"
    for piece in ("T", "Ố", "I ", "MẬ", "T"):
        split.paragraphs[0].add_run(piece) if split.paragraphs else split.add_paragraph(piece)
    for document in (header, foot, box, mark, capitals, font, split):
        assert attached(saved(document)) == IN_ATTACHMENT
    title = Document()
    title.core_properties.title = "[TỐI MẬT] Kế hoạch"
    assert attached(saved(title)) == IN_ATTACHMENT


def test_a_workbook_has_more_places_than_its_cells() -> None:
    header, name = openpyxl.Workbook(), openpyxl.Workbook()
    header.active.oddHeader.center.text = "TỐI MẬT"
    header.active.oddHeader.center.font = "Arial,Bold"
    name.active.title = "TỐI MẬT"
    for book in (header, name):
        assert attached(saved(book)) == IN_ATTACHMENT


def test_archives_in_archives_are_read_three_deep() -> None:
    data = docx("TỐI MẬT")
    assert attached(packed({"a.docx": data})) == IN_ATTACHMENT
    assert attached(packed({"MẬT.bin": b"\x00"})) == [Mark("MẬT", "attachment", 1)]


# What is not read


def test_what_cannot_be_read_is_named() -> None:
    why = {
        "encrypted, or of an office program before 2007": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 99,
        "an archive that is no zip": b"Rar!\x1a\x07" * 9,
        "broken (BadZipFile)": b"PK\x03\x04" * 9,
        "an encrypted or broken PDF file (1)": b"%PDF-1.4\n" + b"\x00" * 99,
        "an encrypted archive": _encrypted(),
    }
    for reason, data in why.items():
        assert attached(data) == [Skipped(1, reason)]


def test_sealed_mail_is_named() -> None:
    sealed = mail("text", "Kính gửi\n")
    attach(sealed, b"0\x80", "pkcs7-mime", "smime.p7m")
    assert found(sealed.as_bytes()) == [Skipped(1, "sealed by S/MIME or PGP")]


def _encrypted() -> bytes:
    """A zip whose only file claims to be encrypted, in both of its places."""
    data = bytearray(packed({"ke-hoach.docx": docx("TỐI MẬT")}))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rfind(signature) + flags] |= 1
    return bytes(data)


def test_a_file_that_unpacks_to_gigabytes_is_left_in_time() -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        with package.open("word/document.xml", "w", force_zip64=True) as member:
            member.write(b"<a>")
            for _ in range(200):
                member.write(b"x" * (1 << 20))
    began = time.monotonic()
    assert attached(out.getvalue()) == [Skipped(1, "larger unpacked than is read")]
    assert time.monotonic() - began < 10


def test_entities_are_not_expanded() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x "TỐI MẬT">]><w:p><w:t>&x;</w:t></w:p>'
    data = packed({"[Content_Types].xml": "<Types/>", "word/document.xml": bomb})
    assert attached(data) == [
        Skipped(1, "XML with a document type, as no office program writes it")
    ]


# Whatever comes


def _no_error(raw: bytes) -> None:
    list(look(raw))


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_message(raw: bytes) -> None:
    _no_error(raw)


HEADERS = st.sampled_from(
    ["Subject", "Content-Type", "Content-Disposition", "Content-Transfer-Encoding", "Comments"]
)
VALUES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["multipart/mixed; boundary=x", "message/rfc822", "text/html; charset=x", "base64",
         "attachment; filename*=a'b", "text/plain; charset*=utf-16''%ff", "=?utf-8?b?a?=",
         "=?x?q?=ff?=", "attachment; filename*0*=utf-7''%%", "application/zip; name=a.zip"]
    ),
)  # fmt: skip
BODIES = st.one_of(st.binary(max_size=300), st.sampled_from([b"--x\n\nMT\n--x--", docx("a")]))


@given(st.lists(st.tuples(HEADERS, VALUES), max_size=6), BODIES)
def test_any_headers_over_any_body(headers: list[tuple[str, str]], body: bytes) -> None:
    head = "".join(f"{name}: {value}\n" for name, value in headers)
    _no_error(head.encode("utf-8", "surrogatepass") + b"\n" + body)


@given(st.text(max_size=400))
def test_any_text_is_judged_and_the_same_composed_or_not(text: str) -> None:
    for judge in (rule.mark_in, rule.mark_in_label, rule.mark_in_file_name):
        assert judge(unicodedata.normalize("NFC", text)) == judge(
            unicodedata.normalize("NFD", text)
        )


STAMPS = st.sampled_from(["MẬT", "TỐI MẬT", "TUYỆT MẬT", "TèI MËT", "TUYEÄT MAÄT", "Độ mật: Mật"])


@given(st.lists(st.text(max_size=40)), STAMPS, st.lists(st.text(max_size=40)))
def test_a_stamp_is_seen_between_any_lines(
    before: list[str], stamp: str, behind: list[str]
) -> None:
    text = "\n".join((*before, "", stamp, *behind))
    assert rule.mark_in(text) is not None


@given(st.text())
def test_any_text_is_html(text: str) -> None:
    hypertext.text_of(text)
    hypertext.text_of(f"<div style='{text}'>{text}</div></{text}>")


@given(st.data())
@settings(max_examples=60)
def test_a_damaged_document_is_left_unread(data: st.DataObject) -> None:
    whole = bytearray(docx("Kính gửi\na | b"))
    for _ in range(data.draw(st.integers(1, 20))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(documents.Unread):
        list(documents.texts(bytes(whole), documents.Budget()))


def test_nothing_of_the_content_is_in_what_is_said_of_it() -> None:
    for place in message.PLACES:
        said = refusal(place, "Van thu mat, Van phong UBND tinh An Giang, 0296 3852 000")
        assert said.isascii() and len(f"550 5.7.1 {said}\r\n") <= 512 and "Van thu" in said
        assert rule.mark_in(said) is None
    assert UNABLE.isascii() and "%" not in UNABLE


def test_the_corpus_is_spelt_out_in_full() -> None:
    """Letters in forms and fonts of old are there as themselves, so that a reviewer sees them."""
    corpus = (Path(__file__).parent / "secrecy_marks.yaml").read_text(encoding="utf-8")
    for spelling in ("TèI MËT", "TOÁI MAÄT", "\\u0323", "TOI MAT", "ＭẬＴ"):
        assert spelling in corpus
