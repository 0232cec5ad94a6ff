"""Letters that nobody sees, and letters that look like others."""

from __future__ import annotations

import re
import unicodedata

INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U00013441-\U00013443\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)
"""What passes for printable and shows as nothing, or only as part of another letter (Unicode's
Default_Ignorable_Code_Point beside format characters; blanks that are called letters)."""

MARKS = r"\u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323"
"""Tones and vowels of Vietnamese as marks of their own, for a regular expression."""

_VIETNAMESE = re.compile(f"[A-Za-zĐđ]?[{MARKS}]*")


def is_seen(text: str) -> bool:
    """Whether all of it shows, on one line."""
    if text.isascii():
        return text.isprintable()
    return text.isprintable() and not INVISIBLE.search(text)


def escaped(text: str) -> str:
    """With \\u.... in place of whatever does not show."""
    if is_seen(text):
        return text
    return "".join(letter if is_seen(letter) else _escape(letter) for letter in text)


def _escape(letter: str) -> str:
    code = ord(letter)
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )


def folded(name: str) -> str:
    """A name for comparing: composed or with marks of their own, in capitals or small letters, with
    one blank or more between its words, it is the same name."""
    composed = unicodedata.normalize("NFC", name).casefold()
    return " ".join(unicodedata.normalize("NFC", composed).split())


def stranger(text: str) -> str:
    """The first letter or mark that is not of Vietnamese, which may look like one that is, as in
    "с is U+0441, CYRILLIC SMALL LETTER ES"; "" when there is none."""
    for letter in "" if text.isascii() else text:
        if unicodedata.category(letter)[0] in "LM" and not _is_vietnamese(letter):
            return f"{escaped(letter)} is {code_of(letter)}"
    return ""


def code_of(letter: str) -> str:
    """As Unicode has it: U+0441, CYRILLIC SMALL LETTER ES."""
    return f"U+{ord(letter):04X}, {unicodedata.name(letter, 'a character without a name')}"


def _is_vietnamese(letter: str) -> bool:
    return bool(_VIETNAMESE.fullmatch(unicodedata.normalize("NFD", letter)))
