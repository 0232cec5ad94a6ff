"""Archives of mailboxes, and what may be removed (danhba.generations.host.boxes)."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tarfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from danhba.generations.host import boxes
from danhba.generations.host.boxes import Box, archive, carry_out, forgotten, remove, state
from danhba.generations.host.common import Refused

MADE, DAY = date(2028, 1, 2), date(2028, 2, 1)
ROW = {
    "account": "nvan", "step": "remove", "since": "2027-01-01", "until": "2028-01-01", "days": 30,
}  # fmt: skip
MAIL = {
    "mail/INBOX/u.1": b"zstd " * 400, "mail/INBOX/u.2": b"", "sieve/a.sieve": b"keep;\n",
    "mail/INBOX/dovecot.index": b"made anew",
}  # fmt: skip


@pytest.fixture
def where(tmp_path: Path) -> dict[str, Any]:
    box = tmp_path / "mail" / "nvan"
    for name, content in MAIL.items():
        path = box / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    os.link(box / "mail/INBOX/u.1", box / "mail/INBOX/u.3")  # a message copied by sdbox
    (box / ".dovecot.sieve").symlink_to("sieve/a.sieve")
    return {
        "mail": f"{tmp_path}/mail", "archive": f"{tmp_path}/archive", "leaving": [ROW],
        "day": str(DAY),
    }  # fmt: skip


@pytest.fixture
def box(where: dict[str, Any]) -> Box:
    return boxes._box(where, ROW)


def due(where: dict[str, Any], step: str = "remove") -> list[tuple[bool, str]]:
    found = state(where | {"leaving": [ROW | {"step": step}]})
    return [(each["mailbox"], each["archive"]) for each in found]


def test_an_archive_holds_every_byte_and_gives_it_back(box: Box, tmp_path: Path) -> None:
    box.mailbox.chmod(0o700)
    archive(box, MADE)
    with tarfile.open(box.archive) as tar:
        tar.extractall(tmp_path / "back")
        assert tar.getmembers()[0].name == "nvan"  # its owner and mode: Dovecot's lock is in it
    assert f"{(tmp_path / 'back' / 'nvan').stat().st_mode & 0o777:o}" == "700"
    back = tmp_path / "back" / "nvan"
    assert {name: (back / name).read_bytes() for name in MAIL} == MAIL
    assert (back / "mail/INBOX/u.3").read_bytes() == MAIL["mail/INBOX/u.1"]
    assert os.readlink(back / ".dovecot.sieve") == "sieve/a.sieve"
    modes = [f"{path.stat().st_mode & 0o777:o}" for path in (box.archive, box.list)]
    assert modes == ["600", "600"]


def test_what_is_due_follows_from_what_is_there(where: dict[str, Any], box: Box) -> None:
    assert due(where, "archive") == due(where) == [(True, "")]
    archive(box, MADE)
    assert due(where, "archive") == due(where) == [(True, "whole")]
    remove(box, DAY)
    assert due(where, "archive") == due(where) == []
    assert not box.mailbox.exists()
    assert box.archive.exists()


def test_a_socket_is_left_out(box: Box) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(box.mailbox / "auth"))
    archive(box, MADE)
    with tarfile.open(box.archive) as tar:
        assert "nvan/auth" not in tar.getnames()
    remove(box, DAY)
    assert not box.mailbox.exists()


def test_an_archive_that_is_not_there_is_missing(box: Box) -> None:
    with pytest.raises(Refused, match="nvan: its archive is missing; nothing was removed"):
        remove(box, DAY)


@pytest.mark.parametrize("spoil", ["no archive", "no list", "a byte", "cut short", "new mail"])
def test_nothing_is_removed_without_a_whole_archive(
    where: dict[str, Any], box: Box, spoil: str
) -> None:
    archive(box, MADE)
    data = box.archive.read_bytes()
    if spoil == "no archive":
        box.archive.unlink()
    elif spoil == "no list":
        box.list.unlink()
    elif spoil == "a byte":
        box.archive.write_bytes(data[:600] + bytes([data[600] ^ 1]) + data[601:])
    elif spoil == "cut short":
        box.archive.write_bytes(data[: len(data) // 2])
    else:
        (box.mailbox / "mail/INBOX/u.4").write_bytes(b"later")
    with pytest.raises(Refused, match="nothing was removed"):
        remove(box, DAY)
    assert (box.mailbox / "mail/INBOX/u.1").exists()
    assert due(where)[0][1] != "whole"
    archive(box, MADE)
    remove(box, DAY)
    assert due(where) == []


@pytest.mark.parametrize(
    ("made", "removal"),
    [(MADE, DAY), (MADE + timedelta(days=7), DAY + timedelta(days=7)),
     (MADE - timedelta(days=90), DAY)],
    ids=["on its day", "late", "of another policy"],
)  # fmt: skip
def test_it_stays_beside_its_archive_from_the_day_on_which_that_was_made(
    where: dict[str, Any], box: Box, made: date, removal: date
) -> None:
    archive(box, made)
    before = removal - timedelta(days=1)
    [early] = state(where | {"day": str(before)})
    assert (early["removal"], early["due"]) == (str(removal), False)
    with pytest.raises(Refused, match=f"archive is of {made}; it is not removed before {removal}"):
        remove(box, before)
    assert (box.mailbox / "mail/INBOX/u.1").exists()
    [then] = state(where | {"day": str(removal)})
    assert (then["archive"], then["due"]) == ("whole", True)
    remove(box, removal)
    assert not box.mailbox.exists()


def test_what_is_archived_today_is_not_removed_today(where: dict[str, Any], box: Box) -> None:
    """Whatever the days of the withdrawal are."""
    [before] = state(where | {"day": "2030-05-01"})
    archive(box, date(2030, 5, 1))
    [after] = state(where | {"day": "2030-05-01"})
    assert before["removal"] == after["removal"] == "2030-05-31"
    assert not before["due"] and not after["due"]
    with pytest.raises(Refused, match="not removed before 2030-05-31"):
        remove(box, date(2030, 5, 1))


def test_a_damaged_archive_is_made_anew_and_the_time_begins_again(
    where: dict[str, Any], box: Box
) -> None:
    archive(box, MADE)
    box.archive.write_bytes(b"x")
    [found] = state(where)
    assert (found["archive"], found["due"]) == ("damaged", False)
    assert found["removal"] == str(DAY + timedelta(days=30))


def test_a_mailbox_of_whom_the_next_manifest_says_nothing_is_named(
    where: dict[str, Any], box: Box
) -> None:
    live = {key: item for key, item in where.items() if key != "day"}
    assert forgotten({**where, "leaving": []}, live) == ["nvan"]
    assert forgotten(where, live) == []
    archive(box, MADE)
    remove(box, DAY)
    assert forgotten({**where, "leaving": []}, live) == []


def test_indexes_that_change_are_no_new_mail(where: dict[str, Any], box: Box) -> None:
    archive(box, MADE)
    (box.mailbox / "mail/INBOX/dovecot.index").write_bytes(b"other")
    (box.mailbox / "dovecot.list.index.log").write_bytes(b"new")
    assert due(where) == [(True, "whole")]


def test_a_script_that_a_user_called_dovecot_is_his(where: dict[str, Any], box: Box) -> None:
    archive(box, MADE)
    (box.mailbox / "sieve/dovecot.sieve").write_bytes(b"discard;")
    assert due(where) == [(True, "older than the mailbox")]


def kept(box: Box) -> list[dict[str, str]]:
    """What all archives of a mailbox have together, the one of its own name last."""
    lists = sorted(box.archive.parent.glob("*.json"), key=lambda path: (-len(path.name), path))
    for path in lists:
        listed = json.loads(path.read_text())
        assert boxes._sha256(path.with_suffix(".tar")) == listed["sha256"]
    return [json.loads(path.read_text())["files"] for path in lists]


def test_what_comes_after_a_removal_replaces_no_archive(where: dict[str, Any], box: Box) -> None:
    for number in range(3):
        archive(box, MADE)
        remove(box, DAY)
        box.mailbox.mkdir()
        (box.mailbox / f"u.{number}").write_bytes(b"a remnant")
        assert due(where) == [(True, "older than the mailbox")]
    archive(box, MADE)
    found = kept(box)
    assert len(found) == 4
    assert "nvan/mail/INBOX/u.1" in found[0]
    assert [list(each) for each in found[1:]] == [[f"nvan/u.{number}"] for number in range(3)]


def test_a_message_that_is_gone_from_the_mailbox_stays_in_an_archive(box: Box) -> None:
    archive(box, MADE)
    (box.mailbox / "mail/INBOX/u.1").unlink()
    archive(box, MADE)
    assert ["nvan/mail/INBOX/u.1" in files for files in kept(box)] == [True, False]


def test_an_archive_of_which_all_is_in_the_next_one_goes(box: Box) -> None:
    archive(box, MADE)
    (box.mailbox / "mail/INBOX/dovecot.index").write_bytes(b"other")
    (box.mailbox / "mail/INBOX/u.4").write_bytes(b"later")
    archive(box, MADE)
    assert sorted(path.name for path in box.archive.parent.iterdir()) == [
        "nvan.2027-01-01.json", "nvan.2027-01-01.tar",
    ]  # fmt: skip


def test_an_archive_that_cannot_be_replaced_is_still_whole(
    where: dict[str, Any], box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> dict[str, str]:
        raise OSError(28, "No space left on device")

    archive(box, MADE)
    monkeypatch.setattr(boxes, "_pack", full)
    with pytest.raises(OSError, match="No space"):
        archive(box, MADE)
    assert due(where) == [(True, "whole")]


def test_an_archive_is_on_the_disk_before_its_mailbox_goes(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its name: a power cut would take both otherwise."""
    done: list[str] = []
    fsync, rmtree = os.fsync, shutil.rmtree

    def syncing(descriptor: int) -> None:
        done.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    def removing(path: Path) -> None:
        done.append(f"{path} goes")
        rmtree(path)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(shutil, "rmtree", removing)
    archive(box, MADE)
    assert done[-1] == str(box.archive.parent)
    done.clear()
    remove(box, DAY)
    assert done == [str(box.archive.parent), f"{box.going} goes"]


def test_a_removal_that_was_cut_off_goes_on(where: dict[str, Any], box: Box) -> None:
    archive(box, MADE)
    box.mailbox.rename(box.going)
    (box.going / "mail/INBOX/u.1").unlink()
    assert due(where) == [(False, "whole")]
    remove(box, DAY)
    assert due(where) == []


def test_an_archive_that_was_cut_off_is_none(
    where: dict[str, Any], box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(boxes, "write", full)
    with pytest.raises(OSError, match="No space"):
        archive(box, MADE)
    assert due(where) == [(True, "")]


def test_another_withdrawal_has_an_archive_of_its_own(where: dict[str, Any], box: Box) -> None:
    archive(box, MADE)
    later = where | {"leaving": [ROW | {"since": "2029-01-01", "step": "archive"}]}
    assert [each["archive"] for each in state(later)] == [""]


@pytest.mark.parametrize(
    ("rows", "asked"),
    [
        ([], ("nvan", "remove")),
        ([ROW | {"step": "archive"}], ("nvan", "remove")),
        ([ROW], ("vttu", "archive")),
        ([ROW], ("../nvan", "remove")),
    ],
    ids=["not leaving", "not yet", "somebody else", "no account"],
)
def test_a_host_does_what_its_own_list_says_and_nothing_else(
    where: dict[str, Any], box: Box, monkeypatch: pytest.MonkeyPatch,
    rows: list[dict[str, str]], asked: tuple[str, str],
) -> None:  # fmt: skip
    archive(box, MADE)
    monkeypatch.setattr(boxes, "must_hold", lambda token: None)
    monkeypatch.setattr(boxes, "manifest_of", lambda digest: {"boxes": where | {"leaving": rows}})
    item = {"account": asked[0], "action": asked[1]}
    with pytest.raises(Refused, match="no word"):
        carry_out({"token": "t", "day": str(DAY), "boxes": [item]})
    assert box.mailbox.exists()
    assert json.loads(box.list.read_text())["account"] == "nvan"
