"""Holds: what the file says, what commands write, what a change may not do, what stays."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from drafts import DAY, directory, edited, found, is_canonical
from lives import PROVINCE

from danhba.backup import mail
from danhba.backup.config import VaultConfig
from danhba.backup.jobs import Jobs
from danhba.backup.vault import Vault
from danhba.check_since import check_since
from danhba.commands import main
from danhba.compile import compile_directory, next_change
from danhba.compiled import Compiled, Hold
from danhba.diff import compare
from danhba.edit.people import Basis, rename, withdraw
from danhba.fmt import formatted

ROW = (
    "{authority: Thanh tra tỉnh An Giang, request: 55/CV-TTT, date: 2026-11-20, "
    "addresses: [lvloc], from: 2026-01-01}"
)
OLD = PROVINCE.replace("lvloc, since: 2026-11-05", "lvloc, since: 2020-01-06")
GONE = edited(OLD, withdraw, "lvloc", date(2025, 1, 1), "nghỉ hưu", Basis(DAY, decision="7/QĐ"))
"""The mailbox was removed on 2026-02-01."""
END = ", released: {from: 2026-12-10, decision: 90/CV-TTT}}"


def held(text: str, row: str = ROW, case: str = "12/2026/TTr") -> str:
    return text.replace("reserved:", f"holds:\n  {case}: {row}\nreserved:")


def on(text: str, day: date = DAY) -> Compiled:
    return compile_directory(directory(text, day), day)


def steps(text: str, day: date = DAY) -> list[tuple[str, str]]:
    return [(each.account, each.step) for each in on(text, day).leaving]


def test_a_hold_is_compiled_with_all_names_of_the_mailbox() -> None:
    renamed = edited(
        PROVINCE, rename, "lvloc", "Lê Cư", "", Basis(DAY, decision="7/QĐ"), date(2027, 1, 1), False
    )
    new = next(each.address for each in directory(renamed).people if each.id == "C-lvloc")
    for name in ("lvloc", new):
        row = ROW.replace("lvloc", name)
        assert on(held(renamed, row)).holds == (
            Hold("12/2026/TTr", "Thanh tra tỉnh An Giang", tuple(sorted(("lvloc", new))),
                 date(2026, 1, 1), None),
        )  # fmt: skip
    assert on(held(PROVINCE, ROW.replace("lvloc", "soyte"))).holds[0].addresses == ("soyte",)
    assert on(PROVINCE).holds == ()


def test_a_hold_ends_on_its_day() -> None:
    text = held(PROVINCE, ROW[:-1] + END)
    assert [len(on(text, date(2026, 12, day)).holds) for day in (9, 10)] == [1, 0]


def test_what_is_held_is_neither_archived_nor_removed_until_it_is_released() -> None:
    gone = GONE.replace("from: 2025-01-01", "from: 2025-11-01")
    assert steps(gone) == [("lvloc", "archive")]
    text = held(gone)
    assert steps(text) == []
    assert "lvloc" in {box.account for box in on(text).mailboxes}
    assert next_change(directory(text), DAY) is None
    ended = held(gone, ROW[:-1] + END)
    assert steps(ended, date(2026, 12, 9)) == []
    assert steps(ended, date(2026, 12, 10)) == [("lvloc", "archive")]
    later = date(2026, 12, 10) + timedelta(days=30)
    assert steps(ended, later) == [("lvloc", "remove")]
    assert next_change(directory(ended), DAY) == date(2026, 12, 10)


def test_what_was_removed_before_anybody_asked_does_not_come_back() -> None:
    assert on(held(GONE)).removed == on(GONE).removed == ("lvloc",)


@pytest.mark.parametrize(
    ("was", "now", "message"),
    [
        ("[lvloc]", "[lvloc, aiday]", "of 'aiday', whom this file does not know"),
        ("[lvloc]", "[hotro]", "of 'hotro', whom this file does not know"),
        ("[lvloc]", "[]", "names no address"),
        ("[lvloc]", "[lvloc, lvloc]", "lvloc is there twice"),
        ("from: 2026-01-01", "from: 2026-01-01, to: 2025-01-01", "no day at all"),
        (
            "}",
            ", released: {from: 2026-11-01, decision: 9/CV}}",
            "before the request of 2026-11-20",
        ),
        (", request: 55/CV-TTT", "", "lacks request"),
        ("}", ", released: {from: 2026-12-01}}", "lacks decision"),
    ],
)
def test_a_hold_that_would_keep_nothing_is_found(was: str, now: str, message: str) -> None:
    text = held(PROVINCE, ROW.replace(was, now))
    [finding] = [each for each in found(text) if each.severity == "error"]
    line = text[: text.index("12/2026/TTr")].count("\n") + 1
    assert message in finding.message and finding.line == line
    assert finding.clause in ("Điều 8.9", "")


def since(old: str, new: str) -> list[str]:
    findings = check_since(directory(old), directory(new), DAY)
    return [each.message for each in findings if each.clause == "Điều 8.9"]


def test_no_hold_leaves_or_keeps_less_without_a_release() -> None:
    old = held(PROVINCE, ROW.replace("[lvloc]", "[lvloc, nvan]")[:-1] + ", to: 2026-11-30}")
    assert since(old, PROVINCE)[0].startswith("the hold '12/2026/TTr' has left the file")
    for was, now, said in (
        (", nvan", "", "is not of nvan any more"),
        ("from: 2026-01-01", "from: 2026-02-01", "now of fewer days"),
        ("to: 2026-11-30", "to: 2026-11-29", "now of fewer days"),
        ("55/CV-TTT", "56/CV-TTT", "and no longer does"),
    ):
        assert [said in each for each in since(old, old.replace(was, now))] == [True]
    for was, now in ((", to: 2026-11-30", ""), ("[lvloc", "[lvloc, ttkngan"), ("30}", f"30{END}")):
        assert since(old, old.replace(was, now)) == []
    released = old.replace("30}", f"30{END}")
    assert since(released, released.replace("2026-12-10", "2026-12-05")) != []


def test_a_diff_tells_who_asked_and_what_is_kept() -> None:
    [change] = compare(directory(PROVINCE), directory(held(PROVINCE)), DAY)
    assert (change.kind, change.who, change.request, change.clause) == (
        "hold", "12/2026/TTr", "55/CV-TTT", "Điều 8.9",
    )  # fmt: skip
    assert change.detail == (
        "lvloc: mail from 2026-01-01 on, asked by Thanh tra tỉnh An Giang, 55/CV-TTT of 2026-11-20"
    )
    [end] = compare(directory(held(PROVINCE)), directory(held(PROVINCE, ROW[:-1] + END)), DAY)
    assert (end.kind, end.detail, end.request) == (
        "hold released", "from 2026-12-10", "90/CV-TTT",
    )  # fmt: skip


def test_the_commands_write_it_in_place(tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(formatted(PROVINCE.encode(), "x"), encoding="utf-8")

    def danhba(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["--directory", str(file), "hold", *arguments])
        return done.exit_code, done.output

    letter = ("--request", "55/CV-TTT", "--date", "2026-11-20", "--from", "2026-01-01")
    add = ("--authority", "Thanh tra tỉnh An Giang", *letter)
    before = file.read_text(encoding="utf-8")
    assert danhba("add", "12/2026/TTr", *add, "--mailbox", "a@x.vn")[0] == 1
    assert danhba("add", "12/2026/TTr", *add, "--mailbox", "aiday")[0] == 1
    assert file.read_text(encoding="utf-8") == before
    code, said = danhba(
        "add", "12/2026/TTr", *add, "--to", "2026-11-30", "--note", "thư: với nhà thầu",
        "--mailbox", "lvloc@angiang.gov.vn", "--mailbox", "nvan",
    )  # fmt: skip
    assert code == 0, said
    assert danhba("add", "10/2026/TTr", *add, "--mailbox", "lvloc")[0] == 0
    assert danhba("add", "10/2026/TTr", *add, "--mailbox", "lvloc")[0] == 1
    text = file.read_text(encoding="utf-8")
    assert is_canonical(text)
    rest = [row for row in text.splitlines() if "TTr" not in row and row != "holds:"]
    assert rest == before.splitlines()
    assert danhba("release", "12/2026/TTr", "--decision", "90/CV", "--from", "2027-03-01")[0] == 0
    assert danhba("release", "12/2026/TTr", "--decision", "91/CV")[0] == 1
    assert danhba("release", "10/2026/TTr", "--decision", "91/CV")[0] == 0
    assert is_canonical(file.read_text(encoding="utf-8"))
    assert danhba("list")[1] == (
        "12/2026/TTr\tThanh tra tỉnh An Giang\t55/CV-TTT of 2026-11-20\tlvloc nvan\t"
        "2026-01-01 to 2026-11-30\treleased 2027-03-01, 90/CV\n"
    )
    assert danhba("list", "--all")[1].count("\n") == 2


class _Restic:
    """Says what it would forget, and notes what it is told to."""

    def __init__(self) -> None:
        self.place = "sftp:xa:/"
        self.told: list[tuple[str, ...]] = []

    def must(self, *words: str) -> str:
        if "--dry-run" not in words:
            self.told.append(words)
            return ""
        if mail.ALL not in words:
            return "null"
        rows = [
            {"id": str(n), "paths": [f"/srv/mail/{name}" for name in names]}
            for n, names in enumerate((["nvan"], ["nvan", "lvloc"], ["cut"]))
        ]
        return json.dumps([{"keep": [], "remove": rows}, {"keep": rows, "remove": None}])


@pytest.mark.parametrize(("text", "gone"), [(held(PROVINCE), "02"), (PROVINCE, "012")])
def test_no_snapshot_with_a_held_mailbox_is_forgotten(tmp_path: Path, text: str, gone: str) -> None:
    names = {name for hold in on(text).holds for name in hold.addresses}
    keep = {"days": 14, "weeks": 8, "months": 12}
    config = VaultConfig(
        {}, "", "", "", "", keep, "/srv/mail", "", str(tmp_path), sorted(names)
    )  # fmt: skip
    restic = _Restic()
    Jobs(Vault(config, {}))._forget(restic)  # type: ignore[arg-type]
    assert restic.told == [("forget", *gone)]
