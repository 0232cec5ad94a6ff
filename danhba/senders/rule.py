"""Whose names a message may bear, by the header fields that say who sent it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.errors import HeaderParseError, ObsoleteHeaderDefect
from email.header import decode_header
from email.headerregistry import HeaderRegistry
from typing import Any, Literal

Field = Literal["From", "Sender", "Resent-From", "Resent-Sender"]
Why = Literal["missing", "several", "unreadable", "foreign"]

FIELDS: dict[str, Field] = {
    "from": "From", "sender": "Sender", "resent-from": "Resent-From",
    "resent-sender": "Resent-Sender",
}  # fmt: skip
"""RFC 5322 3.6.2 and 3.6.6. Reply-To says where answers go, not who wrote: it is free."""
_MOST: dict[Field, int] = {"From": 1, "Sender": 1, "Resent-From": 20, "Resent-Sender": 20}
"""RFC 5322 3.6; of the last two there is one for each time that a message was sent again, and a
message that has made more than 20 hops that way is a trick."""

_LONGEST = 2000
"""Octets: more is nobody's name, and Python's parser takes the square of it."""
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""And those that turn the direction of writing: behind one of them "nv.vog.gnaigna@a" is read as an
address."""
_ENCODED = re.compile(r"=\?[^?\s]+\?[bq]\?[^?\s]*\?=", re.I)
_ENDS = r"\s<>(),;:\"\\\[\]@"
"""What cannot be part of a plain address."""
_AT = re.compile(rf"([^{_ENDS}]*)\s*@\s*([^{_ENDS}]*)")
_NONSENSE = (HeaderParseError, ValueError, LookupError, AttributeError, TypeError, RecursionError)
"""What Python's email raises for fields that are none; it would do better to read them."""

_registry = HeaderRegistry()


@dataclass(frozen=True)
class Wrong:
    """The field that is, and why. foreign: it names an address that is not the sender's."""

    field: Field
    why: Why


def wrong(fields: Sequence[tuple[str, bytes]], own: Callable[[str], bool]) -> Wrong | None:
    """What is wrong with the header fields of a message, None for nothing.

    own: whether an address, in small letters, is the sender's or of an agency that he keeps.
    """
    found = [(FIELDS[name], value) for name, value in fields if name in FIELDS]
    names = [name for name, _ in found]
    if "From" not in names:
        return Wrong("From", "missing")
    for name, most in _MOST.items():
        if names.count(name) > most:
            return Wrong(name, "several")
    for name, value in found:
        if why := _wrong(value, own):
            return Wrong(name, why)
    return None


def _wrong(value: bytes, own: Callable[[str], bool]) -> Why | None:
    # Folded lines come with their line feed and the blank behind it (RFC 5322 2.2.3).
    text = value.decode("utf-8", "replace").replace("\r\n", "").replace("\n", "")
    if len(value) > _LONGEST:
        return "unreadable"
    try:
        addresses, seen = _addresses(text), _decoded(text)
    except _NONSENSE:
        return "unreadable"
    if not addresses or _CONTROLS.search(text + seen):
        return "unreadable"
    if not all(_is_own(address, own) for address in addresses):
        return "foreign"
    # Programs show the name and often nothing else: another's address is none. This also holds for
    # comments, names of groups, and whatever another parser might take for an address.
    return None if _names_nobody_else(seen, own) else "foreign"


def _addresses(text: str) -> list[str]:
    """Those of the field, in groups as well; none at all when it is not written as RFC 5322 has it,
    for then another program may find other ones.

    Encoded words are words here, whatever they say, and wherever programs write them."""
    parsed: Any = _registry("From", _ENCODED.sub("x", text))  # its type says nothing of addresses
    if any(not isinstance(defect, ObsoleteHeaderDefect) for defect in parsed.defects):
        return []
    return [address.addr_spec for group in parsed.groups for address in group.addresses]


def _decoded(text: str) -> str:
    """With its encoded words (RFC 2047) in letters, wherever they stand: programs for mail decode
    them in quotation marks as well."""
    return "".join(_letters(part, charset) for part, charset in decode_header(text))


def _letters(part: str | bytes, charset: str | None) -> str:
    if isinstance(part, str):
        return part
    if charset is None:
        # What is not encoded comes as this code of Python's.
        return part.decode("raw-unicode-escape")
    try:
        return part.decode(charset, "replace")
    except LookupError:  # a code page that only its writer knows
        return part.decode("latin-1")


def _names_nobody_else(text: str, own: Callable[[str], bool]) -> bool:
    """Letters of full width look like the others: they count as such."""
    found = _AT.finditer(unicodedata.normalize("NFKC", text))
    # Without a dot behind it, "@" is a sign like others ("An @ STC").
    return all(_is_own(f"{at[1]}@{at[2]}", own) for at in found if "." in at[2].strip("."))


def _is_own(address: str, own: Callable[[str], bool]) -> bool:
    # All of the province's addresses are ASCII, and lower() makes an ordinary k of the Kelvin sign.
    return address.isascii() and own(address.lower())
