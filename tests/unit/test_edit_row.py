"""One line changes its parts, and nothing else of it, however it is written."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from danhba.edit.row import parts_of, set_parts
from danhba.fmt import ORDER, word

KEYS = [key for key in ORDER["person"] if key != "exception"]
TEXTS = st.text("aĐệ 7,:{}[]#'\"\\&*!|>%@`-?", min_size=1, max_size=12)
PLAIN = st.sampled_from(
    ["O'Brien", "D'Đạt", "C#", "a:'b", 'a:"b', "5' 3'", "Kế toán", "2026-11-05", "a-b.c/d"]
)
EXCEPTION = st.builds(
    lambda one, two: f"{{decision: {word(one)}, reason: {word(two)}}}", TEXTS, TEXTS
)
BEHIND = st.sampled_from(["", " # ghi chú", " # it's {a: 1}, [b", ' # "', "  # } đến 1/3"])


def single(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def read(row: str) -> dict[str, Any]:
    """As any YAML reader has it, every value as text."""
    [entry] = yaml.load(row, yaml.BaseLoader)
    assert isinstance(entry, dict)
    return entry


def value(written: str) -> Any:
    return read(f"- {{x: {written}}}")["x"]


@st.composite
def entries(draw: st.DrawFn, values: st.SearchStrategy[str]) -> dict[str, str]:
    """Keys and values as written, in the canonical order."""
    keys = draw(st.sets(st.sampled_from(KEYS), min_size=1))
    parts = {key: draw(values) for key in KEYS if key in keys}
    parts |= {"exception": draw(EXCEPTION)} if draw(st.booleans()) else {}
    return {key: parts[key] for key in ORDER["person"] if key in parts}


CHANGES = st.dictionaries(st.sampled_from(KEYS), st.none() | TEXTS.map(word), min_size=1)


@settings(max_examples=300, deadline=None)
@given(entries(TEXTS.map(word)), CHANGES, BEHIND)
def test_what_fmt_writes_changes_in_the_named_parts_only(
    parts: dict[str, str], changes: dict[str, str | None], behind: str
) -> None:
    inner = ", ".join(f"{key}: {written}" for key, written in parts.items())
    row = f"      - {{{inner}}}{behind}\n"
    assert parts_of(row) == parts
    changed = set_parts(row, changes, ORDER["person"])
    left = {key: written for key, written in {**parts, **changes}.items() if written is not None}
    # all of it as written, in the canonical order, with the same around it
    inner = ", ".join(f"{key}: {left[key]}" for key in ORDER["person"] if key in left)
    assert changed == f"      - {{{inner}}}{behind}\n"
    assert read(changed) == {key: value(written) for key, written in left.items()}


@settings(max_examples=300, deadline=None)
@given(
    entries(TEXTS.map(word) | TEXTS.map(single) | PLAIN), CHANGES, BEHIND,
    st.lists(st.sampled_from(["", " ", "   "]), min_size=4, max_size=4),
)  # fmt: skip
@example({"name": "a:'b", "title": "'x, y'"}, {"title": None}, "", ["", "", "", ""])
def test_what_a_hand_writes_keeps_its_meaning(
    parts: dict[str, str], changes: dict[str, str | None], behind: str, blanks: list[str]
) -> None:
    first, before, after, last = blanks
    inner = f"{before},{after} ".join(f"{key}: {after}{text}" for key, text in parts.items())
    row = f"  -  {{{first}{inner}{last}}}{behind}\n"
    changed = set_parts(row, changes, ORDER["person"])
    left = {key: written for key, written in {**parts, **changes}.items() if written is not None}
    assert read(changed) == {key: value(written) for key, written in left.items()}
    assert changed.startswith("  -  {") and changed.endswith(f"}}{behind}\n")
    unchanged = {key: text for key, text in parts.items() if key not in changes}
    assert unchanged.items() <= parts_of(changed).items()


def test_what_is_out_of_order_stays_there() -> None:
    row = "- {title: x, address: nvan, id: '1'} # đã hỏi\n"
    added = set_parts(row, {"since": "2026-11-05", "title": "y"}, ORDER["person"])
    assert added == "- {title: y, address: nvan, id: '1', since: 2026-11-05} # đã hỏi\n"


def test_what_comes_before_all_stands_first() -> None:
    assert set_parts("- {title: x}", {"id": '"7"'}, ORDER["person"]) == '- {id: "7", title: x}'


@pytest.mark.parametrize("row", [
    "    staff:\n", "      - id: x\n", "      - {id: x,\n", "      # {id: x}\n",
    "    name: '{id: x}'\n",
])  # fmt: skip
def test_a_line_without_a_whole_mapping_has_no_parts(row: str) -> None:
    assert parts_of(row) == {}
    with pytest.raises(ValueError, match="no mapping"):
        set_parts(row, {"id": "y"}, ORDER["person"])
