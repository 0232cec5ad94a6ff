"""Room for mail: what policy, a kind and an exception give, and what a diff says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from danhba.check import check_text
from danhba.check_since import check_since
from danhba.commands import main
from danhba.compile import compile_directory
from danhba.diff import compare
from danhba.fmt import formatted
from danhba.model import Directory
from deploys import quota
from deploys.common import WARNINGS

GOOD = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")
OWN = "quota: {gb: 5, decision: 9/QĐ-STTTT}"
AN = "address: nvan, since: 2026-11-05, request: 12/CV-STC}"


def directory(*changes: tuple[str, str]) -> Directory:
    text = GOOD
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    found, findings = check_text(text.encode(), "x.yaml")
    assert found is not None and not [each for each in findings if each.severity == "error"]
    once = formatted(text.encode(), "x.yaml")
    assert formatted(once.encode(), "x.yaml") == once
    return found


def rooms(of: Directory) -> dict[str, int]:
    return {box.address: box.quota_mb for box in compile_directory(of).mailboxes}


KIND = ("message_mb: 30}", "message_mb: 30, kind_quota_gb: {huyen: 20}}")
PERSON = (AN, f"{AN[:-1]}, {OWN}}}")
AGENCY = ("    keepers: [nvan]\n", f"    keepers: [nvan]\n    {OWN}\n")


def test_a_kind_has_its_figure_and_a_mailbox_its_own() -> None:
    before = rooms(directory())
    assert {before["nvan"], before["ttkngan"]} == {2048}
    assert {before["sotaichinh"], before["chomoi"]} == {10240}
    after = rooms(directory(KIND, PERSON, AGENCY))
    changed = {address: room for address, room in after.items() if before[address] != room}
    assert changed == {"nvan": 5120, "sotaichinh": 5120, "chomoi": 20480}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ((), (PERSON,), ("quota", "Nguyễn Văn An <nvan>", "2 GB -> 5 GB", "9/QĐ-STTTT")),
        ((), (AGENCY,), ("quota", "Sở Tài chính", "10 GB -> 5 GB", "9/QĐ-STTTT")),
        ((PERSON,), (), ("quota", "Nguyễn Văn An <nvan>", "5 GB -> 2 GB, as policy has it", "")),
        ((), (KIND,), ("policy", "kind_quota_gb", "none -> huyen 20 GB", "")),
    ],
)  # fmt: skip
def test_a_diff_says_how_much_room(
    old: tuple[tuple[str, str], ...], new: tuple[tuple[str, str], ...], told: tuple[str, ...]
) -> None:
    [change] = compare(directory(*old), directory(*new))
    assert (change.kind, change.who, change.detail, change.request) == told


@pytest.mark.parametrize("change", [PERSON, AGENCY])
def test_another_figure_needs_another_decision(change: tuple[str, str]) -> None:
    old, text = change
    before, more = directory(change), (old, text.replace("gb: 5", "gb: 7"))
    [error] = check_since(before, directory(more))
    assert "has 7 GB by 9/QĐ-STTTT, which gave 5 GB" in error.message
    assert error.line == next(
        each.quota.line for each in (*before.agencies, *before.people) if each.quota
    )
    assert not list(check_since(before, directory((old, more[1].replace("9/QĐ", "10/QĐ")))))
    assert not list(check_since(before, directory()))


def test_the_command_writes_one_line_and_takes_it_back(tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    canonical = formatted(GOOD.encode(), "x.yaml")
    file.write_text(canonical, encoding="utf-8")

    def run(*arguments: str) -> int:
        done = CliRunner().invoke(main, ["--directory", str(file), "quota", *arguments])
        return done.exit_code

    for who, line in (
        ("nvan", f"12/CV-STC, {OWN}}}"),
        ("20001", OWN),
        ("sotaichinh", f"    {OWN}"),
    ):
        assert run(who, "--gb", "5", "--decision", "9/QĐ-STTTT") == 0
        text = file.read_text(encoding="utf-8")
        assert line in text and formatted(text.encode(), "x.yaml") == text
        assert len(set(text.splitlines()) - set(canonical.splitlines())) == 1
        assert run(who, "--end") == 0
        assert file.read_text(encoding="utf-8") == canonical
    assert run("nvan", "--end") == run("nvan", "--gb", "5") == run("ai.do", "--end") == 1
    assert file.read_text(encoding="utf-8") == canonical


def test_a_notice_names_the_decision_of_the_own_province() -> None:
    basis = "legal_basis: [50/2009/QĐ-UBND]"
    own = compile_directory(directory((basis, "legal_basis: [7/2010/QĐ]")))
    assert "kèm theo Quyết định số 7/2010/QĐ, người" in quota.notice(own, "90").decode()
    none = compile_directory(directory((basis, "legal_basis: []")))
    text = quota.notice(none, "90").decode()
    assert "khoản 1 Điều 10" in text and "Quyết định" not in text


def test_a_notice_for_every_mark_says_what_to_do() -> None:
    compiled = compile_directory(directory())
    for mark in (*map(str, WARNINGS), "under"):
        subject, _, body = quota.notice(compiled, mark).decode().partition("\n")
        assert len(subject) < 78 and mark.replace("under", "trở lại") in subject
        assert body.startswith("Kính gửi Ông/Bà")
        assert {"$used", "$room", "$left"} <= set(body.replace(",", " ").replace(".", " ").split())
        assert "postmaster@angiang.gov.vn" in body
        assert ("khoản 1 Điều 10" in body) == (mark != "under")
        assert max(map(len, body.splitlines())) <= 100
