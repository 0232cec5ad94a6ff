"""An index that was thinned out hides messages from a search: the proof tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from archives import AN, DAY, HA, LAN, Vault

from danhba.journal.indexed import unlike

FIRST = "2026/11/26/0001"


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    vault = Vault(tmp_path / "journal")
    vault.mail(LAN, AN, HA)
    vault.mail(AN, HA)
    vault.now += DAY
    vault.mail(LAN, AN)
    vault.log("read", {"who": "an", "why": "x", "case": ""})
    yield vault
    vault.archive.close()


def test_an_index_as_the_daemon_writes_it_is_fine(vault: Vault) -> None:
    assert list(unlike(vault.root, vault.archive.n)) == []


@pytest.mark.parametrize(
    ("done", "count"),
    [
        ("DELETE FROM entries WHERE n = 2", 1),
        ("DELETE FROM parties WHERE address LIKE 'ltha%'", 2),
        ("DELETE FROM agencies WHERE n = 1", 1),
        ("UPDATE entries SET time = '2001-01-01T00:00:00.000Z' WHERE n <= 2", 2),
        ("INSERT INTO parties VALUES ('x@y.test', 1, 'to')", 1),
    ],
)
def test_what_was_done_to_it_is_told_by_segment(vault: Vault, done: str, count: int) -> None:
    vault.archive.index.db.execute(done)
    [said] = unlike(vault.root, vault.archive.n)
    assert said.startswith(f"index.db: {count} entries of {FIRST} are not as in the chain")
    assert "restart danhba-journal" in said
    assert list(unlike(vault.root, vault.archive.n, "2026/11/27")) == []
    vault.archive.close()
    (vault.root / "index.db").unlink()
    vault.__post_init__()
    assert list(unlike(vault.root, vault.archive.n)) == []


def test_entries_that_no_chain_has_are_told(vault: Vault) -> None:
    vault.archive.index.db.execute("UPDATE entries SET segment = '2025/01/01/0001' WHERE n = 3")
    first, second = unlike(vault.root, vault.archive.n)
    assert "1 entries of 2026/11/27/0001" in first
    assert "the chain has no 2025/01/01/0001" in second


def test_an_index_that_is_none_is_told(vault: Vault) -> None:
    vault.archive.index.db.execute("DROP TABLE agencies")
    [said] = unlike(vault.root, vault.archive.n)
    assert "no such table" in said
