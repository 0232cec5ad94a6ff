"""What agencies write in headers, headings, wishes and below a list, as data.

All patterns are for text without marks, so that they match whatever the marks became.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from danhba.naming import fold

Field = Literal[
    "number",
    "name",
    "family",
    "given",
    "staff_id",
    "title",
    "unit",
    "phone",
    "wish",
    "birth",
    "mail",
    "note",
]
"""What a column holds. family: family and middle names where the given name has its own column."""

Wish = Literal["add", "withdraw", "reset", "change", "unknown"]

_STAFF = "(?:canbo|congchuc|vienchuc|nhanvien|nguoilaodong|cb|cc|vc|nv|cnv)"
_PHONE = "(?:so)?(?:dt|sdt|dienthoai|didong|dtdd|phone|mobile|tel|mayban)+"
_PLACE = (
    "(?:phong|ban|bophan|donvi|coquan|to|doi|khoa|khoi|noi|congtac|chuyenmon|lamviec|tructhuoc|"
    "va|hoac)"
)

_LABELS: tuple[tuple[Field, str], ...] = (
    ("number", "stt|tt|so|sott|sothutu|no"),
    ("family", "ho|ho(?:va)?(?:ten)?(?:chu)?(?:dem|lot)"),
    ("given", "ten"),
    ("name", f"ho(?:va)?ten(?!.*chuc).*|ten(?:daydu)?{_STAFF}+|fullname"),
    ("staff_id", f"ma(?:so)?{_STAFF}+|ma|maso|sohieu{_STAFF}*|ms{_STAFF}+"),
    ("title", "chucvu.*|chucdanh.*|vitri(?:congtac|vieclam)?"),
    ("unit", f"(?:ten)?{_PLACE}+"),
    ("phone", f"{_PHONE}(?:didong|dd|coquan|cq|nharieng|nr|canhan|lienhe|lienlac|codinh|cd|zalo)*"),
    ("wish", "(?:noidung)?(?:de(?:nghi|xuat)|yeucau).*|noidung|(?:loai|hinhthuc)(?:denghi|yeucau)"),
    ("birth", "(?:ngay)?(?:thang)?(?:nam)?sinh|sinhngay"),
    ("mail", "(?:diachi)?(?:e?mail|thudientu|hopthu).*|tentruycap|tendangnhap|taikhoan(?!ngan).*"),
    ("note", "ghichu.*|note"),
)

_WHAT = "(?:hop thu|dia chi|thu|e?mail|tai khoan)"
_WISHES: tuple[tuple[Wish, str], ...] = (
    ("reset", "mat khau|reset|password"),
    (
        "withdraw",
        f"thu hoi|^huy\\b|huy (?:bo|dang ky|{_WHAT})|xoa\\b|^khoa$|khoa {_WHAT}|ngung|cham dut|"
        "nghi (?:huu|viec)|thoi viec",
    ),
    ("change", "thay doi|dieu chinh|cap nhat|sua|doi (?:ten|chuc|don vi)|chuyen (?:don vi|phong)"),
    (
        "add",
        f"cap moi|tao (?:moi|lai|{_WHAT})|^tao$|dang ky(?! (?:dat|kinh|ho tich|kiem))|bo sung|"
        f"them\\b|^moi$|(?:can bo|tuyen|nhan vien) moi\\b|cap {_WHAT}|(?:^|nghi )cap$",
    ),
)
"""Words that agencies have in their names too (đào tạo, môi trường, chỉ huy, khoa, đăng ký đất đai)
count only where they cannot be part of one."""

_OF_WISHES = "de nghi|yeu cau|danh sach|truong hop"
_NOT = re.compile(r"\b(?:khong|chua)\b")

_UNITS = re.compile(
    r"(?:phòng|ban|sở|tổ|đội|khối|trung tâm|văn phòng|chi cục|chi nhánh|thanh tra|trạm|trường|"
    r"ủy ban|uỷ ban|hđnd|ubnd|đảng ủy|đảng uỷ|lãnh đạo|đơn vị|bộ phận|công đoàn|đoàn thanh niên|"
    r"hội đồng|xã|phường|thị trấn|huyện|khoa|cơ quan|phong|trung tam|van phong|chi cuc|thanh tra|"
    r"lanh dao|don vi|bo phan)(?!\w)",
    re.IGNORECASE,
)
_TOTAL = re.compile(
    r"tổng (?:cộng|số)|(?:tổng|cộng)\s*(?::|\d|$)|danh sách (?:này )?(?:có|gồm)|ấn định|"
    r"tong (?:cong|so)|danh sach (?:nay )?(?:co|gom)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"noi nhan|\(?ky(?: va|,)? ?(?:ghi|ten|dong dau)|nguoi lap|lap bieu|thu truong|"
    r"(?:kt|tm|tl|tuq)\. ?|.*\bngay\b.{0,14}\bthang\b.{0,14}\bnam\b|xac nhan cua"
)
_OFFICES = re.compile(
    r"(?:pho )?(?:giam doc|chu tich|chanh van phong|truong (?:phong|ban)|hieu truong|vien truong)"
)
_LEADER = re.compile(r"(?:[IVXLC]+|[A-Z])[.)]?|[IVXLC\d]{1,5}(?:\.\d+)*[.)]?")
_LEADING = re.compile(r"(?:[IVXLC]+|[A-Z]|\d{1,2}(?:\.\d+)*)\s?[.)/:-]\s*(?=\w)")
TICKS = frozenset(("x", "v", "+", "*", "1", "✓", "✔", "√", "có"))
DITTO = frozenset(('"', '""', "nt", "-nt-", "//", "''", "như trên", "- nt -", "“", "”"))


def plain(text: str) -> str:
    """text without marks, in lower case, words kept apart. "Đề nghị" -> "de nghi"."""
    parts = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return " ".join("".join(c for c in parts if not unicodedata.combining(c)).split())


def field_of(label: str) -> Field | None:
    """What a column with this header holds."""
    if len(label) > 100:
        return None
    folded = fold(re.sub(r"\(.*?\)", "", label))
    return next((field for field, form in _LABELS if re.fullmatch(form, folded)), None)


def wish_of(text: str) -> Wish:
    """What text asks for; unknown where it names nothing or more than one thing."""
    words = plain(text)
    found = [wish for wish, form in _WISHES if re.search(rf"\b(?:{form})", words)]
    if found[:1] == ["reset"]:
        found = [wish for wish in found if wish == "withdraw" or wish == "reset"]
    return found[0] if len(found) == 1 and not _NOT.search(words) else "unknown"


def is_wish(text: str) -> bool:
    """Whether text is a heading over people for whom one thing is asked."""
    forms = "|".join(form for _, form in _WISHES)
    return wish_of(text) != "unknown" and bool(re.match(f"{_OF_WISHES}|{forms}", plain(text)))


def is_title(text: str) -> bool:
    """Whether text is the title of a list."""
    return plain(text).startswith("danh sach")


def is_unit(text: str) -> bool:
    """Whether text begins like the name of a part of an agency."""
    return bool(_UNITS.match(text))


def is_total(text: str) -> bool:
    """Whether text tells how many the list has; by its marks, as Công chức is a title."""
    return bool(_TOTAL.match(text))


def is_closing(text: str) -> bool:
    """Whether text stands in no list, but below one."""
    return bool(_CLOSING.match(plain(text)))


def is_office(text: str) -> bool:
    """Whether text is nothing but an office whose holder signs."""
    return bool(_OFFICES.fullmatch(plain(text)))


def is_leader(text: str) -> bool:
    """Whether text numbers a heading or a person: I, A., 1.2."""
    return bool(_LEADER.fullmatch(text))


def without_leader(text: str) -> str:
    """ "II. Phòng Kế hoạch" -> "Phòng Kế hoạch"."""
    found = _LEADING.match(text)
    return text[found.end() :] if found else text
