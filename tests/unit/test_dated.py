"""What an apply by date accepts and what it leaves to somebody who looks."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from drafts import DAY, edited
from hypothesis import given, settings
from lives import PROVINCE, Moment, lives
from test_project_days import DECIDED, ENV, FIRST

from danhba.assemble import assemble
from danhba.compile import compile_directory
from danhba.dated import FILE, due, objections
from danhba.edit.people import withdraw
from danhba.generations.generation import Generation
from danhba.generations.plan import compare
from danhba.load import load_text
from danhba.model import Directory
from danhba.publish import Asked
from deploys.roles import parts

ONE = timedelta(days=1)
WITHDRAWN = edited(PROVINCE, withdraw, "lvloc", FIRST, "nghỉ hưu", DECIDED)


def directory(text: str) -> Directory:
    found, findings = load_text(text.encode(), "directory.yaml")
    assert found is not None, findings
    return found


def on(text: str, day: date) -> dict[str, Generation]:
    compiled = compile_directory(directory(text), day)
    return {
        host.name: assemble(parts(compiled, ENV, host), "r", compiled.guard, compiled.removed)
        for host in ENV.hosts
    }


def report(live: Generation) -> dict[str, Any]:
    """Of a host on which all is as its generation says."""
    manifest = live.manifest
    units = [service["unit"] for service in manifest["services"]]
    return {
        "live": live.digest, "manifest": manifest, "drift": [], "lock": None, "boxes": [],
        "forgotten": [],
        "packages": dict.fromkeys(manifest["packages"], "1"),
        "contents": {path: live.text(path) for path in manifest["files"]},
        "units": {unit: {"active": True, "enabled": True} for unit in units},
        "loaded": {
            service["unit"]: {way: service[f"{way}_digest"] for way in ("reload", "restart")}
            for service in manifest["services"]
        },
        "entries": manifest["tree"] and {
            "ready": True, "entries": None,
            "loaded": manifest["files"][manifest["tree"]["path"]]["sha256"],
        },
    }  # fmt: skip


def said(live: dict[str, Generation], text: str, day: date, **changed: Any) -> list[str]:
    """What is said against a dated apply of a directory on a day, on hosts that have `live`."""
    wanted = on(text, day)
    asked = {}
    for name, generation in wanted.items():
        found = report(live[name])
        found |= {key: item for key, item in changed.items() if key != "entries" or found[key]}
        asked[name] = Asked(generation, found, compare(name, generation, found))
    # the list is read by the real clock: tests are about days to come
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("danhba.dated.today", lambda zone: day)
        return list(objections(asked, lambda before: on(text, before)))


def test_a_day_that_has_come_is_accepted_late_as_well() -> None:
    live = on(WITHDRAWN, DAY)
    for day in (FIRST - ONE, FIRST, FIRST + 40 * ONE, FIRST + 800 * ONE):
        assert said(live, WITHDRAWN, day) == []


def test_on_half_of_the_hosts_it_has_happened_already() -> None:
    live = on(WITHDRAWN, DAY) | {"store1": on(WITHDRAWN, FIRST)["store1"]}
    assert said(live, WITHDRAWN, FIRST) == []


def test_any_other_change_is_refused() -> None:
    other = WITHDRAWN.replace("message_mb: 30", "message_mb: 31")
    assert other != WITHDRAWN
    live = on(WITHDRAWN, DAY)
    assert "something else than a day" in said(live, other, DAY)[0]
    found = said(live, other, FIRST)
    assert found
    assert all("is not what this checkout gives for 2026-12-31" in each for each in found)


def test_a_change_that_shows_on_a_later_day_only_is_seen_before() -> None:
    """What is due on one day does not carry along what was written meanwhile for another."""
    live = on(WITHDRAWN, DAY)
    later = edited(WITHDRAWN, withdraw, "cut", FIRST + ONE, "nghỉ hưu", DECIDED)
    assert said(live, later, FIRST)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"drift": [{"path": "/etc/a", "problem": "edited"}]}, "/etc/a edited"),
        ({"packages": {}}, "packages are missing"),
        ({"units": {}}, "does not run as it should"),
        ({"entries": {"ready": False, "loaded": None, "entries": None}}, "LDAP entries"),
    ],
)
def test_a_host_that_is_not_as_it_was_left_is_looked_at(
    changed: dict[str, Any], words: str
) -> None:
    found = said(on(WITHDRAWN, DAY), WITHDRAWN, FIRST, **changed)
    assert any(words in each for each in found), found


def test_what_is_due_is_told_from_the_host_alone() -> None:
    text = on(WITHDRAWN, DAY)["mx1"].text(FILE)
    asked = {"contents": {FILE: text}}
    assert due(asked, FIRST - ONE) == []
    assert due(asked, FIRST) == [f"{FIRST} lvloc withdrawn"]
    assert due({"contents": {}}, FIRST) == []


@settings(max_examples=40, deadline=None)
@given(lives(5))
def test_who_gives_the_same_on_a_day_gives_the_same_on_all_later_days(life: list[Moment]) -> None:
    """Two directories that differ, only on later days, differ in the list of these days."""
    for one, other in pairwise(life):
        first, second = (compile_directory(each.directory, other.day) for each in (one, other))
        if first == second:
            for day in {each.day for each in first.ahead}:
                one_then, other_then = (
                    compile_directory(each.directory, day) for each in (one, other)
                )
                assert one_then == other_then
