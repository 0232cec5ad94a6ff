"""A list of an agency becomes lines of the directory, and nothing that is doubtful does."""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from danhba.check import check_text
from danhba.importing import Proposal, propose
from danhba.lists import read
from danhba.model import Directory
from danhba.project import ROOT
from danhba.same_name import name_key

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


RAW = ["STT", "Họ và tên", "Chức vụ"]
"""The header of a list without staff codes."""

NGAN = '      - {id: "10377", name: Trần Thị Kim Ngân, address: ttkngan, since: 2026-11-05'
LEFT = "decision: 9/QĐ-STC, status: withdrawn, from: 2026-11-10, reason: nghỉ việc"


def sheet_of(path: Path, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["UBND TỈNH AN GIANG"])
    sheet.append(["SỞ TÀI CHÍNH"])
    sheet.append([])
    for row in (head, *rows):
        sheet.append(list(row))
    book.save(path)
    return path


@pytest.fixture
def list_of(tmp_path: Path) -> Path:
    return sheet_of(tmp_path / "danh sách.xlsx", HEAD, ROWS)


def directory(text: str = GOOD) -> Directory:
    found, findings = check_text(text.encode(), "x")
    assert found is not None, findings
    return found


def with_staff(*rows: str, agency: str = "sotaichinh", text: str = GOOD) -> str:
    """The good directory with more staff: what stands between the braces of each line."""
    first = text.index("    staff:\n", text.index(f"  {agency}:\n")) + len("    staff:\n")
    return text[:first] + "".join(f"      - {{{row}}}\n" for row in rows) + text[first:]


def proposed(
    tmp_path: Path, head: Sequence[str], rows: Sequence[Sequence[str]], text: str = GOOD,
    request: str = "9/CV-STC", full: bool = False,
) -> Proposal:  # fmt: skip
    roster = read(sheet_of(tmp_path / "list.xlsx", head, rows))
    return propose(roster, directory(text), "sotaichinh", request, DAY, full)


def told(proposal: Proposal) -> list[tuple[str, list[str]]]:
    return [(row.sort, [person.address for person in row.people]) for row in proposal.rows]


def run(file: Path, *argv: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "danhba", "--directory", str(file), *argv],
        input=answer, capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip


def imported(file: Path, path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """As request 9/CV-STC of sotaichinh, and told to write."""
    return run(file, "import", str(path), "--agency", "sotaichinh", "--request", "9/CV-STC",
               "--date", "2026-11-20", "--signer", "Chánh Văn phòng", "--yes", *more)  # fmt: skip


def paste(file: Path, output: str, reason: str = "nghỉ việc") -> list[str]:
    """Every command that was printed, carried out; what is left open is filled in."""
    commands = [line.strip() for line in output.splitlines() if line.startswith("    danhba ")]
    for command in commands:
        argv = [reason if word == "..." else word for word in shlex.split(command)[1:]]
        done = run(file, *argv)
        assert done.returncode == 0, (command, done.stderr)
    return commands


def test_what_a_list_means(list_of: Path) -> None:
    found = propose(read(list_of), directory(), "sotaichinh", "9/CV-STC", DAY, full=True)
    assert [(new.id, new.name, new.title) for new in found.newcomers] == [
        ("9/CV-STC#1", "Lê Thị Bé", "Kế toán"),
        ("30002", "Nguyễn Văn Ân", "Chuyên viên"),
        ("30005", "Đặng Đức Đạt", "Chuyên viên"),
    ]
    assert told(found) == [
        ("new", []), ("new", []), ("there", ["nvan"]), ("doubtful", ["ttkngan"]),
        ("new", ["dddat"]), ("asked", []),
    ]  # fmt: skip
    assert (found.missing, found.twins, found.commands) == ((), (), ())


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
    assert [person.address for person, _ in full.missing] == ["vut"]
    assert propose(roster, directory(text), "sotaichinh", "9", DAY, full=False).missing == ()


def test_the_command_says_all_asks_and_writes(list_of: Path, tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")

    def answered(answer: str) -> subprocess.CompletedProcess[str]:
        return run(
            file, "import", str(list_of), "--agency", "sotaichinh", "--request", "9/CV-STC",
            "--date", "2026-11-20", "--signer", "Chánh Văn phòng", answer=answer,
        )  # fmt: skip

    no = answered("n\n")
    assert (no.returncode, file.read_text(encoding="utf-8")) == (1, GOOD)
    for said in (
        "add: Lê Thị Bé <ltbe> Kế toán", "add: Nguyễn Văn Ân <nvan03>",
        "already there: Nguyễn Văn An",
        "perhaps there, not added", "asks for something else",
    ):  # fmt: skip
        assert said in no.stdout, no.stdout
    done = answered("y\n")
    assert done.returncode == 0, done.stderr
    after = directory(file.read_text(encoding="utf-8"))
    request = next(each for each in after.requests if each.number == "9/CV-STC")
    assert request.sha256 == hashlib.sha256(list_of.read_bytes()).hexdigest()
    assert {"ltbe", "nvan03", "dddat02"} <= {person.address for person in after.people}
    assert done.stderr.splitlines()[-1] == (
        "3 added, 1 already there, 1 doubtful, 0 refused, 1 asked for something else, "
        "0 to reinstate or transfer"
    )
    again = answered("y\n")
    assert "nobody to add; nothing was written" in again.stderr
    assert again.stderr.splitlines()[-1].startswith("0 added, 4 already there, 1 doubtful, ")


def test_what_cannot_be_read_is_a_message(tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF-1.4")
    done = run(file, "import", str(scan), "--agency", "sotaichinh", "--request", "12/CV-STC")
    assert done.returncode == 1
    assert "scan.pdf" in done.stderr
    assert "Traceback" not in done.stderr


def test_refused_rows_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")
    path = sheet_of(tmp_path / "list.xlsx", RAW, [["1", "Lê Thị Bé", ""], ["2", "Ông Út", ""]])
    assert " 1 refused" in imported(file, path).stderr.splitlines()[-1]


# Lists without staff codes


SECTIONS = [["I. Phòng Ngân sách"], ["1", "Lê Thị Bé", ""], ["2", "Võ Văn Út", ""],
            ["II. Phòng Giá"], ["1", "Phan Văn Hùng", ""], ["2", "Lê Thị Bé", ""]]  # fmt: skip


def test_every_section_may_count_from_one_and_the_list_is_known_again(tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")
    path = sheet_of(tmp_path / "list.xlsx", RAW, SECTIONS)
    done = imported(file, path)
    assert done.returncode == 0, done.stderr
    after = file.read_text(encoding="utf-8")
    new = {each.id: each.name for each in directory(after).people if "#" in each.id}
    assert new == {
        "9/CV-STC#1": "Lê Thị Bé", "9/CV-STC#2": "Võ Văn Út", "9/CV-STC#3": "Phan Văn Hùng",
        "9/CV-STC#4": "Lê Thị Bé",
    }  # fmt: skip
    again = imported(file, path)
    assert again.stderr.splitlines()[-1].startswith("0 added, 4 already there, 0 doubtful")
    assert file.read_text(encoding="utf-8") == after


def test_who_was_registered_by_the_list_is_known_by_name_under_any_code(tmp_path: Path) -> None:
    text = with_staff(
        'id: "9/CV-STC#2", name: Lê Thị Bé, address: ltbe, since: 2026-11-21, decision: 4/QĐ-STC',
        'id: "777", name: Võ Văn Út, address: vvut, since: 2026-11-21, request: 12/CV-STC',
    )
    rows = [["1", "Lê Thị Bé", ""], ["2", "Phan Văn Hùng", ""]]
    found = proposed(tmp_path, RAW, rows, text)
    assert told(found) == [("there", ["ltbe"]), ("doubtful", ["ltbe"])]
    found = proposed(tmp_path, RAW, [["1", "Võ Văn Út", ""]], text, request="12/CV-STC")
    assert told(found) == [("there", ["vvut"])]


def test_one_registered_person_is_not_two_rows_of_the_list(tmp_path: Path) -> None:
    text = with_staff(
        'id: "777", name: Lê Thị Bé, address: ltbe, since: 2026-11-21, request: 12/CV-STC'
    )
    found = proposed(tmp_path, RAW, SECTIONS, text, request="12/CV-STC")
    assert told(found) == [("there", ["ltbe"]), ("new", []), ("new", []), ("doubtful", ["ltbe"])]


def test_who_was_registered_by_the_list_and_has_gone_since_is_not_fetched_back(
    tmp_path: Path,
) -> None:
    gone = (
        'id: "9/CV-STC#1", name: Lê Thị Bé, address: ltbe, since: 2026-11-21, decision: 4/QĐ-STTTT'
    )
    text = with_staff(gone, agency="chomoi")
    found = proposed(tmp_path, RAW, [["1", "Lê Thị Bé", ""]], text)
    assert (told(found), found.commands) == ([("there", ["ltbe"])], ())


def test_two_rows_of_one_name_are_named(tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")
    done = imported(file, sheet_of(tmp_path / "list.xlsx", RAW, SECTIONS))
    [line] = [line for line in done.stdout.splitlines() if "one name on the list" in line]
    assert line.count("Lê Thị Bé (") == 2
    assert " | " in line
    assert "add: Lê Thị Bé <ltbe02>" in done.stdout


@pytest.mark.parametrize(
    ("code", "name", "sorts"),
    [
        ("30002", "Lê Thị Bé", ["new", "new"]),
        ("30001", "Lê Thị Bé", ["new", "doubtful"]),
        ("30001", "Võ Văn Út", ["new", "doubtful"]),
    ],
)
def test_rows_of_one_staff_code_do_not_add_two(
    tmp_path: Path, code: str, name: str, sorts: list[str]
) -> None:
    rows = [
        ["1", "Lê Thị Bé", "30001", "", "", "Cấp mới"], ["2", name, code, "", "", "Cấp mới"],
    ]  # fmt: skip
    found = proposed(tmp_path, HEAD, rows)
    assert [row.sort for row in found.rows] == sorts


# Who is there already


def test_one_staff_code_and_another_name_is_a_doubt(tmp_path: Path) -> None:
    found = proposed(tmp_path, HEAD, [["1", "Nguyễn Văn Bình", "10234", "", "", "Cấp mới"]])
    assert told(found) == [("doubtful", ["nvan"])]
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")
    said = imported(file, tmp_path / "list.xlsx").stdout
    assert "has the staff code of another name, not added: Nguyễn Văn Bình (" in said
    assert "| Nguyễn Văn An (nvan, 10234, " in said


@pytest.mark.parametrize("code", ["", "10377"])
@pytest.mark.parametrize("wish", ["Cấp lại", "Cấp mới", ""])
def test_who_is_withdrawn_is_reinstated_by_the_printed_command(
    tmp_path: Path, code: str, wish: str
) -> None:
    file = tmp_path / "directory.yaml"
    text = GOOD.replace("    it_officer: ttkngan\n", "")
    file.write_text(text.replace(NGAN, f"{NGAN}, {LEFT}"), encoding="utf-8")
    row = ["1", "Trần Thị Kim Ngân", code, "Chuyên viên", "", wish]
    done = imported(file, sheet_of(tmp_path / "list.xlsx", HEAD, [row]))
    assert "withdrawn from 2026-11-10" in done.stdout
    assert "perhaps there" not in done.stdout
    assert paste(file, done.stdout) == ["danhba reinstate ttkngan --request 9/CV-STC"]
    after = directory(file.read_text(encoding="utf-8"))
    [request] = [each for each in after.requests if each.number == "9/CV-STC"]
    assert request.sha256
    assert all(each.status is None for each in after.people)
    assert done.stderr.splitlines()[-1].endswith(" 1 to reinstate or transfer")


def test_who_is_locked_as_well_is_unlocked_first(tmp_path: Path) -> None:
    lock = "locked: 2026-11-09, confirm_by: 2026-11-30"
    text = GOOD.replace("    it_officer: ttkngan\n", "").replace(NGAN, f"{NGAN}, {LEFT}, {lock}")
    file = tmp_path / "directory.yaml"
    file.write_text(text, encoding="utf-8")
    path = sheet_of(tmp_path / "list.xlsx", RAW, [["1", "Trần Thị Kim Ngân", ""]])
    done = imported(file, path)
    assert len(paste(file, done.stdout)) == 2, done.stdout


def test_a_namesake_of_the_withdrawn_who_is_active_makes_it_a_doubt(tmp_path: Path) -> None:
    more = f'id: "40001", name: Nguyễn Văn An, address: nvan03, since: 2026-11-05, {LEFT}'
    found = proposed(tmp_path, RAW, [["1", "Nguyễn Văn An", ""]], with_staff(more))
    assert told(found) == [("doubtful", ["nvan03", "nvan"])]
    assert found.commands == ("danhba reinstate nvan03 --request 9/CV-STC",)
    assert "danhba add" not in found.rows[0].why


DAT = ["1", "Đặng Đức Đạt", "20001", "", "", "Cấp mới"]
DAT_LINE = (
    'id: "20001", name: Đặng Đức Đạt, address: dddat, since: 2026-11-05, decision: 4/QĐ-STTTT'
)
GONE = ", status: withdrawn, from: 2026-11-10, reason: nghỉ việc"
CLOSED = "    closed: {from: 2026-11-11, decision: 5/NQ-HĐND}\n"


@pytest.mark.parametrize(
    ("text", "verbs"),
    [
        (GOOD, ["transfer"]),
        (GOOD.replace(DAT_LINE, DAT_LINE + GONE), ["reinstate", "transfer"]),
        (
            GOOD.replace(DAT_LINE, DAT_LINE + GONE)
            .replace("    name: Huyện Chợ Mới\n", f"    name: Huyện Chợ Mới\n{CLOSED}")
            .replace("    keepers: [dddat]", "    keepers: []"),
            ["transfer", "reinstate"],
        ),
    ],
    ids=["active", "withdrawn", "of a closed agency"],
)
def test_who_is_of_another_agency_is_transferred_by_the_printed_commands(
    tmp_path: Path, text: str, verbs: list[str]
) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(text, encoding="utf-8")
    done = imported(file, sheet_of(tmp_path / "list.xlsx", HEAD, [DAT]))
    pasted = paste(file, done.stdout, "8/QĐ-STTTT")
    assert [command.split()[1] for command in pasted] == verbs
    assert "danhba transfer dddat --to sotaichinh --request 9/CV-STC" in pasted
    people = {each.address: each for each in directory(file.read_text(encoding="utf-8")).people}
    assert (people["dddat"].agency, people["dddat"].status) == ("sotaichinh", None)


# Who leaves


def test_who_is_withdrawn_is_not_missing(tmp_path: Path) -> None:
    ahead = f"{LEFT.replace('2026-11-10', '2027-01-01')}"
    text = with_staff(
        f'id: "40001", name: Võ Văn Út, address: vvut, since: 2026-11-05, {LEFT}',
        f'id: "40002", name: Phan Văn Hùng, address: pvhung, since: 2026-11-05, {ahead}',
    )
    found = proposed(tmp_path, RAW, [["1", "Trần Thị Kim Ngân", ""]], text, full=True)
    assert [person.address for person, _ in found.missing] == ["nvan"]


@pytest.mark.parametrize(
    ("rows", "full"),
    [
        ([["1", "Nguyễn Văn An", "10234", "", "", "Cấp mới"]], True),
        ([["1", "Trần Thị Kim Ngân", "10377", "", "", "Thu hồi"]], False),
        ([["1", "Trần Thị Kim Ngân", "", "", "", "Thu hồi"]], False),
    ],
)
def test_with_nobody_new_the_list_is_noted_for_the_printed_commands(
    tmp_path: Path, rows: list[list[str]], full: bool
) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")
    path = sheet_of(tmp_path / "list.xlsx", HEAD, rows)
    done = imported(file, path, *(["--full"] if full else []))
    pasted = paste(file, done.stdout)
    assert pasted == ["danhba withdraw ttkngan --request 9/CV-STC --reason ..."]
    assert hashlib.sha256(path.read_bytes()).hexdigest() in file.read_text(encoding="utf-8")
    again = imported(file, path, *(["--full"] if full else []))
    assert "danhba withdraw" not in again.stdout


def test_with_nothing_to_do_nothing_is_noted(tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")
    row = ["1", "Nguyễn Văn An", "10234", "", "", "Cấp mới"]
    done = imported(file, sheet_of(tmp_path / "list.xlsx", HEAD, [row]))
    assert (done.returncode, file.read_text(encoding="utf-8")) == (0, GOOD)


def test_who_is_missing_may_be_on_a_refused_row(tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")
    path = sheet_of(tmp_path / "list.xlsx", RAW, [["1", "Lê Thị Bé", ""], ["2", "Ông Út", ""]])
    assert "rows refused: 1; who" in imported(file, path, "--full").stdout


# One number, one list


def test_the_digest_is_noted_in_a_request_that_has_none(tmp_path: Path, list_of: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")
    argv = ("import", str(list_of), "--agency", "sotaichinh", "--request", "12/CV-STC", "--yes")
    done = run(file, *argv)
    assert done.returncode == 0, done.stderr
    [request] = directory(file.read_text(encoding="utf-8")).requests
    assert request.sha256 == hashlib.sha256(list_of.read_bytes()).hexdigest()
    assert run(file, *argv).returncode == 0


def test_the_digest_is_noted_with_everybody_there(tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")
    path = sheet_of(tmp_path / "list.xlsx", RAW, [["1", "Nguyễn Văn An", ""]])
    argv = ("import", str(path), "--agency", "sotaichinh", "--request", "12/CV-STC", "--yes")
    assert run(file, *argv).returncode == 0
    [request] = directory(file.read_text(encoding="utf-8")).requests
    assert request.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_another_list_under_the_same_number_is_refused(tmp_path: Path, list_of: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(GOOD, encoding="utf-8")
    assert imported(file, list_of).returncode == 0
    after = file.read_text(encoding="utf-8")
    done = imported(file, sheet_of(tmp_path / "other.xlsx", RAW, [["1", "Võ Văn Út", ""]]))
    assert (done.returncode, file.read_text(encoding="utf-8")) == (1, after)
    assert re.search("two lists under one number: request 9/CV-STC on line [0-9]+", done.stderr)


# Names


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Lê Thị Hòa", "Lê Thị Hoà", True),
        ("Lê Thị THÚY", "lê thị  thuý ", True),
        ("Y-Hòa Niê", "Y-Hoà Niê", True),
        ("Xã Hòa Thủy", unicodedata.normalize("NFD", "Xã Hoà Thuỷ"), True),
        ("Lê Thị Hòa", "Lê Thị Hóa", False),
        ("Lê Thị Lý", "Lê Thị Lí", False),
        ("Lê Văn Ân", "Lê Văn An", False),
        ("Lê Hòa An", "Lê Hoa Àn", False),
    ],
)
def test_names_are_one_wherever_the_tone_mark_stands(one: str, other: str, same: bool) -> None:
    assert (name_key(one) == name_key(other)) is same


def test_hoa_is_a_namesake_of_hoa(tmp_path: Path) -> None:
    text = with_staff(
        'id: "1", name: Lê Hòa, address: lhoa, since: 2026-11-05, request: 12/CV-STC',
        'id: "2", name: Lê Hoà, address: lhoa02, since: 2026-11-05, request: 12/CV-STC',
    )
    found = proposed(tmp_path, RAW, [["1", "Lê Hoà", ""]], text)
    assert told(found) == [("doubtful", ["lhoa", "lhoa02"])]
    _, findings = check_text(text.encode(), "x", DAY)
    assert any("Lê Hoà is in sotaichinh already" in each.message for each in findings)
