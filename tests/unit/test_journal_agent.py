"""What the control machine asks, of a daemon that runs: every question has its entry in the chain
before its answer, and old mail goes with the daemon's word."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from archives import AN, DAY, HA, KEY, NOON, Vault
from province import wait_for

from danhba.days import today
from danhba.journal import agent, desk
from danhba.journal.pour import read_frames
from danhba.journal.seal import public_half

RULES: dict[str, Any] = {"timezone": "Asia/Ho_Chi_Minh", "years": {"": 10}, "holds": []}

POLICY: dict[str, Any] = {"rules": RULES, "asked": {}, "applied": [], "since": ""}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Of an archive with three messages of eleven years ago and one of half a year later, whose
    daemon has begun today."""
    vault = Vault(tmp_path / "journal", now=NOON - 11 * 366 * DAY)
    vault.mail("lan@ngoaitinh.test", AN)
    vault.mail(AN, HA)
    vault.mail(HA, AN)
    vault.now += 183 * DAY
    vault.mail("lan@ngoaitinh.test", HA)
    vault.archive.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = {
        "root": str(vault.root), "socket": str(tmp_path / "desk"), "port": port, "floor": 0,
        "public": public_half(KEY).hex(), "edges": {}, "timezone": "Asia/Ho_Chi_Minh",
        "agencies": str(tmp_path / "agencies"), "classes": str(tmp_path / "classes"),
        "begun": str(tmp_path / "begun"),
    }  # fmt: skip
    told = tmp_path / "config"
    told.write_text(json.dumps(config))
    argv = [sys.executable, "-m", "danhba.journal", str(told), "serve"]
    with subprocess.Popen(argv, env=os.environ) as daemon:
        try:
            wait_for(lambda: Path(config["socket"]).exists(), "the daemon answers", 60)
            monkeypatch.setattr(desk.noted, "__defaults__", (config["socket"],))
            yield config
        finally:
            daemon.terminate()


@pytest.fixture
def ask(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    def asked(what: str, **question: Any) -> dict[str, Any]:
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"ask": what, **question})))
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            assert agent.ask(config) == 0
        packed = base64.b64decode(out.getvalue())
        found: dict[str, Any] = json.loads(zlib.decompress(packed))
        return found

    return asked


def kinds(config: dict[str, Any]) -> list[tuple[str, str]]:
    chains = sorted(Path(config["root"]).rglob("*.chain"))
    rows = [json.loads(row) for chain in chains for row in chain.read_bytes().splitlines()]
    return [(row["kind"], row.get("what", "")) for row in rows if row["kind"] != "mail"]


def test_a_search_and_a_proof_are_in_the_chain(ask: Any, config: dict[str, Any]) -> None:
    found = ask("search", who="an@may", addresses=[AN])
    assert found["count"] == 3
    proof = ask("verify", who="an@may", memories=[["mx1", 1, "0" * 64, ""]], **POLICY)
    assert proof["messages"] == 4 and proof["n"] > 4
    [told] = proof["findings"]
    assert "entry 1 is another one than in the memory that mx1 has" in told
    assert [each for each in kinds(config) if each[0] == "read"] == [
        ("read", "index"), ("read", "proof"),
    ]  # fmt: skip


def test_old_mail_goes_with_the_daemons_word_and_the_rest_is_proved(
    ask: Any, config: dict[str, Any]
) -> None:
    day = {"rules": RULES, "day": str(today(RULES["timezone"]))}
    hold = {"case": "7/TTr", "addresses": [HA], "first": "2001-01-01", "last": "2015-12-31"}
    held = {**day, "rules": {**RULES, "holds": [hold]}}
    found = ask("due", **held)
    assert not found["unfinished"]
    [old, later] = sorted(found["due"], key=lambda each: each["segment"])
    assert (old["messages"], old["held"], later["messages"]) == (1, {"7/TTr": 2}, 1)
    wanted = [{"segment": each["segment"], "class": each["class"]} for each in found["due"]]
    assert ask("expire", who="an@may", expiries=wanted, **held) == {"gone": 2}
    assert ask("expire", who="an@may", expiries=wanted, **day) == {"gone": 2}
    assert ask("due", **day)["due"] == []
    proof = ask("verify", who="an@may", memories=[], **POLICY)
    assert proof["findings"] == [] and proof["removed"] == [["so", 10, 4]]
    assert [each for each, _ in kinds(config)].count("expired") == 3
    assert not list(Path(config["root"]).glob(f"{old['segment']}.data"))


def test_a_chain_that_came_back_says_so(ask: Any, config: dict[str, Any]) -> None:
    assert ask("end") == {"end": 4}
    assert ask("restored", end=4, hosts="mx1, store1", who="an@may")["n"] > 4
    said = "restored at entry 4: memories begin anew on mx1, store1"
    assert ("restored", said) in kinds(config)
    assert ask("verify", who="an@may", memories=[], **POLICY)["findings"] == []


def test_nothing_goes_on_a_day_that_is_not_there_yet(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    question = {"ask": "expire", "rules": RULES, "day": "2126-11-26", "who": "x", "expiries": []}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(question)))
    assert agent.ask(config) == 1
    assert "it is not 2126-11-26 here yet: nothing was removed" in capsys.readouterr().err


def test_contents_come_out_and_the_reader_is_in_the_chain(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = json.dumps({"who": "an@may", "why": "thử", "addresses": [HA]})

    class Streams:
        buffer = io.BytesIO(f"{asked}\n{KEY.hex()}\n".encode())

    out = Streams()
    out.buffer = io.BytesIO()
    monkeypatch.setattr("sys.stdin", Streams())
    monkeypatch.setattr("sys.stdout", out)
    assert agent.contents(config) == 0
    out.buffer.seek(0)
    *messages, (end, _) = read_frames(out.buffer)
    assert len(messages) == 3 and end["damaged"] == 0
    assert kinds(config)[-1] == ("read", "contents")
