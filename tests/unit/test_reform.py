"""A reform of units: what the succession table says is what the directory becomes, or it asks."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from danhba import commands, generate, naming
from danhba.check import check_text
from danhba.check_since import check_since
from danhba.diff import compare
from danhba.fmt import formatted
from danhba.load import load_text
from danhba.model import Agency, Directory
from danhba.reform_table import BadTable, read_table

HERE = Path(__file__).parent
TEXT = generate.generate(400, 3)
DECISION = "1654/NQ-UBTVQH15"
UNTIL = ("--until", "2030-06-30")
"""The alias_months of the reform of 2025 have passed."""
HEAD = "old,kind,name,parent,address,decision\n"

with (HERE / "an_giang_2025.csv").open(encoding="utf-8", newline="") as rows:
    UNITS = list(csv.DictReader(row for row in rows if not row.startswith("#")))
KINDS = {"xã": "xa", "phường": "phuong", "đặc khu": "dac_khu"}
DISTRICT = re.compile(r"(huyện|thị xã|thành phố) (.+?) \(")


def loaded(text: str) -> Directory:
    directory, findings = load_text(text.encode(), "x")
    assert directory is not None, findings
    return directory


def errors(text: str) -> list[str]:
    findings = check_text(text.encode(), "x")[1]
    return [finding.message for finding in findings if finding.severity == "error"]


def reform(
    tmp_path: Path, table: str, text: str = TEXT, until: tuple[str, ...] = UNTIL
) -> tuple[Result, str]:
    """What the command says, and the directory after it."""
    file, lines = tmp_path / "directory.yaml", tmp_path / "table.csv"
    file.write_text(text, encoding="utf-8")
    lines.write_text(HEAD + table, encoding="utf-8")
    argv = ["--directory", str(file), "reform", str(lines), "--decision", DECISION, "--yes"]
    done = CliRunner().invoke(commands.main, [*argv, "--from", "2025-07-01", *until])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done, file.read_text(encoding="utf-8")


def test_units_that_merge_leave_their_staff_and_mail_to_the_one_that_goes_on(
    tmp_path: Path,
) -> None:
    done, text = reform(tmp_path, "anhoa,xa,Xã Cần Đăng,,,\ncandang,xa,Xã Cần Đăng,,,\n")
    assert done.exit_code == 0, done.output
    before, after = loaded(TEXT), loaded(text)
    old = next(agency for agency in after.agencies if agency.address == "anhoa")
    assert old.closed and old.closed.successors == ("candang",) and not old.staff
    assert str(old.closed.since) == "2025-07-01"
    moved = {person.address for each in before.agencies if each.address == "anhoa"
             for person in each.staff}  # fmt: skip
    heir = next(agency for agency in after.agencies if agency.address == "candang")
    assert moved <= {person.address for person in heir.staff}
    assert errors(text) == []
    assert "no longer keeper of anhoa" not in done.output  # what is closed needs nobody
    kept = [each for each in check_since(before, after) if "address" in each.message]
    assert kept == []
    assert formatted(text.encode(), "x") == text
    assert {change.kind for change in compare(before, after)} >= {"agency closed", "transferred"}


def test_several_successors_ask_for_a_decision_and_nothing_is_written(tmp_path: Path) -> None:
    lines = "binhthuy,xa,Xã Bình Mỹ,chauphu,,{}\nbinhthuy,xa,Xã Mỹ Đức,chauphu,,\n"
    done, text = reform(tmp_path, lines.format(""))
    assert done.exit_code == 1
    assert "line 2, 3: Xã Bình Thủy (binhthuy) goes to Xã Bình Mỹ and Xã Mỹ Đức" in done.output
    assert text == TEXT
    done, text = reform(tmp_path, lines.format("7/QĐ-UBND"))
    assert done.exit_code == 0, done.output
    old = next(agency for agency in loaded(text).agencies if agency.address == "binhthuy")
    assert old.closed and old.closed.successors == ("binhmy", "myduc")


def test_a_unit_that_becomes_another_kind_keeps_its_address(tmp_path: Path) -> None:
    done, text = reform(tmp_path, "candang,phuong,Phường Cần Đăng,,,\n")
    assert done.exit_code == 0, done.output
    agency = next(agency for agency in loaded(text).agencies if agency.address == "candang")
    assert (agency.kind, agency.name, agency.closed) == ("phuong", "Phường Cần Đăng", None)
    assert errors(text) == []


def test_a_new_unit_is_founded_with_the_address_of_the_rule(tmp_path: Path) -> None:
    done, text = reform(tmp_path, ",xa,Xã Hòa Hưng Mới,,,\n")
    assert done.exit_code == 0, done.output
    agency = loaded(text).agencies[-1]
    assert (agency.address, agency.decision) == ("hoahungmoi", DECISION)


def test_who_stays_keeps_an_address_that_the_rule_would_not_give_any_more(tmp_path: Path) -> None:
    """Of two namesakes one ends: the other keeps its district in the address, and says why."""
    table = "binhthanh.thoaison,xa,Xã Vĩnh Trạch,thoaison,,\n"
    if "binhthanh.thoaison:" not in TEXT:
        pytest.fail("the province of 2009 has changed")
    done, text = reform(tmp_path, table + "binhthanh.chauthanh,xa,Xã Bình Thạnh,,,\n")
    assert done.exit_code == 0, done.output
    stays = next(each for each in loaded(text).agencies if each.address == "binhthanh.chauthanh")
    assert stays.exception and stays.exception.decision == DECISION
    assert errors(text) == []


def one(text: str, address: str) -> Agency:
    [found] = [each for each in loaded(text).agencies if each.address == address]
    return found


def test_a_namesake_of_another_district_is_another_unit(tmp_path: Path) -> None:
    """An agency of today is meant where the parent agrees, or where it is among the old ones."""
    done, text = reform(tmp_path, "anhoa,xa,Xã Cần Đăng,chauphu,,\n")
    assert done.exit_code == 0, done.output
    assert one(text, "candang").parent == "chauthanh"
    assert one(text, "candang").exception  # the older one keeps what it has
    assert (one(text, "candang.chauphu").parent, errors(text)) == ("chauphu", [])
    done, text = reform(tmp_path, "anhoa,xa,Xã Vĩnh Trạch,,,\n")
    assert (done.exit_code, text) == (1, TEXT)
    assert "or its parent thoaison, if it is that one" in done.output
    done, text = reform(tmp_path, "candang,xa,Xã Cần Đăng,chauphu,,\n")
    assert (done.exit_code, one(text, "candang").parent) == (0, "chauphu")


def test_a_parent_that_is_not_there_is_a_question(tmp_path: Path) -> None:
    done, text = reform(tmp_path, ",xa,Xã Mới,khongco,,\n")
    assert (done.exit_code, text) == (1, TEXT)
    assert "there is no agency khongco for Xã Mới to belong to" in done.output


def test_a_parent_may_be_founded_by_the_same_table(tmp_path: Path) -> None:
    """And the rule knows it, in whatever order the lines stand."""
    done, text = reform(tmp_path, (
        ",phong,Phòng Văn hóa - Xã hội,tanthoi,,\n,phong,Phòng Nội vụ,huyenmoi,,\n"
        ",xa,Xã Bình Thạnh,huyenmoi,,\n,xa,Xã Tân Thới,,,\n,huyen,Huyện Huyện Mới,,,\n"
    ))  # fmt: skip
    assert done.exit_code == 0, done.output
    for address in ("vhxh.tanthoi", "noivu.huyenmoi", "binhthanh.huyenmoi"):
        assert one(text, address).exception is None
    assert errors(text) == []


def test_a_unit_that_becomes_another_kind_gets_the_address_of_that_kind(tmp_path: Path) -> None:
    """UC14; what belongs to it keeps its address, and says why."""
    office = ",phong,Phòng Văn hóa,tttinhbien,,\n"
    start = reform(tmp_path, office)[1]
    done, text = reform(tmp_path, "tttinhbien,phuong,Phường Tịnh Biên,tinhbien,,\n", start)
    assert done.exit_code == 0, done.output
    assert "Phường Tịnh Biên <p.tinhbien>, until now Thị trấn Tịnh Biên <tttinhbien>" in done.output
    ward = one(text, "p.tinhbien")
    assert (ward.kind, ward.name, ward.exception) == ("phuong", "Phường Tịnh Biên", None)
    [alias] = [each for each in loaded(text).aliases if each.address == "tttinhbien"]
    assert (alias.to, str(alias.until)) == ("p.tinhbien", UNTIL[1])
    below = one(text, "vanhoa.tttinhbien")
    assert below.parent == "p.tinhbien" and below.exception
    assert errors(text) == []


def test_an_address_that_another_holds_is_asked_for(tmp_path: Path) -> None:
    """The town becomes a commune of no district, and the district ends: but it holds its name."""
    table = "tttriton,xa,Xã Tri Tôn,,{}\n" + "triton,xa,Xã Tri Tôn,,,\n"
    done, text = reform(tmp_path, table.format(","))
    assert done.exit_code == 1
    assert "Xã Tri Tôn wants triton, which is held by Huyện Tri Tôn" in done.output
    done, text = reform(tmp_path, table.format("tttriton,7/QĐ"))
    assert done.exit_code == 0, done.output
    stays = one(text, "tttriton")
    assert stays.kind == "xa" and stays.exception and stays.exception.decision == "7/QĐ"
    assert errors(text) == []


def test_who_deviated_before_is_not_excused(tmp_path: Path) -> None:
    unit = "    kind: xa\n    name: Xã Mới Lập\n    keepers: []\n    staff: []\n"
    text = TEXT.replace("aliases:", f"  moilapcu:\n{unit}aliases:")
    [before] = errors(text)
    done, text = reform(tmp_path, "anhoa,xa,Xã Mới Lập,,,\n", text)
    assert (done.exit_code, one(text, "moilapcu").exception) == (0, None), done.output
    assert errors(text) == [before]
    done, text = reform(tmp_path, "moilapcu,xa,Xã Mới Lập,,moilapcu,7/QĐ\n", text)
    exception = one(text, "moilapcu").exception
    assert exception and exception.decision == "7/QĐ", done.output  # but who decides it may


def test_a_reform_brings_no_error_that_was_not_there(tmp_path: Path) -> None:
    """What is wrong in between, in the draft of its second half, was not there either."""
    table = "binhthanh.thoaison,xa,Xã Vĩnh Trạch,thoaison,,\n,khac,Tổ X,tox,,\n"
    done, text = reform(tmp_path, table)
    assert (done.exit_code, text) == (1, TEXT)
    assert "nothing was written, for then there would be errors" in done.output


def test_old_addresses_that_would_never_receive(tmp_path: Path) -> None:
    for until in ((), ("--until", "2026-01-31")):
        done, text = reform(tmp_path, "anhoa,xa,Xã Cần Đăng,chauthanh,,\n", until=until)
        assert (done.exit_code, text) == (1, TEXT)
        assert "which has passed, and nobody was told: give --until" in done.output


@pytest.mark.parametrize(("table", "said"), [
    ("khongco,xa,Xã Mới,,,\n", "there is no agency khongco"),
    ("sotaichinh,,,,,\n", "of staff and no successor"),
    (",xa,Xã Mới,,cuthe,\n", "the rule gives moi, not cuthe"),
    (",so,Sở Tài chính mới,,sotaichinh,1/QĐ\n", "wants sotaichinh, which is held by Sở Tài chính"),
])  # fmt: skip
def test_what_is_open_is_asked(tmp_path: Path, table: str, said: str) -> None:
    done, text = reform(tmp_path, table)
    assert (done.exit_code, said in done.output, text) == (1, True, TEXT), done.output


@pytest.mark.parametrize(("text", "said"), [
    ("old,kind\n", "the column name is missing"), ("old,kind,name,ten\n", "unknown column 'ten'"),
    (HEAD, "no lines"), (HEAD + ",,,,,x\n", "neither an old unit nor a new one"),
    (HEAD + 'a,so,"Sở\nNông nghiệp",,,\n', "a line ends within a cell"),
    (HEAD + "a,quan,Quận 1,,,\n", r":2: there is no kind 'quan'"),
])  # fmt: skip
def test_a_bad_table(tmp_path: Path, text: str, said: str) -> None:
    table = tmp_path / "table.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(BadTable, match=said):
        read_table(table)


# The province after the reform of 2025: 102 units, no districts; 25 are called as a district was.


def former_districts() -> dict[str, tuple[str, str]]:
    """Address to kind and name of the districts whose names the new units want."""
    kinds = {"huyện": "huyen", "thị xã": "thi_xa", "thành phố": "thanh_pho"}
    found = {}
    for unit in UNITS:
        if match := DISTRICT.match(unit["same_folded_as_former_district"]):
            title = f"{match[1].capitalize()} {match[2]}"
            found[naming.fold(match[2])] = (kinds[match[1]], title)
    return found


def unit_lines(prefixed: bool) -> str:
    lines = ""
    for unit in UNITS:
        kind, address = KINDS[unit["kind"]], naming.fold(unit["name"])
        if prefixed and unit["same_folded_as_former_district"]:
            address = naming.KINDS[kind].prefix + address
        name = f"{unit['kind'].capitalize()} {unit['name']}"
        lines += f"  {address}:\n    kind: {kind}\n    name: {name}\n"
        lines += "    keepers: []\n    staff: []\n"
    return lines


def after_2025(prefixed: bool) -> str:
    districts = "".join(
        f"  {address}:\n    kind: {kind}\n    name: {name}\n    keepers: []\n"
        f"    closed: {{from: 2025-07-01, decision: {DECISION}}}\n    staff: []\n"
        for address, (kind, name) in former_districts().items()
    )
    return (
        "province: {name: An Giang, domain: angiang.gov.vn, timezone: Asia/Ho_Chi_Minh}\n"
        f"legal_basis: [{DECISION}]\n"
        "policy: {quota_gb: 2, agency_quota_gb: 10, message_mb: 30}\n"
        f"requests: {{}}\nagencies:\n{districts}{unit_lines(prefixed)}aliases: {{}}\nreserved: []\n"
    )


def test_every_unit_of_2025_that_wants_a_districts_address_is_found_with_both_parties() -> None:
    assert (len(UNITS), len(former_districts())) == (102, 25)
    found = errors(after_2025(prefixed=True))
    assert len(found) == 25
    directory, _ = check_text(after_2025(prefixed=True).encode(), "x")
    assert directory is not None
    findings = [each for each in check_text(after_2025(prefixed=True).encode(), "x")[1]
                if each.severity == "error"]  # fmt: skip
    for address, (_, district) in former_districts().items():
        [finding] = [each for each in findings if f"not {address!r}" in each.message]
        assert f"{address} is held by {district}, closed from 2025-07-01" in finding.remedy
        unit = next(each for each in UNITS if naming.fold(each["name"]) == address)
        assert unit["name"] in finding.message


def test_a_unit_that_takes_a_districts_address_is_refused_with_both_names() -> None:
    found = errors(after_2025(prefixed=False))
    assert len(found) == 25
    for address, (_, district) in former_districts().items():
        unit = next(each for each in UNITS if naming.fold(each["name"]) == address)
        [message] = [each for each in found if f"the key {address!r} stands" in each]
        assert f"({district} and {unit['kind'].capitalize()} {unit['name']})" in message


def test_the_table_of_2025_asks_25_questions_and_is_written_when_they_are_answered(
    tmp_path: Path,
) -> None:
    base = after_2025(prefixed=True)
    start = base.replace(unit_lines(prefixed=True), "").replace(
        f"    closed: {{from: 2025-07-01, decision: {DECISION}}}\n", ""
    )
    lines, answered = "", ""
    for unit in UNITS:
        kind, wanted = KINDS[unit["kind"]], naming.fold(unit["name"])
        old = wanted if unit["same_folded_as_former_district"] else ""
        row = f"{old},{kind},{unit['kind'].capitalize()} {unit['name']},"
        lines += f"{row},,\n"
        prefix = naming.KINDS[kind].prefix
        answered += f"{row},{prefix}{wanted},9/QĐ-UBND\n" if old else f"{row},,\n"
    done, text = reform(tmp_path, lines, start)
    assert done.exit_code == 1
    assert done.output.count("OPEN ") == 25
    for _, district in former_districts().values():
        assert f"which is held by {district} on line" in done.output
    assert text == start
    done, text = reform(tmp_path, answered, start)
    assert done.exit_code == 0, done.output
    assert errors(text) == []
    directory = loaded(text)
    assert len(directory.agencies) == 25 + 102
    assert all(agency.is_closed(date(2025, 7, 1)) for agency in directory.agencies[:25])
