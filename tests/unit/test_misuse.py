"""How much an account may send over all edges, and when it is suspended."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_incidents_record import Clock, Host

from danhba.lockout.figures import Limits
from danhba.lockout.misuse import Message, Misuse

LIMITS = Limits(
    messages=200, recipients=200, burst=30, keeper_times=5,
    inside=600, inside_burst=400, answers=50, incident_inside=900,
    incident_recipients=400, incident_spam=10, incident_bounces=30, incident_unknown=30,
)  # fmt: skip
NVAN, KEEPER = "nvan@x.vn", "keeper@x.vn"


class Edge(Host):
    """One of several that hear each other at once."""

    def __init__(self, folder: Path, name: str, clock: Clock) -> None:
        super().__init__(folder, name, clock)
        self.misuse = Misuse(
            self.rules, self.table, self.incidents, LIMITS, {KEEPER}, junk=6, clock=clock
        )
        self.sent = 0

    def send(self, account: str, outside: tuple[str, ...] = (), inside: int = 0,
             score: float = 0, first: int = 0) -> str:  # fmt: skip
        """first: of the officials who get it."""
        self.sent += 1
        colleagues = tuple(f"canbo{n}@x.vn" for n in range(first, first + inside))
        message = Message(
            account, account, f"{self.name}{self.sent}", outside, colleagues, score, "198.18.9.9"
        )
        answer = self.misuse.sent(message)
        self.tell_all()
        return answer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def edges(tmp_path: Path, clock: Clock) -> tuple[Edge, Edge]:
    one, two = Edge(tmp_path, "mx1", clock), Edge(tmp_path, "mx2", clock)
    one.others, two.others = [two], [one]
    return one, two


def _outside(first: int, count: int) -> tuple[str, ...]:
    return tuple(f"khach{number}@ngoai.vn" for number in range(first, first + count))


@pytest.mark.parametrize("account", [NVAN, KEEPER])
def test_three_hundred_officials_are_no_alarm_several_times_a_day(
    edges: tuple[Edge, Edge], clock: Clock, account: str
) -> None:
    for _ in range(8):
        assert edges[0].send(account, inside=300) == "go"
        clock.now += 3600
    for _ in range(3):  # within one hour
        assert edges[1].send(account, inside=300) == "go"
    assert not edges[0].incidents.all()


@pytest.mark.parametrize("account", [NVAN, KEEPER])
def test_a_letter_to_each_of_three_hundred_is_none_either(
    edges: tuple[Edge, Edge], account: str
) -> None:
    """Within one minute."""
    assert {edges[n % 2].send(account, inside=1, first=n) for n in range(300)} == {"go"}
    assert not edges[0].incidents.all()


def test_other_three_hundred_officials_are_none_when_it_is_not_at_once(
    edges: tuple[Edge, Edge], clock: Clock
) -> None:
    assert edges[0].send(NVAN, inside=300) == "go"
    assert edges[1].send(NVAN, inside=300, first=300) == "later"
    assert edges[0].misuse.room(NVAN, ()) == 100
    clock.now += 61
    assert edges[1].send(NVAN, inside=300, first=300) == "go"
    assert edges[1].send(NVAN, inside=1, first=600) == "later"
    clock.now += 3601
    assert edges[1].send(NVAN, inside=300, first=600) == "go"
    assert not edges[0].incidents.all()


def test_who_writes_to_a_thousand_officials_at_once_is_suspended(
    edges: tuple[Edge, Edge],
) -> None:
    said = [edges[n % 2].send(NVAN, inside=100, first=100 * n) for n in range(10)]
    assert said == ["go"] * 4 + ["later"] * 4 + ["suspended"] * 2
    [incident] = edges[0].incidents.all()
    assert (incident["why"], incident["facts"]["inside"]) == ("inside", 900)


def test_who_keeps_an_agencys_mailbox_writes_to_a_thousand_officials(
    edges: tuple[Edge, Edge],
) -> None:
    said = [edges[n % 2].send(KEEPER, inside=100, first=100 * n) for n in range(10)]
    assert set(said) == {"go"}


def test_a_filter_answers_so_many_outside_and_nobody_is_suspended_for_it(
    edges: tuple[Edge, Edge], clock: Clock
) -> None:
    """Whoever writes to somebody on leave could have him suspended."""

    def answer(number: int, outside: bool = True) -> str:
        to = (f"khach{number}@ngoai.vn",) if outside else ()
        said = edges[number % 2].misuse.answer(NVAN, to)
        edges[number % 2].tell_all()
        return said

    assert [answer(n) for n in range(500)] == ["go"] * 50 + ["later"] * 450
    assert answer(1, outside=False) == answer(0) == "go"
    assert not edges[0].incidents.all()
    assert edges[0].send(NVAN, ("a@ngoai.vn",)) == "go"
    clock.now += 3601
    assert answer(50) == "go"


def test_the_filter_of_who_is_suspended_answers_nobody(edges: tuple[Edge, Edge]) -> None:
    edges[0].incidents.open(NVAN, "spam", {})
    edges[0].tell_all()
    for outside in (("a@ngoai.vn",), ()):
        assert edges[1].misuse.answer(NVAN, outside) == "suspended"


def test_who_keeps_an_agencys_mailbox_writes_to_three_hundred_outside(
    edges: tuple[Edge, Edge], clock: Clock
) -> None:
    for n in range(3):
        assert edges[0].send(KEEPER, _outside(300 * n, 300)) == "go"
        clock.now += 60
    assert not edges[0].incidents.all()


def test_the_limit_counts_what_all_edges_have_sent(edges: tuple[Edge, Edge], clock: Clock) -> None:
    assert edges[0].send(NVAN, _outside(0, 120)) == "go"
    assert edges[1].send(NVAN, _outside(120, 81)) == "later"
    assert edges[1].send(NVAN, _outside(120, 80)) == "go"
    assert edges[0].misuse.left(NVAN) == (280, 0)
    clock.now += 3601
    assert edges[0].misuse.left(NVAN) == (300, 2000)


def test_a_burst_is_over_after_a_minute(edges: tuple[Edge, Edge], clock: Clock) -> None:
    said = [edges[n % 2].send(NVAN, (f"a{n}@ngoai.vn",)) for n in range(31)]
    assert said == ["go"] * 30 + ["later"]
    clock.now += 61
    assert edges[0].send(NVAN, ("a31@ngoai.vn",)) == "go"


def test_the_limit_of_messages_holds_for_an_hour(edges: tuple[Edge, Edge], clock: Clock) -> None:
    for _ in range(200):
        assert edges[0].send(NVAN, ("a@ngoai.vn",)) == "go"
        clock.now += 10
    assert edges[0].send(NVAN, ("a@ngoai.vn",)) == "later"


def test_who_goes_on_above_the_limit_is_suspended_everywhere(edges: tuple[Edge, Edge]) -> None:
    said = [edges[n % 2].send(NVAN, _outside(20 * n, 20)) for n in range(25)]
    assert said[:10] == ["go"] * 10 and set(said[10:19]) == {"later"}
    assert set(said[19:]) == {"suspended"}
    assert all(edge.incidents.suspended(NVAN) for edge in edges)
    assert all(edge.misuse.left(NVAN) == (-1, -1) for edge in edges)
    [incident] = edges[0].incidents.all()
    assert (incident["why"], incident["facts"]["outside"]) == ("recipients", 400)
    assert incident["facts"]["sources"] == ["198.18.9.9"]


def test_who_comes_above_the_limit_on_two_edges_at_the_same_moment_is_suspended(
    edges: tuple[Edge, Edge], clock: Clock
) -> None:
    """Each has counted 390 when it judges, and hears of the other's after that."""
    for n in range(19):
        edges[n % 2].send(NVAN, _outside(20 * n, 20))
    for n, edge in enumerate(edges):
        edge.misuse.asked(NVAN, "outside", _outside(380 + 10 * n, 10))
    for edge in edges:
        edge.tell_all()
    assert not edges[0].incidents.all()
    for edge in edges:
        edge.misuse.judge_again()
        edge.tell_all()
    assert all(edge.incidents.suspended(NVAN) for edge in edges)
    [incident] = edges[0].incidents.all()
    assert incident["facts"]["outside"] == 400


def test_who_was_away_judges_nobody_by_what_is_over(
    tmp_path: Path, edges: tuple[Edge, Edge], clock: Clock
) -> None:
    for n in range(20):
        edges[n % 2].send(NVAN, _outside(20 * n, 20))
    away = Edge(tmp_path, "mx3", clock)
    rows = [row for edge in edges for row in edge.rules.news(0) if row["kind"] == "seen"]
    assert rows
    for row in rows:
        away.rules.learn(row)
    away.misuse.judge_again()
    assert not away.incidents.all()


def test_the_same_message_again_and_again_is_no_alarm(edges: tuple[Edge, Edge]) -> None:
    """A program that tries every minute what is above the limit."""
    assert edges[0].send(NVAN, _outside(0, 150)) == "go"
    assert {edges[n % 2].send(NVAN, _outside(150, 150)) for n in range(60)} == {"later"}
    assert not edges[0].incidents.all()


def test_ten_messages_like_spam_within_an_hour(edges: tuple[Edge, Edge], clock: Clock) -> None:
    for n in range(9):
        assert edges[n % 2].send(NVAN, inside=1, score=6) == "go"
        assert edges[n % 2].send(NVAN, inside=1, score=5.9) == "go"
    clock.now += 3601
    for n in range(9):
        assert edges[n % 2].send(NVAN, inside=1, score=20) == "go"
    assert edges[1].send(NVAN, inside=1, score=6) == "suspended"
    assert edges[0].incidents.all()[0]["why"] == "spam"


def test_addresses_that_nobody_has(edges: tuple[Edge, Edge]) -> None:
    for n in range(29):
        edges[n % 2].misuse.asked(NVAN, "unknown", (f"ai{n}@x.vn",))
        edges[n % 2].misuse.asked(NVAN, "unknown", ("ai0@x.vn",))
        edges[n % 2].tell_all()
    assert not edges[0].incidents.suspended(NVAN)
    edges[0].misuse.asked(NVAN, "unknown", ("ai29@x.vn",))
    assert edges[0].incidents.all()[0]["why"] == "unknown"


@pytest.mark.parametrize(("outside", "suspended"), [(120, True), (121, False)])
def test_bounces_are_an_alarm_when_they_are_many_and_a_quarter(
    edges: tuple[Edge, Edge], clock: Clock, outside: int, suspended: bool
) -> None:
    assert edges[0].send(NVAN, _outside(0, outside)) == "go"
    for n in range(30):
        edges[0].misuse.bounced("mx11", f"khach{n}@ngoai.vn", clock.now)
    edges[0].misuse.bounced("unknown", "khach99@ngoai.vn", clock.now)
    assert edges[0].incidents.suspended(NVAN) is suspended


def test_what_was_before_a_release_counts_no_more(edges: tuple[Edge, Edge], clock: Clock) -> None:
    for _ in range(10):
        edges[0].send(NVAN, inside=1, score=9)
    edges[0].incidents.release(NVAN, "root", "go", clock.now)
    edges[0].tell_all()
    clock.now += 1
    assert {edge.misuse.left(NVAN) for edge in edges} == {(300, 2000)}
    assert edges[1].send(NVAN, inside=1, score=9) == "go"


def test_what_is_in_the_queue_is_known_by_account(edges: tuple[Edge, Edge], clock: Clock) -> None:
    for _ in range(10):
        edges[0].send(NVAN, inside=1, score=9)
    edges[0].send(KEEPER, inside=1)
    rows = edges[0].misuse.in_queue()
    assert {row["account"] for row in rows} == {NVAN} and len(rows) == 10
    assert edges[1].misuse.in_queue() == []  # it is in the other one's queue
    clock.now += 7 * 86400
    edges[0].misuse.forget()
    assert len(edges[0].misuse.in_queue()) == 10
