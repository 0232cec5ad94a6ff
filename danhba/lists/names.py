"""A person's name as an agency wrote it to the name that goes into the directory."""

from __future__ import annotations

import re
from dataclasses import dataclass

from danhba.findings import shown
from danhba.lists.syllables import ALPHABET

MAX_LETTERS = 60
MAX_WORDS = 8

_FAMILY_LIST = """
Âu An Bá Bạch Bành Bế Bùi Ca Cái Cam Cao Cát Chau Châu Chế Chiêm Chu Chung Chương Cổ Cù Cung Danh
Diêu Diệp Doãn Dư Dương Đàm Đàng Đào Đặng Đậu Đèo Điểu Điền Đinh Đoàn Đỗ Đồng Đổng Đới Đường Giang
Giáp Hà Hàn Hàng Hầu Hoàng Hồ Hồng Hứa Huỳnh Hùng Kha Khổng Khuất Khương Khưu Kiên Kiều Kim La Lã
Lạc Lai Lại Lâm Lê Lều Liêu Liễu Lò Lô Lộ Lục Lư Lữ Lưu Lương Lường Lý Mã Mạc Mạch Mai Man Mẫn
Mông Nghiêm Ngô Nguyễn Ngụy Nhan Nhâm Nhữ Nông Ong Ông Ổn Phạm Phan Phí Phó Phú Phùng Phương Quách
Quan Quản Sơn Sử Tạ Tăng Thạch Thái Thạnh Thân Thi Thiều Tiêu Tiết Tô Tôn Tống Trà Trang Trần Triệu
Trình Trịnh Trương Từ Tưởng Ty Ứng Văn Vi Viên Võ Vũ Vưu Vương Xa Y
"""
FAMILIES = frozenset(_FAMILY_LIST.split()) - {"Ông"}
"""Family names that prove an "Ông" before them to be an honorific. Ông is one too, rarely."""

_HONORIFIC = re.compile(
    r"(?:(?:pgs|gs|ts|th\.?\s?s|ks|kts|cn|ls|ds|bs(?:ck)?|ck|đ/c|đc)(?:\s?(?:i{1,2}|1|2))?(?=[\s.:,])"
    r"|(?:đồng chí|thạc s[ĩỹ]|tiến s[ĩỹ]|kỹ sư|cử nhân|bác s[ĩỹ]|luật sư)\b)[\s.:,]*",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(ông|bà)\b[\s.:]*", re.IGNORECASE)
_PARTS = re.compile(r"([-'])")


class NotAName(Exception):
    """Text that is no name of one person, or cannot be told to be. The message says why."""


@dataclass(frozen=True, slots=True)
class Name:
    """text: in NFC, single spaces, capitals only where names have them. remarks: what was done."""

    text: str
    remarks: tuple[str, ...]


def name_of(text: str) -> Name:
    """The name in text (NFC, maybe on several lines). Raises NotAName."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and all(len(line) > 1 for line in lines):
        raise NotAName(f"the cell holds several lines, maybe several people: {shown(text)}")
    spaced = " ".join(text.replace("’", "'").replace("\u2011", "-").split())
    bare, remarks = _without_honorifics(spaced)
    words = bare.split()
    _check(words, bare)
    cased = " ".join(_cased(word) for word in words)
    if cased != bare:
        remarks.append(f"written {bare}")
    return Name(cased, tuple(remarks))


def _without_honorifics(text: str) -> tuple[str, list[str]]:
    rest, removed = text, []
    while found := _HONORIFIC.match(rest):
        removed.append(found[0].strip(" .:,"))
        rest = rest[found.end() :]
    if found := _ADDRESS.match(rest):
        after = rest[found.end() :]
        if not after or after.split()[0].capitalize() not in FAMILIES:
            raise NotAName(f"{found[1]} may be a form of address or a part of the name")
        removed.append(found[1])
        rest = after
    return rest, [f"without {word}" for word in removed]


def _check(words: list[str], text: str) -> None:
    letters = "".join(words).replace("-", "").replace("'", "")
    odd = "".join(dict.fromkeys(letter for letter in letters if letter not in ALPHABET))
    if odd:
        raise NotAName(f"{shown(text)} holds {shown(odd)}, which names do not")
    if len(words) == 1 and not _PARTS.search(text):
        raise NotAName(f"{shown(text)} is one word, not family and given name")
    if len(words) > MAX_WORDS or len(text) > MAX_LETTERS or "và" in words:
        raise NotAName(f"{shown(text)} is longer than a name, maybe of several people")
    if not all(part for word in words for part in _PARTS.split(word)):
        raise NotAName(f"{shown(text)} has a hyphen or an apostrophe at the end of a word")


def _cased(word: str) -> str:
    """NGUYỄN -> Nguyễn, Y-BHĂM -> Y-Bhăm, an -> An; a word with both cases stays."""
    parts = _PARTS.split(word)
    return "".join(
        part[:1].upper() + (part[1:].lower() if part.isupper() else part[1:]) for part in parts
    )
