"""Unicode to the encodings of old, from tables written letter by letter for the tests alone."""

from __future__ import annotations

import unicodedata

_SMALL_LIST = (
    "a à ả ã á ạ ă ằ ẳ ẵ ắ ặ â ầ ẩ ẫ ấ ậ đ e è ẻ ẽ é ẹ ê ề ể ễ ế ệ i ì ỉ ĩ í ị "
    "o ò ỏ õ ó ọ ô ồ ổ ỗ ố ộ ơ ờ ở ỡ ớ ợ u ù ủ ũ ú ụ ư ừ ử ữ ứ ự y ỳ ỷ ỹ ý ỵ"
)
SMALL = _SMALL_LIST.split()

_TCVN3_LIST = (
    "61 b5 b6 b7 b8 b9 a8 bb bc bd be c6 a9 c7 c8 c9 ca cb ae 65 cc ce cf d0 d1 aa d2 d3 d4 d5 d6 "
    "69 d7 d8 dc dd de 6f df e1 e2 e3 e4 ab e5 e6 e7 e8 e9 ac ea eb ec ed ee 75 ef f1 f2 f3 f4 "
    "ad f5 f6 f7 f8 f9 79 fa fb fc fd fe"
)
_TCVN3 = _TCVN3_LIST.split()
_TCVN3_CAPITALS = dict(zip("ĂÂÊÔƠƯĐ", "¡¢£¤¥¦§", strict=True))

_VNI_LIST = (
    "a aø aû aõ aù aï aê aè aú aü aé aë aâ aà aå aã aá aä ñ e eø eû eõ eù eï eâ eà eå eã eá eä "
    "i ì æ ó í ò o oø oû oõ où oï oâ oà oå oã oá oä ô ôø ôû ôõ ôù ôï u uø uû uõ uù uï "
    "ö öø öû öõ öù öï y yø yû yõ yù î"
)
_VNI = _VNI_LIST.split()

TCVN3 = {s: bytes.fromhex(code).decode("latin-1") for s, code in zip(SMALL, _TCVN3, strict=True)}
VNI = dict(zip(SMALL, _VNI, strict=True))
VNI |= {small.upper(): codes.upper() for small, codes in VNI.items()}

_TONES = "\u0300\u0301\u0303\u0309\u0323"


def western(data: bytes) -> str:
    """data as a program reads it that knows only CP1252."""
    return "".join(bytes([code]).decode("cp1252", "ignore") or chr(code) for code in data)


def tcvn3(text: str) -> str:
    """As it comes out of a TCVN3 font: a toned capital has only the code of the small letter."""
    return "".join(
        _TCVN3_CAPITALS.get(c) or TCVN3.get(c) or (c if c.isascii() else TCVN3[c.lower()])
        for c in text
    )


def vni(text: str) -> str:
    return "".join(VNI.get(letter, letter) for letter in text)


def cp1258(text: str) -> bytes:
    """As Windows stores it: the tone is a character of its own where the page has no whole one."""
    return b"".join(map(_cp1258, unicodedata.normalize("NFC", text)))


def _cp1258(letter: str) -> bytes:
    try:
        return letter.encode("cp1258")
    except UnicodeEncodeError:
        parts = unicodedata.normalize("NFD", letter)
        tone = "".join(mark for mark in parts if mark in _TONES)
        base = "".join(mark for mark in parts if mark not in _TONES)
        return (unicodedata.normalize("NFC", base) + tone).encode("cp1258")


def as_cp1252(text: str) -> str:
    return western(cp1258(text))


def twice_utf8(text: str) -> str:
    return western(text.encode())


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)
