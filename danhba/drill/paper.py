"""Papers of the administration as docx: A4, Vietnamese, in the font of documents of the state."""

from __future__ import annotations

import io

from docx import Document
from docx.document import Document as Doc
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml.ns import qn
from docx.oxml.parser import OxmlElement
from docx.shared import Cm, Pt
from docx.table import Table
from docx.text.paragraph import Paragraph

BODY = "Times New Roman"
"""Of documents of the state (Nghị định 30/2020/NĐ-CP, Phụ lục I); every Word and LibreOffice maps
it to a font with all Vietnamese letters (TCVN 6909, Điều 3.1)."""


def blank(title: str) -> Doc:
    """An empty paper. title: of its properties; they name no author."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin, section.right_margin = Cm(2.5), Cm(2)
    section.top_margin = section.bottom_margin = Cm(1.5)
    style = document.styles["Normal"]
    style.font.size = Pt(12)
    style.paragraph_format.space_after = Pt(4)
    font(style.element.get_or_add_rPr(), BODY)
    language = OxmlElement("w:lang")  # else Word marks every word as misspelt
    language.set(qn("w:val"), "vi-VN")
    style.element.get_or_add_rPr().append(language)
    document.core_properties.author = ""
    document.core_properties.title = title
    document.core_properties.comments = ""
    return document


def content(document: Doc) -> bytes:
    """The file; nothing of it touches a disk."""
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def line(
    document: Doc, text: str, bold: bool = False, centred: bool = False, size: int = 12
) -> Paragraph:
    """A paragraph at the end. size: in points."""
    added = document.add_paragraph()
    run = added.add_run(text)
    run.bold = bold or None
    run.font.size = Pt(size)
    if centred:
        added.alignment = WD_ALIGN_PARAGRAPH.CENTER
    return added


def signatures(table: Table, roles: tuple[str, ...]) -> None:
    """A place for each role to sign; the table has one row, and a column a role."""
    for cell, role in zip(table.rows[0].cells, roles, strict=True):
        place = cell.paragraphs[0]
        place.alignment = WD_ALIGN_PARAGRAPH.CENTER
        place.add_run(role).bold = True
        place.add_run().add_break(WD_BREAK.LINE)
        place.add_run("(ký, ghi rõ họ tên)").italic = True
        place.paragraph_format.space_after = Pt(48)


def font(properties: object, name: str) -> None:
    """For Latin letters, for those with marks, and for what Word takes for Asian ones."""
    fonts = properties.get_or_add_rFonts()  # type: ignore[attr-defined]
    for script in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(qn(f"w:{script}"), name)
