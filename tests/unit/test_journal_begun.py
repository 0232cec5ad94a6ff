"""A vault whose disk is away begins no second chain; a blank machine begins one by itself."""

from __future__ import annotations

import json
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from archives import KEY, NOON
from journal_parts import mail, table
from province import wait_for

from danhba.journal import agent, health
from danhba.journal.begun import missing
from danhba.journal.chain import Archive
from danhba.journal.seal import public_half


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """Of a machine that has just been made."""
    table(tmp_path)
    (tmp_path / "journal").mkdir()
    return {
        "root": str(tmp_path / "journal"), "begun": str(tmp_path / "begun"), "floor": 0,
        "socket": str(tmp_path / "desk"), "public": public_half(KEY).hex(), "edges": {},
        "timezone": "Asia/Ho_Chi_Minh", "agencies": str(tmp_path / "agencies"),
        "classes": str(tmp_path / "classes.json"),
    }  # fmt: skip


def writer(config: dict[str, Any]) -> Archive:
    root, begun = Path(config["root"]), Path(config["begun"])
    return Archive(root, config["timezone"], table(root.parent), begun=begun)


def test_the_first_entry_is_noted_and_a_start_notes_what_there_is(config: dict[str, Any]) -> None:
    begun = Path(config["begun"])
    made = writer(config)
    assert not begun.exists() and missing(config) == ""
    made.append([mail(1)])
    made.close()
    assert begun.exists() and missing(config) == ""
    begun.unlink()  # an archive that was brought back, or of before there were notes
    writer(config).close()
    assert begun.exists()


@pytest.fixture
def away(config: dict[str, Any]) -> dict[str, Any]:
    made = writer(config)
    made.append([mail(1)])
    made.close()
    root = Path(config["root"])
    root.rename(root.with_name("disk"))
    root.mkdir()
    return config


def test_a_disk_that_is_away_is_told_and_nothing_is_signed(
    away: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [said] = health.health(away, NOON)
    assert "is blank, and this machine has had a journal there" in said
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(Path(away["root"]).parent))
    assert agent.sign(away) == 1
    assert "is its disk mounted?" in capsys.readouterr().err
    assert list(Path(away["root"]).iterdir()) == []


@contextmanager
def daemon(config: dict[str, Any]) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    told = Path(config["root"]).with_name("config")
    told.write_text(json.dumps({**config, "port": port}))
    argv = [sys.executable, "-m", "danhba.journal", str(told), "serve"]
    with subprocess.Popen(argv) as running:
        try:
            wait_for(lambda: answers(port), "the daemon answers", 60)
            yield port
        finally:
            running.terminate()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


def offered(port: int) -> int:
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.ehlo()
        return client.mail("lan@ngoaitinh.test")[0]


def test_edges_keep_their_copies_until_the_disk_is_there(away: dict[str, Any]) -> None:
    root = Path(away["root"])
    with daemon(away) as port:
        assert offered(port) == 452
        assert list(root.iterdir()) == []
    root.rmdir()
    root.with_name("disk").rename(root)
    with daemon(away) as port:
        assert offered(port) == 250


def test_a_blank_machine_begins_by_itself(config: dict[str, Any]) -> None:
    with daemon(config) as port:
        assert offered(port) == 250
