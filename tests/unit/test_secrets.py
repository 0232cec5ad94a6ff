"""The master secret of a vault: made once, readable by its owner only, the source of everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from danhba import secrets
from danhba.secrets import Secrets, SecretsError


def test_it_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    assert secrets.make(folder)
    first = secrets.load(folder, "staging")
    assert not secrets.make(folder)
    assert secrets.load(folder, "staging") == first
    assert (folder / "master").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_each_use_has_its_own_and_always_the_same() -> None:
    known = Secrets(bytes(range(32)))
    assert known.derive("restic/store1") == known.derive("restic/store1")
    assert known.derive("restic/store1") != known.derive("restic/store2")
    assert known.derive("journal") != Secrets(bytes(32)).derive("journal")
    assert "0001" not in repr(known)


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (None, 0o600, "danhba secrets staging makes it"),
        ("00", 0o600, "has 32 bytes, this one 1"),
        ("no hex", 0o600, "this is no master secret"),
        ("00" * 32, 0o644, "others may read it: chmod 600"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str | None, mode: int, words: str) -> None:
    if text is not None:
        (tmp_path / "master").write_text(text)
        (tmp_path / "master").chmod(mode)
    with pytest.raises(SecretsError, match=words):
        secrets.load(tmp_path, "staging")
