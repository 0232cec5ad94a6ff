"""The folder that is handed out: messages, proofs, the list of all of it, a signature.

Nothing in it needs more than sha256sum and openssl to be verified (papers.README says how). Only
who exports can read it; what was begun and not finished is removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from danhba.inspection.request import ExportError
from danhba.journal.entry import passed, seconds

Form = Literal["eml", "mbox"]
MANIFEST, KEY, README, LETTER = "MANIFEST.sha256", "archive-key.pem", "README.txt", "cong-van.docx"
MBOX = "mailbox.mbox"
_COLUMNS = (
    "number", "passed", "archived", "id", "from", "to", "file", "offset", "length", "note",
)  # fmt: skip
"""Of messages.tsv. passed: when an edge had the message, by which it is searched for; archived:
when the vault wrote it."""
_FROM = re.compile(rb"^(>*From )", re.MULTILINE)


@dataclass(frozen=True)
class Root:
    """A daily root of the chain. text: what is signed; signature: 64 bytes (Ed25519)."""

    name: str
    text: bytes
    signature: bytes


@dataclass(frozen=True)
class Proof:
    """Of an entry. path: as of danhba.journal.tree, to the root of that name."""

    root: str
    path: Sequence[tuple[str, str]]


@dataclass
class Package:
    """folder: where it is made; not there yet. form: of the messages."""

    folder: Path
    form: Form
    messages: int = 0
    expired: int = 0
    damaged: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    @contextlib.contextmanager
    def made(self) -> Iterator[None]:
        """Raises ExportError when there is something at its place."""
        try:
            self.folder.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            raise ExportError(f"{self.folder} is there already: name a new folder") from None
        try:
            for name in ("messages", "proofs", "roots"):
                (self.folder / name).mkdir(mode=0o700)
            yield
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def fill(self, frames: Iterable[tuple[Mapping[str, Any], bytes]]) -> None:
        """Messages as the archive gives them (danhba/journal/pour.py). Raises ExportError."""
        with self._new("messages.tsv") as listed, contextlib.ExitStack() as stack:
            listed.write("\t".join(_COLUMNS).encode() + b"\n")
            mbox = stack.enter_context(self._new(MBOX)) if self.form == "mbox" else None
            for head, content in frames:
                if head.get("end"):
                    break
                listed.write(self._one(head, content, mbox))

    def _one(self, head: Mapping[str, Any], content: bytes, mbox: IO[bytes] | None) -> bytes:
        """The row of a message."""
        number, raw = head["n"], head["line"].encode("utf-8", "surrogateescape")
        stem = f"{number:010}"
        self.numbers.append(number)
        self._write(f"proofs/{stem}.line", raw)
        place = ("", "", "")
        if note := head.get("expired", ""):
            self.expired += 1
        elif note := head.get("damaged", ""):
            self.damaged.append(number)
        else:
            self.messages += 1
            place = self._content(stem, head, content, mbox)
        times = passed(head), head["time"]
        row = (str(number), *times, head["id"], head["from"], ",".join(head["to"]))
        return "\t".join(map(_plain, (*row, *place, note))).encode() + b"\n"

    def _content(
        self, stem: str, head: Mapping[str, Any], content: bytes, mbox: IO[bytes] | None
    ) -> tuple[str, str, str]:
        if mbox is None:
            self._write(f"messages/{stem}.eml", content)
            return f"messages/{stem}.eml", "0", str(len(content))
        moment = datetime.fromtimestamp(seconds(passed(head)), UTC)
        sender = _plain(head["from"]).replace(" ", "_") or "MAILER-DAEMON"
        mbox.write(f"From {sender} {moment:%a %b %d %H:%M:%S %Y}\n".encode())
        at, quoted = mbox.tell(), _FROM.sub(rb">\1", content)
        mbox.write(quoted + (b"\n" if quoted.endswith(b"\n") else b"\n\n"))
        return MBOX, str(at), str(len(quoted))

    def prove(self, proofs: Mapping[int, Proof], roots: Iterable[Root]) -> None:
        """Raises ExportError when an entry has no proof."""
        if missing := sorted(set(self.numbers) - proofs.keys()):
            raise ExportError(f"entry {missing[0]} is below no root of the chain: nothing handed "
                              "out; danhba archive verify")  # fmt: skip
        for number, proof in proofs.items():
            rows = [f"root {proof.root}", *(f"{side} {other}" for side, other in proof.path)]
            self._write(f"proofs/{number:010}.path", "".join(f"{row}\n" for row in rows).encode())
        for root in roots:
            self._write(f"roots/{root.name}.json", root.text)
            self._write(f"roots/{root.name}.sig", root.signature)

    def close(self, readme: str, key: Ed25519PrivateKey) -> str:
        """List everything and sign the list; its SHA-256, for the letter."""
        self._write(README, readme.encode())
        self._write(KEY, public_pem(key))
        if self.form == "mbox":
            (self.folder / "messages").rmdir()
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        rows = (f"{_sha256(path)}  ./{path.relative_to(self.folder)}\n" for path in files)
        listed = "".join(rows).encode()
        self._write(MANIFEST, listed)
        self._write(f"{MANIFEST}.sig", key.sign(listed))
        return hashlib.sha256(listed).hexdigest()

    def add_letter(self, content: bytes) -> None:
        """It names the hash of the list, so it is not in it."""
        self._write(LETTER, content)

    def _new(self, name: str) -> IO[bytes]:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        return os.fdopen(os.open(self.folder / name, flags, 0o600), "wb")

    def _write(self, name: str, content: bytes) -> None:
        with self._new(name) as file:
            file.write(content)


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """The public half as openssl reads it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _plain(text: str) -> str:
    """What a cell of a table can hold: senders write what they like."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
