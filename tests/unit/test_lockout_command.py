"""danhba lockout, with hosts that are there and hosts that are not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from drafts import CANONICAL

from danhba.commands import answers, main
from danhba.engine import EngineError

REFUSAL = {"account": "nvan@x", "source": "", "until": 0, "ends": "2026-11-26 08:15"}


class Hosts:
    """Of mx1 the daemon answers, of mx2 it does not; store1 is dead."""

    absent: tuple[str, ...] = ("store1",)

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    def each(self, work: Callable[[Any], Any]) -> dict[str, Any]:
        return {name: work(SimpleNamespace(name=name)) for name in ("mx1", "mx2")}

    def step(self, host: Any, step: str, request: Any) -> dict[str, Any]:
        self.asked.append((host.name, request))
        if host.name == "mx2" and self.absent:
            raise EngineError("the lock-out does not answer")
        return {"refusals": [REFUSAL], "peers": {}, "lifted": 1}


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    found = Hosts()

    def session(_: object, partly: bool = False) -> nullcontext[Hosts]:
        assert partly
        return nullcontext(found)

    monkeypatch.setattr(answers, "session", session)
    return found


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    file = tmp_path / "directory.yaml"
    file.write_text(CANONICAL, encoding="utf-8")
    return lambda *words: CliRunner().invoke(main, ["--directory", str(file), "lockout", *words])


def test_a_dead_host_keeps_nobody_from_being_let_in_by_the_others(
    hosts: Hosts, run: Callable[..., Result]
) -> None:
    done = run("lift", "staging", "nvan", "--source", "198.19.0.100")
    assert (done.exit_code, done.stdout) == (1, "lifted on mx1\n"), done.output
    again = "danhba lockout lift staging nvan --source 198.19.0.100"
    dead, silent = done.stderr.splitlines()
    assert dead.startswith("store1: does not answer: what it refuses it still refuses")
    assert silent.startswith("mx2: the lock-out does not answer: ")
    assert dead.endswith(again) and silent.endswith(again)
    assert {name for name, _ in hosts.asked} == {"mx1", "mx2"}


def test_what_living_hosts_refuse_is_listed(hosts: Hosts, run: Callable[..., Result]) -> None:
    done = run("list", "staging")
    assert done.exit_code == 1
    assert done.stdout == "nvan@x from where it is not known until 2026-11-26 08:15, on mx1\n"
    assert "store1: does not answer: what it refuses is not shown" in done.stderr


def test_with_all_hosts_there_nobody_is_named(hosts: Hosts, run: Callable[..., Result]) -> None:
    hosts.absent = ()
    for words in (("list", "staging"), ("lift", "staging", "nvan")):
        done = run(*words)
        assert (done.exit_code, done.stderr) == (0, ""), done.output
