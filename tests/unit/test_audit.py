"""The timeline: what many hosts recorded of one run is one event, and what was cut off shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from danhba.audit import Event, events
from danhba.keeper_log import Opening

A, B = "a" * 64, "b" * 64
REVISION = "1c68d74aa0b1c68d74aa0b1c68d74aa0b1c68d74"


class Recorder:
    """A host's record as the host writes it."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def note(self, second: float, what: str, **facts: Any) -> Recorder:
        time = datetime.fromtimestamp(1795723200 + second, UTC).isoformat(timespec="milliseconds")
        entry = {"n": len(self.lines) + 1, "what": what, "time": time.replace("+00:00", "Z")}
        self.lines.append(entry | facts)
        return self

    def begun(self, second: float, token: str = "t1", **facts: Any) -> Recorder:
        facts = {"who": "an@may", "command": "danhba apply staging --yes", "over": "", **facts}
        return self.note(second, "begun", token=token, **facts)

    def swap(self, second: float, token: str = "t1", to: str = B) -> Recorder:
        return self.note(second, "swap", token=token, **{"from": A}, to=to, revision=REVISION)


def told(**records: Recorder) -> list[Event]:
    return events({host: [each.lines] for host, each in records.items()})


def live(second: float = 0, token: str = "t1") -> Recorder:
    made = Recorder().begun(second, token).swap(second + 2, token)
    made.note(second + 3, "live", token=token, to=B, revision=REVISION)
    return made.note(second + 4, "ended", token=token)


def test_an_apply_is_one_event_with_revision_engineer_and_hosts() -> None:
    [event] = told(mx1=live(), store1=live(1))
    assert (event.kind, event.who, event.hosts) == ("apply", "an@may", ("mx1", "store1"))
    assert event.what == f"revision {REVISION[:13]}; mx1, store1: {B[:12]} live"
    assert event.facts["revisions"] == [REVISION] and event.facts["not_ended"] == []
    assert event.facts["swaps"]["mx1"] == {"from": A, "to": B, "outcome": "live"}


def test_the_records_of_a_rebuilt_machine_are_told_apart() -> None:
    """Each numbers its lines from 1: a failure is of the swap of its own record."""
    before, after = Recorder().begun(0).swap(1), Recorder().note(60, "passwords", who="an@may")
    after.lines[0] |= {"accounts": ["nvan"], "replaced": False}
    after.note(61, "lifted", account="nvan").note(62, "failed", of=2, why="x")
    found = events({"mx1": [before.lines, after.lines]})
    assert [each.kind for each in found] == ["apply", "passwords", "lockout"]
    assert found[0].facts["swaps"]["mx1"]["outcome"] == "not known"


def test_two_runs_of_one_process_are_two_events() -> None:
    """A move publishes several times."""
    made = live()
    for line in live(60).lines:
        made.lines.append({**line, "n": len(made.lines) + 1})
    assert [each.when.second for each in told(mx1=made)] == [0, 0]
    assert len(told(mx1=made)) == 2


def test_an_apply_that_was_cut_off_shows() -> None:
    cut = Recorder().begun(0).swap(2)
    [event] = told(mx1=live(), store1=cut)
    assert event.facts["not_ended"] == ["store1"]
    assert "store1: NOT ENDED: cut off, or it is still at work" in event.what
    assert f"store1: {B[:12]} not known" in event.what
    cut.begun(90, "t2", over="t1").note(91, "ended", token="t2")
    first, second = told(mx1=live(), store1=cut)
    assert "store1: NOT ENDED: cut off, and the next run took the lock over" in first.what
    assert second.facts["not_ended"] == []


def test_locks_that_were_taken_one_after_the_other_are_of_one_run() -> None:
    """The first host is locked before the others."""
    first, other = Recorder().begun(0), Recorder().begun(2).swap(3)
    [event] = told(mx1=first, store1=other)
    assert event.facts["not_ended"] == ["mx1", "store1"]
    first.begun(90, "t2", over="t1").note(99, "ended", token="t2")
    other.begun(92, "t2", over="t1").note(98, "ended", token="t2")
    cut, whole = told(mx1=first, store1=other)
    assert cut.facts["taken_over"] == ["mx1", "store1"] and whole.facts["not_ended"] == []


def test_an_apply_that_a_host_refused_says_why() -> None:
    made = Recorder().begun(0).swap(1).note(2, "failed", of=2, why="dovecot does not answer")
    made.note(3, "ended", token="t1")
    [event] = told(store1=made)
    assert f"store1: {B[:12]} failed: dovecot does not answer" in event.what


def test_kinds_come_from_what_was_called() -> None:
    for command, facts, kind in (
        ("danhba rollback staging", {"undoes": "t0"}, "rollback"),
        ("danhba move staging nvan store2", {}, "move"),
        ("__main__.py failover staging store1", {}, "failover"),
        ("danhba --directory '/root/danh bạ.yaml' failover staging store1", {}, "failover"),
        ("danhba --directory=d.yaml failback staging store1", {}, "failback"),
        ("danhba rebuild staging store1", {"does": "failback"}, "failback"),
        ("pyinfra inventory/staging.py deploys/site.py", {}, "apply"),
        ("", {}, "apply"),
    ):
        made = Recorder().begun(0, command=command, **facts).note(1, "ended", token="t1")
        [event] = told(mx1=made)
        assert (event.kind, event.what) == (kind, "no generation swapped")


def test_what_holds_no_lock_is_told_alone() -> None:
    made = Recorder().note(0, "passwords", who="an@may", accounts=["nvan"], replaced=True)
    made.note(1, "lifted", who="an@may", account="nvan@x", source="")
    made.note(2, "restore", who="an@may", mailbox="nvan")
    made.note(3, "passwords", who="an@may", accounts=list("abcdef"), replaced=False)
    made.note(4, "failed", of=4, why="ldapmodify: no")
    assert [(each.kind, each.what) for each in told(store1=made)] == [
        ("passwords", "new password for 1: nvan"),
        ("lockout", "lifted for nvan@x"),
        ("restore", "mailbox nvan"),
        ("passwords", "FAILED: first password for 6: a, b, c, d, e, ...: ldapmodify: no"),
    ]


def test_all_records_are_one_timeline() -> None:
    def at(second: float) -> datetime:
        return datetime.fromtimestamp(1795723200 + second, UTC)

    keeper = Opening(at(10), "sotaichinh", "nvan", "198.18.0.1", "imap", True, "s", "store1")
    incident: Mapping[str, Any] = {
        "id": "20261126-nvan", "account": "nvan@x", "why": "spam",
        "events": {
            "opened": {"at": at(20).timestamp(), "host": "mx1"},
            "released": {"at": at(40).timestamp(), "by": "an@may"},
        },
    }  # fmt: skip
    read = {"n": 7, "kind": "read", "time": at(30).isoformat(), "who": "an@may", "why": "kiểm tra",
            "case": "12/2026/TTr", "what": "contents"}  # fmt: skip
    found = events({"mx1": [live(25).lines]}, [keeper], [incident], [read])
    assert [(each.kind, each.who) for each in found] == [
        ("keeper", "nvan"), ("incident", ""), ("apply", "an@may"), ("read", "an@may"),
        ("incident", "an@may"),
    ]  # fmt: skip
    assert [each.what for each in found if each.kind != "apply"] == [
        "opened sotaichinh by imap from 198.18.0.1", "nvan@x suspended, 20261126-nvan: spam",
        "archive, entry 7: contents, case 12/2026/TTr: kiểm tra", "nvan@x released, 20261126-nvan",
    ]  # fmt: skip


def test_drills_are_told_with_what_failed() -> None:
    line = {"ended": "2026-11-30T20:00:05+00:00", "day": "2026-12-01", "by": "",
            "good": True, "mailboxes": 20, "told": [], "name": "1", "host": "vault1"}  # fmt: skip
    failed = {**line, "ended": "2026-11-30T21:00:05+00:00", "by": "an@may1", "good": False,
              "told": ["store1: restic cannot restore it"], "name": "2"}  # fmt: skip
    good, bad = events({}, drills=[failed, line])
    assert (good.kind, good.who, good.hosts) == ("drill", "(timer)", ("vault1",))
    assert good.what == "1, 20 mailboxes restored: good"
    assert bad.what.endswith("FAILED: store1: restic cannot restore it") and bad.who == "an@may1"
