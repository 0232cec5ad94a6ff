"""The naming rule of Điều 5.3 as pure functions from Vietnamese names to local parts.

Nothing here knows a directory: who holds which address is danhba.check's matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

CONNECTING = frozenset(("và", "các", "của", "cho", "với", "về"))
"""Words that carry no meaning of their own in the name of an agency."""

ABBREVIATED_FROM = 3
"""Syllables; from here on the name of a sở, ban, hội or phòng is abbreviated (Điều 5.3.a, end)."""

_DROPPED = re.compile(r"[^a-z0-9]")
_NUMBER = re.compile(r"[0-9]{2,}")
_WORDS = re.compile(r"\w+")
_TAIL = re.compile(r"\s(?:tỉnh|huyện|thị xã|thành phố|TP\.?)(?:\s(?P<place>.+))?$")


@dataclass(frozen=True)
class Kind:
    """How agencies of one kind are named.

    word: what names of this kind begin with. prefix: what the address begins with; for communes
    only where Điều 5.3.a asks for it. form: "short" = prefix + short name; "office" = short name +
    "." + district; "place" = the whole name; "commune" = by the neighbours; "free" = agreed with
    the unit.
    """

    word: str
    prefix: str
    form: Literal["short", "office", "place", "commune", "free"]


KINDS = {
    "so": Kind("Sở", "so", "short"),
    "ban": Kind("Ban", "ban", "short"),
    "hoi": Kind("Hội", "hoi", "short"),
    "huyen": Kind("Huyện", "", "place"),
    "thi_xa": Kind("Thị xã", "", "place"),
    "thanh_pho": Kind("Thành phố", "", "place"),
    "phong": Kind("Phòng", "", "office"),
    "xa": Kind("Xã", "xa", "commune"),
    "phuong": Kind("Phường", "p.", "commune"),
    "thi_tran": Kind("Thị trấn", "tt", "commune"),
    "dac_khu": Kind("Đặc khu", "dk", "commune"),
    "khac": Kind("", "", "free"),
}


@dataclass(frozen=True)
class Commune:
    """kind: a key of KINDS. name: with or without its kind word. district: without."""

    kind: str
    name: str
    district: str


@lru_cache(maxsize=10_000)
def fold(text: str) -> str:
    """text without marks, in lower case, only a-z and 0-9. "Đặng" -> "dang"."""
    marks = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return _DROPPED.sub("", marks)


def plain_name(kind: str, name: str) -> str:
    """name in NFC without its kind word. "Sở Nội vụ" -> "Nội vụ"."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    word = KINDS[kind].word
    return name[len(word) :].lstrip() if name.lower().startswith(f"{word.lower()} ") else name


def without_tail(name: str) -> str:
    """name without "tỉnh", "tỉnh An Giang", "huyện X" at its end."""
    tail = _TAIL.search(name)
    place = (tail["place"] or "") if tail else ""
    if tail and all(word[0].isupper() for word in place.split()):
        return name[: tail.start()]
    return name


def short(name: str) -> str:
    """The name of an agency, folded, abbreviated from three syllables on.

    Acronyms stay whole and count their letters: "Văn phòng UBND" -> "vpubnd".
    """
    mixed = name != name.upper()
    parts = []
    syllables = 0
    for word in _WORDS.findall(without_tail(unicodedata.normalize("NFC", name))):
        if word.lower() in CONNECTING:
            continue
        acronym = mixed and len(word) > 1 and word.isupper()
        syllables += len(word) if acronym else 1
        parts.append((fold(word), acronym))
    whole = syllables < ABBREVIATED_FROM
    return "".join(word if whole or acronym else word[:1] for word, acronym in parts)


def agency(kind: str, name: str, district: str = "") -> str | None:
    """The local part of an agency that is no commune (Điều 5.3.a), None where none is prescribed.

    district: name, without kind word, of the district that an office (phòng) belongs to.
    """
    rule = KINDS[kind]
    rest = plain_name(kind, name)
    if rule.form == "short":
        return rule.prefix + short(rest)
    if rule.form == "place":
        return fold(rest)
    if rule.form == "office":
        # A ban of a district is named as in "Các ban" and keeps the word.
        own = "ban" + short(rest[4:]) if rest.startswith("Ban ") else short(rest)
        return f"{own}.{fold(district)}"
    return None


def proposal(name: str) -> str:
    """What to suggest to a unit that the rule leaves free ("Các đơn vị khác", Điều 5.3.a)."""
    return short(name)


def communes(units: Iterable[Commune], districts: Iterable[str]) -> list[str | None]:
    """The local part of each commune of a province, in the given order (Điều 5.3.a).

    Communes are compared by folded name. None: two of one kind in one district share it (Phú
    Thạnh, Phú Thành in Phú Tân); the rule is silent, so somebody must decide.
    """
    units = list(units)
    folded = [fold(plain_name(unit.kind, unit.name)) for unit in units]
    pairs = list(zip(folded, units, strict=True))
    of_name = Counter(folded)
    of_district = Counter((name, unit.district) for name, unit in pairs)
    of_kind = Counter((name, unit.district, unit.kind) for name, unit in pairs)
    taken = {fold(district) for district in districts}
    parts: list[str | None] = []
    for name, unit in pairs:
        here = of_district[name, unit.district]
        if of_kind[name, unit.district, unit.kind] > 1:
            parts.append(None)
            continue
        prefix = KINDS[unit.kind].prefix if name in taken or here > 1 else ""
        suffix = f".{fold(unit.district)}" if of_name[name] > here else ""
        parts.append(prefix + name + suffix)
    return parts


def person(name: str, given_name: str = "") -> str:
    """Initials of family and middle names + given name (Điều 5.3.b). "Nguyễn Văn An" -> "nvan".

    given_name: the word that is the given name, where it is not the last one (Cham names).
    """
    words = [word for word in map(fold, name.split()) if word]
    given = fold(given_name)
    if given in words:
        words.remove(given)
        words.append(given)
    return "".join(word[0] for word in words[:-1]) + "".join(words[-1:])


def numbered(base: str, number: int) -> str:
    """The access name of the number-th holder of base, counted from 1; the first has no number.

    "hai chữ số thứ tự đăng ký": two digits at least; the hundredth has three.
    """
    return base if number == 1 else f"{base}{number:02d}"


def is_numbered(address: str, base: str) -> bool:
    """Is it base, or base with 02, 03, ... 100?"""
    if address == base:
        return True
    number = _NUMBER.fullmatch(address.removeprefix(base)) if address.startswith(base) else None
    return number is not None and int(number[0]) > 1 and address == numbered(base, int(number[0]))


def free_number(base: str, held: Container[str], start: int = 1) -> int:
    """The first number from start on whose access name is not in held (ever given or reserved)."""
    number = start
    while numbered(base, number) in held:
        number += 1
    return number
