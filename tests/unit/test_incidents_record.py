"""The record of misused accounts: shared by hosts, on the disk before it counts."""

from __future__ import annotations

import json
from pathlib import Path

from danhba.lockout.figures import Figures
from danhba.lockout.incidents import Incidents
from danhba.lockout.rules import Rules, opened

FIGURES = Figures(guesses=10, minutes=15, accounts=20, account_guesses=50, known_days=60)
NVAN = "nvan@x.vn"
FACTS = {"outside": 1000, "sources": []}


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Host:
    """A host's daemon. others: those that hear it."""

    def __init__(self, folder: Path, name: str, clock: Clock) -> None:
        self.name, self.file = name, folder / f"{name}.incidents"
        self.table = opened(folder / f"{name}.table")
        self.rules = Rules(self.table, FIGURES, clock)
        self.incidents = Incidents(self.rules, self.file, name, clock)
        self.others: list[Host] = []
        self.heard = 0

    def tell_all(self) -> None:
        while rows := self.rules.news(self.heard):
            for row in rows:
                for other in self.others:
                    other.rules.learn(json.loads(json.dumps(row)))
            self.heard = rows[-1]["seq"]


def test_suspension_and_release_reach_all_and_are_told_on(tmp_path: Path) -> None:
    clock = Clock()
    one, two, three = (Host(tmp_path, name, clock) for name in ("mx1", "mx2", "store1"))
    one.others, two.others = [two], [three]  # mx1 and store1 do not reach each other
    name = one.incidents.open(NVAN, "recipients", FACTS)
    one.tell_all()
    two.tell_all()
    assert all(host.rules.refuses(NVAN, "198.18.9.9", "m") == "suspended"
               for host in (one, two, three))  # fmt: skip
    assert not one.incidents.suspended("ai@x.vn")

    assert one.incidents.release(name, "an@may", "return", clock.now + 5) == [name]
    assert one.incidents.release(name, "an@may", "return", clock.now + 5) == []
    one.tell_all()
    two.tell_all()
    assert not any(host.incidents.suspended(NVAN) for host in (one, two, three))
    assert three.incidents.since(NVAN) == clock.now + 5
    events = [[json.loads(line) for line in host.file.read_text().splitlines()]
              for host in (one, two, three)]  # fmt: skip
    assert events[0] == events[1] == events[2]
    assert [event["what"] for event in events[0]] == ["opened", "released"]
    assert events[0][1]["by"] == "an@may"


def test_two_hosts_that_see_the_same_make_one_incident_of_it(tmp_path: Path) -> None:
    clock = Clock()
    one, two = Host(tmp_path, "mx1", clock), Host(tmp_path, "mx2", clock)
    one.others, two.others = [two], [one]
    first = one.incidents.open(NVAN, "spam", FACTS)
    clock.now += 1
    two.incidents.open(NVAN, "recipients", FACTS)
    for host in (one, two, one, two):
        host.tell_all()
    for host in (one, two):
        assert [each["id"] for each in host.incidents.all() if each["open"]] == [first]
    two.incidents.release(NVAN, "an", "go", clock.now)
    two.tell_all()
    assert not one.incidents.suspended(NVAN)


def test_two_in_one_second_are_one_as_well(tmp_path: Path) -> None:
    clock = Clock()
    one, two = Host(tmp_path, "mx1", clock), Host(tmp_path, "mx2", clock)
    one.others, two.others = [two], [one]
    one.incidents.open(NVAN, "spam", FACTS)
    two.incidents.open(NVAN, "recipients", FACTS)
    for host in (one, two, one, two):
        host.tell_all()
    assert one.incidents.release(NVAN, "an", "go", clock.now)
    one.tell_all()
    assert not two.incidents.suspended(NVAN)
    assert [each["open"] for each in two.incidents.all()] in ([False], [False, False])


def test_it_outlives_the_table_and_a_line_that_was_cut_short(tmp_path: Path) -> None:
    clock = Clock()
    host = Host(tmp_path, "mx1", clock)
    host.incidents.open(NVAN, "spam", FACTS)
    host.table.close()
    for left in tmp_path.glob("mx1.table*"):
        left.unlink()
    with host.file.open("a") as file:
        file.write('{"id": "20260101-000000-ai", "wh')
    again = Host(tmp_path, "mx1", clock)
    assert again.incidents.suspended(NVAN)
    again.incidents.open("ai@x.vn", "spam", FACTS)
    last = Host(tmp_path, "mx1", clock)
    assert last.incidents.suspended(NVAN) and last.incidents.suspended("ai@x.vn")
    heard = Host(tmp_path, "mx2", clock)
    last.others = [heard]
    last.tell_all()
    assert heard.incidents.suspended(NVAN) and heard.incidents.suspended("ai@x.vn")


def test_a_release_that_comes_before_the_suspension_holds(tmp_path: Path) -> None:
    clock = Clock()
    one, two = Host(tmp_path, "mx1", clock), Host(tmp_path, "mx2", clock)
    name = one.incidents.open(NVAN, "spam", FACTS)
    one.incidents.release(name, "an", "go", clock.now)
    for row in reversed(one.rules.news(0)):
        two.rules.learn(row)
    assert not two.incidents.suspended(NVAN)


def test_a_row_of_a_kind_that_is_not_known_is_passed_over(tmp_path: Path) -> None:
    host = Host(tmp_path, "mx1", Clock())
    host.rules.learn({"kind": "of a later version", "seq": 1})


def test_what_was_over_long_ago_is_left_out(tmp_path: Path) -> None:
    clock = Clock()
    incidents = Host(tmp_path, "mx1", clock).incidents
    incidents.open(NVAN, "spam", FACTS)
    incidents.open("ai@x.vn", "spam", FACTS)
    incidents.release(NVAN, "an", "go", clock.now + 60)
    assert len(incidents.all(clock.now + 60)) == 2
    assert [each["account"] for each in incidents.all(clock.now + 61)] == ["ai@x.vn"]
