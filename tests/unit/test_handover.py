"""Files of passwords: exclusive, their owner's alone, atomic; readable by the reference age."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pyrage
import pytest

from danhba import handover
from danhba.handover import Envelope, File, HandoverError, envelope

TEXT = "mật khẩu: ba-la-tu-mo-vi-101".encode()


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """Of the reference implementation."""
    path = tmp_path / "key.txt"
    subprocess.run(["age-keygen", "-o", path], capture_output=True, check=True)
    return path


def public(identity: Path) -> str:
    argv = ["age-keygen", "-y", identity]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def decrypted(path: Path, identity: Path) -> bytes:
    argv = ["age", "--decrypt", "-i", identity, path]
    return subprocess.run(argv, capture_output=True, check=True).stdout


def test_a_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        file = File(tmp_path / "a.docx", Envelope())
        assert file.path.stat().st_mode & 0o7777 == 0o600
        file.fill(TEXT)
    finally:
        os.umask(before)
    assert file.path.stat().st_mode & 0o7777 == 0o600
    assert file.path.read_bytes() == TEXT


def test_a_sheet_is_made_once(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(b"of yesterday")
    with pytest.raises(HandoverError, match="nothing was changed"):
        File(tmp_path / "a.docx", Envelope())
    assert (tmp_path / "a.docx").read_bytes() == b"of yesterday"


def test_a_link_that_waits_there_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.docx").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HandoverError):
        File(tmp_path / "a.docx", Envelope())
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = File(tmp_path / "a.docx", Envelope())
    file.fill(TEXT)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HandoverError, match="No space left"):
        file.fill(b"shorter")
    assert file.path.read_bytes() == TEXT
    assert list(tmp_path.iterdir()) == [file.path]


def test_the_reference_tool_decrypts(tmp_path: Path, identity: Path) -> None:
    file = File(tmp_path / "a.docx", envelope([public(identity)]))
    file.fill(TEXT)
    assert file.path.name == "a.docx.age"
    assert TEXT not in file.path.read_bytes()
    assert decrypted(file.path, identity) == TEXT


def test_two_of_a_file_of_recipients_can_each_read(tmp_path: Path, identity: Path) -> None:
    other = pyrage.x25519.Identity.generate()
    ssh = tmp_path / "id_ed25519"
    subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", ssh], check=True)
    keys = tmp_path / "recipients"
    keys.write_text(
        f"# the two of the IT department\n{public(identity)}\n\n{other.to_public()}\n"
        + ssh.with_suffix(".pub").read_text()
    )
    file = File(tmp_path / "a.docx.age", envelope([str(keys)]))
    file.fill(TEXT)
    assert file.path.name == "a.docx.age"
    assert decrypted(file.path, identity) == TEXT
    assert decrypted(file.path, ssh) == TEXT
    assert pyrage.decrypt(file.path.read_bytes(), [other]) == TEXT


def test_clear_text_never_touches_the_disk(
    tmp_path: Path, identity: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def noted(path: Path, content: bytes) -> None:
        written.append(content)

    monkeypatch.setattr(handover, "replace", noted)
    File(tmp_path / "a", envelope([public(identity)])).fill(TEXT)
    assert len(written) == 1 and TEXT not in written[0]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("age1notakey", "no key of age"),
        ("missing", "neither a key"),
        ("{empty}", "no key in it"),
        ("{wrong}", "line 2: no key of age"),
        ("{secret}", "secret half"),
        ("{binary}", "no text"),
    ],
)
def test_what_is_no_key_is_told(tmp_path: Path, word: str, said: str, identity: Path) -> None:
    contents = {
        "empty": b"# nobody\n", "wrong": b"#\nage1x\n", "secret": identity.read_bytes(),
        "binary": b"\xff\xfe",
    }  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    paths = {name: str(tmp_path / name) for name in contents}
    with pytest.raises(HandoverError, match=said) as refused:
        envelope([word.format(**paths)])
    assert "AGE-SECRET-KEY-1" not in str(refused.value)
