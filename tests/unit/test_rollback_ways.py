"""Which way a rollback goes, in which order, and whom it leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from danhba.commands.rollback import Step, Undone, _able, _can_tell, _in_order, _undone, _way_back
from danhba.engine import EngineError, Session

Reports = dict[str, Mapping[str, Any]]


def swap(token: str, since: str = "2026-11-26T01:00:00+00:00", **more: str) -> dict[str, str]:
    return {"token": token, "since": since, **more}


def report(live: str, previous: str, swapped: Mapping[str, str], **more: Any) -> Mapping[str, Any]:
    """Of a host whose last swap ended."""
    return {
        "live": live, "confirmed": live, "previous": previous, "swapped": swapped, "begun": None,
        **more,
    }  # fmt: skip


def ways(reports: Reports) -> dict[str, str | None]:
    return {name: _way_back(each, _undone(reports)) for name, each in reports.items()}


APPLY = swap("T1")
ROLLBACK = swap("T2", "2026-11-26T01:05:00+00:00", undoes="T1", change="T2")
RERUN = swap("T3", "2026-11-26T01:06:00+00:00", undoes="T1", change="T2")


def test_a_rollback_that_was_cut_off_between_hosts_goes_on() -> None:
    done, left = report("old", "bad", ROLLBACK), report("bad", "old", APPLY)
    other = report("same", "older", swap("T0", "2026-11-25T00:00:00+00:00"))
    reports = {"a": done, "b": left, "c": other}
    assert _undone(reports) == Undone("T1", "T2")
    assert ways(reports) == {"a": None, "b": "old", "c": None}
    reports["b"] = report("old", "bad", RERUN)
    assert ways(reports) == {"a": "bad", "b": "bad", "c": None}, "all of it is undone"


@pytest.mark.parametrize("live", ["old", "bad"])
def test_a_rollback_that_was_cut_off_on_a_host_goes_on_there(live: str) -> None:
    """Whether `current` was swapped or not yet; the others come after it, or it is the last."""
    cut = report(live, "old", APPLY, confirmed="bad", begun={**ROLLBACK, "to": "old"})
    assert ways({"a": cut, "b": report("bad", "old", APPLY)}) == {"a": "old", "b": "old"}
    if live == "old":
        assert ways({"a": cut, "b": report("old", "bad", ROLLBACK)}) == {"a": "old", "b": None}


def test_the_rollback_of_a_rollback_that_was_cut_off_goes_on() -> None:
    forward = swap("T4", "2026-11-26T01:09:00+00:00", undoes="T2", change="T4")
    reports = {"a": report("bad", "old", forward), "b": report("old", "bad", RERUN)}
    assert ways(reports) == {"a": None, "b": "bad"}


def test_an_apply_that_was_cut_off_on_its_first_host_is_all_there_is_to_undo() -> None:
    begun = {**swap("T2", "2026-11-26T02:00:00+00:00"), "to": "new"}
    cut = report("new", "older", APPLY, confirmed="old", begun=begun)
    assert ways({"a": cut, "b": report("old", "older", APPLY)}) == {"a": "old", "b": None}
    of_before = report("new", "older", APPLY, confirmed="old")  # a danhba that noted no beginnings
    assert ways({"a": of_before}) == {"a": "old"}


def test_the_last_apply_is_the_last_one_in_any_time_zone() -> None:
    laptop = swap("laptop", "2026-11-26T08:00:00+07:00")
    later = swap("ci", "2026-11-26T03:00:00+00:00")
    reports = {"a": report("g1", "g0", laptop), "b": report("g2", "g1", later)}
    assert ways(reports) == {"a": None, "b": "g1"}


def test_while_a_host_is_absent_a_rollback_is_not_taken_for_complete() -> None:
    hosts = cast(Session, SimpleNamespace(absent=("store2",)))
    reports = {"a": report("old", "bad", ROLLBACK)}
    with pytest.raises(EngineError, match="store2 may not be; nothing done"):
        _can_tell(hosts, reports, _undone(reports))
    reports["b"] = report("bad", "old", APPLY)
    _can_tell(hosts, reports, _undone(reports))
    _can_tell(cast(Session, SimpleNamespace(absent=())), reports, Undone("T2", None))


def step(name: str, gone: str = "", new: str = "") -> Step:
    role = "edge" if name.startswith("mx") else "store"
    host = cast(Any, SimpleNamespace(name=name, groups=[role]))
    return Step(host, "digest", None, tuple(gone.split()), tuple(new.split()))


def names(steps: list[Step]) -> list[str]:
    return [each.host.name for each in steps]


def test_stores_learn_first_and_forget_last() -> None:
    assert names(_in_order([step("mx1"), step("store1")])) == ["store1", "mx1"]
    learn = [step("mx1", new="an@x"), step("store1", new="an@x")]
    assert names(_in_order(learn)) == ["store1", "mx1"]
    forget = [step("store1", gone="an@x"), step("mx1", gone="an@x", new="bi@x")]
    assert names(_in_order(forget)) == ["mx1", "store1"]


def test_no_order_is_right_when_some_come_and_others_go() -> None:
    both = [step(name, gone="an@x", new="bi@x") for name in ("store1", "mx1")]
    with pytest.raises(EngineError, match="an@x would be refused again and bi@x known again"):
        _in_order(both)


@pytest.mark.parametrize(
    ("steps", "missing", "able"),
    [
        ([step("mx1", gone="an@x"), step("store1", gone="an@x")], "store", ["mx1", "store1"]),
        ([step("mx1", gone="an@x"), step("store1", gone="an@x")], "edge", ["mx1"]),
        ([step("mx1", new="an@x"), step("store1", new="an@x")], "store", ["store1"]),
        ([step("mx1", new="an@x"), step("store1", new="an@x")], "edge", ["mx1", "store1"]),
        ([step("mx1", new="an@x", gone="bi@x"), step("store1", gone="bi@x")], "store", []),
        ([step("mx1", new="an@x"), step("store1")], "people", ["mx1", "store1"]),
    ],
)
def test_who_would_be_ahead_of_an_absent_host_waits(
    steps: list[Step], missing: str, able: list[str]
) -> None:
    assert names(_able(steps, {missing})) == able
