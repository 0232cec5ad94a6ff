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
