"""A message to the texts that a person may read in it, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.policy import Compat32
from typing import Literal, get_args

from . import pdf
from .documents import Budget, Unread, is_zip, texts
from .hypertext import text_of
from .rule import Degree, mark_in, mark_in_file_name, mark_in_label

Place = Literal["subject", "header", "text", "file name", "attachment"]
PLACES: tuple[Place, ...] = get_args(Place)

_MOST_PARTS = 1000
_MOST_TEXT = 16 << 20
"""Bytes of one part that are read as text."""
_DEEPEST = 3
"""Archives within archives."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ARCHIVES = (b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
_TEXT_NAMES = re.compile(r".*\.(?:txt|csv|html?|xml|md|ics)", re.I)
_MESSAGE = re.compile(r".*\.eml", re.I)
_SEALED = re.compile(r"application/(?:(?:x-)?pkcs7-mime|pgp-encrypted)")
_MARKUP = re.compile(r"text/html|application/xhtml.*")
_NOT_WORDS = re.compile(
    # Addresses, names of people, and what only programs read.
    r"from|to|cc|bcc|sender|reply-to|resent-.*|return-path|delivered-to|received.*|message-id|"
    r"in-reply-to|references|date|mime-version|content-.*|dkim-.*|arc-.*|autocrypt|user-agent|"
    r"x-mailer|disposition-notification-to|authentication-results|thread-index|list-.*",
    re.I,
)


@dataclass(frozen=True)
class Mark:
    """degree, and where it stands. number: of the attachment, 0 for what is none."""

    degree: Degree
    place: Place
    number: int = 0


@dataclass(frozen=True)
class Skipped:
    """What was not read to its end. number: of the attachment. why: nothing of its content."""

    number: int
    why: str


_NONSENSE = (ValueError, LookupError, TypeError, AttributeError, MessageError)
"""What Python's email raises for headers that are none; it would do better to read them."""


class _AsTheyAre(Compat32):
    """Header fields with the octets that came, which may be of any code page."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return value


def _parsed(raw: bytes) -> Message:
    return message_from_bytes(raw, policy=_AsTheyAre())


def look(message: bytes) -> Iterator[Mark | Skipped | None]:
    """What is found, where the sender looks first, first; None when headers and texts are done and
    only attachments remain. Raises only what a lack of memory or of stack makes it raise."""
    parts = _parts(_parsed(message))
    for place, text in _labels(parts):
        found = mark_in_file_name(text) if place == "file name" else mark_in_label(text)
        if found:
            yield Mark(found, place)
    for part in parts:
        if _is_shown(part) and (found := _in_text(part)):
            yield Mark(found, "text")
    yield None
    budget = Budget()
    attached = [(number, _content(part)) for number, part in _attachments(parts)]
    for number, part in _attachments(parts):
        if _SEALED.fullmatch(part.get_content_type()):
            yield Skipped(number, "sealed by S/MIME or PGP")
    for number, data in sorted(attached, key=lambda each: len(each[1])):
        yield from _in_attachment(number, data, budget, 0)


def _parts(message: Message) -> list[Message]:
    """All of them, of messages in it as well."""
    found: list[Message] = []
    waiting = [message]
    while waiting and len(found) < _MOST_PARTS:
        part = waiting.pop(0)
        found.append(part)
        if part.is_multipart():
            waiting += [each for each in part.get_payload() if isinstance(each, Message)]
        elif _MESSAGE.fullmatch(next(_file_names(part), "")):  # a saved one, called anything
            waiting.append(_parsed(_content(part)))
    return found


def _attachments(parts: list[Message]) -> Iterator[tuple[int, Message]]:
    leaves = (part for part in parts if not part.is_multipart() and not _is_shown(part))
    return enumerate(leaves, 1)


# Headers


def _labels(parts: list[Message]) -> Iterator[tuple[Place, str]]:
    for part in parts:
        for name, value in part.raw_items():
            if not _NOT_WORDS.fullmatch(name):
                yield "subject" if name.casefold() == "subject" else "header", _words(str(value))
        if described := part.get("content-description"):
            yield "header", _words(str(described))
        for name in _file_names(part):
            yield "file name", name


def _file_names(part: Message) -> Iterator[str]:
    """As Content-Disposition and Content-Type have them (RFC 2183, RFC 2231); many programs write
    encoded words (RFC 2047) in quotes instead."""
    for header, key in (("content-disposition", "filename"), ("content-type", "name")):
        try:
            value = part.get_param(key, None, header)
        except _NONSENSE:
            value = part.get(header)  # as it is
        if isinstance(value, tuple):
            charset, _, text = value
            yield _decoded(text.encode("latin-1", "replace"), charset or "utf-8")
        elif value:
            yield _words(str(value))


def _words(raw: str) -> str:
    """A header as it is read: RFC 2047, UTF-8 as it is (RFC 6532), or a code page of old."""
    raw = re.sub(r"\r?\n[ \t]*", " ", raw)
    try:
        parts = decode_header(raw) if "=?" in raw else [(raw, None)]
    except _NONSENSE:
        parts = [(raw, None)]
    return "".join(
        text if isinstance(text, str) and text.isascii() else _decoded(_octets(text), charset)
        for text, charset in parts
    )


def _octets(text: str | bytes) -> bytes:
    if isinstance(text, bytes):
        return text
    return text.encode("utf-8", "surrogateescape" if _is_raw(text) else "replace")


def _is_raw(text: str) -> bool:
    return not re.search("[\ud800-\udc7f\udd00-\udfff]", text)


# Texts


def _is_shown(part: Message) -> bool:
    """Is it text, whatever it is called?"""
    kind, name = part.get_content_type(), next(_file_names(part), "")
    if part.is_multipart():
        return False
    return kind.startswith("text/") or bool(_MARKUP.match(kind) or _TEXT_NAMES.fullmatch(name))


def _in_text(part: Message) -> Degree | None:
    data = _content(part)[:_MOST_TEXT]
    name = next(_file_names(part), "")
    markup = bool(_MARKUP.match(part.get_content_type()) or re.fullmatch(r".*\.html?", name, re.I))
    for text in _readings(data, _charset(part)):
        if found := mark_in(text_of(text) if markup else text):
            return found
    return None


def _charset(part: Message) -> str | None:
    try:
        return str(part.get_param("charset") or "") or None
    except _NONSENSE:
        return None


def _content(part: Message) -> bytes:
    try:
        data = part.get_payload(decode=True)
    except _NONSENSE:
        data = None
    return data if isinstance(data, bytes) else b""


def _readings(data: bytes, charset: str | None) -> set[str]:
    """As it says it is, and as UTF-8 if it is that without saying so."""
    return {_decoded(data, charset), _decoded(data, None)}


def _decoded(data: bytes, charset: str | None) -> str:
    """Without a charset, or with one that does not fit, UTF-8 or what Windows had before it: TCVN3
    and VNI are fonts over that (docs/secrecy-marks.md)."""
    for code in (charset, "utf-8"):
        try:
            if code:
                return data.decode(code)
        except (ValueError, LookupError):
            continue
    return data.decode("cp1252", "replace")


# Attachments


def _in_attachment(
    number: int, data: bytes, budget: Budget, depth: int
) -> Iterator[Mark | Skipped]:
    try:
        if is_zip(data):
            yield from _in_zip(number, data, budget, depth)
        elif pdf.is_pdf(data):
            if found := mark_in(pdf.text_of(data)):
                yield Mark(found, "attachment", number)
        elif data.startswith(_OLE):
            raise Unread("encrypted, or of an office program before 2007")
        elif data.startswith(_ARCHIVES):
            raise Unread("an archive that is no zip")
        elif depth:  # a file of a zip that is text by its name
            for text in _readings(data[:_MOST_TEXT], None):
                if found := mark_in(text_of(text) if b"<html" in data[:2000].lower() else text):
                    yield Mark(found, "attachment", number)
    except Unread as unread:
        why, *so_far = unread.args
        if so_far and (found := mark_in(so_far[0])):
            yield Mark(found, "attachment", number)
        yield Skipped(number, why)


def _in_zip(number: int, data: bytes, budget: Budget, depth: int) -> Iterator[Mark | Skipped]:
    for kind, content in texts(data, budget):
        if isinstance(content, bytes):
            if depth < _DEEPEST:
                yield from _in_attachment(number, content, budget, depth + 1)
            continue
        judge = {"text": mark_in, "label": mark_in_label, "name": mark_in_file_name}[kind]
        if found := judge(content):
            yield Mark(found, "attachment", number)
