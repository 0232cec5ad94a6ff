"""Records of drills, and the alarms that follow from them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from danhba.drill.records import Records


def line(ended: str, good: bool = True) -> dict[str, Any]:
    return {"ended": ended, "day": ended[:10], "good": good,
            "told": [] if good else ["store1: restic cannot restore it"]}  # fmt: skip


def moment(iso: str) -> float:

    return datetime.fromisoformat(iso).timestamp()


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ("2026-01-01T11:00:00+00:00", "ok: the last restore drill was good, 0 days ago"),
        ("2026-02-04T09:00:00+00:00", "ok: the last restore drill was good, 33 days ago"),
        ("2026-02-04T11:00:00+00:00", "ok: the last restore drill was good, 34 days ago"),
        ("2026-02-05T09:59:00+00:00", "ok: the last restore drill was good, 34 days ago"),
        ("2026-02-05T10:01:00+00:00", "the last good restore drill was 35 days ago (2026-01-01)"),
        ("2026-04-15T11:00:00+00:00", "the last good restore drill was 104 days ago (2026-01-01)"),
        (
            "2025-12-01T11:00:00+00:00",
            "the last good restore drill is of 2026-01-01: see the clock",
        ),
    ],
)
def test_the_age_of_a_drill_is_exact(tmp_path: Path, now: str, told: str) -> None:
    records = Records(tmp_path)
    records.add("1", b"{}", b"docx", line("2026-01-01T10:00:00+00:00"))
    [said] = records.health(moment(now), 0)
    assert said.startswith(told)


def test_no_drill_is_an_alarm_after_the_first_days(tmp_path: Path) -> None:
    assert Records(tmp_path).health(1.9 * 86400, 0) == []
    [said] = Records(tmp_path).health(2.1 * 86400, 0)
    assert said.startswith("no restore drill has ever been good")


def test_a_failed_drill_is_told_until_a_good_one(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.add("1", b"{}", b"docx", line("2026-01-01T10:00:00+00:00"))
    records.add("2", b"{}", b"docx", line("2026-01-02T10:00:00+00:00", good=False))
    now = moment("2026-01-03T10:00:00+00:00")
    [said] = records.health(now, 0)
    assert "of 2026-01-02 failed: store1: restic cannot restore it" in said
    # Long after, it is told beside the age of the good one.
    assert len(records.health(now + 60 * 86400, 0)) == 2
    records.add("3", b"{}", b"docx", line("2026-01-03T09:00:00+00:00"))
    assert records.health(now, 0)[0].startswith("ok: ")


def test_a_line_that_was_cut_off_is_none(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.add("1", b"{}", b"docx", line("2026-01-01T10:00:00+00:00"))
    with records.log.open("ab") as log:
        log.write(b'{"ended": "2026-0')
    assert [each["name"] for each in records.all()] == ["1"]
    records.add("2", b"figures", b"docx", line("2026-01-02T10:00:00+00:00"))
    assert [each["name"] for each in records.all()] == ["1", "2"]
    assert (tmp_path / "2.json").read_bytes() == b"figures"
