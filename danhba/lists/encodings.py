"""Text typed in TCVN3 (ABC), VNI-Windows or CP1258, or decoded wrongly, to Unicode in NFC.

A piece of text has several readings. Which one its writer meant is decided by what is certain: the
font it was typed in, the shape of Vietnamese syllables, and what the rest of the file can only be.
Where two readings remain, nothing is guessed: Undecided names both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from danhba.findings import shown
from danhba.lists.syllables import ALPHABET, follows, is_syllable, is_vowel
from danhba.same_name import TONES

Encoding = Literal["unicode", "tcvn3", "vni", "cp1258", "utf-8"]

TITLES: dict[Encoding, str] = {
    "unicode": "Unicode",
    "tcvn3": "TCVN3 (ABC)",
    "vni": "VNI-Windows",
    "cp1258": "CP1258 (Vietnamese Windows)",
    "utf-8": "UTF-8 that was taken for a Windows code page",
}
"""What each encoding is called in messages."""

# What each code means

TCVN3 = dict(
    zip(
        bytes.fromhex(
            "a1a2a3a4a5a6a7 a8a9aaabacadae"  # letters that have both cases
            "b5b6b7b8b9 bbbcbdbec6 c7c8c9cacb cccecfd0d1 d2d3d4d5d6 d7d8dcddde"
            "dfe1e2e3e4 e5e6e7e8e9 eaebecedee eff1f2f3f4 f5f6f7f8f9 fafbfcfdfe"
        ),
        "ĂÂÊÔƠƯĐăâêôơưđàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ",
        strict=True,
    )
)
"""TCVN 5712:1993, VN3: byte to letter. A toned letter has no code for its capital: such text is
in a capitals font, or toned letters stay small among capitals."""

_VNI_TONES = dict(zip("øùûõï", TONES, strict=True))
_VNI_SHAPES = {
    "a": {
        **dict(zip("âàáåãä", ("\u0302", *("\u0302" + tone for tone in TONES)), strict=True)),
        **dict(zip("êèéúüë", ("\u0306", *("\u0306" + tone for tone in TONES)), strict=True)),
    },
    "e": dict(zip("âàáåãä", ("\u0302", *("\u0302" + tone for tone in TONES)), strict=True)),
    "o": dict(zip("âàáåãä", ("\u0302", *("\u0302" + tone for tone in TONES)), strict=True)),
}
_VNI_LETTERS = dict(zip("ìæóíòîñôö", "ìỉĩíịỵđơư", strict=True))


def _vni_table() -> dict[str, str]:
    """One or two Latin-1 characters to a letter. The second may be small after a capital."""
    small = dict(_VNI_LETTERS)
    for base in "aeouyôö":
        letter = _VNI_LETTERS.get(base, base)
        for code, marks in {**_VNI_TONES, **_VNI_SHAPES.get(base, {})}.items():
            small[base + code] = unicodedata.normalize("NFC", letter + marks)
    table = dict(small)
    for codes, letter in small.items():
        table[codes[0].upper() + codes[1:]] = letter.upper()
        table[codes.upper()] = letter.upper()
    return table


VNI = _vni_table()
_VNI_CODES = re.compile("|".join(sorted(VNI, key=len, reverse=True)))

_PUNCTUATION = "–—‘’“”…•−°₫✓✔√\u00a0\u2009\u200b\u2011\ufeff"
_IGNORED = str.maketrans("", "", "\u200b\u200c\u200d\u2060\ufeff")
"""Marks of no width that word processors leave behind."""

_LOOKALIKES = str.maketrans("ÐðƉɖ", "ĐđĐđ")
"""Letters of Icelandic and Ewe that look like đ; CP1258 taken for CP1252 has them too."""

_SHAPES = "\u0302\u0306\u031b"
_MARKS = re.compile(f"([a-zA-Z])([{''.join(TONES)}{_SHAPES}]{{2,}})")
_WORDS = re.compile(r"[^\W\d_]+")


def nfc(text: str) -> str:
    """text in NFC, where a tone typed before the circumflex, breve or horn counts as after it."""
    parts = unicodedata.normalize("NFD", text)
    if parts == text and text.isascii():
        return text
    return unicodedata.normalize("NFC", _MARKS.sub(_shape_first, parts))


def _shape_first(match: re.Match[str]) -> str:
    return match[1] + "".join(sorted(match[2], key=lambda mark: mark in TONES))


# Readings

_HIGH = "".join(bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(128, 256))
_CP1252 = {char: code for code, char in enumerate(_HIGH, 128)}
_CP1258 = {bytes([code]).decode("cp1258", "ignore") or chr(code): code for code in range(128, 256)}
WESTERN = dict(enumerate(_HIGH, 128))
"""Byte to character as Windows reads it, where cp1252 has none the control code."""


def _bytes(text: str, page: dict[str, int]) -> bytes | None:
    """What text was before somebody decoded it with page; None if it never was."""
    try:
        return bytes(page[char] if char > "\x7f" else ord(char) for char in text)
    except KeyError:
        return None


def _as_unicode(text: str) -> str | None:
    if "\u00ad" in text:
        # A soft hyphen is nothing in Unicode, ư in TCVN3.
        if _bytes(text, _CP1252) is not None:
            return None
        text = text.replace("\u00ad", "")
    return nfc(text.translate(_IGNORED).translate(_LOOKALIKES))


def _as_tcvn3(text: str) -> str | None:
    data = _bytes(text, _CP1252)
    if data is None:
        return None
    letters = "".join(TCVN3.get(code, WESTERN.get(code, chr(code))) for code in data)
    odd = any(
        code > 127 and code not in TCVN3 and WESTERN[code] not in _PUNCTUATION for code in data
    )
    return None if odd else _WORDS.sub(_small_among_capitals, letters)


def _small_among_capitals(match: re.Match[str]) -> str:
    """A word as meant: toned letters, which have no capitals in VN3, follow the other letters."""
    word = match[0]
    sure = [(place, letter) for place, letter in enumerate(word) if letter not in _TONED]
    capitals = all(letter.isupper() for _, letter in sure)
    return word.upper() if capitals and any(place for place, _ in sure) else word


_TONED = frozenset(list(TCVN3.values())[14:])


def _as_vni(text: str) -> str | None:
    rest = _VNI_CODES.sub("", text)
    if any(char > "\x7f" and char not in _PUNCTUATION for char in rest):
        return None
    return _VNI_CODES.sub(lambda match: VNI[match[0]], text)


def _as_cp1258(text: str) -> str | None:
    data = _bytes(text, _CP1252)
    return None if data is None else nfc(data.decode("cp1258", "replace"))


def _as_utf8(text: str) -> str | None:
    for page in (_CP1252, _CP1258):
        data = _bytes(text, page)
        try:
            if data is not None and not text.isascii():
                return nfc(data.decode("utf-8").translate(_IGNORED))
        except UnicodeDecodeError:
            continue
    return None


_READ: dict[Encoding, Callable[[str], str | None]] = {
    "unicode": _as_unicode,
    "tcvn3": _as_tcvn3,
    "vni": _as_vni,
    "cp1258": _as_cp1258,
    "utf-8": _as_utf8,
}

MALFORMED, ODD, PLAUSIBLE, LEGAL = range(4)
"""Grades of a reading: with characters that Vietnamese text has not; with capitals within words or
marked vowels side by side as in no syllable; as a foreign name may be; all words with marks are
Vietnamese syllables."""


def grade(text: str) -> int:
    """How well text, in NFC, is Vietnamese. Words in plain ASCII say nothing."""
    if not all(_belongs(char) for char in text):
        return MALFORMED
    words = [word for word in _WORDS.findall(text) if not word.isascii()]
    if not all(_even(word) for word in words):
        return ODD
    return LEGAL if all(is_syllable(word) or _is_acronym(word) for word in words) else PLAUSIBLE


def _belongs(char: str) -> bool:
    if char <= "\x7f":
        return char.isprintable() or char in "\t\n\r"
    return char in ALPHABET or char in _PUNCTUATION


def _even(word: str) -> bool:
    small = word.lower()
    cased = word in (small, word.upper(), small[0].upper() + small[1:])
    return cased and all(
        follows(small[place - 1], small[place])
        for place in range(1, len(small))
        if is_vowel(small[place - 1]) and is_vowel(small[place])
    )


def _is_acronym(word: str) -> bool:
    """HĐND: no syllable, but as well known."""
    return word.isupper() and word.replace("Đ", "").isascii()


@lru_cache(maxsize=65536)
def readings(text: str) -> dict[Encoding, tuple[str, int]]:
    """Each encoding that text can be in, with its reading and the grade of that."""
    read = {encoding: decode(text) for encoding, decode in _READ.items()}
    graded = {key: (found, grade(found)) for key, found in read.items() if found is not None}
    if graded.get("utf-8", ("", MALFORMED))[1] == LEGAL:
        return {"utf-8": graded["utf-8"]}  # sequences of UTF-8 do not come about by chance
    return {key: value for key, value in graded.items() if value[1] > MALFORMED}


# Evidence


@dataclass(frozen=True, slots=True)
class Piece:
    """Text in one font. font: as the file names it, "" where it names none."""

    text: str
    font: str = ""


def claim(font: str) -> Encoding | None:
    """The encoding whose glyphs font has, None for Unicode fonts and unknown ones."""
    name = font.lower()
    if name.startswith(".vn"):
        return "tcvn3"
    return "vni" if name.startswith(("vni-", "vni ")) else None


def is_capitals(font: str) -> bool:
    """Whether font shows small letters as capitals (.VnTimeH)."""
    return claim(font) == "tcvn3" and font.endswith("H")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a file shows about its text as a whole.

    single: text came as single bytes of an unknown code page, so it is in no case Unicode. bare:
    encodings that some piece without a telling font must be in. doubted: encodings whose fonts
    also hold text that must be Unicode, so that these fonts prove nothing. mixed: some text
    without a telling font must be Unicode, whatever others are.
    """

    single: bool = False
    bare: frozenset[Encoding] = frozenset()
    doubted: frozenset[Encoding] = frozenset()
    mixed: bool = False


def gather(cells: Iterable[Sequence[Piece]], single: bool = False) -> Evidence:
    """The evidence of all cells of a file. single: see Evidence."""
    bare: set[Encoding] = set()
    doubted: set[Encoding] = set()
    mixed = False
    for text, name in {part for cell in cells for part in _joined(cell)}:
        if text.isascii():
            continue
        found, font = readings(text), claim(name)
        if font and font not in found and _own(found)[1] == LEGAL:
            doubted.add(font)
        if not font:
            bare |= _only(found, single)
            mixed = mixed or found.keys() == {"unicode"}
    return Evidence(single, frozenset(bare), frozenset(doubted), mixed)


def _own(found: dict[Encoding, tuple[str, int]]) -> tuple[str, int]:
    """The reading as Unicode, and its grade."""
    return found.get("unicode", ("", MALFORMED))


def _only(found: dict[Encoding, tuple[str, int]], single: bool) -> set[Encoding]:
    """The one encoding other than Unicode that text can be in, if it can be in no other."""
    if not single and _own(found)[1] >= PLAUSIBLE:
        return set()
    legal = _legal(found)
    return set(legal) if len(legal) == 1 else set()


def _legal(found: dict[Encoding, tuple[str, int]]) -> dict[Encoding, str]:
    return {
        key: text for key, (text, level) in found.items() if level == LEGAL and key != "unicode"
    }


# Decision


class Undecided(Exception):
    """Text that cannot be converted without guessing. readings: what it may mean, maybe none."""

    def __init__(self, text: str, found: dict[Encoding, str]) -> None:
        self.readings = tuple(dict.fromkeys(found.values()))
        meanings = [f"{shown(value)} in {TITLES[key]}" for key, value in found.items()]
        why = f"it reads {' or '.join(meanings)}" if meanings else "it is no known encoding"
        super().__init__(f"{shown(text)} cannot be converted without guessing: {why}")


@dataclass(frozen=True, slots=True)
class Converted:
    """text in NFC; encodings: those that pieces of it were in, without Unicode and plain ASCII."""

    text: str
    encodings: tuple[Encoding, ...]


def convert(pieces: Sequence[Piece], evidence: Evidence) -> Converted:
    """The text of a cell. Raises Undecided."""
    done = [_convert(text, font, evidence) for text, font in _joined(pieces)]
    text = nfc("".join(piece for piece, _ in done))
    used = dict.fromkeys(encoding for _, encoding in done if encoding != "unicode")
    return Converted(text, tuple(used))


def _joined(pieces: Sequence[Piece]) -> list[tuple[str, str]]:
    """Text and font of pieces, those in fonts of one kind made one: word processors cut words."""
    joined: list[tuple[str, str]] = []
    for piece in pieces:
        kind = (claim(piece.font), is_capitals(piece.font))
        text, font = joined[-1] if joined else ("", "")
        if joined and (claim(font), is_capitals(font)) == kind:
            joined[-1] = (text + piece.text, font)
        else:
            joined.append((piece.text, piece.font))
    return joined


def _convert(text: str, font: str, evidence: Evidence) -> tuple[str, Encoding]:
    if text.isascii():
        return (text.upper() if is_capitals(font) else text), "unicode"
    found = readings(text)
    told = _told(font, evidence)
    if told in found:
        done, level = found[told]
        against = {} if level == LEGAL else _against(found, told, evidence)
        if not against or (evidence.single and level == PLAUSIBLE):
            return (done.upper() if is_capitals(font) else done), told
        if level == PLAUSIBLE:
            raise Undecided(text, {**against, told: done})
    return _undisputed(text, found, evidence)


def _told(font: str, evidence: Evidence) -> Encoding | None:
    """What the font, or the one encoding of a file of single bytes, says text is in."""
    if evidence.single:
        return next(iter(evidence.bare)) if len(evidence.bare) == 1 else None
    told = claim(font)
    return None if told in evidence.doubted else told


def _against(
    found: dict[Encoding, tuple[str, int]], told: Encoding, evidence: Evidence
) -> dict[Encoding, str]:
    """The readings that speak against what the font says, where that is no Vietnamese."""
    others = {key: value for key, value in found.items() if value[0] != found[told][0]}
    if evidence.single:
        others.pop("unicode", None)
    return {
        key: text
        for key, (text, level) in others.items()
        if level >= (PLAUSIBLE if key == "unicode" else LEGAL)
    }


def _undisputed(
    text: str, found: dict[Encoding, tuple[str, int]], evidence: Evidence
) -> tuple[str, Encoding]:
    """The reading that nothing speaks against."""
    own, level = ("", MALFORMED) if evidence.single else _own(found)
    rivals = _rivals(found, own, level, evidence)
    if level > MALFORMED and not rivals:
        return own, "unicode"
    near = {key: value for key, value in rivals.items() if key in evidence.bare} or rivals
    sure = near.keys() <= evidence.bare
    legal = all(found[key][1] == LEGAL for key in near)
    if level < PLAUSIBLE:
        decided = legal or sure
    else:
        decided = legal and sure and level == PLAUSIBLE and not evidence.mixed
    if near and decided and len(set(near.values())) == 1:
        encoding = next(iter(near))
        return near[encoding], encoding
    possible: dict[Encoding, str] = {"unicode": own} if level >= PLAUSIBLE else {}
    raise Undecided(text, possible | near)


def _rivals(
    found: dict[Encoding, tuple[str, int]], own: str, level: int, evidence: Evidence
) -> dict[Encoding, str]:
    """The readings to take seriously beside the Unicode text own of grade level."""
    others = {key: value for key, value in found.items() if key != "unicode" and value[0] != own}
    if level >= PLAUSIBLE:
        others = {
            key: value
            for key, value in others.items()
            if key in evidence.bare | evidence.doubted or (level, value[1]) == (PLAUSIBLE, LEGAL)
        }
    best = max((value[1] for value in others.values()), default=MALFORMED)
    return {
        key: text for key, (text, other) in others.items() if other == best and best >= PLAUSIBLE
    }
