"""What was compiled is remembered up to the day on which something else comes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from drafts import DAY, edited
from hypothesis import HealthCheck, given, settings
from lives import PROVINCE, Moment, lives
from test_memory import set_clock

import danhba.project
from danhba.edit.agencies import Ending, end_agency
from danhba.edit.people import Basis, lock, rename, set_keepers, withdraw
from danhba.generations.generation import Generation
from danhba.inventory import Environment, Host
from danhba.memory import Memory
from danhba.placement import Move, Remembered
from danhba.project import BadDirectory, Project

FIRST, LAST = date(2027, 1, 1), date(2027, 6, 30)
ONE = timedelta(days=1)
ARCHIVED, REMOVED = date(2028, 1, 2), date(2028, 2, 1)
"""The mailbox of who is withdrawn on FIRST, by the figures that hold when the file has none."""
DECIDED = Basis(DAY, decision="7/QĐ")
BLOCKED, GRANTS = "/etc/dovecot/blocked", "/etc/dovecot/grants"
REFUSED = "/etc/danhba/tables/refused"


def host(name: str, number: int, *roles: str) -> Host:
    return Host(name, f"{name}.angiang.gov.vn", f"198.18.0.{number}", f"2001:db8::{number}", roles)


ENV = Environment(
    "days", (host("mx1", 11, "edge"), host("store1", 21, "store"), host("people1", 31, "people"))
)


class Desk:
    """Somebody who compiles one file day after day and sees whether it was read."""

    def __init__(self, path: Path, patch: pytest.MonkeyPatch) -> None:
        self.project = Project(path)
        self.compiled = 0
        self.patch = patch
        compile_it = Project.compile

        def counting(project: Project, *arguments: Any, **more: Any) -> object:
            self.compiled += 1
            return compile_it(project, *arguments, **more)

        patch.setattr(Project, "compile", counting)
        patch.setattr(danhba.project, "MANIFESTS", Memory(path.parent / "cache", "manifests"))

    def write(self, text: str) -> None:
        self.project.directory.write_text(text, encoding="utf-8")

    def on(self, day: date, hour: int = 5) -> dict[str, Generation]:
        """hour: of the province, whose days count."""
        instant = datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC) - timedelta(hours=7)
        set_clock(self.patch, instant)
        self.compiled = 0
        return self.project.generations(ENV)

    def remembers(self, day: date, hour: int = 5) -> bool:
        self.on(day, hour)
        return not self.compiled


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(tmp_path / "directory.yaml", monkeypatch)
    desk.write(PROVINCE)
    return desk


def digests(generations: dict[str, Generation]) -> dict[str, str]:
    return {name: each.digest for name, each in generations.items()}


WITHDRAWN = edited(PROVINCE, withdraw, "lvloc", FIRST, "nghỉ hưu", DECIDED)
RENAMED = edited(PROVINCE, rename, "lvloc", "Lê Cư", "", DECIDED, LAST, False)
MERGED = edited(PROVINCE, end_agency, "soyte", Ending(FIRST, "3/NQ", ("sonoivu",), LAST), DAY)


def test_a_directory_in_which_nothing_begins_is_remembered_for_ever(desk: Desk) -> None:
    first = digests(desk.on(DAY))
    for day in (DAY, FIRST, date(2060, 1, 1)):
        assert desk.remembers(day)
        assert digests(desk.on(day)) == first


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (WITHDRAWN, [FIRST, ARCHIVED, REMOVED]),
        (RENAMED, [LAST + ONE]),
        (MERGED, [FIRST, LAST + ONE]),
    ],
    ids=["withdrawn", "renamed", "merged"],
)
def test_it_is_remembered_up_to_the_day_before_a_change(
    desk: Desk, text: str, changes: list[date]
) -> None:
    desk.write(text)
    before = digests(desk.on(DAY))
    for change in changes:
        assert desk.remembers(change - ONE, 23)
        assert digests(desk.on(change - ONE, 23)) == before
        assert not desk.remembers(change, 0)
        after = digests(desk.on(change, 0))
        assert desk.remembers(change, 23)
        assert after != before
        before = after
    assert desk.remembers(date(2060, 1, 1))


def test_a_day_is_one_of_the_province(desk: Desk) -> None:
    """The new year comes seven hours before that of the server."""
    desk.write(WITHDRAWN)
    desk.on(FIRST - ONE)
    set_clock(desk.patch, datetime(2026, 12, 31, 16, 59, tzinfo=UTC))
    assert "lvloc" not in desk.project.generations(ENV)["mx1"].text(REFUSED)
    set_clock(desk.patch, datetime(2026, 12, 31, 17, 0, tzinfo=UTC))
    assert "lvloc" in desk.project.generations(ENV)["mx1"].text(REFUSED)


def test_a_clock_that_is_set_back_finds_no_memory_of_a_later_day(desk: Desk) -> None:
    desk.write(WITHDRAWN)
    desk.on(FIRST)
    assert not desk.remembers(FIRST - ONE)


def test_contents_of_what_is_remembered_are_those_of_its_days(desk: Desk) -> None:
    desk.write(WITHDRAWN)
    desk.on(FIRST)
    later = desk.on(FIRST + 9 * ONE)
    assert desk.compiled == 0
    assert later["mx1"].text(REFUSED).startswith("lvloc@angiang.gov.vn 550 5.2.1 ")
    assert desk.compiled == 1
    assert later["store1"].text(BLOCKED).startswith("lvloc@")
    assert desk.compiled == 1  # once for all hosts


def test_a_keeper_who_leaves_on_a_day_does_not_stop_the_applies_of_that_day(desk: Desk) -> None:
    text = edited(PROVINCE, set_keepers, "sotaichinh", ["lvloc"])
    desk.write(edited(text, withdraw, "lvloc", FIRST, "nghỉ hưu", DECIDED))
    assert desk.on(DAY)["store1"].text(GRANTS).startswith("cut@")
    before, after = (desk.on(day)["store1"].text(GRANTS) for day in (FIRST - ONE, FIRST))
    assert "lvloc" in before and "lvloc" not in after


def test_a_lock_before_a_withdrawal_has_a_day_of_its_own(desk: Desk) -> None:
    desk.write(edited(WITHDRAWN, lock, "lvloc", FIRST - 9 * ONE, "lộ mật khẩu", FIRST))
    seen = [desk.on(FIRST + ONE * days) for days in (-10, -9, -1, 0)]
    assert [each["store1"].text(BLOCKED)[:6] for each in seen] == ["", *["lvloc@"] * 3]
    assert ["lvloc@" in each["mx1"].text(REFUSED) for each in seen] == [False, False, False, True]
    desk.on(FIRST - 9 * ONE)
    assert desk.remembers(FIRST - ONE)
    assert not desk.remembers(FIRST)


def test_of_a_bad_directory_the_errors_are_told_and_no_warnings(desk: Desk) -> None:
    text = edited(PROVINCE, set_keepers, "sotaichinh", [])
    desk.write(text.replace("keepers: [cut]", "keepers: [vttu]"))
    with pytest.raises(BadDirectory) as bad:
        desk.on(DAY)
    [finding] = bad.value.findings
    assert (finding.severity, finding.clause) == ("error", "Điều 9.2.c")
    assert "'vttu' keeps the mailbox sonoivu and is of another agency" in finding.message


def test_another_text_is_another_memory(desk: Desk) -> None:
    desk.on(DAY)
    desk.write(PROVINCE + "# hết\n")
    assert not desk.remembers(DAY)
    desk.write(PROVINCE)
    assert desk.remembers(DAY)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lives(6))
def test_memory_says_what_reading_says_on_every_day_that_counts(
    desk: Desk, life: list[Moment]
) -> None:
    desk.write(life[-1].text)
    found = life[-1].directory
    days = {life[-1].day}
    for agency in found.agencies:
        if agency.closed:
            days |= {agency.closed.since, agency.closed.until or agency.closed.since}
    days |= {alias.until for alias in found.aliases if alias.until}
    for status in (person.status for person in found.people if person.status):
        days |= {status.since, status.locked or status.since}
    for day in sorted({day + ONE * n for day in days for n in (-1, 0, 1)}):
        if day < life[-1].day:
            continue
        remembered = digests(desk.on(day))
        if not desk.compiled:
            assert digests(desk.project.compile(ENV, "r", life[-1].text.encode())[0]) == remembered


def test_what_the_placement_file_says_is_asked_for_anew(desk: Desk) -> None:
    two = Environment("two", (*ENV.hosts, host("store2", 22, "store")))
    for store in ("store1", "store2", "store1"):
        env = replace(two, remembered=Remembered((Move("lvloc", store),)))
        set_clock(desk.patch, datetime(2026, 11, 25, tzinfo=UTC))
        rows = desk.project.generations(env)["mx1"].text("/etc/danhba/tables/homes").splitlines()
        assert f"lvloc@angiang.gov.vn store:[{store}.angiang.gov.vn]:2525" in rows


def test_a_mailbox_that_was_moved_and_is_not_in_the_directory_is_named(desk: Desk) -> None:
    env = replace(ENV, remembered=Remembered((Move("khong.co.ai", "store1", 7),)))
    with pytest.raises(BadDirectory) as bad:
        desk.project.generations(env)
    [finding] = bad.value.findings
    assert (finding.line, finding.message) == (7, "khong.co.ai is no mailbox")
    assert finding.file.endswith("inventory/days.placement.yaml")


def test_edges_do_not_learn_of_whom_an_absent_store_must_learn_first(desk: Desk) -> None:
    set_clock(desk.patch, datetime(2026, 11, 25, tzinfo=UTC))
    everybody = desk.project.generations(ENV)
    without = desk.project.generations(ENV, ["lvloc"])
    homes = "/etc/danhba/tables/homes"
    assert "lvloc@" in everybody["mx1"].text(homes)
    assert "lvloc@" not in without["mx1"].text(homes)
    for name in ("store1", "people1"):
        assert without[name].digest == everybody[name].digest
