"""Which passwords are accepted: the one rule, for this program and, the same file, for slapd.

zxcvbn estimates how many guesses a password costs somebody who knows the lists of leaked passwords,
dates, keyboards, what Vietnamese people like to take, and everything about the person that is no
secret. Kinds of characters are not counted: they make `Angiang@2026`, and five common words are
worth more (NIST SP 800-63B 5.1.1.2 and its appendix A).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from zxcvbn import zxcvbn

GUESSES = 10**10
"""A thief of the hashes tries some 10,000 a second (passphrase.ROUNDS): ten days for one person,
and the lock-out leaves a stranger without the hashes a few a minute."""

MOST_BYTES = 256
"""crypt(5) takes 511; room for a sentence in letters of three bytes."""

LOOKED_AT = 32
"""Characters that zxcvbn looks at: a strong beginning is enough. The worst 72 took it seconds, in
which slapd takes no other change."""

_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Categories of Unicode: a zero-width space from a document is typed by nobody."""

_NUMBERS = r"[0-9 .,/()+-]+"
"""Telephones, identity cards, dates, as people write them."""

_COMMON = Path(__file__).parent / "data" / "common_passwords.txt"


@dataclass(frozen=True)
class Rule:
    """min_length: characters (policy.password_min_length). known: what everybody in the province
    knows: its name, its domain."""

    min_length: int
    known: tuple[str, ...] = ()

    def objection(self, password: str, about: Iterable[str] = ()) -> str:
        """Why a password is refused, in the words of the official who chose it; "" when it is not.

        about: what is no secret about him: names, addresses, codes, agency.
        """
        if unicodedata.normalize("NFC", password) != password:
            # RFC 8265 4.2.2: composed. Programs compare bytes; another keyboard would not get in.
            return "Mật khẩu có dấu gõ rời (Unicode tổ hợp); hãy gõ lại bằng Unicode dựng sẵn."
        if any(unicodedata.category(letter) in _INVISIBLE for letter in password):
            return "Mật khẩu có ký tự không nhìn thấy được; chỉ dùng chữ, số, dấu và dấu cách."
        if password != password.strip():  # forms cut them off, and nobody sees why
            return "Mật khẩu không được bắt đầu hay kết thúc bằng dấu cách."
        if len(password) < self.min_length:
            return f"Mật khẩu quá ngắn: cần ít nhất {self.min_length} ký tự."
        if len(password.encode()) > MOST_BYTES:
            return f"Mật khẩu quá dài: nhiều nhất {MOST_BYTES} byte."
        return self._guessed(password, about)

    def _guessed(self, password: str, about: Iterable[str]) -> str:
        if re.fullmatch(_NUMBERS, password):  # to zxcvbn a telephone is as good as ten digits drawn
            return "Mật khẩu chỉ có chữ số (điện thoại, căn cước, ngày sinh) dễ đoán; hãy dùng từ."
        own = words([*about, *self.known])
        for form in dict.fromkeys((fold(password), _bare(password))):
            found: dict[str, Any] = zxcvbn(form[:LOOKED_AT], user_inputs=[*own, *common()])
            if found["guesses"] >= GUESSES:
                continue
            used = {match.get("matched_word") for match in found["sequence"]}
            if used.intersection(own):
                return "Mật khẩu dựa trên tên, địa chỉ hoặc cơ quan của người dùng; hãy chọn khác."
            return (
                "Mật khẩu quá phổ biến hoặc dễ đoán; hãy chọn khác, ví dụ năm từ không liên quan."
            )
        return ""


def fold(text: str) -> str:
    """Lower case, without marks: `Mật Khẩu` is no harder to guess than `mat khau`."""
    plain = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def words(about: Iterable[str]) -> list[str]:
    """Every text without marks, its words, runs of its words written as one, its initials; in one
    order whatever comes first, for the estimate hangs on it."""
    found: set[str] = set()
    for text in about:
        parts = re.findall(r"[a-z0-9]+", fold(text))
        for first in range(len(parts)):
            for last in range(first + 1, len(parts) + 1):
                found.add("".join(parts[first:last]))
        found.add("".join(part[0] for part in parts))
        found.add(fold(text))
    return sorted(word for word in found if len(word) > 1)


@cache
def common() -> tuple[str, ...]:
    """What is taken in Vietnam besides what zxcvbn knows, likeliest first, without marks."""
    rows = _COMMON.read_text(encoding="utf-8").splitlines()
    return tuple(row for row in rows if row and not row.startswith("#"))


def _bare(text: str) -> str:
    """Without what stands between words: `Nguyen.Van.An` is the name all the same."""
    return re.sub(r"[\W_]+", "", fold(text))
