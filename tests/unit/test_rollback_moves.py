"""A rollback leaves mailboxes where they are: their mail does not go back with a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from test_relocation_order import DAY, Fleet, _elsewhere, failed_over, three

from danhba.commands import rollback
from danhba.generations.generation import Generation
from danhba.generations.host import common, report
from danhba.inventory import Environment
from danhba.relocation.failures import failback
from danhba.relocation.moves import move

__all__ = ["three"]

Rollback = Callable[[str], str]


def _keep(root: Path, generation: Generation) -> None:
    """As a host keeps it."""
    home = root / generation.digest
    for path in generation.manifest["files"]:
        file = Path(f"{home}/files{path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(generation.text(path))
    text = json.dumps(generation.manifest, sort_keys=True)
    (home / "manifest.json").write_text(text)


@pytest.fixture
def back(three: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rollback:
    """What danhba rollback says of one host that goes back to what it had when the test began."""
    begun, root = dict(three.live), tmp_path / "generations"

    @contextmanager
    def session(env: Environment, limit: str, partly: bool) -> Iterator[Any]:
        host = SimpleNamespace(name=limit, groups=env.host(limit).roles, data={})
        yield SimpleNamespace(hosts=lambda: [host], step=step, absent=())

    def step(host: Any, step: str, request: Mapping[str, Any]) -> dict[str, Any]:
        live = three.live[host.name]
        monkeypatch.setattr(report, "live_digest", lambda: live.digest)
        return report.accounts(dict(request)) if step == "accounts" else {}

    def look(hosts: Any) -> dict[str, Any]:
        return {
            name: {"live": three.live[name].digest, "confirmed": three.live[name].digest,
                   "lock": None, "swapped": None, "generations": [{"digest": kept.digest}]}
            for name, kept in begun.items()
        }  # fmt: skip

    def run(host: str) -> str:
        for generation in (begun[host], three.live[host]):
            _keep(root, generation)
        words = ["lab", "--yes", "--limit", host, "--to", begun[host].digest]
        return CliRunner().invoke(rollback.command, words, obj=three.project).output

    for module in (common, report):
        monkeypatch.setattr(module, "GENERATIONS", root)
    monkeypatch.setattr(rollback, "session", session)
    monkeypatch.setattr(rollback, "look", look)
    return run


def test_no_host_goes_back_to_where_a_mailbox_was(three: Fleet, back: Rollback) -> None:
    home, target = _elsewhere(three, "lvloc")
    move(three.work(), {"lvloc": target})
    for host in ("mx1", home, target):
        said = back(host)
        assert f"{host}: 1 mailboxes have moved since, with their mail or its copy: lvloc@" in said
        assert "Move them back with danhba move" in said
    move(three.work(), {"lvloc": home})
    assert "was not changed by the last apply; stays" in back("mx1")


def test_nor_to_before_a_failover_nor_to_the_time_of_one(three: Fleet, back: Rollback) -> None:
    failed_over(three)
    for host in ("mx1", "store2", "store3"):
        assert "mailboxes have moved since, with their mail" in back(host)
    failback(three.work(), "store1", DAY)
    assert "was not changed by the last apply; stays" in back("mx1")


def test_what_was_added_is_still_undone(three: Fleet, back: Rollback) -> None:
    three.locks("lvloc")
    three.apply()
    for host in ("mx1", "store1", "people1"):
        assert f"{host}: generation " in back(host)
