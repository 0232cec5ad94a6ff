"""What a drill restored is opened: each comparison is broken once."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from danhba.drill import keys, mailboxes, people
from danhba.drill.fetch import INDEXES, MAIL
from danhba.drill.troubles import Trouble


def kinds(troubles: Iterable[Trouble]) -> list[str]:
    return [each.kind for each in troubles]


@dataclass
class Dovecot:
    """What doveadm answers in place of Dovecot."""

    counts: dict[str, int]
    fails: str = ""

    def __call__(
        self, config: Path, home: Path, command: tuple[str, ...], *argv: str, out: int = 0
    ) -> str:
        if command[0] == self.fails:
            raise subprocess.CalledProcessError(75, "doveadm", stderr="Corrupted dbox file")
        rows = [{"mailbox": name, "messages": str(n)} for name, n in self.counts.items()]
        return json.dumps(rows) if command[0] == "mailbox" else ""


@dataclass
class Box:
    """A restored mailbox with two messages in INBOX and one in a folder."""

    tree: Path
    work: Path
    dovecot: Dovecot

    @property
    def home(self) -> Path:
        return self.tree / MAIL[1:] / "nvan"

    @property
    def manifest(self) -> Path:
        return self.tree / INDEXES[1:] / "nvan" / mailboxes.MANIFEST

    def message(self, name: str = "INBOX/dbox-Mails/u.1") -> Path:
        return self.home / "mail/mailboxes" / name

    def look(self) -> mailboxes.Looked:
        return mailboxes.look(self.tree, self.work, "store1", "nvan")


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    made = Box(tmp_path / "tree", tmp_path / "work", Dovecot({"INBOX": 2, "L&AbA-u/c d": 1}))
    made.work.mkdir()
    monkeypatch.setattr(mailboxes, "_doveadm", made.dovecot)
    rows = []
    for name in ("INBOX/dbox-Mails/u.1", "INBOX/dbox-Mails/u.2", "L&AbA-u/c d/dbox-Mails/u.1"):
        path = made.message(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        row = {"path": f"mail/mailboxes/{name}", "size": len(name) + 1, "sha256": digest}
        rows.append(json.dumps(row) + "\n")
    made.manifest.parent.mkdir(parents=True)
    made.manifest.write_text("".join(rows))
    index = made.manifest.parent / "mail/mailboxes/INBOX/dbox-Mails/dovecot.index.log"
    index.parent.mkdir(parents=True)
    index.write_text("flags")
    return made


def test_a_mailbox_that_is_as_backed_up(box: Box) -> None:
    found = box.look()
    assert not found.troubles
    assert (found.files, found.right) == (3, 3)
    assert found.json()["messages"] == [3, 3]
    assert found.folders == {"INBOX": (2, 2), "L&AbA-u/c d": (1, 1)}
    # Dovecot looked with the indexes of the backup.
    assert box.message("INBOX/dbox-Mails/dovecot.index.log").read_text() == "flags"


def test_a_message_that_is_not_there(box: Box) -> None:
    box.message().unlink()
    found = box.look()
    assert kinds(found.troubles) == ["missing"] and found.right == 2
    assert "INBOX/dbox-Mails/u.1" in found.troubles[0].detail


def test_a_message_of_which_one_letter_is_another(box: Box) -> None:
    content = box.message().read_bytes()
    box.message().write_bytes(content.replace(b"INBOX", b"INB0X"))
    assert kinds(box.look().troubles) == ["damaged"]


def test_what_is_no_file_is_not_opened(box: Box) -> None:
    content = box.message().read_bytes()
    box.message().unlink()
    (box.tree / "elsewhere").write_bytes(content)
    box.message().symlink_to(box.tree / "elsewhere")  # the same content, and yet another's file
    os.mkfifo(box.message("INBOX/dbox-Mails/u.9"))
    box.manifest.write_text(box.manifest.read_text().replace("u.2", "u.9", 1))
    [trouble] = box.look().troubles
    assert trouble.kind == "missing" and "u.1" in trouble.detail and "u.9" in trouble.detail


def test_dovecot_sees_one_message_less(box: Box) -> None:
    box.dovecot.counts["INBOX"] = 1
    found = box.look()
    assert kinds(found.troubles) == ["count"]
    assert "INBOX: 1 of 2" in found.troubles[0].detail
    assert found.json()["messages"] == [3, 2]


def test_dovecot_does_not_see_a_folder(box: Box) -> None:
    del box.dovecot.counts["L&AbA-u/c d"]
    assert "0 of 1" in box.look().troubles[0].detail


@pytest.mark.parametrize("command", ["force-resync", "mailbox", "fetch"])
def test_dovecot_cannot_open_it(box: Box, command: str) -> None:
    box.dovecot.fails = command
    [trouble] = box.look().troubles
    assert trouble.kind == "dovecot" and "Corrupted dbox file" in trouble.detail


@pytest.mark.parametrize("text", [None, "", "{", '{"path": 1}\n', "[]\n"])
def test_a_manifest_that_is_none(box: Box, text: str | None) -> None:
    if text is None:
        box.manifest.unlink()
    else:
        box.manifest.write_text(text)
    found = box.look()
    # An empty manifest says that there is no mail; Dovecot sees three messages.
    assert kinds(found.troubles) == (["count"] if text == "" else ["no-manifest"])


LDIF = b"""dn: dc=x
objectClass: dcObject
dc: x

dn: uid=a,dc=x
uid: a
description: a long line that
  goes on

dn: uid=b,dc=x
uid: b

"""


def tree_of(found: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> people.Entries:
    def slap(name: str, *argv: str) -> bytes:
        if name == "slapadd" and not found:
            raise subprocess.CalledProcessError(1, name, stderr=b"line 5: no structuralObjectClass")
        return found

    monkeypatch.setattr(people, "_slap", slap)
    (tmp_path / "people.ldif").write_bytes(LDIF)
    return people.look(tmp_path / "people.ldif", tmp_path, "dc=x", "store1")


def test_the_tree_is_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = LDIF.replace(b"that\n  goes", b"that goes")
    other = other.replace(b"objectClass: dcObject\ndc: x", b"dc: x\nobjectClass: dcObject")
    found = tree_of(other, monkeypatch, tmp_path)
    assert (found.wanted, found.found, found.troubles) == (3, 3, [])


def test_an_entry_is_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = tree_of(LDIF.partition(b"dn: uid=b")[0], monkeypatch, tmp_path)
    assert (found.wanted, found.found, kinds(found.troubles)) == (3, 2, ["entries"])
    assert "uid=b" in found.troubles[0].detail


def test_an_entry_is_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = tree_of(LDIF.replace(b"uid: b", b"uid: c"), monkeypatch, tmp_path)
    assert (found.wanted, found.found, kinds(found.troubles)) == (3, 3, ["entries"])


def test_slapadd_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    [trouble] = tree_of(b"", monkeypatch, tmp_path).troubles
    assert trouble.kind == "ldif" and "structuralObjectClass" in trouble.detail


def test_no_ldif_at_all(tmp_path: Path) -> None:
    assert kinds(people.look(tmp_path / "no.ldif", tmp_path, "dc=x", "s").troubles) == [
        "no-entries"
    ]


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two keys with their public halves; valkey's checker says yes."""
    folder = tmp_path / "keys" / "mx1-1"
    folder.mkdir(parents=True)
    rsa = folder / "rsa.key"
    subprocess.run(["openssl", "genrsa", "-out", rsa, "2048"], check=True, capture_output=True)
    argv = ["openssl", "pkey", "-in", str(rsa), "-pubout", "-outform", "DER"]
    half = subprocess.run(argv, check=True, capture_output=True).stdout
    own = SigningKey.generate()
    (folder / "ed25519.key").write_bytes(base64.b64encode(bytes(own) + bytes(own.verify_key)))
    public = {"rsa": half, "ed25519": bytes(own.verify_key)}
    texts = {kind: base64.b64encode(value).decode() for kind, value in public.items()}
    state = {"signing": "mx1-1", "pairs": [{"name": "mx1-1", "made": 1, "public": texts}]}
    (folder.parent / "state.json").write_text(json.dumps(state))
    (tmp_path / "dump.rdb").write_bytes(b"")
    checker = tmp_path / "valkey-check-rdb"
    checker.write_text("#!/bin/sh\necho '[info] 17 keys read'\n")
    checker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return folder


def edge(pair: Path) -> keys.Edge:
    return keys.look(pair.parent, pair.parent.parent / "dump.rdb", "mx1")


def test_keys_are_the_halves_of_what_is_published(pair: Path) -> None:
    found = edge(pair)
    assert (found.wanted, found.keys, found.learned, found.troubles) == (2, 2, 17, [])


@pytest.mark.parametrize("name", ["rsa.key", "ed25519.key"])
@pytest.mark.parametrize("content", [b"", b"no key\n"])
def test_a_key_that_does_not_load(pair: Path, name: str, content: bytes) -> None:
    (pair / name).write_bytes(content)
    found = edge(pair)
    assert (found.wanted, found.keys, kinds(found.troubles)) == (2, 1, ["key"])
    assert name in found.troubles[0].detail


def test_a_key_that_signs_what_nobody_can_check(pair: Path) -> None:
    (pair / "ed25519.key").write_bytes(base64.b64encode(bytes(SigningKey.generate())))
    assert "another public half" in edge(pair).troubles[0].detail


def test_no_keys(pair: Path) -> None:
    (pair.parent / "state.json").unlink()
    assert kinds(edge(pair).troubles) == ["no-key"]


def test_what_was_learned_does_not_load(pair: Path) -> None:
    (pair.parent.parent / "valkey-check-rdb").write_text("#!/bin/sh\nexit 1\n")
    assert kinds(edge(pair).troubles) == ["learned"]


def test_what_valkey_has_not_written_yet_is_no_trouble(pair: Path) -> None:
    (pair.parent.parent / "dump.rdb").unlink()
    found = keys.look(pair.parent, None, "mx1")
    assert (found.keys, found.learned, found.troubles) == (2, 0, [])
    assert kinds(edge(pair).troubles) == ["learned"]
