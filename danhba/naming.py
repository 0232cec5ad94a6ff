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

from danhba.names import LOCAL_PART

CONNECTING = frozenset(("và", "các", "của", "cho", "với", "về"))
"""Words that carry no meaning of their own in the name of an agency."""

ABBREVIATED_FROM = 3
"""Syllables; from here on the name of a sở, ban, hội or phòng is abbreviated (Điều 5.3.a, end)."""

_DROPPED = re.compile(r"[^a-z0-9]")
_NUMBER = re.compile(r"[0-9]{2,}")
_WORDS = re.compile(r"\w+")
_TAIL = re.compile(
    r"\s(?:tỉnh|huyện|thị xã|thành phố|TP\.?|xã(?!\s+hội\b)|phường|thị trấn|đặc khu)(?=\s|$)",
    re.IGNORECASE,
)
_ETH = str.maketrans("Ðð", "Đđ")
"""Letters of Icelandic that look like ours and stand for them in old documents."""


@dataclass(frozen=True)
class Kind:
    """How agencies of one kind are named.

    word: what names of this kind begin with. prefix: what the address begins with; for districts
    and communes only where two would share it. form: "short" = prefix + short name; "office" =
    short name + "." + district or commune; "place" = the whole name, a district's; "commune" = by
    the neighbours; "free" = agreed with the unit.
    """

    word: str
    prefix: str
    form: Literal["short", "office", "place", "commune", "free"]


KINDS = {
    "so": Kind("Sở", "so", "short"),
    "ban": Kind("Ban", "ban", "short"),
    "hoi": Kind("Hội", "hoi", "short"),
    "huyen": Kind("Huyện", "h", "place"),
    "thi_xa": Kind("Thị xã", "tx", "place"),
    "thanh_pho": Kind("Thành phố", "tp", "place"),
    "phong": Kind("Phòng", "", "office"),
    "xa": Kind("Xã", "xa", "commune"),
    "phuong": Kind("Phường", "p.", "commune"),
    "thi_tran": Kind("Thị trấn", "tt", "commune"),
    "dac_khu": Kind("Đặc khu", "dk", "commune"),
    "khac": Kind("", "", "free"),
}


def codes() -> str:
    """The kinds with their words, for help texts."""
    return ", ".join(f"{kind} ({rule.word or 'any other'})" for kind, rule in KINDS.items())


@dataclass(frozen=True)
class Commune:
    """kind: a key of KINDS. name: with or without its kind word. district: without, or the address
    of one of two districts of one name; "" where there are no districts."""

    kind: str
    name: str
    district: str


@lru_cache(maxsize=10_000)
def fold(text: str) -> str:
    """text without marks, in lower case, only a-z and 0-9. "Đặng" -> "dang"."""
    marks = unicodedata.normalize("NFD", text.translate(_ETH).lower().replace("đ", "d"))
    return _DROPPED.sub("", marks)


def plain_name(kind: str, name: str) -> str:
    """name in NFC without its kind word. "Sở Nội vụ" -> "Nội vụ"."""
    name = " ".join(unicodedata.normalize("NFC", name).translate(_ETH).split())
    word = KINDS[kind].word
    return name[len(word) :].lstrip() if name.lower().startswith(f"{word.lower()} ") else name


_ALIKE = ({"short"}, {"place", "commune"})
"""Forms whose kinds are told apart by the word that the name begins with."""


def kind_of(name: str, kind: str) -> str:
    """The kind whose word the name begins with, of those like `kind`; `kind` where there is none.

    "Phường Tịnh Biên" is a phuong, whatever town it was; Ban Quản lý dự án of a district stays a
    phong, and the city of Hội An a thanh_pho.
    """
    alike = next((forms for forms in _ALIKE if KINDS[kind].form in forms), set())
    if plain_name(kind, name) != plain_name("khac", name):
        return kind
    found = (each for each, rule in KINDS.items() if rule.form in alike)
    return next(
        (each for each in found if plain_name(each, name) != plain_name("khac", name)), kind
    )


def without_tail(name: str) -> str:
    """name without "tỉnh", "tỉnh An Giang", "huyện X", "xã X" at its end."""
    for tail in _TAIL.finditer(name):
        if not any(word[0].islower() for word in name[tail.end() :].split()):
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


def agency(kind: str, name: str, place: str = "") -> str | None:
    """The local part of an agency that is no commune (Điều 5.3.a), None where none is prescribed.

    place: of an office (phòng) or hội, what it belongs to: a district's name without kind word, or
    an address.
    """
    rule = KINDS[kind]
    rest = plain_name(kind, name)
    if rule.form == "short":
        # A hội of a district by analogy with its offices.
        return rule.prefix + short(rest) + (_of(place) if kind == "hoi" else "")
    if rule.form == "place":
        return fold(rest)
    if rule.form == "office" and place:
        # A ban of a district is named as in "Các ban" and keeps the word.
        own = "ban" + short(rest[4:]) if rest.startswith("Ban ") else short(rest)
        return own + _of(place)
    return None


def _of(place: str) -> str:
    """What ends an address that names a place; an address stays as it is."""
    if not place:
        return ""
    return f".{place if LOCAL_PART.fullmatch(place) else fold(place)}"


def proposal(name: str) -> str:
    """What to suggest to a unit that the rule leaves free ("Các đơn vị khác", Điều 5.3.a)."""
    return short(name)


def districts(units: Iterable[tuple[str, str]]) -> list[str | None]:
    """The local part of each district of a province, from kind and name, in the given order.

    Two of one name (Huyện Cao Lãnh, Thành phố Cao Lãnh) both have the kind in front. None: two are
    of one kind too.
    """
    pairs = [(kind, fold(plain_name(kind, name))) for kind, name in units]
    of_pair, of_name = Counter(pairs), Counter(name for _, name in pairs)
    return [
        None
        if of_pair[kind, name] > 1
        else (KINDS[kind].prefix if of_name[name] > 1 else "") + name
        for kind, name in pairs
    ]


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
        suffix = _of(unit.district) if of_name[name] > here else ""
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
