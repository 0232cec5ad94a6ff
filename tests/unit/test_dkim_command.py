"""danhba dkim: what an engineer is told, and with which exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from drafts import CANONICAL

from danhba.commands import dkim, main, outbound_records


def _pair(name: str, role: str, **more: Any) -> dict[str, Any]:
    row = {
        "name": name,
        "role": role,
        "since": 0,
        "usable": True,
        "missing": [],
        "there": True,
        "left": None,
        "until": 0,
        "records": {f"{name}-rsa._domainkey.x.": "v=DKIM1; p=AB"},
    }
    return {**row, **more}  # fmt: skip


class Hosts:
    """answers: of each edge in turn; the last one for ever."""

    def __init__(self) -> None:
        self.absent: tuple[str, ...] = ()
        self.trouble = ""
        self.turns: list[list[dict[str, Any]]] = [[_pair("a", "signing")]]
        self.words: list[str] = []

    def each(self, work: Callable[[Any], Any]) -> dict[str, Any]:
        there = (name for name in ("mx1", "mx2") if name not in self.absent)
        return {name: work(SimpleNamespace(name=name)) for name in there}

    def run(self, _: object, host: Any, argv: list[str]) -> str:
        self.words.append(f"{host.name} {argv[-1]}")
        pairs = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        return json.dumps({"done": [], "trouble": self.trouble, "pairs": pairs})


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    found = Hosts()
    monkeypatch.setattr(dkim, "session", lambda *_, **__: nullcontext(found))
    monkeypatch.setattr(dkim, "run", found.run)
    monkeypatch.setattr(dkim, "_PAUSE", 0)
    return found


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    file = tmp_path / "directory.yaml"
    file.write_text(CANONICAL, encoding="utf-8")
    return lambda *words: CliRunner().invoke(main, ["--directory", str(file), "dkim", *words])


@pytest.mark.parametrize(
    ("pair", "status", "said"),
    [
        (_pair("a", "signing"), 0, ""),
        (_pair("a", "former"), 0, ""),
        (_pair("a", "signing", missing=["ns1."]), 2, "publish the records of a"),
        (_pair("a", "next", left=9), 2, "a is published; in 9 s nobody remembers otherwise"),
        (_pair("a", "retired"), 2, "take the records of a out of DNS"),
        (_pair("a", "retired", there=False), 0, ""),
        (_pair("a", "signing", usable=False), 2, "the keys of a cannot be read"),
    ],
)
def test_what_is_to_be_done_is_said(
    hosts: Hosts, run: Callable[..., Result], pair: dict[str, Any], status: int, said: str
) -> None:
    hosts.turns = [[pair]]
    done = run("show", "staging")
    assert done.exit_code == status, done.output
    assert said in done.stderr and bool(said) == bool(done.stderr)
    lines = [line for line in done.stdout.splitlines() if "a-rsa._domainkey" in line]
    # What may go is a comment: the output is a zone file.
    assert all(line.startswith(";") == (pair["role"] == "retired") for line in lines) and lines


def test_who_does_not_answer_is_named(hosts: Hosts, run: Callable[..., Result]) -> None:
    hosts.absent = ("mx2",)
    done = run("show", "staging")
    assert done.exit_code == 1 and "mx2 does not answer" in done.stderr
    hosts.absent, hosts.trouble = (), "ns2. is silent"
    done = run("show", "staging")
    assert done.exit_code == 1 and "mx1: ns2. is silent: nothing is switched" in done.stderr
    assert "not known whether it is published" in done.stdout


def test_rotate_waits_as_long_as_it_may(hosts: Hosts, run: Callable[..., Result]) -> None:
    hosts.turns = [[_pair("b", "next", left=9)]] * 4 + [[_pair("b", "signing")]]
    done = run("rotate", "staging", "--edge", "mx2", "--again", "--wait", "1")
    assert done.exit_code == 0, done.output
    # Another pair is asked for once.
    assert hosts.words == ["mx2 again", *["mx2 rotate"] * 4]
    hosts.turns = [[_pair("b", "next", left=9)]]
    assert run("rotate", "staging").exit_code == 2
    assert run("rotate", "staging", "--edge", "mx9").exit_code == 1


def test_the_policy_for_others_names_every_edge() -> None:
    edges = (SimpleNamespace(fqdn="mx1.x"), SimpleNamespace(fqdn="mx2.x"))
    env: Any = SimpleNamespace(having=lambda role: edges)
    text = outbound_records.policy(env)
    assert text.splitlines()[:4] == ["version: STSv1", "mode: enforce", "mx: mx1.x", "mx: mx2.x"]
    lines = outbound_records.lines("x", env)
    assert [line for line in lines if not line.startswith(";")] == [
        '_smtp._tls.x. IN TXT "v=TLSRPTv1; rua=mailto:postmaster@x"'
    ]
