"""danhba incident, with hosts that are there and hosts that are not."""

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

from danhba.commands import answers, main
from danhba.engine import EngineError

NVAN = "nvan@angiang.gov.vn"
NAME = "20261126-160508-nvan"
OPENED = {"id": NAME, "what": "opened", "at": 1.0, "when": "2026-11-26 16:05:08", "host": "mx1",
          "facts": {}}  # fmt: skip
RELEASED = {"id": NAME, "what": "released", "at": 2.0, "when": "2026-11-26 17:00:00",
            "by": "an@may", "queue": "go"}  # fmt: skip


class Hosts:
    """mx1 and mx2 answer, mx1 knows most; mx2 says what it says, and store1 is dead."""

    absent: tuple[str, ...] = ("store1",)

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.events: dict[str, Any] = {"opened": OPENED}
        self.broken = False

    def each(self, work: Callable[[Any], Any]) -> dict[str, Any]:
        return {name: work(SimpleNamespace(name=name)) for name in ("mx1", "mx2")}

    def step(self, host: Any, step: str, request: Any) -> dict[str, Any]:
        assert step == "incidents"
        self.asked.append(request)
        if self.broken and request["do"] == "release":
            raise EngineError("the lock-out does not answer")
        events = self.events if host.name == "mx1" else {"opened": OPENED}
        row = {"id": NAME, "account": NVAN, "at": 1.0, "host": "mx1", "why": "recipients",
               "facts": {"outside": 400, "limit": 400}, "open": "released" not in events,
               "events": events}  # fmt: skip
        held = [{"queue_id": "A1", "incident": NAME, "sender": NVAN}]
        return {"incidents": [row], "held": held, "released": [NAME]}


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    found = Hosts()
    monkeypatch.setattr(answers, "session", lambda _, partly: nullcontext(found))
    return found


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    file = tmp_path / "directory.yaml"
    file.write_text(CANONICAL, encoding="utf-8")
    return lambda *words: CliRunner().invoke(main, ["--directory", str(file), "incident", *words])


def test_a_line_for_each_that_is_suspended(hosts: Hosts, run: Callable[..., Result]) -> None:
    done = run("list", "staging")
    assert done.stdout == (
        f"{NAME}: {NVAN}, 2026-11-26 16:05:08: 400 addresses outside in an hour (limit 400);"
        " 2 messages held\n"
    )
    assert (done.exit_code, done.stderr) == (
        1, "store1: does not answer: what it holds is not counted\n",
    )  # fmt: skip


def test_who_is_released_is_listed_on_wish(hosts: Hosts, run: Callable[..., Result]) -> None:
    hosts.events, hosts.absent = {"opened": OPENED, "released": RELEASED}, ()
    assert (run("list", "staging").exit_code, run("list", "staging").stdout) == (0, "")
    assert "; released 2026-11-26 17:00:00 by an@may\n" in run("list", "staging", "--all").stdout


@pytest.mark.parametrize("name", [NAME, "nvan", NVAN])
def test_one_is_shown_as_json(hosts: Hosts, run: Callable[..., Result], name: str) -> None:
    shown = json.loads(run("show", "staging", name).stdout)
    assert (shown["account"], shown["facts"]["outside"]) == (NVAN, 400)
    assert [each["host"] for each in shown["held"]] == ["mx1", "mx2"]


@pytest.mark.parametrize(("option", "queue"), [((), "go"), (("--return-queue",), "return")])
def test_all_hosts_release_at_one_time_by_one_name(
    hosts: Hosts, run: Callable[..., Result], option: tuple[str, ...], queue: str
) -> None:
    done = run("release", "staging", "nvan", *option)
    assert (done.exit_code, done.stdout) == (0, f"released: {NVAN}\n"), done.output
    assert "store1: does not answer: it hears of the release from the others" in done.stderr
    asked = [each for each in hosts.asked if each["do"] == "release"]
    assert len(asked) == 2 and len({(each["at"], each["by"], each["name"]) for each in asked}) == 1
    assert {each["queue"] for each in asked} == {queue} and "process" not in asked[0]["by"]


def test_nobody_is_released_who_is_not_suspended(hosts: Hosts, run: Callable[..., Result]) -> None:
    assert "there is no incident ttkngan" in run("release", "staging", "ttkngan").stderr
    hosts.events = {"opened": OPENED, "released": RELEASED}
    done = run("release", "staging", "nvan")
    assert done.exit_code == 1 and "nvan is not suspended" in done.stderr


def test_a_release_that_no_host_took_is_none(hosts: Hosts, run: Callable[..., Result]) -> None:
    hosts.broken = True
    done = run("release", "staging", "nvan")
    assert (done.exit_code, done.stdout) == (1, "") and "nothing was released" in done.stderr
