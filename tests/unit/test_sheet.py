"""What is printed for hand-over, read back from the docx as Word would show it."""

from __future__ import annotations

import io
import unicodedata
from datetime import date

import pytest
from docx import Document
from docx.document import Document as Doc
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph

from danhba.sheet import CODE, Issuer, Page, docx

ISSUER = Issuer("An Giang", "50/2009/QĐ-UBND", 12, 9)
HUONG = Page(
    "Nguyễn Thị Hường", "Phó Giám đốc", "Sở Tài chính", "nthuong@x.vn", "ba-la-tu-mo-vi-101"
)
AN = Page("Lê Văn Ân", "", "Sở Tài chính", "lvan@x.vn", "lo-la-tu-mo-vi-010")


def read(*pages: Page) -> Doc:
    return Document(io.BytesIO(docx(pages, ISSUER, date(2026, 11, 5))))


def lines(document: Doc) -> list[str]:
    """Everything, in the order of the page."""
    found = []
    for block in document.iter_inner_content():
        if isinstance(block, Paragraph):
            found.append(block.text)
        else:
            found += [" ".join(cell.text for cell in row.cells) for row in block.rows]
    return found


def pages(document: Doc) -> list[str]:
    """The text of every page."""
    found: list[str] = []
    for block in document.iter_inner_content():
        if isinstance(block, Paragraph) and (block.paragraph_format.page_break_before or not found):
            found.append("")
        text = block.text if isinstance(block, Paragraph) else _text(block)
        found[-1] += f"{text}\n"
    return found


def _text(table: Table) -> str:
    return "\n".join(cell.text for row in table.rows for cell in row.cells)


def test_everybody_has_a_page_of_his_own_in_the_given_order() -> None:
    first, second = pages(read(HUONG, AN))
    for own, other, text in ((HUONG, AN, first), (AN, HUONG, second)):
        assert all(part in text for part in (own.name, own.title, own.address, own.password))
        assert other.name not in text and other.password not in text
    assert "Chức vụ" not in second


def test_the_receipt_below_the_cut_line_has_no_password_and_two_places_to_sign() -> None:
    (text,) = pages(read(HUONG))
    kept, receipt = text.split("✂")
    assert kept.count(HUONG.password) == 1 and HUONG.password not in receipt
    assert HUONG.name in receipt and HUONG.address in receipt
    assert "Người giao" in receipt and "Người nhận" in receipt
    assert "ngày 05 tháng 11 năm 2026" in receipt


@pytest.mark.parametrize(
    "words",
    [
        "Phải đổi mật khẩu này ngay trong lần đăng nhập đầu tiên",
        "ít nhất 12 ký tự",
        "cùng cán bộ công nghệ thông tin của cơ quan (Điều 9.2.b); tự gõ mật khẩu mới",
        "báo ngay cho Sở Thông tin và Truyền thông",
        "Quên mật khẩu: báo cán bộ công nghệ thông tin của cơ quan",
        "Quy định ban hành kèm theo Quyết định số 50/2009/QĐ-UBND",
        "trong 9 tháng",
        *(f"Điều {clause}" for clause in
          ("4.2", "4.3", "4.4", "5.3", "6.4", "9.2.b", "10.1", "10.2.a", "10.2.d")),
    ],
)  # fmt: skip
def test_the_page_says_what_the_user_must_know(words: str) -> None:
    assert words in "\n".join(lines(read(HUONG)))


def test_letters_are_composed_ones_of_unicode() -> None:
    """TCVN 6909 (Điều 3.1)."""
    text = "\n".join(lines(read(HUONG, AN)))
    assert unicodedata.normalize("NFC", text) == text


def test_the_password_is_set_in_a_font_that_tells_l_from_1() -> None:
    runs = [
        run
        for table in read(HUONG).tables
        for cell in table.columns[0].cells
        for run in cell.paragraphs[0].runs
        if run.text == HUONG.password
    ]
    (run,) = runs
    fonts = run._element.rPr.rFonts
    assert {fonts.get(qn(f"w:{script}")) for script in ("ascii", "hAnsi", "cs")} == {CODE}


def test_nothing_says_who_wrote_it_or_with_what() -> None:
    properties = read(HUONG).core_properties
    assert (properties.author, properties.comments, properties.last_modified_by) == ("", "", "")


def test_a_province_without_a_decision_has_a_sheet_too() -> None:
    document = Document(io.BytesIO(docx([AN], Issuer("An Giang", "", 8, 6), date(2026, 1, 2))))
    text = "\n".join(lines(document))
    assert "Quyết định" not in text and "ít nhất 8 ký tự" in text
