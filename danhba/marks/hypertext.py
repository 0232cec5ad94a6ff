"""What a person sees of HTML, with lines and columns where he sees them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_LINES = re.compile(
    "address|article|blockquote|br|center|d[dlt]|div|fieldset|figcaption|footer|form|h[1-6r]|header|"
    "legend|li|main|nav|[ou]l|option|p|pre|section|table|title|tr"
)
_COLUMNS = ("td", "th")
_HIDDEN = ("script", "style", "template")
_VOID = re.compile("area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr")
_BLANKS = re.compile(r"[ \t\r\n]+")


def text_of(html: str) -> str:
    """Entities are letters, and what is shown in capitals is capitals. Never raises."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return "".join(reader.found)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._hidden = self._as_typed = 0
        self._capitals: list[str] = []
        """Open elements from the first one that shows capitals."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _HIDDEN
        self._as_typed += tag == "pre"
        self._break(tag)
        if not _VOID.fullmatch(tag) and (self._capitals or _shows_capitals(attrs)):
            self._capitals.append(tag)
        self.found += [
            f"\n{value}\n" for name, value in attrs if name in ("alt", "title") and value
        ]

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN and self._hidden:
            self._hidden -= 1
        if tag == "pre" and self._as_typed:
            self._as_typed -= 1
        self._break(tag)
        if tag in self._capitals:
            while self._capitals.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            if not self._as_typed:
                data = _BLANKS.sub(" ", data)
            self.found.append(data.upper() if self._capitals else data)

    def _break(self, tag: str) -> None:
        if _LINES.fullmatch(tag):
            self.found.append("\n")
        elif tag in _COLUMNS:
            self.found.append("\t")


def _shows_capitals(attrs: list[tuple[str, str | None]]) -> bool:
    """By its style, or by a TCVN3 font of capitals (.VnTimeH)."""
    for name, value in attrs:
        small = (value or "").casefold()
        if name == "style" and "uppercase" in small:
            return True
        if name in ("style", "face") and is_capitals_font(_family(small)):
            return True
    return False


def _family(style: str) -> str:
    return style.partition("font-family:")[2] or style


def is_capitals_font(names: str) -> bool:
    """Whether the first of the fonts shows small letters as capitals."""
    first = names.split(",")[0].split(";")[0].strip(" \"'").casefold()
    return first.startswith(".vn") and first.endswith("h")
