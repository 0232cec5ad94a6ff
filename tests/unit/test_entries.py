"""LDIF in and out of danhba.generations.host.entries."""

from collections.abc import Iterable
from itertools import count, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danhba.generations.host import entries, peers
from danhba.generations.host.common import Json, Refused
from danhba.generations.host.entries import _ldif, read_tree
from danhba.generations.host.ldap import parse

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1).filter(
    lambda text: text == text.strip()
)


@given(st.lists(TEXT, min_size=1, max_size=3))
def test_what_is_written_is_read_back(values: list[str]) -> None:
    """Line breaks, colons and diacritics cannot break out of their attribute (RFC 2849)."""
    ldif = _ldif({"dn": "uid=an,dc=x", "add": {"cn": values}})
    [(dn, attrs)] = parse(ldif.encode())
    assert dn == "uid=an,dc=x"
    assert attrs["cn"] == values


def test_a_modification_names_every_attribute_once() -> None:
    ldif = _ldif({"dn": "uid=an,dc=x", "replace": {"title": [], "cn": ["An"]}})
    assert ldif.splitlines()[1:] == [
        "changetype: modify", "replace: title", "-", "replace: cn", "cn:: QW4=", "-", "",
    ]  # fmt: skip


def test_a_tree_file_keeps_its_order() -> None:
    text = '{"dn": "dc=x", "attrs": {}}\n{"dn": "uid=a,dc=x", "attrs": {"uid": ["a"]}}\n'
    assert list(read_tree(text)) == ["dc=x", "uid=a,dc=x"]


def _wait(monkeypatch: pytest.MonkeyPatch, counts: Iterable[int]) -> list[str]:
    """For a load of a thousand entries, where a minute passes between two looks and slapd counts
    so many each time; what was told."""
    seen, clock = iter(counts), count(step=peers.CLOSED + 1)
    own = {"stamps": {}, "clock": 0, "error": ""}

    def look(tree: Json) -> peers.Standing:
        return peers.Standing(own, {}, ["store1"], {}, next(seen))

    monkeypatch.setattr(entries, "must_hold", lambda token: None)
    monkeypatch.setattr(entries, "_is_here", lambda batch: next(seen) >= 1000)
    monkeypatch.setattr(peers.Standing, "of", look)
    monkeypatch.setattr(peers, "run", lambda argv: None)
    monkeypatch.setattr(peers.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(peers.time, "sleep", lambda seconds: None)
    told: list[str] = entries.arrived({"token": "", "base": "", "peers": ["store1"]})["told"]
    return told


def test_a_load_that_goes_on_arriving_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _wait(monkeypatch, count()) == []


def test_a_load_that_stands_still_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="what store1 wrote does not arrive"):
        _wait(monkeypatch, repeat(31))
