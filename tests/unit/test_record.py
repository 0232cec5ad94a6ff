"""The record of what was done on a host: lines that are only added, and a change of them shows."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from danhba.generations.host import lock, record
from danhba.generations.host.common import Refused

ALL = {"since": ""}
OWNER = {"who": "an@may", "token": "t1", "command": "danhba apply x", "since": "x"}


only_append = record._only_append


@pytest.fixture(autouse=True)
def _own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "RECORD", tmp_path / "danhba-record" / "log")


def lines() -> list[dict[str, Any]]:
    found: list[list[dict[str, Any]]] = record.history(ALL)["records"]
    return found[-1]


def broken() -> list[str]:
    found: list[str] = record.history(ALL)["broken"]
    return found


def test_a_line_follows_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert record.history(ALL) == {"records": [[]], "broken": []}
    times = iter(["2026-11-25T23:59:59.000Z", "2026-11-26T00:00:00.000Z"])
    monkeypatch.setattr(record, "_now", lambda: next(times))
    record.note("begun", who="Nguyễn Văn An")
    assert record.record({"note": {"what": "restore", "who": "b"}}) == {"n": 2}
    assert [each["what"] for each in lines()] == ["begun", "restore"]
    assert [each["n"] for each in lines()] == [1, 2] and broken() == []
    assert record.RECORD.stat().st_mode & 0o777 == 0o600
    later = record.history({"since": "2026-11-26T00:00:00.000Z"})
    assert [each["what"] for each in later["records"][-1]] == ["restore"]


def test_records_of_machines_before_are_read_and_proved_as_well() -> None:
    record.note("begun", who="an")
    before = record.RECORD.with_name("log.until-2026-11-26T02:15:00+07:00")
    record.RECORD.rename(before)
    record.note("begun", who="binh")
    found = record.history(ALL)
    assert [[each["who"] for each in lines] for lines in found["records"]] == [["an"], ["binh"]]
    assert found["broken"] == []
    before.write_text(before.read_text().replace("an", "chi") * 2)
    assert broken() == [f"{before}, line 2: not the one that followed line 1"]


@pytest.mark.parametrize("do", ["change", "remove", "insert", "swap"])
def test_whoever_changes_lines_is_seen(do: str) -> None:
    for number in range(4):
        record.note("begun", number=number)
    rows = record.RECORD.read_text().splitlines()
    if do == "change":
        rows[1] = rows[1].replace('"number":1', '"number":7')
    elif do == "remove":
        del rows[1]
    elif do == "insert":
        rows.insert(1, rows[0])
    else:
        rows[1], rows[2] = rows[2], rows[1]
    record.RECORD.unlink()
    record.RECORD.write_text("\n".join([*rows, ""]))
    assert f"{record.RECORD}, line " in broken()[0]


def test_what_a_power_cut_left_half_is_no_forgery_and_the_record_goes_on() -> None:
    record.note("begun")
    with record.RECORD.open("ab") as file:
        file.write(b'{"n":2,"what":"en')
    record.note("ended")
    record.note("begun")
    assert [(each["n"], each["what"]) for each in lines()] == [
        (1, "begun"), (3, "ended"), (4, "begun"),
    ]  # fmt: skip
    assert broken() == []


def test_the_file_system_lets_nobody_write_elsewhere() -> None:
    record.note("begun")
    with record.RECORD.open("rb+") as file:
        only_append(file)
    try:
        if subprocess.run(["lsattr", record.RECORD], capture_output=True, check=False).returncode:
            pytest.skip("this file system knows no attributes")
        with pytest.raises(PermissionError):
            record.RECORD.write_text("")
        with pytest.raises(PermissionError):
            record.RECORD.unlink()
        record.note("ended")
        assert [each["what"] for each in lines()] == ["begun", "ended"]
    finally:
        subprocess.run(["chattr", "-a", record.RECORD], check=False)


def _note(number: int) -> None:
    record.note("begun", number=number)


def test_two_at_once_write_one_after_the_other() -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        pool.map(_note, range(40))
    assert broken() == [] and sorted(each["number"] for each in lines()) == list(range(40))


def test_a_failure_is_said_with_its_reason() -> None:
    with pytest.raises(Refused), record.noted("swap", to="abc"):
        raise Refused("dovecot does not answer")
    assert [(each["what"], each.get("of"), each.get("why")) for each in lines()] == [
        ("swap", None, None), ("failed", 1, "dovecot does not answer"),
    ]  # fmt: skip


def test_an_apply_is_recorded_from_its_lock_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    monkeypatch.setattr(lock, "LOCK", tmp_path / "lock")
    lock.lock({"owner": OWNER})
    other = {**OWNER, "token": "t2"}
    with pytest.raises(Refused):
        lock.lock({"owner": other})
    lock.lock({"owner": other, "instead_of": "t1"})
    lock.unlock({"token": "t1"})  # taken over: no end of it
    lock.unlock({"token": "t2"})
    assert [(each["what"], each["token"], each.get("over")) for each in lines()] == [
        ("begun", "t1", ""), ("begun", "t2", "t1"), ("ended", "t2", None),
    ]  # fmt: skip
    assert lines()[0]["command"] == "danhba apply x" and lines()[0]["who"] == "an@may"


def test_what_cannot_be_recorded_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    monkeypatch.setattr(lock, "LOCK", tmp_path / "lock")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(lock, "write", lambda path, content: path.write_bytes(content))
    with pytest.raises(OSError, match="No space"):
        lock.lock({"owner": OWNER})
    assert not (tmp_path / "lock").exists()


def test_a_line_is_one_line_of_the_journals_form() -> None:
    record.note("begun", who="An\nBình", b=1, a=2)
    raw = record.RECORD.read_text()
    assert raw.count("\n") == 1
    assert raw[:-1] == json.dumps(
        json.loads(raw), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
