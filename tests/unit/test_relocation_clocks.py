"""What a move, a failover or a failback does not do by the way: nothing on a wrong day, and no
mailbox is archived or removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from on_day import on
from test_relocation_order import DAY, Fleet, _fleet, failed_over, refused

import danhba.days
from danhba.commands import failback as failback_command
from danhba.commands import failover as failover_command
from danhba.commands import move as move_command
from danhba.commands import rebalance, withdraw
from danhba.generations.generation import Generation
from danhba.generations.plan import BoxChange, Plan
from danhba.publish import Asked
from danhba.relocation import work
from danhba.relocation.failures import failback, failover
from danhba.relocation.moves import move

TODAY, TOMORROW = date(2026, 11, 26), date(2026, 11, 27)
BLOCKED = "/etc/dovecot/blocked"


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """On a day of which the tests say when it is over."""
    monkeypatch.setattr(danhba.days, "datetime", danhba.days.datetime)
    on(TODAY)
    return _fleet(tmp_path, monkeypatch, 2)


def _with_plans(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, change: Callable[[Plan], Plan]
) -> dict[str, Plan]:
    """Let hosts answer so that their plans are changed; the last ones that were published."""
    published: dict[str, Plan] = {}

    def ask_all(hosts: Any, wanted: Mapping[str, Generation], *rest: Any) -> dict[str, Asked]:
        asked = fleet.ask_all(hosts, wanted, *rest)
        return {name: replace(item, plan=change(item.plan)) for name, item in asked.items()}

    def publish(hosts: Any, asked: Mapping[str, Asked], take_over: bool) -> None:
        published.update({name: item.plan for name, item in asked.items()})
        fleet.publish(hosts, asked, take_over)

    monkeypatch.setattr(work, "ask_all", ask_all)
    monkeypatch.setattr(work, "publish", publish)
    return published


def _clocks_apart(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control machine is a day ahead of all hosts."""
    _with_plans(fleet, monkeypatch, lambda plan: replace(plan, apart=-86_400))


def _elsewhere(fleet: Fleet) -> tuple[str, str]:
    """A mailbox and the store that is not its home."""
    box = fleet.work().directory.mailboxes[0]
    home = fleet.project.environment("lab").place(box).home
    return box.account, "store2" if home == "store1" else "store1"


def _withdrawn_tomorrow(fleet: Fleet) -> None:
    """It is written, and applied, as a day to come."""
    words = ["pvbao", "--reason", "nghỉ hưu", "--decision", "7/QĐ", "--from", str(TOMORROW)]
    done = CliRunner().invoke(withdraw.command, words, obj=fleet.project)
    assert done.exit_code == 0, done.output
    fleet.live = dict(fleet.project.generations(fleet.project.environment("lab")))


def _withdrawn_on(fleet: Fleet) -> set[str]:
    return {
        name
        for name, live in fleet.live.items()
        if BLOCKED in live.manifest["files"] and "pvbao@" in live.text(BLOCKED)
    }


@pytest.mark.parametrize("which", ["move", "rebalance", "failback"])
def test_nobody_moves_while_clocks_are_apart(
    two: Fleet, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    account, other = _elsewhere(two)
    if which == "failback":
        failed_over(two)
    before, remembered = dict(two.live), two.remembered
    _clocks_apart(two, monkeypatch)
    command, words = {
        "move": (move_command.command, [account, "--to", other]),
        "rebalance": (rebalance.command, ["lab", "--yes", "--tolerance", "0"]),
        "failback": (failback_command.command, ["lab", "store1", "--yes"]),
    }[which]
    done = CliRunner().invoke(command, words, obj=two.project)
    assert done.exit_code == 1, done.output
    assert "its clock is 86400 s behind" in done.output
    assert "clocks do not agree on what day it is" in done.output
    assert two.live == before
    assert two.remembered == remembered


def test_a_failover_goes_on_and_carries_out_no_day(
    two: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    _withdrawn_tomorrow(two)
    on(TOMORROW)
    _clocks_apart(two, monkeypatch)
    two.absent = {"store1"}
    done = CliRunner().invoke(failover_command.command, ["lab", "store1", "--yes"], obj=two.project)
    assert done.exit_code == 0, done.output
    assert "of this machine do not agree" in done.output
    assert [each.store for each in two.remembered.failed_over] == ["store1"]
    assert not _withdrawn_on(two)
    on(TODAY)  # the clock is mended
    wanted = two.project.generations(two.project.environment("lab"))
    assert all(two.live[name].digest == wanted[name].digest for name in ("store2", "mx1"))


def test_a_host_that_has_the_day_already_keeps_it(
    two: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    _withdrawn_tomorrow(two)
    on(TOMORROW)
    env = two.project.environment("lab")
    two.live |= {"store2": two.project.generations(env)["store2"]}
    assert _withdrawn_on(two) == {"store2"}
    _clocks_apart(two, monkeypatch)
    two.absent = {"store1"}
    failover(two.work(), "store1", "an", DAY)
    assert _withdrawn_on(two) == {"store2"}


def test_what_is_more_is_asked_about_in_a_failover_with_clocks_apart(
    two: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever wrote that somebody is withdrawn from today took the wrong day for today's."""
    on(TOMORROW)
    words = ["pvbao", "--reason", "nghỉ hưu", "--decision", "7/QĐ", "--from", str(TOMORROW)]
    assert CliRunner().invoke(withdraw.command, words, obj=two.project).exit_code == 0
    _clocks_apart(two, monkeypatch)
    two.absent = {"store1"}
    monkeypatch.setattr("click.confirm", lambda text: False)
    said = refused(lambda: failover(two.work(yes=True), "store1", "an", DAY))
    assert said == "nothing was done"
    assert not _withdrawn_on(two)


def test_only_an_apply_archives_and_removes_mailboxes(
    two: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = (BoxChange("lvloc", "remove", "archive verified"),)
    published = _with_plans(two, monkeypatch, lambda plan: replace(plan, boxes=due))
    two.absent = {"store1"}
    failover(two.work(), "store1", "an", DAY)
    two.absent = set()
    failback(two.work(), "store1", DAY)
    assert published and not any(plan.boxes for plan in published.values())
    account, other = _elsewhere(two)
    said = refused(lambda: move(two.work(), {account: other}))
    assert "there is something to apply first" in said
