"""Where passwords may lie, and what is said about it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from danhba import password_file
from danhba.password_file import BadPlace, Place, look


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that nobody else looks into, and that is not for temporary files."""
    monkeypatch.setattr(password_file, "temporary", lambda: [])
    tmp_path.chmod(0o700)
    return tmp_path


def test_a_directory_of_ones_own_is_named_with_its_disk_and_host(own: Path) -> None:
    place = look(own, encrypted=False)
    shown = subprocess.run(
        ["findmnt", "-no", "FSTYPE", "-T", str(own)], capture_output=True, text=True, check=True
    )
    assert place.kind == shown.stdout.split()[0]
    assert place.readers == ""
    (note,) = place.notes(encrypted=False)[:1]
    assert all(word in note for word in (str(own), place.device, place.host))


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_checkout_of_git_is_refused(own: Path, encrypted: bool) -> None:
    (own / ".git").mkdir()
    (own / "deep/er").mkdir(parents=True)
    with pytest.raises(BadPlace, match="checkout of git"):
        look(own / "deep/er", encrypted)


def test_a_link_into_a_checkout_is_refused(own: Path) -> None:
    (own / "repo/.git").mkdir(parents=True)
    (own / "usb").symlink_to(own / "repo")
    with pytest.raises(BadPlace, match="checkout of git"):
        look(own / "usb", encrypted=False)


def test_temporary_files_are_no_company_for_passwords_in_the_clear(tmp_path: Path) -> None:
    assert any(tmp_path.is_relative_to(each) for each in password_file.temporary())
    with pytest.raises(BadPlace, match="temporary"):
        look(tmp_path, encrypted=False)
    look(tmp_path, encrypted=True)


def test_a_directory_that_everybody_writes_to_is_refused(own: Path) -> None:
    own.chmod(0o777)
    with pytest.raises(BadPlace, match="everybody may replace"):
        look(own, encrypted=True)


@pytest.mark.parametrize("name", ["missing", "file"])
def test_what_is_no_directory_is_refused(own: Path, name: str) -> None:
    (own / "file").touch()
    with pytest.raises(BadPlace, match="nothing was changed"):
        look(own / name, encrypted=False)


@pytest.mark.parametrize(
    ("mode", "who"), [(0o755, "everybody on this machine"), (0o750, "its group"), (0o700, "")]
)
def test_who_may_look_into_the_directory_is_told(own: Path, mode: int, who: str) -> None:
    own.chmod(mode)
    notes = " ".join(look(own, encrypted=False).notes(encrypted=False))
    assert ("may look" in notes) == bool(who) and who in notes
    assert "may look" not in " ".join(look(own, encrypted=True).notes(encrypted=True))


@pytest.mark.parametrize(("kind", "word"), [("nfs4", "network drive"), ("tmpfs", "reboot")])
def test_drives_of_other_machines_and_memory_are_told(kind: str, word: str) -> None:
    notes = Place(Path("/x"), "server:/export", kind, "here", "").notes(encrypted=True)
    assert word in " ".join(notes)
