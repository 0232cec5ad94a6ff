"""Mail that bears a secrecy mark somewhere, or only looks so."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from io import BytesIO
from xml.sax.saxutils import escape

import openpyxl
from docx import Document

MICROSOFT = "vnd.openxmlformats-officedocument"
TYPES = {
    "docx": f"{MICROSOFT}.wordprocessingml.document",
    "xlsx": f"{MICROSOFT}.spreadsheetml.sheet",
    "pptx": f"{MICROSOFT}.presentationml.presentation",
    "odt": "vnd.oasis.opendocument.text",
    "pdf": "pdf",
    "zip": "zip",
}


def mail(place: str, text: str, sender: str = "an@may.test", to: str = "") -> EmailMessage:
    """A message that has a text at a place, as tests/unit/secrecy_marks.yaml names them."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = sender, to or sender
    message["Subject"] = text if place == "subject" else "Gửi anh chị"
    message.set_content(text if place == "text" else "Kính gửi anh chị\n", cte="base64")
    if place == "html":
        message.add_alternative(f"<html><body>{text}</body></html>", subtype="html")
    elif place == "file name":
        attach(message, b"\x00\x01", "octet-stream", text)
    elif place == "forwarded":
        message.add_attachment(mail("subject", text))
    elif place in TYPES:
        attach(message, MAKERS[place](text), TYPES[place], f"tep.{place}")
    return message


def attach(message: EmailMessage, data: bytes, subtype: str, name: str) -> None:
    message.add_attachment(data, maintype="application", subtype=subtype, filename=name)


def rows_of(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.splitlines()]


def docx(text: str) -> bytes:
    """A line is a paragraph, or a row of a table where it has columns."""
    document, out = Document(), BytesIO()
    for row in rows_of(text):
        if len(row) == 1:
            document.add_paragraph(row[0])
            continue
        for cell, content in zip(document.add_table(1, len(row)).rows[0].cells, row, strict=True):
            cell.text = content
    document.save(out)
    return out.getvalue()


def xlsx(text: str) -> bytes:
    book, out = openpyxl.Workbook(), BytesIO()
    for row in rows_of(text):
        book.active.append([cell or None for cell in row])
    book.save(out)
    return out.getvalue()


def pptx(text: str) -> bytes:
    """A slide as PowerPoint has it, without the rest of a presentation."""
    paragraphs = "".join(f"<a:p><a:r><a:t>{escape(line)}</a:t></a:r></a:p>" for line in lines(text))
    slide = (
        '<p:sld xmlns:p="p" xmlns:a="a"><p:cSld><p:spTree><p:sp><p:txBody>'
        f"{paragraphs}</p:txBody></p:sp></p:spTree></p:cSld></p:sld>"
    )
    return packed({"[Content_Types].xml": "<Types/>", "ppt/slides/slide1.xml": slide})


def odt(text: str) -> bytes:
    paragraphs = "".join(f"<text:p>{escape(line)}</text:p>" for line in lines(text))
    content = (
        '<office:document-content xmlns:office="o" xmlns:text="t"><office:body><office:text>'
        f"{paragraphs}</office:text></office:body></office:document-content>"
    )
    return packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def pdf(text: str) -> bytes:
    """A page whose letters are glyphs 1, 2, ... of a font that is not there, with a table of what
    they mean, as programs write it for text that can be searched."""
    letters = sorted({letter for line in lines(text) for letter in line})
    number = {letter: place for place, letter in enumerate(letters, 1)}
    shown = ("".join(f"{number[letter]:04x}" for letter in line) for line in lines(text))
    page = "".join(
        f"BT /F 14 Tf 60 {780 - 24 * row} Td <{line}> Tj ET\n" for row, line in enumerate(shown)
    )
    meanings = "".join(
        f"<{place:04x}> <{letter.encode('utf-16-be').hex()}>\n" for letter, place in number.items()
    )
    table = (
        "/CIDInit /ProcSet findresource begin begincmap /CMapType 2 def\n"
        "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        f"{len(number)} beginbfchar\n{meanings}endbfchar endcmap end\n"
    )
    return _pdf_of(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F 5 0 R >> >> >>",
        _stream(page),
        "<< /Type /Font /Subtype /Type0 /BaseFont /Thu /Encoding /Identity-H"
        " /DescendantFonts [6 0 R] /ToUnicode 7 0 R >>",
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Thu /DW 600 /FontDescriptor 8 0 R"
        " /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
        _stream(table),
        "<< /Type /FontDescriptor /FontName /Thu /Flags 4 /FontBBox [0 -200 600 800] /ItalicAngle 0"
        " /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>",
    )


def _stream(content: str) -> str:
    return f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"


def _pdf_of(*objects: str) -> bytes:
    out, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n"
    count, start = len(objects) + 1, len(out)
    rows = "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    return f"{out}xref\n0 {count}\n0000000000 65535 f \n{rows}{trailer}".encode("ascii")


def archive(text: str) -> bytes:
    """The first line is the name of a file in it, the rest what that holds."""
    name, _, content = text.partition("\n")
    return packed({name: docx(content) if name.endswith(".docx") else content})


def packed(files: dict[str, str | bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return out.getvalue()


def lines(text: str) -> list[str]:
    return text.splitlines()


MAKERS: dict[str, Callable[[str], bytes]] = {
    "docx": docx, "xlsx": xlsx, "pptx": pptx, "odt": odt, "pdf": pdf, "zip": archive,
}  # fmt: skip
