"""What danhba status says of where mailboxes are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from danhba.commands.placement_status import absent, troubles
from danhba.inventory import Environment, Host
from danhba.placement import Failure, Moving, Remembered

HOSTS = (
    Host("mx1", "mx1.x", "192.0.2.1", "::1", ("edge",)),
    Host("mx2", "mx2.x", "192.0.2.2", "::2", ("edge",)),
    Host("store1", "store1.x", "192.0.2.3", "::3", ("store", "people")),
)
ENV = Environment("lab", HOSTS)


def _report(homes: str) -> dict[str, object]:
    files = {"/etc/danhba/tables/homes": {"sha256": homes, "ways": True}, "/x": {"sha256": "x"}}
    return {"manifest": {"files": files}}


def test_nothing_is_said_when_edges_agree_and_nothing_is_under_way() -> None:
    assert list(troubles(ENV, {"mx1": _report("a"), "mx2": _report("a")})) == []
    assert list(troubles(ENV, {"mx2": _report("a")})) == []  # mx1 does not answer


def test_edges_that_disagree_are_named() -> None:
    [said] = troubles(ENV, {"mx1": _report("a"), "mx2": _report("b")})
    assert said.startswith("mx1, mx2 do not send mail the same ways")


def test_an_edge_without_a_generation_disagrees() -> None:
    [said] = troubles(ENV, {"mx1": {"manifest": None}, "mx2": _report("b")})
    assert "the same ways" in said


def test_what_was_cut_off_and_who_is_failed_over_is_told() -> None:
    failure = Failure("store1", date(2026, 11, 25), "an")
    moving = Moving("nvan", "store1", "store2")
    env = replace(ENV, remembered=Remembered(failed_over=(failure,), moving=(moving,)))
    way, failed = troubles(env, {"mx1": _report("a")})
    assert "danhba move nvan --to store2 --env lab" in way
    assert failed.startswith(
        "store1 is failed over since 2026-11-25, by an: when it answers again: "
    )


def test_a_store_that_returns_is_not_called_failed_over() -> None:
    day = date(2026, 11, 26)
    failure = Failure("store1", date(2026, 11, 25), "an", day)
    env = replace(ENV, remembered=Remembered(failed_over=(failure,)))
    back, apart = troubles(env, {"mx1": _report("a"), "mx2": _report("b")})
    assert "danhba failback lab store1" in back and "is failed over" not in back
    assert apart.endswith("danhba failback lab store1")


def test_a_store_that_is_failed_over_has_its_next_command() -> None:
    env = replace(
        ENV, remembered=Remembered(failed_over=(Failure("store1", date(2026, 11, 25), "an"),))
    )
    there = {"store1": _report("a")}
    [here], [late] = troubles(env, there), troubles(env, there, ["store1"])
    assert here.endswith("by an: danhba failback lab store1")
    assert late.endswith("by an: danhba apply lab, then danhba failback lab store1")


def test_a_store_that_does_not_answer_is_not_to_be_failed_over_twice() -> None:
    assert absent(ENV, "store1").endswith("danhba failover lab store1")
    assert absent(ENV, "mx1") == "mx1 does not answer: see that it runs"
    failure = Failure("store1", date(2026, 11, 25), "an")
    env = replace(ENV, remembered=Remembered(failed_over=(failure,)))
    assert absent(env, "store1") == "store1 does not answer: see that it runs"
    back = replace(failure, returning=date(2026, 11, 26))
    env = replace(ENV, remembered=Remembered(failed_over=(back,)))
    assert "danhba failover" in absent(env, "store1")
