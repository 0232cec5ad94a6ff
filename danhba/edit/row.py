"""One line of the directory that holds a mapping `{key: value, ...}`: its parts, with others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def parts_of(row: str) -> dict[str, str]:
    """Keys and values of the mapping in the row, values as written. Empty when there is none, or
    more than the row holds."""
    span = _span(row)
    if span is None:
        return {}
    pairs = (piece.partition(":") for piece in _pieces(row[span[0] + 1 : span[1]]))
    return {key.strip(): value.strip() for key, _, value in pairs if key.strip()}


def set_parts(row: str, values: Mapping[str, str | None], order: Sequence[str]) -> str:
    """row with other values, as YAML; None removes a key. What is new stands where `order` has it,
    what was there stays where it is, and so does whatever stands around the mapping."""
    span = _span(row)
    if span is None:
        raise ValueError(f"no mapping in {row!r}")
    parts = parts_of(row)
    for key, value in values.items():
        if value is None:
            parts.pop(key, None)
        elif key in parts:
            parts[key] = value
        else:
            parts = _inserted(parts, key, value, order)
    inner = ", ".join(f"{key}: {value}" for key, value in parts.items())
    return f"{row[: span[0]]}{{{inner}}}{row[span[1] + 1 :]}"


def _inserted(
    parts: Mapping[str, str], key: str, value: str, order: Sequence[str]
) -> dict[str, str]:
    """Behind the last key that comes before it."""
    before = [each for each in parts if each in order and order.index(each) < order.index(key)]
    found: dict[str, str] = {} if before else {key: value}
    for each, there in parts.items():
        found[each] = there
        if before and each == before[-1]:
            found[key] = value
    return found


def _span(row: str) -> tuple[int, int] | None:
    """Where the outermost mapping opens and closes."""
    opened = -1
    depth = 0
    for at, sign in _signs(row):
        if sign == "{":
            opened = at if depth == 0 else opened
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0:
                return opened, at
    return None


def _pieces(inner: str) -> Iterator[str]:
    """What commas part, outside of quotes and brackets."""
    start = depth = 0
    for at, sign in _signs(inner):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            yield inner[start:at]
            start = at + 1
    yield inner[start:]


def _signs(text: str) -> Iterator[tuple[int, str]]:
    """Places of signs outside of quotes. A quote opens where a value begins: O'Brien opens none."""
    quote = ""
    skip = False
    fresh = True
    for at, sign in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = sign == "\\" and quote == '"'
            quote = "" if sign == quote else quote
        elif sign in "\"'" and fresh:
            quote = sign
        else:
            if sign == "#" and at and text[at - 1] == " ":
                return  # a comment
            yield at, sign
            begins = sign in "{[," or (sign == ":" and text[at + 1 : at + 2] == " ")
            fresh = begins or (fresh and sign == " ")
