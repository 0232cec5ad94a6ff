"""The figures of a drill: what was restored and what was found, put together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from drills import NOW

from danhba.drill.figures import combine
from danhba.drill.troubles import Trouble, some


def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.json"
    row = {
        "account": "nvan",
        "host": "store1",
        "snapshot": "1a",
        "tag": "mail",
        "taken": NOW,
        "noted": 0,
    }
    path.write_text(json.dumps({
        "begun": NOW, "by": "", "seed": 5, "bytes": 10, "seconds": 1.5,
        "mailboxes": [row], "people": None, "edge": None, "troubles": [],
    }))  # fmt: skip
    return path


FOUND: dict[str, Any] = {
    "mailboxes": [{"files": 3, "right": 3, "bytes": 9, "messages": [3, 3]}],
    "people": None, "edge": None, "seconds": 0.5, "troubles": [],
    "machine": {"sees": ["/usr"], "network": ["lo"], "users": ["0 0 1"]},
}  # fmt: skip


def test_figures_of_both_steps(tmp_path: Path) -> None:
    (tmp_path / "found.json").write_text(json.dumps(FOUND))
    made = combine("vault1", sample(tmp_path), tmp_path / "found.json", NOW)
    assert not made["troubles"] and made["mailboxes"][0]["messages"] == [3, 3]
    assert made["mailboxes"][0]["snapshot"] == "1a"
    assert made["machine"] == FOUND["machine"]


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.clear(),
        lambda found: found.update(mailboxes=[]),  # fewer than were restored
        lambda found: found.update(mailboxes=["x"]),
        lambda found: found["mailboxes"][0].update(messages="x"),
        lambda found: found["mailboxes"][0].update(files=None),
        lambda found: found.update(troubles=[{"kind": "unheard of"}]),
        lambda found: found.update(troubles=None),
        lambda found: found.update(machine={"sees": None}),
    ],
)
def test_findings_that_are_none(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    found = json.loads(json.dumps(FOUND))
    change(found)
    (tmp_path / "found.json").write_text(json.dumps(found))
    made = combine("vault1", sample(tmp_path), tmp_path / "found.json", NOW)
    assert [each["kind"] for each in made["troubles"]] == ["unfinished"]


@pytest.mark.parametrize(("noted", "told"), [(3, ["empty"]), (0, [])])
def test_a_drill_that_has_brought_no_message_is_not_good_where_there_is_mail(
    tmp_path: Path, noted: int, told: list[str]
) -> None:
    path = sample(tmp_path)
    wanted = json.loads(path.read_text())
    wanted["mailboxes"][0]["noted"] = noted
    path.write_text(json.dumps(wanted))
    found = json.loads(json.dumps(FOUND))
    found["mailboxes"][0]["messages"] = [0, 0]
    (tmp_path / "found.json").write_text(json.dumps(found))
    made = combine("vault1", path, tmp_path / "found.json", NOW)
    assert [each["kind"] for each in made["troubles"]] == told


def test_a_step_that_did_not_end(tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    lost = combine("vault1", sample(tmp_path), found, NOW)
    assert [each["detail"] for each in lost["troubles"]] == ["look"]
    neither = combine("vault1", tmp_path / "none.json", found, NOW)
    assert [each["detail"] for each in neither["troubles"]] == ["fetch", "look"]


def test_what_a_host_said_stays_on_one_line() -> None:
    trouble = Trouble.of(
        {"kind": "ldif", "where": "store1", "detail": "a\n\x00b\u202e" + "c" * 999}
    )
    assert trouble.detail.startswith("a??b?c") and len(trouble.detail) == 500
    assert some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
