"""When two texts are one name: neither capitals, blanks nor the place of the tone mark tell."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

TONES = {"\u0300": "huyền", "\u0301": "sắc", "\u0309": "hỏi", "\u0303": "ngã", "\u0323": "nặng"}
"""Combining mark to the name of the tone; the sixth, ngang, has no mark."""

_SYLLABLE = re.compile(r"[^'’-]+")


def name_key(text: str) -> str:
    """Equal for names that differ only by capitals, blanks, NFC or NFD, and the vowel that bears
    the tone mark: Hòa and Hoà. Y and i are told apart: Lý and Lí are two names."""
    return " ".join(map(_word_key, text.split()))


@lru_cache(maxsize=10_000)
def _word_key(word: str) -> str:
    return _SYLLABLE.sub(lambda found: _syllable_key(found[0]), word)


def _syllable_key(syllable: str) -> str:
    """The tone behind everything else, for a syllable has only one."""
    parts = unicodedata.normalize("NFD", unicodedata.normalize("NFC", syllable).casefold())
    tones = "".join(mark for mark in parts if mark in TONES)
    bare = "".join(letter for letter in parts if letter not in TONES)
    return unicodedata.normalize("NFC", bare) + tones
