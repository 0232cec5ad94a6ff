"""The mailbox of who left is kept, archived, removed, each on its day (Điều 6.3)."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from drafts import DAY, edited
from lives import PROVINCE
from test_compile_life import DECIDED, FIRST, RENAMED, compiled, refused
from test_dated import on, report

from danhba import plan_text
from danhba.compiled import Leaving
from danhba.edit.people import withdraw
from danhba.generations.plan import BoxChange, Plan, compare, unapproved

ONE = timedelta(days=1)
ARCHIVED, REMOVED = date(2028, 1, 2), date(2028, 2, 1)
GONE = edited(RENAMED, withdraw, "nvbinh", FIRST, "nghỉ hưu", DECIDED)
"""Formerly nvan, under which name mail and password are kept."""


def plan(day: date, before: date, boxes: tuple[dict[str, object], ...] = ()) -> Plan:
    live, wanted = on(GONE, before)["store1"], on(GONE, day)["store1"]
    return compare("store1", wanted, report(live) | {"boxes": list(boxes)})


def people(day: date, before: date, entries: bool = False) -> Plan:
    live, wanted = on(GONE, before)["people1"], on(GONE, day)["people1"]
    found = report(live)
    if entries:
        each = [json.loads(row) for row in live.tree_text.splitlines()]
        found["entries"] = {
            "ready": True, "loaded": "older", "entries": {row["dn"]: row["attrs"] for row in each},
        }  # fmt: skip
    return compare("people1", wanted, found)


@pytest.mark.parametrize(
    ("day", "step"),
    [(FIRST, ""), (ARCHIVED - ONE, ""), (ARCHIVED, "archive"), (REMOVED - ONE, "archive"),
     (REMOVED, "remove"), (REMOVED + 900 * ONE, "remove")],
)  # fmt: skip
def test_each_step_has_its_day(day: date, step: str) -> None:
    found = compiled(GONE, day)
    wanted = (Leaving("nvan", step, FIRST, ARCHIVED - ONE, 30),) if step else ()  # type: ignore[arg-type]
    assert found.leaving == wanted
    kept = step != "remove"
    assert ("nvan" in {box.account for box in found.mailboxes}) is kept
    assert ("nvbinh" in {name.address for name in found.names}) is kept
    assert set(found.removed) == (set() if kept else {"nvan", "nvbinh"})
    assert refused(GONE, day) == dict.fromkeys(("nvan", "nvbinh"), "sotaichinh")


def test_the_figures_of_policy_count() -> None:
    text = GONE.replace(
        "message_mb: 30", "message_mb: 30, mailbox_kept_months: 1, mailbox_archived_days: 2"
    )
    assert compiled(text, date(2027, 2, 1)).leaving == ()
    assert [row.step for row in compiled(text, date(2027, 2, 2)).leaving] == ["archive"]
    assert [row.step for row in compiled(text, date(2027, 2, 4)).leaving] == ["remove"]


def test_only_what_is_removed_may_leave_the_tables() -> None:
    assert plan(REMOVED, ARCHIVED).vanished == ()
    gone = "".join(line for line in GONE.splitlines(keepends=True) if "address: lvloc," not in line)
    wanted = on(gone, REMOVED)["store1"]
    found = compare("store1", wanted, report(on(GONE, ARCHIVED)["store1"]))
    assert found.vanished == ("lvloc@angiang.gov.vn",)


@pytest.mark.parametrize("entries", [False, True], ids=["as it was left", "listed"])
def test_its_entry_is_deleted_and_the_plan_says_so(entries: bool) -> None:
    found = people(REMOVED, ARCHIVED, entries)
    assert [(each.action, each.dn.partition(",")[0]) for each in found.entries] == [
        ("delete", "uid=nvan")
    ]
    assert found.vanished == ()
    assert "delete entry: uid=nvan,ou=people," in plan_text.as_text([found])
    assert people(ARCHIVED, FIRST, entries).entries == ()


def test_nothing_is_due_where_there_is_no_such_mailbox() -> None:
    assert plan(REMOVED, ARCHIVED).boxes == ()


KEPT = f"withdrawn since {FIRST}, kept until {ARCHIVED - ONE}; "
NONE = {"account": "nvan", "mailbox": True, "archive": "", "made": "", "removal": str(REMOVED),
        "due": False}  # fmt: skip
WHOLE = NONE | {"archive": "whole", "made": str(ARCHIVED)}
DUE = WHOLE | {"due": True}


@pytest.mark.parametrize(
    ("day", "row", "action", "why"),
    [
        (ARCHIVED, NONE, "archive", f"to be removed from {REMOVED}"),
        # entered late: both days have passed, and it is archived for all that
        (REMOVED + 900 * ONE, NONE, "archive", f"to be removed from {REMOVED}"),
        (REMOVED, DUE | {"archive": "damaged", "made": "", "due": False}, "archive",
         f"its archive is damaged; to be removed from {REMOVED}"),
        (REMOVED, DUE, "remove", f"archive of {ARCHIVED} verified"),
        (REMOVED, DUE | {"mailbox": False}, "remove", f"archive of {ARCHIVED} verified"),
    ],
)  # fmt: skip
def test_the_plan_names_the_one_thing_that_is_done_with_a_mailbox_and_why(
    day: date, row: dict[str, object], action: str, why: str
) -> None:
    found = plan(day, FIRST, (row,))
    assert found.boxes == (BoxChange("nvan", action, KEPT + why),)
    assert found.archived == ()
    assert f"  {action} mailbox: nvan ({KEPT}{why})\n" in plan_text.as_text([found])


def test_the_plan_says_when_an_archived_mailbox_will_be_removed_and_is_no_change() -> None:
    live = on(GONE, ARCHIVED)["store1"]
    for row in (WHOLE, WHOLE | {"mailbox": False}):
        found = compare("store1", live, report(live) | {"boxes": [row]})
        assert not found.changes
        said = f"  keep mailbox: nvan ({KEPT}archive of {ARCHIVED}, to be removed from {REMOVED})\n"
        assert said in plan_text.as_text([found])


@pytest.mark.parametrize("archive", ["", "damaged"])
def test_what_a_removal_has_left_stays_without_its_archive(archive: str) -> None:
    """The host would refuse, after the swap, at every apply."""
    live = on(GONE, REMOVED)["store1"]
    row = NONE | {"mailbox": False, "archive": archive}
    found = compare("store1", live, report(live) | {"boxes": [row]})
    assert not found.changes
    [kept] = found.archived
    assert f"its archive is {archive or 'missing'}; what its removal has left, " in kept.why


def test_a_mailbox_that_is_due_is_a_change_by_itself() -> None:
    """Of a run that was cut off after the tables were swapped, or of an archive made late."""
    live = on(GONE, REMOVED)["store1"]
    found = compare("store1", live, report(live) | {"boxes": [DUE | {"mailbox": False}]})
    assert found.changes
    assert [box.action for box in found.boxes] == ["remove"]
    assert not compare("store1", live, report(live)).changes


def test_a_line_may_not_leave_the_file_while_its_mailbox_waits() -> None:
    """Nobody would ever remove it. Who is back has it."""
    live = on(RENAMED, REMOVED)["store1"]
    for account, vanished in (("nvcu", ("nvcu (its mailbox is not yet removed)",)), ("nvan", ())):
        found = compare("store1", live, report(live) | {"forgotten": [account]})
        assert found.vanished == vanished


def test_a_retired_address_is_refused_with_a_word() -> None:
    text = PROVINCE.replace(
        "reserved:", "retired:\n  nvcu: {was: Nguyễn Văn Cũ, since: 2026-11-20}\nreserved:"
    )
    assert refused(text, DAY) == {"nvcu": ""}


def test_removal_needs_no_approval_of_its_own() -> None:
    """It was approved with the withdrawal that it follows from."""
    live, wanted = on(GONE, ARCHIVED)["mx1"], on(GONE, REMOVED)["mx1"]
    assert unapproved(wanted, report(live)) == ()
