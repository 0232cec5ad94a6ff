"""Whether a text bears a secrecy mark: MẬT, TỐI MẬT, TUYỆT MẬT (Điều 4.4; the three degrees of the
law on the protection of state secrets).

A mark is a stamp, not a word: it stands apart from the sentence, and in capitals. Who writes about
marks, keeps passwords or is called Mật writes the same letters, and none of them is refused.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, NamedTuple

Degree = Literal["MẬT", "TỐI MẬT", "TUYỆT MẬT"]

_LONGEST = 1000
"""Characters of a line that are looked at, from either end: a stamp stands at one."""

# Each word in Unicode, TCVN3 and VNI. In TCVN3 letters with a tone have no capitals.
_M, _T, _U = "(?:mật|mët|maät)", "(?:tối|tèi|toái)", "(?:tuyệt|tuyöt|tuyeät)"
_GAP = r"[ \-.]{0,2}"
_DEGREES: tuple[tuple[Degree, str, str], ...] = (
    ("TUYỆT MẬT", f"{_U}{_GAP}{_M}", f"tuyet{_GAP}mat"),
    ("TỐI MẬT", f"{_T}{_GAP}{_M}", f"toi{_GAP}mat"),
    ("MẬT", _M, "mat"),
)
_ANY = "|".join(f"{marked}|{bare}" for _, marked, bare in _DEGREES)
_WHOLE = [(degree, re.compile(marked), re.compile(bare)) for degree, marked, bare in _DEGREES]

_LOOK = re.compile(r"m ?(?:ậ|ë|aä|a) ?t", re.I)
"""Where it is worth to look closer."""
_UNSEEN = re.compile("[\u00ad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_LINES = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_QUOTED = re.compile(r"[ \t]*(?:[>|][ \t]?)+")
_ENUMERATED = re.compile(r"(?:[0-9]{1,2}|[a-zđ])[.)] ", re.I)
_APART = re.compile(r"\t+| {2,}|[|\[\](){}<>【】]|(?:^| )[-–—]+(?: |$)|[–—]|-{2,}|_{2,}|={2,}")
_COLUMN = re.compile(r"\t| {2,}|\|")
_TRIM = " *_-=#.~•·+:;!/\\,|"
_URGENT = re.compile(r"(?:THƯỢNG )?KHẨN|H(?:ỎA|OẢ) TỐC(?: HẸN GIỜ)?")
_EDGES = (
    re.compile(rf"\W*[\[({{【]\s*({_ANY})\s*[\])}}】]", re.I),
    re.compile(rf"[\[({{【]\s*({_ANY})\s*[\])}}】]\W*$", re.I),
)
_HEAD = re.compile("[^:]{3,60}:")

_DO = "(?:độ|®é|§é|ñoä)"
_LABEL = re.compile(
    rf"(?<!\w)(?:(?:{_DO}|mức|cấp|dấu) (?:bảo )?{_M}|phân loại(?: {_M})?|đóng dấu|do mat)",
    re.I,
)
_LABELLED = re.compile(
    rf"(?: (?:của )?(?:văn bản|tài liệu))?[ \t]*(?:[:=(\[|\t\-–—]|  )[ \t:=(\[|]*({_ANY})"
    r"(?=[ \t]*(?:$|[.;,()\[\]|/\t–—-]|  ))",
    re.I,
)
_PREFIX = re.compile(r"\W*\[\s*(Mật|mËt|MËt|Maät)\s*\]")
"""[Mật] before a subject is no name; (Mật) may be."""
_ITEM = re.compile(r"\s*[-–•+] ")
_ORGANS = re.compile(r"(?<!\w)(?:gan|tụy|tuỵ|lách|sỏi|túi|siêu âm)(?!\w)", re.I)
"""Mật is bile as well."""
_TOPIC = re.compile(r"\W*(?:subject|chủ đề|tiêu đề|v/v|về việc)\s?:\s*", re.I)
_REPLY = re.compile(r"(?:\s*(?:re|fw|fwd|tl|tr|trả lời|chuyển tiếp)\s?:)+\s*", re.I)

_COMPOUND = re.compile(
    # bảo mật, bí mật; "độ, mức, dấu ... MẬT" speaks of the mark; Nguyễn Văn Mật
    r"(?:.*\W)?(?:bảo|bí|bao|bi|cơ|thân|độ|mức|cấp|dấu|loại|và|hoặc|là|văn|thị|van|thi)",
    re.I,
)
_PAPERS = (
    "cong van|van ban|tai lieu|bao cao|to trinh|ke hoach|ho so|quyet dinh|thong bao|chi thi|"
    "phuong an|de an|bien ban|danh sach|nghi quyet|cv|vb|tl|bc|tt|kh|hs|qd|tb|ct|pa|da|bb|ds|nq"
)
_PAPER = re.compile(
    r"\W*(?:[0-9]{1,5}\W{1,3})?(?:(?:kinh )?(?:gui|chuyen|trinh) )?"
    rf"(?:{_PAPERS})\W{{1,3}}(?:so )?[0-9/.\- ]{{0,12}}$"
)
_TITLE = re.compile(rf"\W*(?:tài liệu|văn bản|hồ sơ|công văn) ({_ANY})\W*$", re.I)
_ABOUT = re.compile(
    r"(?<!\w)(?:quản lý|bảo quản|bảo vệ|lưu trữ|danh mục|quy chế|quy định|quy trình|sổ|tập huấn"
    r"|soạn thảo|công tác|thống kê|số lượng|hướng dẫn|tiêu hủy|giải mật|về|các|loại|với|của)(?!\w)",
    re.I,
)
"""The line before says that "TÀI LIỆU MẬT" is what a heading speaks of."""
_STATISTIC = re.compile(rf"\W*(?:{_ANY})[ \t]*(?:[:|\t]|  )[ \t:|]*(?:[0-9][0-9., \t|]*)$", re.I)
"""A row of a table of how many were received; behind a stamp there is no bare number."""
_BEGINS = re.compile(rf"\W*({_ANY})\s*[-–—:]\s*(.*)", re.I)
_OF_PAPER = re.compile(rf"(?:{_PAPERS})\b")
_SERIAL = re.compile(rf"\W*(?:$|[0-9]|so\b|ngay\b|(?:{_PAPERS})\b)")
_SMALL = re.compile(r" (?!khẩu|độ|mã|ong|vụ|thư|hiệu|lệnh|báo)(?=[^\W\d_])")
_WORDS = re.compile(rf"(?<!\w)(?:{_ANY})(?!\w)", re.I)
_OPENED = ('"', "“", "'", "‘", "«")
_SUFFIX = re.compile(r"(?:\.[A-Za-z0-9]{1,5}){1,2}$")


def mark_in(text: str) -> Degree | None:
    """The mark that a text of any length bears on one of its lines."""
    before = ""
    for line in _LINES.split(_plain(text)):
        if _LOOK.search(line):
            found = _on_line(_QUOTED.sub("", line, count=1), before)
            if found:
                return found
        before = line
    return None


def mark_in_label(text: str) -> Degree | None:
    """As mark_in, of what names something in a few words: a subject, a title."""
    line = " ".join(_LINES.split(_plain(text)))
    return _in_label(line) if _LOOK.search(line) else None


def mark_in_file_name(name: str) -> Degree | None:
    """As mark_in, of a file's name: the suffix goes, and underscores are blanks."""
    base = re.split(r"[/\\]", name)[-1]
    return mark_in_label(re.sub(r"[_+]", " ", _SUFFIX.sub("", base)))


def _plain(text: str) -> str:
    """Composed, whatever form and order its marks came in, and without what nobody sees."""
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text).replace("\u0301\u0302", "\u0302\u0301")
    return _UNSEEN.sub("", unicodedata.normalize("NFC", parts))


def _on_line(line: str, before: str) -> Degree | None:
    if len(line) > 2 * _LONGEST:
        return _on_line(line[:_LONGEST], before) or _on_line(line[-_LONGEST:], "")
    if topic := _TOPIC.match(line):
        return _in_label(line[topic.end() :])
    if _names_all(line) or _STATISTIC.fullmatch(line):
        return None
    return _stamp(line, before) or _title(line, before) or _apart(line) or _labelled(line)


def _names_all(line: str) -> bool:
    """Who lists all three degrees writes about them."""
    small = line.casefold()
    for _, marked, bare in _WHOLE:
        small, found = re.subn(f"{marked.pattern}|{bare.pattern}", "", small)
        if not found:
            return False
    return True


class _Found(NamedTuple):
    """Letters that are a mark and nothing else. marked: with its diacritics."""

    degree: Degree
    marked: bool
    begins_large: bool
    capitals: bool

    @property
    def is_stamp(self) -> bool:
        """In capitals. MAT without its diacritics may be mắt, mặt or mất."""
        return self.capitals and (self.marked or self.degree != "MẬT")

    @property
    def is_alone(self) -> bool:
        """As is_stamp, or "Tối mật", which is no name, and no end of a sentence."""
        return self.is_stamp or (self.is_two_words and self.begins_large)

    @property
    def is_two_words(self) -> bool:
        """With diacritics, in whatever letters: enough in brackets beside a title."""
        return self.marked and self.degree != "MẬT"

    @property
    def is_value(self) -> bool:
        """As good behind a label."""
        return self.marked or self.capitals or self.degree != "MẬT"


def _stamp(line: str, before: str) -> Degree | None:
    """On a line of its own, spaced out or with a word on urgency beside it."""
    if _ENUMERATED.match(line.strip()) or _goes_on(before):
        return None
    found = _found(_URGENT.sub(" ", line))
    if found is None or (_ITEM.match(line) and not found.is_stamp):
        return None
    return found.degree if found.is_alone else None


def _title(line: str, before: str) -> Degree | None:
    """TÀI LIỆU MẬT, and nothing else, on a line."""
    hit = _TITLE.match(line)
    if hit is None or not line.isupper() or _ABOUT.search(before[-_LONGEST:]):
        return None
    found = _found(hit[1])
    return found.degree if found else None


def _goes_on(before: str) -> bool:
    """Does the line before end in the middle of what this one says?"""
    words = before[-_LONGEST:].split()
    return bool(words) and bool(_COMPOUND.fullmatch(words[-1]))


def _apart(line: str) -> Degree | None:
    """Between brackets, dashes or columns, or before a colon."""
    for edge in _EDGES:
        if (hit := edge.search(line)) and (found := _found(hit[1])) and found.is_alone:
            return found.degree
    if _PREFIX.match(line):
        return "MẬT"
    enumerated = _ENUMERATED.match(line.lstrip())
    if enumerated:
        line = line.lstrip()[enumerated.end() :]
    elif (head := _HEAD.match(line)) and (degree := _in_capitals(head[0])):
        return None if degree == "MẬT" and _ORGANS.search(line) else degree
    return _in_pieces(line)


def _in_pieces(line: str) -> Degree | None:
    pieces = [piece.strip() for piece in _APART.split(line) if piece.strip()]
    bile = bool(_ORGANS.search(line))
    many = len([column for column in _COLUMN.split(line) if column.strip()]) > 3
    for before, piece in zip(("", *pieces), pieces, strict=False):
        degree = _in_capitals(piece) if len(pieces) > 1 else None
        # A table of people has their given names in a column, a form has them behind a colon.
        named = before.endswith(":") or _goes_on(before) or (degree == "MẬT" and (many or bile))
        if degree and not named:
            return degree
    return None


def _labelled(line: str) -> Degree | None:
    """Độ mật: Tối mật."""
    for label in _LABEL.finditer(line):
        hit = _LABELLED.match(line, label.end())
        if hit and (found := _found(hit[1])) and found.is_value:
            return found.degree
    return None


def _in_capitals(text: str) -> Degree | None:
    found = _found(_URGENT.sub(" ", text))
    return found.degree if found and found.is_stamp else None


def _found(text: str) -> _Found | None:
    text = text.strip(_TRIM + "[](){}<>【】\t")
    if len(text) > 30:
        return None
    shape = (text[:1].isupper(), not re.search("[a-z]", text))
    small = text.casefold()
    tight = re.sub(r"[ \t]", "", small)
    for degree, marked, bare in _WHOLE:
        if marked.fullmatch(small) or marked.fullmatch(tight):
            return _Found(degree, True, *shape)
        if bare.fullmatch(small):
            return _Found(degree, False, *shape)
    return None


def _in_label(line: str) -> Degree | None:
    line = line[: 2 * _LONGEST]
    for prefix in (_REPLY, _TOPIC):
        if begins := prefix.match(line):
            line = line[begins.end() :]
    if _names_all(line):
        return None
    for edge in _EDGES:
        if (hit := edge.search(line)) and (found := _found(hit[1])) and found.is_two_words:
            return found.degree
    return (
        _before_paper(line) or _stamp(line, "") or _apart(line) or _labelled(line) or _within(line)
    )


def _before_paper(line: str) -> Degree | None:
    """Tối mật - KH A2; a film has another title."""
    hit = _BEGINS.match(line)
    found = _found(hit[1]) if hit and _OF_PAPER.match(_bare(hit[2])) else None
    return found.degree if found and found.is_two_words and found.begins_large else None


def _within(line: str) -> Degree | None:
    """Among the words of a label: it is too short to be about marks, unless it says so."""
    for hit in _WORDS.finditer(line):
        before, behind = line[: hit.start()], line[hit.end() :]
        found = _found(hit[0])
        if found is None or not found.capitals or before.endswith(_OPENED):
            continue
        of_paper = found.is_stamp and _is_of_paper(before, behind)
        if found.degree != "MẬT" and not _goes_on(before):
            of_paper |= found.marked or bool(re.search("[a-z]", before + behind))
        if of_paper:
            return found.degree
    return None


def _is_of_paper(before: str, behind: str) -> bool:
    """Công văn MẬT số 12; Văn bản MẬT đến ngày 3; MẬT 12/UBND."""
    last = _bare(_APART.split(before)[-1]).rstrip()
    if not (
        _SERIAL.match(_bare(behind)) or (last and _SMALL.match(behind) and behind[1].islower())
    ):
        return False
    return bool(_PAPER.match(f"{last} ") if last else behind.strip())


def _bare(text: str) -> str:
    """Small letters without marks."""
    parts = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(char for char in parts if not unicodedata.combining(char))
