"""What danhba restore brings back, and what it refuses (danhba/restore), without Dovecot."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from danhba.restore import scripts, unpack, work
from danhba.restore.frames import END, Frames, frame
from danhba.restore.missing import COPIES, Mail, for_copies, in_place, sequence
from danhba.restore.refusal import Refused

KEPT = "Expunged"
PREFIX = "/srv/mail/nvan"


def mails(*places: str) -> list[Mail]:
    """Written "FOLDER GUID"."""
    split = [place.rsplit(" ", 1) for place in places]
    return [Mail(folder, uid, guid) for uid, (folder, guid) in enumerate(split, 1)]


def back(then: Iterable[str], now: Iterable[str], folder: str = "") -> list[str]:
    """What an in-place restore brings."""
    all_of_it = mails(*then)
    wanted = [mail for mail in all_of_it if folder in ("", mail.folder)]
    choice = in_place(all_of_it, mails(*now), wanted, KEPT)
    assert len(choice.missing) + choice.elsewhere.total() == len(wanted)
    return [f"{mail.folder} {mail.guid}" for mail in choice.missing]


@pytest.mark.parametrize(
    ("then", "now", "brought"),
    [
        (["INBOX a", "INBOX b"], ["INBOX b"], ["INBOX a"]),
        (["INBOX a"], ["Thùng rác a"], []),  # moved, not lost
        (["INBOX a", "Sent a"], ["Sent a"], ["INBOX a"]),  # of two copies one
        (["INBOX a", "Sent a"], ["Việc a"], ["INBOX a"]),
        (["INBOX a", "INBOX a"], ["INBOX a"], ["INBOX a"]),  # twice in one folder
        (["INBOX a"], ["INBOX a", "Sent a"], []),
        (["INBOX a"], [f"{COPIES}2026-11-20 10.00/INBOX a"], ["INBOX a"]),  # a copy of a restore
        (["INBOX a"], [f"{KEPT} a"], ["INBOX a"]),  # hidden from an agency's keepers
        ([f"{KEPT} a"], ["INBOX a"], [f"{KEPT} a"]),
        ([f"{COPIES}1/INBOX a", "INBOX a"], ["INBOX a"], [f"{COPIES}1/INBOX a"]),
        ([], ["INBOX a"], []),
    ],
)  # fmt: skip
def test_what_is_missing_comes_back_and_nothing_twice(
    then: list[str], now: list[str], brought: list[str]
) -> None:
    assert back(then, now) == brought
    assert back(then, [*now, *brought]) == []


def test_one_folder_brings_no_more_than_what_is_missing_of_it() -> None:
    then, now = ["A a", "B a", "B b"], ["C a"]
    assert back(then, now, "B") == ["B a", "B b"]
    assert back(then, [*now, "B a", "B b"], "A") == []


def test_copies_come_beside_what_is_there_and_once() -> None:
    then = mails("INBOX a", "INBOX b", "Sent a")
    assert for_copies(then, mails("INBOX a", "INBOX b"), "Khôi phục 1").missing == sorted(then)
    again = for_copies(then, mails("Khôi phục 1/INBOX a", "Khôi phục 1/Sent a"), "Khôi phục 1")
    assert [mail.guid for mail in again.missing] == ["b"]


def test_uids_are_short() -> None:
    assert sequence([3, 1, 2, 7, 9, 10]) == "1:3,7,9:10"


# The stream


def poured(entries: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    """A tar file as restic writes it, in frames."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in entries.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    data = buffer.getvalue()
    return b"".join(frame(data[at : at + 777]) for at in range(0, len(data), 777)) + END


MESSAGE = "mail/mailboxes/INBOX/dbox-Mails/u.1"


def test_a_snapshot_is_unpacked(tmp_path: Path) -> None:
    stream = poured({f"srv/mail/nvan/{MESSAGE}": b"thu"},
                    {"srv/mail/nvan/.dovecot.sieve": "sieve/x.sieve"})  # fmt: skip
    found = unpack.unpack(io.BytesIO(stream), PREFIX, tmp_path)
    assert found == {MESSAGE: hashlib.sha256(b"thu").hexdigest()}
    assert (tmp_path / MESSAGE).read_bytes() == b"thu"
    assert (tmp_path / ".dovecot.sieve").read_text() == "x.sieve"


def test_two_streams_follow_each_other() -> None:
    source = io.BytesIO(frame(b"a") + frame(b"b") + END + frame(b"c") + END)
    for expected in (b"ab", b"c"):
        frames, found = Frames(source), b""
        while data := frames.read(100):
            found += data
        assert found == expected


@pytest.mark.parametrize("cut", [1, 4, 500, 2000])
def test_a_stream_that_is_cut_off_is_no_small_mailbox(tmp_path: Path, cut: int) -> None:
    stream = poured({f"srv/mail/nvan/{MESSAGE}": b"thu" * 1000})
    with pytest.raises(Refused, match="cut off"):
        unpack.unpack(io.BytesIO(stream[:-cut]), PREFIX, tmp_path)


@pytest.mark.parametrize(
    ("entries", "links"),
    [
        ({"srv/mail/ttbinh/mail/x": b""}, {}),
        ({"srv/mail/nvan/../ttbinh/x": b""}, {}),
        ({"/etc/passwd": b""}, {}),
        ({}, {"srv/mail/nvan/mail": "/etc"}),
    ],
)
def test_a_stolen_store_gets_nothing_out_of_the_folder(
    tmp_path: Path, entries: dict[str, bytes], links: dict[str, str]
) -> None:
    with pytest.raises(Refused, match="the snapshot is not of"):
        unpack.unpack(io.BytesIO(poured(entries, links)), PREFIX, tmp_path / "into")
    assert not list(tmp_path.iterdir())


# The list


def listed(place: Path, *rows: tuple[str, bytes]) -> Path:
    file = place / unpack.MANIFEST
    file.write_text("".join(
        json.dumps({"path": path, "sha256": hashlib.sha256(content).hexdigest()}) + "\n"
        for path, content in rows
    ))  # fmt: skip
    return file


def test_messages_are_compared_with_the_list(tmp_path: Path) -> None:
    manifest = listed(tmp_path, (MESSAGE, b"thu"), ("gone", b""))
    assert unpack.check(manifest, {MESSAGE: hashlib.sha256(b"thu").hexdigest()}) == (1, 1)
    with pytest.raises(Refused, match=f"{MESSAGE} of the snapshot is not what was backed up"):
        unpack.check(manifest, {MESSAGE: hashlib.sha256(b"khac").hexdigest()})
    with pytest.raises(Refused, match="no list of its messages"):
        unpack.check(tmp_path / "none", {})


def test_index_copies_are_laid_over(tmp_path: Path) -> None:
    copies, box = tmp_path / "copies", tmp_path / "box"
    index = "mail/mailboxes/INBOX/dbox-Mails/dovecot.index.log"
    for place, text in ((copies, "new"), (box, "old")):
        (place / index).parent.mkdir(parents=True)
        (place / index).write_text(text)
    listed(copies)
    unpack.lay_over(copies, box)
    assert (box / index).read_text() == "new"
    assert not (box / unpack.MANIFEST).exists()


class Box:
    """A mailbox of Dovecot's. unknown: messages that no index knows, which a power cut left."""

    def __init__(self, there: list[Mail], unknown: list[Mail], ends: int = 1) -> None:
        self.there, self.unknown, self.ends = there, unknown, ends

    def rebuild(self) -> None:
        pass

    def mails(self) -> list[Mail]:
        return self.there

    def folders(self) -> list[str]:
        return sorted({mail.folder for mail in self.there})

    def bring(self, _: Path, missing: list[Mail], __: str) -> None:
        if self.ends:
            self.ends -= 1
            self.there, self.unknown = self.there + self.unknown, []
            raise Refused("u.3 already exists, rebuilding index")
        self.there = self.there + missing

    def room(self) -> tuple[int, int]:
        return 1, 0


def delivered(monkeypatch: pytest.MonkeyPatch, then: list[Mail], live: Box) -> dict[str, object]:
    old = Box(then, [], 0)
    monkeypatch.setattr(work, "Mailbox", lambda _, place=None: old if place else live)
    monkeypatch.setattr(work, "_give", lambda _: None)
    monkeypatch.setattr(scripts, "bring", lambda *_: [])
    request = work.Request("nvan", "nvan@x", "store1", "/m", "/c", "", "", "", KEPT, "")
    return work._deliver(request, Path("/box"))


def test_what_a_power_cut_left_beside_the_index_is_not_brought_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    then = mails("INBOX a", "INBOX b", "INBOX c")
    live = Box(then[:1], then[1:2])
    assert delivered(monkeypatch, then, live)["messages"] == 2
    assert sorted(mail.guid for mail in live.there) == ["a", "b", "c"]


def test_a_mailbox_that_takes_nothing_is_tried_twice_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    then = mails("INBOX a", "INBOX b")
    with pytest.raises(Refused, match="already exists"):
        delivered(monkeypatch, then, Box(then[:1], [], 2))
