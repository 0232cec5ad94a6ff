"""The shape of a written Vietnamese syllable: onset, rhyme, tone and where the tone mark stands.

Wrongly decoded text is hardly ever made of such syllables; that is how danhba.lists.encodings
tells readings apart. Names of other peoples of Vietnam (Y-Bhăm, Néang) need not have this shape.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from danhba.same_name import TONES

VOWELS = "aăâeêioôơuưy"

ALPHABET = frozenset(
    unicodedata.normalize("NFC", letter + tone)
    for lower in VOWELS
    for letter in (lower, lower.upper())
    for tone in ("", *TONES)
) | frozenset("bcdđghklmnpqrstvxBCDĐGHKLMNPQRSTVXfjwzFJWZ")
"""Every letter that Vietnamese text holds, in NFC; f, j, w, z occur in names from elsewhere."""

_STOPS = ("c", "ch", "p", "t")
_FRONT = "eêiy"
"""Vowels before which k, gh, ngh are written for c, g, ng."""

_ONSET_LIST = "b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x"
_ONSETS = frozenset((*_ONSET_LIST.split(), ""))
_RHYME_LIST = """
a ac ach ai am an ang anh ao ap at au ay
ăc ăm ăn ăng ăp ăt
âc âm ân âng âp ât âu ây
e ec em en eng eo ep et
ê êch êm ên ênh êp êt êu
i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu
o oc oi om on ong op ot ooc oong
oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oe oen oeo oet
ô ôc ôi ôm ôn ông ôp ôt
ơ ơi ơm ơn ơp ơt
u ua uc ui um un ung up ut uân uâng uât uây uê uêch uênh uơ
uôc uôi uôm uôn uông uôt uy uya uych uyên uyêt uyn uynh uyp uyt uyu
ư ưa ưc ưi ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu
y yêm yên yêng yêt yêu
"""
_RHYMES = frozenset(_RHYME_LIST.split())
_AFTER_QU = frozenset(rhyme[1:] for rhyme in _RHYMES if rhyme[:2] in ("uâ", "uê", "uơ", "uy")) | {
    rhyme for rhyme in _RHYMES if rhyme[0] in "aăâeêiôơ"
}
_EITHER = frozenset(("oa", "oe", "uy"))
"""Rhymes whose mark is written on either vowel: hòa and hoà."""


@lru_cache(maxsize=65536)
def is_syllable(word: str) -> bool:
    """Whether word, in NFC and any case, is one well-formed written Vietnamese syllable."""
    plain, tone, place = _without_tone(word.lower())
    return any(
        _fits(plain[:cut], plain[cut:]) and _tone_fits(plain[cut:], tone, place - cut)
        for cut in range(min(3, len(plain) - 1), -1, -1)
        if plain[:cut] in _ONSETS
    )


def _without_tone(word: str) -> tuple[str, str, int]:
    """word without its tone, the marks of tone, and the index of the letter that bore the last."""
    plain, tone, place = "", "", -1
    for letter in word:
        parts = unicodedata.normalize("NFD", letter)
        marks = "".join(mark for mark in parts if mark in TONES)
        if marks:
            tone, place = tone + marks, len(plain)
            letter = unicodedata.normalize("NFC", "".join(c for c in parts if c not in TONES))
        plain += letter
    return plain, tone, place


def _fits(onset: str, rhyme: str) -> bool:
    if onset == "qu":
        return rhyme in _AFTER_QU
    if rhyme not in _RHYMES:
        return False
    front = rhyme[0] in _FRONT
    if onset == "g":
        return not front or rhyme in ("i", "im", "in")  # gì, gìn: gi loses one of two i
    if onset == "gi":
        return rhyme[0] not in "iy"
    if onset in ("c", "ng"):
        return not front
    return front or onset not in ("k", "gh", "ngh")


def _tone_fits(rhyme: str, tone: str, place: int) -> bool:
    """A stop takes only sắc and nặng; the mark stands where orthography wants it."""
    if rhyme.endswith(_STOPS) and tone not in ("\u0301", "\u0323"):
        return False
    if len(tone) > 1:
        return False
    return not tone or place in _mark_places(rhyme)


def _mark_places(rhyme: str) -> tuple[int, ...]:
    """The indices in rhyme of the vowels that may bear its tone mark."""
    if rhyme in _EITHER:
        return 0, 1
    vowels = [index for index, letter in enumerate(rhyme) if letter in VOWELS]
    shaped = [index for index in vowels if rhyme[index] in "ăâêôơư"]
    if shaped:
        return (shaped[-1],)
    closed = vowels[-1] < len(rhyme) - 1
    if closed or len(vowels) == 1:
        return (vowels[-1],)
    return (vowels[0],) if len(vowels) == 2 else (vowels[1],)


def is_vowel(letter: str) -> bool:
    """Whether letter, small and in NFC, is a vowel with or without marks."""
    return unicodedata.normalize("NFD", letter)[0] in "aeiouy"


def follows(first: str, second: str) -> bool:
    """Whether the vowel second may stand after first in a word; a plain one may anywhere."""
    return second.isascii() or first + second in _PAIRS


def _pairs() -> frozenset[str]:
    """All pairs of vowels in toned rhymes, after qu and gi too, the second with marks."""
    spelled = [("", rhyme) for rhyme in _RHYMES]
    spelled += [("u", rhyme) for rhyme in _AFTER_QU]
    spelled += [("i", rhyme) for rhyme in _RHYMES if rhyme[0] not in "iy"]
    toned = {
        unicodedata.normalize("NFC", start + rhyme[: place + 1] + tone + rhyme[place + 1 :])
        for start, rhyme in spelled
        for place in _mark_places(rhyme)
        for tone in ("", *TONES)
    }
    pairs = {word[place : place + 2] for word in toned for place in range(len(word) - 1)}
    return frozenset(pair for pair in pairs if is_vowel(pair[1]) and not pair[1].isascii())


_PAIRS = _pairs()
