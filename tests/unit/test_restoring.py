"""danhba restore on the control machine: whose mailbox, what passes through, what is said."""

from __future__ import annotations

import base64
import io
import json
import zlib
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from drafts import CANONICAL, directory

from danhba import restoring
from danhba.commands import main
from danhba.compile import compile_directory
from danhba.engine import EngineError
from danhba.errors import DanhbaError
from danhba.piping import Program, pipe
from danhba.restore.frames import Frames
from danhba.restoring import whose

SNAPSHOT = {"repository": "store2", "snapshot": "ab12", "tag": "mail",
            "time": "2026-11-20T02:17:03+00:00"}  # fmt: skip
ANSWER = {"messages": 2, "folders": {"INBOX": 2}, "elsewhere": {"Thùng rác": 3}, "whole": 5,
          "gone": 0, "scripts": [], "used": 1024, "room": 2048}  # fmt: skip


# Whose


@pytest.mark.parametrize("typed", ["nvan", "NVAN@angiang.gov.vn"])
def test_an_address_is_its_account(typed: str) -> None:
    account, box = whose(compile_directory(directory(CANONICAL)), typed)
    assert account == "nvan" and box and box.account == "nvan"


def test_a_further_address_is_its_account_too() -> None:
    account, box = whose(compile_directory(directory(CANONICAL)), "postmaster")
    assert account == "sotaichinh" and box and box.kind == "agency"


def test_who_is_no_more_is_nobody_else() -> None:
    assert whose(compile_directory(directory(CANONICAL)), "nvan2") == ("nvan2", None)


@pytest.mark.parametrize("typed", ["../nvan", "nvan/x", "", "nvan@khac.vn", "-x", "a b"])
def test_what_is_no_address_is_no_path(typed: str) -> None:
    with pytest.raises(DanhbaError, match="is no address of"):
        whose(compile_directory(directory(CANONICAL)), typed)


# What passes through


@dataclass
class Channel:
    """Of paramiko: what a program prints, and what it was told."""

    out: bytes = b""
    status: int = 0
    err: bytes = b""
    deaf_after: int = 1 << 30
    told: bytearray = field(default_factory=bytearray)
    argv: str = ""

    def exec_command(self, command: str) -> None:
        self.argv = command
        self.stdout, self.stderr = io.BytesIO(self.out), io.BytesIO(self.err)

    def sendall(self, data: bytes) -> None:
        self.told += data
        if len(self.told) > self.deaf_after:
            raise OSError("Socket is closed")

    def recv(self, size: int) -> bytes:
        return self.stdout.read(size)

    def recv_stderr(self, size: int) -> bytes:
        return self.stderr.read(size)

    def shutdown_write(self) -> None:
        pass

    def recv_exit_status(self) -> int:
        return self.status

    def close(self) -> None:
        pass


def program(name: str, channel: Channel, text: str = "") -> Program:
    transport = SimpleNamespace(open_session=lambda: channel)
    client = SimpleNamespace(get_transport=lambda: transport)
    host: Any = SimpleNamespace(name=name, connector=SimpleNamespace(client=client))
    return Program(host, ("run", "it's"), text)


def packed(answer: object) -> bytes:
    return base64.b64encode(zlib.compress(json.dumps(answer).encode())) + b"\n"


def test_each_source_is_a_stream_with_an_end() -> None:
    target = Channel(packed({"messages": 1}))
    sources = [program("vault1", Channel(text)) for text in (b"x" * 600_000, b"y")]
    assert pipe(sources, program("store1", target, "head\n")) == {"messages": 1}
    told = io.BytesIO(bytes(target.told))
    assert told.readline() == b"head\n"
    for length in (600_000, 1):
        frames, found = Frames(told), 0
        while data := frames.read(1 << 20):
            found += len(data)
        assert found == length
    assert told.read() == b""
    assert target.argv == "run 'it'\"'\"'s'"


def test_a_source_that_fails_has_no_end() -> None:
    target = Channel()
    bad = Channel(b"half", status=1, err=b"Fatal: ciphertext verification failed\n")
    with pytest.raises(EngineError, match="vault1: Fatal: ciphertext verification failed"):
        pipe([program("vault1", bad)], program("store1", target, ""))
    assert not target.told.endswith(b"\0\0\0\0")


def test_a_target_that_ends_early_says_why() -> None:
    target = Channel(status=1, err=b"No space left on device\n", deaf_after=10)
    with pytest.raises(EngineError, match="store1: No space left on device"):
        pipe([program("vault1", Channel(b"z" * 100))], program("store1", target, ""))


# The command


@dataclass
class Hosts:
    """All answer. noted: what the store's record was given."""

    found: dict[str, str] = field(default_factory=lambda: dict(SNAPSHOT))
    noted: list[dict[str, Any]] = field(default_factory=list)
    absent: tuple[str, ...] = ()

    def hosts(self) -> list[Any]:
        names = {"mx1", "mx2", "store1", "store2", "vault1"} - {*self.absent}
        return [SimpleNamespace(name=name) for name in sorted(names)]

    def ask(self, host: Any, program: str, question: Any) -> dict[str, str]:
        assert host.name == "vault1" and question["account"] == "nvan"
        return self.found

    def step(self, host: Any, step: str, request: Any) -> dict[str, Any]:
        assert step == "record"
        self.noted.append(request["note"] | {"host": host.name})
        return {"n": 7}


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    found = Hosts()
    monkeypatch.setattr(restoring, "session", lambda _, partly: nullcontext(found))
    return found


def poured(sources: Any, target: Program) -> dict[str, Any]:
    questions = [json.loads(each.text) for each in sources]
    assert [each["path"] for each in questions] == [
        "/srv/mail/nvan", "/var/lib/danhba-backup/mail/nvan"
    ]  # fmt: skip
    assert {each["repository"] for each in questions} == {"store2"}
    return {**ANSWER, "asked": json.loads(target.text)}


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    file = tmp_path / "directory.yaml"
    file.write_text(CANONICAL, encoding="utf-8")

    def invoke(*words: str) -> Result:
        argv = ["--directory", str(file), "restore", "mailbox", "staging", *words]
        return CliRunner().invoke(main, argv)

    return invoke


AT: Sequence[str] = ("--at", "2026-11-20T10:00")


def test_it_says_what_came_from_where(
    hosts: Hosts, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "pipe", poured)
    done = run("nvan", *AT)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "nvan: snapshot of 2026-11-20 09:17 (of store2)",
        "  5 messages in it, each as it was backed up",
        '  2 messages came back to "Khôi phục 2026-11-20 10.00": INBOX 2',
        "  3 are there already: Thùng rác 3",
    ]
    begun, ended = hosts.noted
    assert begun["what"] == "restore" and begun["account"] == "nvan" and begun["who"]
    assert begun["at"] == "2026-11-20T10:00:00+07:00" and begun["snapshot"] == "ab12"
    assert begun["host"].startswith("store")
    assert ended["what"] == "restored" and ended["messages"] == 2 and ended["of"] == 7


def test_what_fails_is_recorded_with_its_reason(
    hosts: Hosts, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(sources: Any, target: Any) -> dict[str, Any]:
        raise EngineError("vault1: Fatal: no such file")

    monkeypatch.setattr(restoring, "pipe", broken)
    done = run("nvan", *AT, "--in-place")
    assert done.exit_code == 1
    assert "vault1: Fatal: no such file\nNothing was taken away" in done.output
    assert [each["what"] for each in hosts.noted] == ["restore", "failed"]
    assert hosts.noted[1]["why"] == "vault1: Fatal: no such file"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nvan", "--at", "hôm qua"), "write 2026-11-20T10:00"),
        (("../x", *AT), "is no address"),
    ],
)
def test_nobody_is_asked_what_makes_no_sense(
    hosts: Hosts, run: Callable[..., Result], words: Sequence[str], said: str
) -> None:
    done = run(*words)
    assert done.exit_code == 1 and said in done.output
    assert hosts.noted == []


def test_without_a_snapshot_or_a_host_nothing_is_done(
    hosts: Hosts, run: Callable[..., Result]
) -> None:
    hosts.found = {}
    assert "no snapshot until 2026-11-20 10:00 has a mailbox nvan" in run("nvan", *AT).output
    hosts.absent = ("vault1",)
    assert "vault1 does not answer: nothing done" in run("nvan", *AT).output
    assert hosts.noted == []
