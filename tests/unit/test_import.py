"""A list of an agency becomes lines of the directory, and nothing that is doubtful does."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from danhba.check import check_text
from danhba.importing import propose
from danhba.lists import read
from danhba.model import Directory
from danhba.project import ROOT

GOOD = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")
DAY = date(2026, 11, 25)

HEAD = ["STT", "Họ và tên", "Mã cán bộ", "Chức vụ", "Phòng, đơn vị", "Nội dung đề nghị"]
ROWS = [
    ["1", "LÊ THỊ  BÉ", "", "Kế toán", "Phòng Ngân sách", "Tạo mới"],
    ["2", "Nguyễn Văn Ân", "30002", "Chuyên viên", "Phòng Ngân sách", "Cấp mới"],
    ["3", "Nguyễn Văn An", "10234", "Trưởng phòng", "Phòng Giá", "Cấp mới"],
    ["4", "Trần Thị Kim Ngân", "", "Chuyên viên", "Văn phòng", "Cấp mới"],
    ["5", "Đặng Đức Đạt", "30005", "Chuyên viên", "Văn phòng", "Cấp mới"],
    ["6", "Phan Văn Hùng", "", "Chuyên viên", "Văn phòng", "Thu hồi"],
]


@pytest.fixture
def list_of(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["UBND TỈNH AN GIANG"])
    sheet.append(["SỞ TÀI CHÍNH"])
    sheet.append([])
    for row in (HEAD, *ROWS):
        sheet.append(row)
    path = tmp_path / "danh sách.xlsx"
    book.save(path)
    return path


def directory(text: str = GOOD) -> Directory:
    found, findings = check_text(text.encode(), "x")
    assert found is not None, findings
    return found


def test_what_a_list_means(list_of: Path) -> None:
    found = propose(read(list_of), directory(), "sotaichinh", "9/CV-STC", DAY, full=True)
    assert [(new.id, new.name, new.title) for _, new in found.new] == [
        ("9/CV-STC#1", "Lê Thị Bé", "Kế toán"),
        ("30002", "Nguyễn Văn Ân", "Chuyên viên"),
        ("30005", "Đặng Đức Đạt", "Chuyên viên"),
    ]
    assert [match.person.address for match in found.there] == ["nvan"]
    assert [match.person.address for match in found.doubtful] == ["ttkngan"]
    assert [match.person.address for match in found.elsewhere] == ["dddat"]
    assert [listed.name for listed in found.asked] == ["Phan Văn Hùng"]
    assert found.missing == ()


def test_who_is_missing_is_said_of_a_full_list_only(list_of: Path) -> None:
    line = next(row for row in GOOD.splitlines() if '"10377"' in row)
    more = (
        line.replace("10377", "10400")
        .replace("Trần Thị Kim Ngân", "Võ Út")
        .replace("address: ttkngan", "address: vut")
    )
    text = GOOD.replace(line, f"{line}\n{more}")
    roster = read(list_of)
    full = propose(roster, directory(text), "sotaichinh", "9/CV-STC", DAY, full=True)
    assert [person.address for person in full.missing] == ["vut"]
    assert propose(roster, directory(text), "sotaichinh", "9", DAY, full=False).missing == ()


def test_the_command_says_all_asks_and_writes(list_of: Path, tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")

    def run(answer: str = "", *more: str) -> subprocess.CompletedProcess[str]:
        argv = [
            sys.executable, "-m", "danhba", "--directory", str(file), "import", str(list_of),
            "--agency", "sotaichinh", "--request", "9/CV-STC", "--date", "2026-11-20",
            "--signer", "Chánh Văn phòng", *more,
        ]  # fmt: skip
        return subprocess.run(
            argv, input=answer, capture_output=True, text=True, check=False, cwd=ROOT
        )

    no = run("n\n")
    assert (no.returncode, file.read_text(encoding="utf-8")) == (1, GOOD)
    for said in (
        "add: Lê Thị Bé <ltbe> Kế toán", "add: Nguyễn Văn Ân <nvan03>",
        "already there: Nguyễn Văn An",
        "perhaps there, not added", "asks for something else",
    ):  # fmt: skip
        assert said in no.stdout, no.stdout
    done = run("y\n")
    assert done.returncode == 0, done.stderr
    after = directory(file.read_text(encoding="utf-8"))
    request = next(each for each in after.requests if each.number == "9/CV-STC")
    assert request.sha256 == hashlib.sha256(list_of.read_bytes()).hexdigest()
    assert {"ltbe", "nvan03", "dddat02"} <= {person.address for person in after.people}
    again = run("y\n")
    assert "nobody to add" in again.stderr or "perhaps there" in again.stdout


def test_what_cannot_be_read_is_a_message(tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF-1.4")
    argv = [sys.executable, "-m", "danhba", "--directory", str(file), "import", str(scan),
            "--agency", "sotaichinh", "--request", "12/CV-STC"]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert "scan.pdf" in done.stderr
    assert "Traceback" not in done.stderr
