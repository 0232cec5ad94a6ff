"""Searching answers from the index what the chain has, and shows no contents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from archives import AN, DAY, HA, KEY, LAN, NOON, XA, Vault, queue_id

from danhba.journal import chain, entry, seal
from danhba.journal import search as module
from danhba.journal.expiry import Rules
from danhba.journal.search import search
from danhba.journal.segment import segments
from danhba.journal.selection import Selection


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    vault = Vault(tmp_path_factory.mktemp("search") / "journal")
    vault.mail(LAN, AN, HA.upper())
    vault.mail(AN, XA)
    vault.now += DAY
    vault.mail("", HA)
    vault.log("read", {"who": "an", "why": "x", "case": ""})
    yield vault
    vault.archive.close()


LATE = {"first": "2026-11-27T00:00:00+07:00"}
EARLY = {"until": "2026-11-27T00:00:00+07:00"}


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({}, [3, 2, 1]),
        ({"addresses": [AN]}, [2, 1]),
        ({"addresses": [AN], "received": True}, [1]),
        ({"addresses": [HA]}, [3, 1]),
        ({"addresses": [AN, HA], **LATE}, [3]),
        ({"agencies": ["myhoa"]}, [2]),
        ({"agencies": ["sotaichinh"], **EARLY}, [2, 1]),
        ({"message_ids": ["<m3@x>"]}, [3]),
        ({"ids": ["mx1/Q1"], "addresses": [XA]}, []),
    ],
)
def test_finds_what_the_chain_has(vault: Vault, asked: dict[str, Any], wanted: list[int]) -> None:
    selection = Selection.of(asked)
    found = search(vault.root, selection)
    assert [row["n"] for row in found["rows"]] == wanted
    assert found["count"] == len(wanted)
    of_chain = [each for _, each in selection.lines(vault.root)]
    assert sorted(wanted) == [each["n"] for each in of_chain]
    assert found["size"] == sum(each["size"] for each in of_chain)


def test_a_row_has_addresses_and_sizes_and_nothing_else(vault: Vault) -> None:
    [row] = search(vault.root, Selection.of({"ids": ["mx1/Q1"]}))["rows"]
    [found] = [each for each in vault.lines() if each["n"] == 1]
    assert row == {
        "n": 1, "time": found["time"], "passed": found["time"], "id": "mx1/Q1", "from": LAN,
        "to": sorted([AN, HA]), "agencies": ["sotaichinh"], "message_id": "<m1@x>",
        "size": found["size"], "class": "so", "expired": 0,
    }  # fmt: skip
    assert entry.MAIL not in row


def test_a_message_is_of_the_day_when_an_edge_had_it(tmp_path: Path) -> None:
    """The vault was away from the 26th to the 28th; what no edge can have had then is as
    written."""
    vault = Vault(tmp_path / "journal", now=NOON + 2 * DAY)
    for came in (NOON, NOON + 3 * DAY, NOON - 400 * DAY):
        content = seal.sealed(b"x", seal.public_half(KEY))
        item = chain.message(queue_id(int(came)), LAN, (AN,), "<m@x>", b"x", content)
        vault.archive.append([item])
    for asked, wanted in ((EARLY, [1]), (LATE, [3, 2]), (EARLY | {"written": True}, [])):
        selection = Selection.of(asked)
        assert [row["n"] for row in search(vault.root, selection)["rows"]] == wanted, asked
        found = [each["n"] for _, each in selection.lines(vault.root)]
        assert found == wanted[::-1]
    [first, *_] = vault.lines()
    segment = segments(vault.root)[0]
    hold = {"case": "1", "addresses": [AN], "first": "2026-11-20", "last": "2026-11-26"}
    hold["asked"] = "2026-11-20"
    words = {"timezone": "Asia/Ho_Chi_Minh", "years": {"": 10}, "holds": [hold]}
    assert Rules.of(words, {}).held(first, segment)
    vault.archive.close()


def test_all_are_counted_and_the_newest_shown(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHOWN", 2)
    found = search(vault.root, Selection())
    assert found["count"] == 3 and [row["n"] for row in found["rows"]] == [3, 2]
