"""danhba.generations.host.stage: how a generation is built on a host."""

from __future__ import annotations

import getpass
import grp
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from danhba.generations.host import stage
from danhba.generations.host.common import sha256

MAIN, TABLE = "/etc/postfix/main.cf", "/etc/danhba/tables/homes"
HOT = 2
"""Seconds. Postfix reads a file again and again until it is older than that."""


def test_postfix_waits_for_nothing_that_a_generation_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ages = []

    def postmap(argv: Sequence[str], _: bytes | None = None) -> bytes:
        ages.append(time.time() - os.stat(f"{argv[2]}/main.cf").st_mtime)
        Path(f"{argv[3].removeprefix('cdb:')}.cdb").touch()
        return b""

    monkeypatch.setattr(stage, "must", postmap)
    own = {"owner": getpass.getuser(), "group": grp.getgrgid(os.getgid()).gr_name, "mode": "0644"}
    contents = {MAIN: "myhostname = mx1.x.vn\n", TABLE: "nvan@x.vn store1\n"}
    files = {path: {**own, "sha256": sha256(text.encode())} for path, text in contents.items()}
    root = tmp_path / "generation"
    stage.build(root, {
        "manifest": {"files": files, "tables": [TABLE]}, "revision": "r1",
        "blobs": {sha256(text.encode()): text for text in contents.values()},
    })  # fmt: skip
    ages.append(time.time() - Path(f"{root}/files{MAIN}").stat().st_mtime)
    assert len(ages) == 2 and min(ages) > HOT, ages


def test_what_is_as_before_keeps_its_time_and_what_is_new_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd takes a younger unit file for another one, and tells engineers to reload."""
    monkeypatch.setattr(stage, "CURRENT", tmp_path / "current")
    own = {"owner": getpass.getuser(), "group": grp.getgrgid(os.getgid()).gr_name, "mode": "0644"}
    old, new = "/etc/systemd/system/old.service", "/etc/systemd/system/new.service"
    kept = Path(f"{stage.CURRENT}/files{old}")
    kept.parent.mkdir(parents=True)
    kept.write_text("[Unit]\n")
    os.utime(kept, ns=(0, 1_700_000_000_123_456_789))
    files = {
        old: {**own, "sha256": sha256(b"[Unit]\n")},
        new: {**own, "sha256": sha256(b"[Service]\n")},
    }
    root = tmp_path / "generation"
    stage.build(root, {
        "manifest": {"files": files, "tables": []}, "revision": "r2",
        "blobs": {sha256(b"[Service]\n"): "[Service]\n"},
    })  # fmt: skip
    assert Path(f"{root}/files{old}").stat().st_mtime_ns == 1_700_000_000_123_456_789
    assert time.time() - Path(f"{root}/files{new}").stat().st_mtime < 60
