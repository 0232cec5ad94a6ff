"""Clocks that contradict each other: of hosts and of the machine whose day is applied to them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_plan import answer, generation

from danhba import plan_text
from danhba.days import clocks_apart
from danhba.generations.plan import compare
from danhba.publish import Asked, Misdated, same_time

DAY = 86_400


@pytest.mark.parametrize(
    ("there", "apart"),
    [(1000, 0), (1005, 0), (1002, 0), (705, 0), (1310, 0), (1000 + DAY, DAY - 10),
     (1000 - DAY, -DAY), (690, -310)],
)  # fmt: skip
def test_what_the_answer_took_is_no_difference(there: float, apart: int) -> None:
    assert clocks_apart(there, 1000, 1010) == apart


@pytest.mark.parametrize(("apart", "words"), [(DAY, "ahead of"), (-DAY, "behind")])
def test_a_host_of_another_day_stops_an_apply_and_no_failover(apart: int, words: str) -> None:
    wanted = generation()
    plan = compare("h", wanted, answer(wanted), apart=apart)
    assert not plan.changes
    assert not plan.refused
    said = plan_text.as_text([plan])
    assert f"h: its clock is {DAY} s {words} this machine's\n  REFUSED by an apply" in said
    asked = Asked(wanted, answer(wanted), plan)
    with pytest.raises(Misdated, match="the clock of h"):
        same_time(asked)
    assert same_time(replace(asked, plan=replace(plan, apart=0)))
