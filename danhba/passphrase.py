"""First passwords: easy to read out, to write down and to type on a Vietnamese keyboard.

Plain ASCII syllables, so that they need no input method; and harmless where one is on: Telex turns
s, f, r, x, j, w after a vowel and doubled letters into marks, VNI turns digits after a letter. No
syllable ends in such a letter and the digits stand alone.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable
from functools import cache

from passlib.hash import sha512_crypt

from danhba.password_rule import Rule

ROUNDS = 20_000
"""About 10 ms a check: 30,000 officials who log in within ten minutes are 50 checks a second."""

WORDS = 5
DIGITS = 3

_ONSETS = ["b", "ch", "d", "gi", "h", "l", "m", "n", "nh", "ph", "t", "th", "tr", "v", "kh"]
_HARD_ONSETS = ["c", "g", "ng"]  # before a, o, u only (orthography)
_RIMES = [
    "a",
    "am",
    "an",
    "ang",
    "anh",
    "ao",
    "ay",
    "em",
    "en",
    "eo",
    "inh",
    "im",
    "oi",
    "om",
    "ong",
    "ui",
    "um",
    "ung",
    "uong",
    "uyen",
    "iem",
    "ieu",
]
_UNKIND = frozenset(["dam", "dong", "gianh", "lon", "mong", "ngu", "thoi", "ma"])


@cache
def syllables() -> tuple[str, ...]:
    """All syllables a passphrase is drawn from."""
    soft = {onset + rime for onset in _ONSETS for rime in _RIMES if onset + rime[0] != "gii"}
    hard = {onset + rime for onset in _HARD_ONSETS for rime in _RIMES if rime[0] in "aou"}
    return tuple(sorted((soft | hard) - _UNKIND))


def entropy_bits() -> float:
    """Of a passphrase, for somebody who knows this file."""
    return WORDS * math.log2(len(syllables())) + DIGITS * math.log2(10)


def new() -> str:
    """A passphrase such as `binh-trung-cang-muyen-lao-407`."""
    words = [secrets.choice(syllables()) for _ in range(WORDS)]
    digits = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
    return "-".join([*words, digits])


def hashed(plain: str) -> str:
    """As slapd checks it: {CRYPT} with SHA-512 (crypt(5)), the scheme of its own changes too."""
    return "{CRYPT}" + str(sha512_crypt.using(rounds=ROUNDS).hash(plain))


def issue(rule: Rule, about: Iterable[str]) -> tuple[str, str]:
    """A passphrase that the rule has nothing against for this person, and its hash."""
    known = tuple(about)
    plain = new()
    while rule.objection(plain, known):
        plain = new()
    return plain, hashed(plain)
