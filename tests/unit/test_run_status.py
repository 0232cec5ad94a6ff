"""What danhba status says of hosts that missed an apply, and of locks."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from danhba.commands.run_status import behind, lock
from danhba.dated import FILE
from danhba.owner import me

EARLY, LATE = "2026-11-25T01:00:00+00:00", "2026-11-25T08:30:00+07:00"
OLD, NEW = "1" * 40, "2" * 40 + "+"


def report(
    live: str | None, since: str = "", revision: str | None = None, holder: Any = None
) -> dict[str, Any]:
    return {
        "live": live, "revision": revision, "lock": holder,
        "swapped": {"since": since, "token": since} if since else None,
        "contents": {FILE: "Asia/Ho_Chi_Minh\n2027-01-01 nvan withdrawn\n"},
    }  # fmt: skip


def test_a_host_that_missed_an_apply_is_behind_by_the_clock_of_the_province() -> None:
    found = {"mx1": report("n", LATE, NEW), "store1": report("o", EARLY, OLD)}
    assert behind(found, {"mx1": "n", "store1": "n"}, "lab") == {
        "store1": "behind: applied 2026-11-25 08:00:00+07:00 from 111111111111; "
        "others 2026-11-25 08:30:00+07:00 from 222222222222+: danhba apply lab"
    }


def test_a_host_that_an_apply_had_nothing_for_is_not_behind() -> None:
    found = {"mx1": report("n", LATE, NEW), "store1": report("o", EARLY, OLD)}
    assert behind(found, {"mx1": "n", "store1": "o"}, "lab") == {}


def test_what_nobody_has_yet_makes_nobody_be_behind() -> None:
    found = {"mx1": report("o", EARLY, OLD), "store1": report("o", EARLY, OLD)}
    assert behind(found, {"mx1": "n", "store1": "n"}, "lab") == {}
    assert behind({"mx1": report(None)}, {"mx1": "n"}, "lab") == {}


def test_of_a_directory_with_errors_nobody_knows_who_is_behind() -> None:
    found = {"mx1": report("n", LATE, NEW), "store1": report("o", EARLY, OLD)}
    assert behind(found, {}, "lab") == {}


def test_a_new_host_got_nothing_yet() -> None:
    found = {"mx1": report("n", LATE, NEW), "store3": report(None)}
    assert behind(found, {"mx1": "n", "store3": "n"}, "lab")["store3"].startswith(
        "behind: applied never; others "
    )


def test_a_lock_says_whether_its_process_is_gone_and_what_to_do() -> None:
    code = "import json; from danhba.owner import me; print(json.dumps(me()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    import json

    dead = {**json.loads(done.stdout), "who": "an@may", "since": EARLY}
    said = "locked by an@may since 2026-11-25 08:00:00+07:00"
    assert lock(report("n", holder=dead), "lab") == (
        f"{said}; that process is gone: the next danhba apply lab takes it over"
    )
    alive = {**me(), "who": "an@may", "since": EARLY}
    assert lock(report("n", holder=alive), "lab") == said
    away = {**alive, "machine": "another"}
    assert lock(report("n", holder=away), "lab").endswith("danhba apply lab --take-over")


def test_a_lock_of_a_host_without_a_generation_has_the_time_it_was_given() -> None:
    holder = {**me(), "who": "an@may", "since": "2026-01-01"}
    found = {**report(None, holder=holder), "contents": {}}
    assert lock(found, "lab") == "locked by an@may since 2026-01-01"
