"""Sheets with which first passwords are handed over: a docx, a page for each person.

Above the cut line is what the official keeps, below it the receipt, which has no password and goes
to who runs the system. Vietnamese; what users must know is cited by its clause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from docx.document import Document as Doc
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.parser import OxmlElement
from docx.shared import Cm, Pt
from docx.text.paragraph import Paragraph

from danhba.drill import paper
from danhba.drill.paper import line as _line

CODE = "Consolas"
"""Comes with Windows; l, 1, O and 0 differ, and in its stand-ins elsewhere too (fixed pitch)."""

_DUTIES = (
    "Giữ kín mật khẩu. Khi mật khẩu bị lộ hoặc không còn kiểm soát được hộp thư, báo ngay cho Sở "
    "Thông tin và Truyền thông; sau đó cơ quan đang công tác xác nhận bằng văn bản (Điều 10.2.a). "
    "Quên mật khẩu: báo cán bộ công nghệ thông tin của cơ quan (Điều 9.2.b).",
    "Không vào hộp thư của người khác, không để người khác dùng hộp thư của mình (Điều 10.2.d).",
    "Chịu trách nhiệm về nội dung mình gửi đi; không phát tán thư rác, vi-rút (Điều 10.2.c, "
    "10.2.e).",
    "Mở hộp thư ít nhất bốn lần mỗi ngày làm việc, đầu và giữa buổi sáng, đầu và giữa buổi chiều; "
    "trả lời theo thẩm quyền và xóa thư không còn cần (Điều 10.1).",
    "Mỗi người một địa chỉ (Điều 5.3), chỉ dùng cho công việc (Điều 4.3); không dùng hộp thư "
    "riêng như Gmail để xử lý công việc (Điều 4.2); không gửi văn bản mật (Điều 4.4).",
    "Hộp thư không được mở trong {months} tháng sẽ bị thu hồi (Điều 6.4).",
)


@dataclass(frozen=True)
class Page:
    """Who gets which password. title may be "". address with its domain."""

    name: str
    title: str
    agency: str
    address: str
    password: str


@dataclass(frozen=True)
class Issuer:
    """province: its name. basis: number of the decision with the regulation, or "". min_length:
    characters of a password that the official chooses. inactive_months: of Điều 6.4."""

    province: str
    basis: str
    min_length: int
    inactive_months: int


def docx(pages: Sequence[Page], issuer: Issuer, day: date) -> bytes:
    """The sheet, in the order of `pages`; nothing of it touches a disk."""
    document = paper.blank("Phiếu bàn giao mật khẩu thư điện tử")
    for number, page in enumerate(pages):
        first = _page(document, page, issuer, day)
        first.paragraph_format.page_break_before = number > 0
    return paper.content(document)


def _page(document: Doc, page: Page, issuer: Issuer, day: date) -> Paragraph:
    """Returns the paragraph that the page begins with."""
    first = _line(document, f"TỈNH {issuer.province.upper()} – HỆ THỐNG THƯ ĐIỆN TỬ", size=11)
    _line(document, "PHIẾU BÀN GIAO MẬT KHẨU", bold=True, centred=True, size=16)
    _facts(document, page)
    _password(document, page.password)
    _first_login(document, issuer.min_length)
    basis = f", Quy định ban hành kèm theo Quyết định số {issuer.basis}" if issuer.basis else ""
    _line(document, f"Người dùng hộp thư cần biết{basis}:", bold=True)
    for duty in _DUTIES:
        _line(document, f"– {duty.format(months=issuer.inactive_months)}", size=11)
    cut = "✂ " + "– " * 38
    _line(document, cut, centred=True, size=10)
    _receipt(document, page, day)
    return first


def _facts(document: Doc, page: Page) -> None:
    rows = [("Họ và tên", page.name), ("Chức vụ", page.title), ("Cơ quan", page.agency),
            ("Địa chỉ thư điện tử", page.address)]  # fmt: skip
    table = document.add_table(0, 2)
    table.autofit = False
    table.columns[0].width, table.columns[1].width = Cm(4.5), Cm(12)
    for label, text in rows:
        if text:
            cells = table.add_row().cells
            cells[0].width, cells[1].width = Cm(4.5), Cm(12)
            cells[0].text, cells[1].text = f"{label}:", text
            cells[1].paragraphs[0].runs[0].bold = True


def _password(document: Doc, password: str) -> None:
    _line(document, "Mật khẩu lần đầu:").paragraph_format.space_before = Pt(8)
    table = document.add_table(1, 1, style="Table Grid")
    line = table.cell(0, 0).paragraphs[0]
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    line.paragraph_format.space_before = line.paragraph_format.space_after = Pt(8)
    run = line.add_run(password)
    run.font.size = Pt(18)
    paper.font(run._element.get_or_add_rPr(), CODE)
    proof = OxmlElement("w:noProof")
    run._element.get_or_add_rPr().append(proof)
    note = "Gõ đúng như in: chữ thường không dấu, nối bằng dấu gạch; chỉ nhóm cuối là chữ số."
    _line(document, note, size=11).paragraph_format.space_before = Pt(4)


def _first_login(document: Doc, min_length: int) -> None:
    _line(document, "Phải đổi mật khẩu này ngay trong lần đăng nhập đầu tiên.", bold=True)
    _line(
        document,
        "Cách đổi: theo tờ “Hướng dẫn mật khẩu”, cùng cán bộ công nghệ thông tin của cơ quan "
        f"(Điều 9.2.b); tự gõ mật khẩu mới, không đọc cho ai. Mật khẩu mới có ít nhất "
        f"{min_length} ký tự, không phải mật khẩu phổ biến, không dựa trên tên, ngày sinh, địa chỉ "
        "hay cơ quan; nên ghép năm từ không liên quan, có dấu và dấu cách cũng được. Đổi xong, hủy "
        "phần này của phiếu.",
        size=11,
    )


def _receipt(document: Doc, page: Page, day: date) -> None:
    _line(document, "BIÊN NHẬN", bold=True, centred=True, size=13)
    title = f", {page.title}" if page.title else ""
    _line(
        document,
        f"{page.name}{title}, {page.agency}, đã nhận mật khẩu lần đầu của hộp thư {page.address} "
        "trong phiếu còn nguyên vẹn.",
    )
    written = f"Phiếu lập ngày {day.day:02} tháng {day.month:02} năm {day.year}."
    _line(document, f"{written} Giao nhận ngày …… tháng …… năm ………")
    paper.signatures(document.add_table(1, 2), ("Người giao", "Người nhận"))
