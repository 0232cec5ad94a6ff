"""The certificate of a drill: a minute (biên bản) that an inspector can be given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from docx.document import Document as Doc
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Pt
from docx.table import Table

from . import paper
from .config import Config
from .troubles import Trouble

BY_TIMER = ""
"""Who ran a drill that a timer started."""
_SHOWN = 20
"""Troubles that a certificate tells one by one; all are in the figures."""

_MAIL, _FILES, _PEOPLE = "thư", "tệp, đúng mã băm", "danh bạ LDAP: mục"
_KEYS, _LEARNED = "khóa DKIM", "dữ liệu bộ lọc đã học: khóa"
_JUDGED = {
    _MAIL: ("no-manifest", "count", "dovecot", "empty"),
    _FILES: ("no-manifest", "missing", "damaged"),
    _PEOPLE: ("no-entries", "ldif", "entries"),
    _KEYS: ("no-key", "key"),
    _LEARNED: ("learned",),
}
"""Contents of a row to the troubles that make it bad. What no row shows has one of its own."""

_HEAD = ("Máy chủ nguồn", "Bản sao lưu", "Nội dung", "Theo bảng kê", "Khôi phục được", "Kết quả")
_ROLES = ("Người thực hiện", "Người chứng kiến", "Thủ trưởng đơn vị vận hành")


def docx(config: Config, figures: dict[str, Any], digest: str) -> bytes:
    """figures: as danhba.drill.figures makes them. digest: SHA-256 of their file, in hex."""
    document = paper.blank("Biên bản diễn tập khôi phục dữ liệu")
    begun, ended = (_local(figures[key], config.timezone) for key in ("begun", "ended"))
    _heading(document, config, ended)
    basis = f" ban hành kèm theo Quyết định số {config.basis}" if config.basis else ""
    paper.line(
        document,
        f"Thực hiện Điều 8.4, Điều 8.9 và Điều 11 Quy định{basis}, một mẫu dữ liệu chọn ngẫu "
        f"nhiên được khôi phục từ các bản sao lưu và đối chiếu với bảng kê lập khi sao lưu.",
    )
    by = figures["by"] or "hệ thống, tự động theo lịch hằng tháng"
    _item(document, "Bắt đầu", _clock(begun))
    _item(document, "Kết thúc", _clock(ended))
    _item(document, "Nơi khôi phục thử", f"máy tạm trên máy chủ {config.host}, không mạng, không "
          "thấy dữ liệu của máy chủ đó, đã xóa sau khi đối chiếu")  # fmt: skip
    _item(document, "Người khởi động diễn tập", by)
    _item(document, "Số chọn mẫu ngẫu nhiên", str(figures["seed"]))
    _rows(document, figures, config.timezone)
    _rates(document, figures)
    _verdict(document, [Trouble.of(each) for each in figures["troubles"]])
    paper.line(document, f"Mã băm SHA-256 của tệp số liệu kèm theo: {digest}", size=10)
    paper.signatures(document.add_table(1, len(_ROLES)), _ROLES)
    return paper.content(document)


def _heading(document: Doc, config: Config, day: datetime) -> None:
    """As of a minute in Nghị định 30/2020/NĐ-CP, Phụ lục III."""
    left, right = document.add_table(1, 2).rows[0].cells
    for cell, text in (
        (left, f"TỈNH {config.province.upper()}\nHỆ THỐNG THƯ ĐIỆN TỬ"),
        (right, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc"),
    ):
        place = cell.paragraphs[0]
        place.alignment = WD_ALIGN_PARAGRAPH.CENTER
        run = place.add_run(text)
        run.bold, run.font.size = True, Pt(11)
    paper.line(document, "BIÊN BẢN", bold=True, centred=True, size=16)
    paper.line(document, "Diễn tập khôi phục dữ liệu", bold=True, centred=True, size=14)
    text = f"Ngày {day.day:02} tháng {day.month:02} năm {day.year}"
    paper.line(document, text, centred=True)


def _item(document: Doc, label: str, text: str) -> None:
    added = paper.line(document, f"{label}: ")
    added.add_run(text).bold = True


def _rows(document: Doc, figures: dict[str, Any], zone: str) -> None:
    table = document.add_table(1, len(_HEAD), style="Table Grid")
    _fill(table, 0, _HEAD, bold=True)
    troubles = [Trouble.of(each) for each in figures["troubles"]]
    shown: set[Trouble] = set()
    for row in _contents(figures, zone):
        kinds = _JUDGED[row[2].rpartition(" hộp thư: ")[2]]
        bad = {each for each in troubles if _host(each) == row[0] and each.kind in kinds}
        shown |= bad
        table.add_row()
        _fill(table, len(table.rows) - 1, (*row, "không đạt" if bad else "đạt"))
    for host in sorted({_host(each) for each in troubles if each not in shown}):
        table.add_row()
        _fill(table, len(table.rows) - 1, (host, "–", "–", "–", "–", "không đạt"))
    document.add_paragraph()


def _host(trouble: Trouble) -> str:
    return trouble.where.split(" ")[0]


def _contents(figures: dict[str, Any], zone: str) -> Iterable[tuple[str, ...]]:
    """Rows of the table, without the last cell."""
    stores: dict[str, list[dict[str, Any]]] = {}
    for row in figures["mailboxes"]:
        stores.setdefault(row["host"], []).append(row)
    for host, rows in sorted(stores.items()):
        of = ", ".join(dict.fromkeys(_snapshot(row, zone) for row in rows))
        boxes = f"{len(rows)} hộp thư"
        messages = [sum(row["messages"][side] for row in rows) for side in (0, 1)]
        yield host, of, f"{boxes}: {_MAIL}", *(_number(each) for each in messages)
        files = (sum(row[key] for row in rows) for key in ("files", "right"))
        yield host, of, f"{boxes}: {_FILES}", *(_number(each) for each in files)
    if row := figures["people"]:
        both = (_number(row[key]) for key in ("wanted", "found"))
        yield row["host"], _snapshot(row, zone), _PEOPLE, *both
    if row := figures["edge"]:
        of = _snapshot(row, zone)
        yield row["host"], of, _KEYS, _number(row["wanted"]), _number(row["keys"])
        learned = _number(row["learned"]) if row["dumped"] else "chưa có"
        yield row["host"], of, _LEARNED, "–", learned


def _snapshot(row: dict[str, Any], zone: str) -> str:
    return f"{row['snapshot']}, {_local(row['taken'], zone):%H:%M %d/%m/%Y}"


def _fill(table: Table, number: int, texts: Iterable[str], bold: bool = False) -> None:
    for cell, text in zip(table.rows[number].cells, texts, strict=True):
        run = cell.paragraphs[0].add_run(text)
        run.font.size, run.bold = Pt(10), bold or None


def _rates(document: Doc, figures: dict[str, Any]) -> None:
    size, seconds = figures["bytes"], figures["restore_seconds"]
    rate = f", {_decimal(size / 1e6 / seconds)} MB/giây" if seconds else ""
    text = f"{_decimal(size / 1e6)} MB trong {_decimal(seconds)} giây{rate}"
    _item(document, "Khôi phục", text)
    _item(document, "Đối chiếu", f"{_decimal(figures['look_seconds'])} giây")


def _verdict(document: Doc, troubles: list[Trouble]) -> None:
    paper.line(document, f"KẾT QUẢ: {'KHÔNG ĐẠT' if troubles else 'ĐẠT'}", bold=True, size=14)
    for trouble in troubles[:_SHOWN]:
        paper.line(document, f"– {trouble.vietnamese()}", size=11)
    if (more := len(troubles) - _SHOWN) > 0:
        paper.line(document, f"– và {more} lỗi khác, ghi trong tệp số liệu", size=11)


def _local(iso: str, zone: str) -> datetime:
    return datetime.fromisoformat(iso).astimezone(ZoneInfo(zone))


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S} ngày {moment:%d/%m/%Y}"


def _number(value: int) -> str:
    """1.234 in Vietnamese."""
    return f"{value:,}".replace(",", ".")


def _decimal(value: float) -> str:
    return f"{value:,.1f}".translate(str.maketrans(",.", ".,"))
