"""Lists as agencies send them, to people: what is understood, what is refused and why."""

import csv
import hashlib
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import oldtext
import pytest
from docx import Document
from docx.document import Document as Made
from docx.table import Table
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from danhba.lists import Listed, Roster, Unreadable, read
from danhba.lists.names import NotAName, name_of
from danhba.lists.tables import tables_of
from danhba.lists.understand import understand
from danhba.lists.words import field_of, wish_of

Rows = Sequence[Sequence[object]]

HEADER = ["STT", "Họ và tên", "Chức vụ", "Phòng, đơn vị", "SĐT", "Nội dung đề nghị"]
AN = [1, "Nguyễn Văn An", "Chuyên viên", "Phòng Kế hoạch", "0913 123 456", "Cấp mới"]
HA = [2, "Lê Thị Thu Hà", "Kế toán", "Văn phòng", "0296.3852.222", "Thu hồi"]


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[..., Roster]:
    """The roster of a workbook with these rows; change may do more to the sheet."""

    def build(rows: Rows, change: Callable[[Worksheet], object] = lambda sheet: None) -> Roster:
        book = Workbook()
        active = book.worksheets[0]
        active.title = "DS"
        for row in rows:
            active.append(list(row))
        change(active)
        path = tmp_path / "list.xlsx"
        book.save(path)
        return whole(read(path))

    return build


@pytest.fixture
def text(tmp_path: Path) -> Callable[..., Roster]:
    """The roster of a csv with these rows."""

    def build(
        rows: Rows, encode: Callable[[str], bytes] = str.encode, between: str = ","
    ) -> Roster:
        path = tmp_path / "list.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=between).writerows(rows)
        path.write_bytes(encode(path.read_text(encoding="utf-8")))
        return whole(read(path))

    return build


@pytest.fixture
def document(tmp_path: Path) -> Callable[..., Roster]:
    """The roster of a document with a table of these rows."""

    def build(
        rows: Rows, change: Callable[[Made, Table], object] = lambda made, table: None
    ) -> Roster:
        made = Document()
        table = made.add_table(len(rows), max(map(len, rows)))
        for row, values in enumerate(rows):
            for column, value in enumerate(values):
                table.cell(row, column).text = str(value)
        change(made, table)
        path = tmp_path / "list.docx"
        made.save(str(path))
        return whole(read(path))

    return build


def whole(roster: Roster) -> Roster:
    """roster, after a look that each row is in it once."""
    found = [*roster.people, *roster.refusals, *roster.nonrows]
    assert len({row.place for row in found}) == len(found)
    assert all(row.reason and row.text is not None for row in roster.nonrows)
    assert all(row.reason and row.ask for row in roster.refusals)
    return roster


def names(roster: Roster) -> list[str]:
    return [person.name for person in roster.people]


def rows_in(roster: Roster) -> int:
    return len(roster.people) + len(roster.refusals) + len(roster.nonrows)


# Where the list is


def test_a_letter_with_titles_and_signatures(sheet: Callable[..., Roster]) -> None:
    rows: Rows = [
        ["UBND TỈNH AN GIANG", None, None, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
        ["SỞ TÀI CHÍNH", None, None, "Độc lập - Tự do - Hạnh phúc"],
        [],
        ["DANH SÁCH CÁN BỘ ĐỀ NGHỊ CẤP HỘP THƯ ĐIỆN TỬ"],
        ["(Kèm theo Công văn số 210/CV-STC ngày 15 tháng 11 năm 2009)"],
        HEADER,
        ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"],
        AN,
        HA,
        ["", "Danh sách này có 2 người./."],
        ["", "", "", "", "Long Xuyên, ngày 15 tháng 11 năm 2009"],
        ["", "NGƯỜI LẬP BIỂU", "", "", "KT. GIÁM ĐỐC"],
        ["", "", "", "", "PHÓ GIÁM ĐỐC"],
        ["", "Trần Thị Bé", "", "", "Nguyễn Văn Giám"],
    ]
    roster = sheet(rows)
    assert roster.people == (
        Listed(
            "sheet DS, row 8",
            "Nguyễn Văn An",
            "1",
            title="Chuyên viên",
            unit="Phòng Kế hoạch",
            phone="0913 123 456",
            wish="add",
            wish_text="Cấp mới",
        ),
        Listed(
            "sheet DS, row 9",
            "Lê Thị Thu Hà",
            "2",
            title="Kế toán",
            unit="Văn phòng",
            phone="0296.3852.222",
            wish="withdraw",
            wish_text="Thu hồi",
        ),
    )
    assert roster.refusals == ()
    assert rows_in(roster) == sum(1 for row in rows if row)
    assert roster.notices == ()
    assert [row.reason for row in roster.nonrows] == [
        *["above the header"] * 4,
        "header",
        "numbers of the columns",
        *["below the list"] * 5,
    ]


def test_the_digest_is_of_the_file(sheet: Callable[..., Roster]) -> None:
    roster = sheet([HEADER, AN])
    assert roster.sha256 == hashlib.sha256(Path(roster.file).read_bytes()).hexdigest()
    assert roster.kind == "xlsx"


def test_columns_in_any_order_and_others_between(sheet: Callable[..., Roster]) -> None:
    header = ["Ghi chú", "Mã CC", "Giới tính", "Đơn vị công tác", "Họ tên", "Ngày sinh", "TT"]
    roster = sheet([header, ["mới", "00123", "Nam", "Thanh tra", "Lê Văn Bé", "1/2/1980", "1"]])
    (person,) = roster.people
    assert (person.name, person.staff_id, person.unit) == ("Lê Văn Bé", "00123", "Thanh tra")
    assert (person.number, person.birth, person.note) == ("1", "1/2/1980", "mới")
    assert [column.label for column in roster.columns if column.field is None] == ["Giới tính"]


@pytest.mark.parametrize(
    ("label", "field"),
    [
        ("STT", "number"),
        ("Số TT", "number"),
        ("Số thứ tự", "number"),
        ("HỌ VÀ TÊN CÁN BỘ", "name"),
        ("Họ\nvà tên", "name"),
        ("Ho va ten", "name"),
        ("Họ tên (viết in hoa)", "name"),
        ("Họ, tên", "name"),
        ("Họ và tên đệm", "family"),
        ("Họ lót", "family"),
        ("Họ", "family"),
        ("Tên", "given"),
        ("Chức danh", "title"),
        ("Chức vụ/Chức danh", "title"),
        ("Đơn vị", "unit"),
        ("Phòng/Ban", "unit"),
        ("Phòng, ban, đơn vị", "unit"),
        ("Nơi công tác", "unit"),
        ("Bộ phận công tác", "unit"),
        ("Điện thoại", "phone"),
        ("Số ĐT", "phone"),
        ("Số điện thoại di động", "phone"),
        ("ĐTDĐ", "phone"),
        ("Mã CC", "staff_id"),
        ("Mã số cán bộ", "staff_id"),
        ("Mã số CBCCVC", "staff_id"),
        ("Số hiệu công chức", "staff_id"),
        ("Ngày sinh", "birth"),
        ("Ngày, tháng, năm sinh", "birth"),
        ("Năm sinh", "birth"),
        ("Ghi chú", "note"),
        ("Nội dung đề nghị", "wish"),
        ("Đề nghị cấp/thu hồi", "wish"),
        ("Yêu cầu", "wish"),
        ("Địa chỉ email", "mail"),
        ("Hộp thư điện tử", "mail"),
        ("Mã ngạch", None),
        ("Mã số thuế", None),
        ("Mã định danh", None),
        ("Số CCCD", None),
        ("Số tài khoản ngân hàng", None),
        ("Họ tên, chức vụ", None),
        ("Nguyễn Văn An", None),
        ("", None),
        (f"Chức vụ {'x' * 100}", None),
    ],
)
def test_labels(label: str, field: str | None) -> None:
    assert field_of(label) == field
    assert field_of(label.upper()) == field
    assert field_of(oldtext.nfd(label)) == field


def test_family_and_given_name_apart(sheet: Callable[..., Roster]) -> None:
    roster = sheet([["STT", "Tên", "Họ và tên đệm"], [1, "An", "Nguyễn Văn"]])
    assert names(roster) == ["Nguyễn Văn An"]


def test_a_header_of_two_rows(sheet: Callable[..., Roster]) -> None:
    rows = [
        ["STT", "Họ và tên", None, "Số điện thoại", None, "Đơn vị"],
        [None, "Họ đệm", "Tên", "Cơ quan", "Di động", None],
        [1, "Nguyễn Văn", "An", "3852222", "0913123456", "Văn phòng"],
    ]

    def merge(sheet: Worksheet) -> None:
        for area in ("A1:A2", "B1:C1", "D1:E1", "F1:F2"):
            sheet.merge_cells(area)

    for change in (merge, lambda sheet: None):
        (person,) = sheet(rows, change).people
        assert (person.name, person.unit) == ("Nguyễn Văn An", "Văn phòng")
        assert person.phone == "3852222; 0913123456"


def test_labels_of_a_second_row_that_say_nothing(sheet: Callable[..., Roster]) -> None:
    rows = [
        ["STT", "Họ và tên", None, "Số điện thoại", None],
        [None, "Tên", "Họ đệm", "Cơ quan", "Khác"],
        [1, "An", "Nguyễn Văn", "3852222", "0913123456"],
    ]

    def merge(sheet: Worksheet) -> None:
        for area in ("A1:A2", "B1:C1", "D1:E1"):
            sheet.merge_cells(area)

    roster = sheet(rows, merge)
    assert [(p.name, p.phone) for p in roster.people] == [("Nguyễn Văn An", "3852222; 0913123456")]
    assert [row.reason for row in roster.nonrows] == ["header"] * 2


def test_a_heading_of_two_rows(sheet: Callable[..., Roster]) -> None:
    rows = [["STT", "Họ tên", "Chức vụ"], ["Phòng Kế hoạch"], [], [1, "Đỗ Bá", "Văn thư"]]
    roster = sheet(rows, lambda sheet: sheet.merge_cells("A2:C3"))
    assert [(p.name, p.unit) for p in roster.people] == [("Đỗ Bá", "Phòng Kế hoạch")]
    assert [r.reason for r in roster.nonrows[1:]] == ["heading", "part of the merged row above"]


def test_a_name_header_over_two_columns(sheet: Callable[..., Roster]) -> None:
    rows = [["STT", "Họ và tên", None, "Chức vụ"], [1, "Nguyễn Văn", "An", "Văn thư"]]
    assert names(sheet(rows, lambda sheet: sheet.merge_cells("B1:C1"))) == ["Nguyễn Văn An"]


def test_the_header_comes_again_on_each_page(sheet: Callable[..., Roster]) -> None:
    roster = sheet([HEADER, AN, HEADER, HA])
    assert names(roster) == ["Nguyễn Văn An", "Lê Thị Thu Hà"]
    assert [column.label for column in roster.columns] == HEADER


def test_two_lists_below_each_other(sheet: Callable[..., Roster]) -> None:
    rows = [HEADER, AN, ["", "NGƯỜI LẬP BIỂU"], [], ["Đơn vị", "Họ tên"], ["Sở", "Đỗ Bá"]]
    roster = sheet(rows)
    assert [(p.name, p.unit) for p in roster.people] == [
        ("Nguyễn Văn An", "Phòng Kế hoạch"),
        ("Đỗ Bá", "Sở"),
    ]


def test_names_alone(text: Callable[..., Roster]) -> None:
    assert names(text([["Họ và tên"], ["Nguyễn Văn An"], ["Lê Hà"]])) == ["Nguyễn Văn An", "Lê Hà"]


def test_no_header_is_unreadable(text: Callable[..., Roster]) -> None:
    with pytest.raises(Unreadable, match="Ask for the list with a header"):
        text([["1", "Nguyễn Văn An"], ["2", "Lê Thị Hà"]])


def test_rows_that_only_have_a_number(sheet: Callable[..., Roster]) -> None:
    roster = sheet([HEADER, AN, [2], [3, ""], ["IV"]])
    reasons = [row.reason for row in roster.nonrows]
    assert reasons == ["header", *["a number and nothing else"] * 2]
    assert [row.text for row in roster.refusals] == ["IV"]


# Units and headings


def test_headings_set_the_unit(sheet: Callable[..., Roster]) -> None:
    rows = [
        ["STT", "Họ và tên", "Chức vụ"],
        ["I", "BAN GIÁM ĐỐC"],
        [1, "Nguyễn Văn An", "Giám đốc"],
        ["II. Phòng Kế hoạch"],
        [2, "Lê Thị Hà", "Trưởng phòng"],
        ["Bếp ăn"],
        [3, "Đỗ Bá", "Bếp trưởng"],
    ]
    roster = sheet(rows, lambda sheet: sheet.merge_cells("A6:C6"))
    units = [person.unit for person in roster.people]
    assert units == ["BAN GIÁM ĐỐC", "Phòng Kế hoạch", "Bếp ăn"]
    assert [row.reason for row in roster.nonrows] == ["header", *["heading"] * 3]


def test_headings_set_the_wish(sheet: Callable[..., Roster]) -> None:
    rows = [
        ["STT", "Họ và tên", "Chức vụ"],
        ["A. Đề nghị cấp mới"],
        ["I", "Văn phòng"],
        [1, "Nguyễn Văn An", "Văn thư"],
        ["B. Đề nghị thu hồi"],
        [2, "Lê Thị Hà", "Kế toán"],
    ]
    assert [(p.wish, p.unit) for p in sheet(rows).people] == [
        ("add", "Văn phòng"),
        ("withdraw", "Văn phòng"),
    ]


@pytest.mark.parametrize(
    ("title", "wish"),
    [
        ("DANH SÁCH ĐỀ NGHỊ THU HỒI HỘP THƯ", "withdraw"),
        ("Danh sách đăng ký cấp hộp thư điện tử", "add"),
        ("Danh sách đề nghị cấp mới, thu hồi", "unknown"),
        ("Danh sách cán bộ Văn phòng Đăng ký đất đai", "unknown"),
        ("Sở thu hồi", "unknown"),
    ],
)
def test_the_title_says_what_is_asked_for(
    sheet: Callable[..., Roster], title: str, wish: str
) -> None:
    rows = [[title], ["STT", "Họ tên"], [1, "Đỗ Bá"]]
    (person,) = sheet(rows).people
    assert (person.wish, person.wish_text) == (wish, title if wish != "unknown" else "")
    (person,) = sheet([[title], HEADER, HA]).people
    assert person.wish_text == "Thu hồi"


@pytest.mark.parametrize(
    "unit",
    ["Văn phòng Đăng ký đất đai", "Phòng Đào tạo", "Khoa Nội", "Ban Chỉ huy", "Sở Môi trường"],
)
def test_a_unit_whose_name_sounds_like_a_wish(sheet: Callable[..., Roster], unit: str) -> None:
    (person,) = sheet([["STT", "Họ tên"], ["I", unit], [1, "Đỗ Bá"]]).people
    assert (person.unit, person.wish) == (unit, "unknown")


def test_names_that_sound_like_wishes(text: Callable[..., Roster]) -> None:
    people = ["Trần Văn Tạo", "Lê Thị Thêm", "Đỗ Khoa", "Võ Văn Huy", "Trần Thị Sửa"]
    assert names(text([["Họ và tên"], *([name] for name in people)])) == people


def test_a_unit_merged_over_several_people(sheet: Callable[..., Roster]) -> None:
    rows = [["Phòng", "Họ tên"], ["Thanh tra", "Đỗ Bá"], [None, "Lê Hà"], ["Văn phòng", "Võ An"]]
    roster = sheet(rows, lambda sheet: sheet.merge_cells("A2:A3"))
    assert [p.unit for p in roster.people] == ["Thanh tra", "Thanh tra", "Văn phòng"]


def test_ditto_marks(sheet: Callable[..., Roster]) -> None:
    rows = [HEADER, AN, [2, "Lê Thị Hà", "nt", '"', "", "-nt-"]]
    person = sheet(rows).people[1]
    assert (person.title, person.unit, person.wish) == ("Chuyên viên", "Phòng Kế hoạch", "add")


def test_ditto_with_no_one_above_is_refused(sheet: Callable[..., Roster]) -> None:
    (refusal,) = sheet([HEADER, [1, "Lê Thị Hà", "nt"]]).refusals
    assert "no one was read above" in refusal.reason


def test_ditto_below_a_refused_row_is_refused(sheet: Callable[..., Roster]) -> None:
    roster = sheet([HEADER, AN, [2, "Hà", "Kế toán"], [3, "Đỗ Bá", "nt"]])
    assert names(roster) == ["Nguyễn Văn An"]
    assert [row.text for row in roster.refusals] == ["2 | Hà | Kế toán", "3 | Đỗ Bá | nt"]


def test_a_family_name_that_is_a_word_for_units(sheet: Callable[..., Roster]) -> None:
    rows = [["STT", "Họ và tên", "Chức vụ"], [1, "Tô Văn Tổ"], [2, "Đoàn Thanh Niên"], [3, "Khoa"]]
    roster = sheet(rows)
    assert names(roster) == ["Tô Văn Tổ"]
    # A unit among the people, numbered as one of them: read as a heading, and said so.
    assert [row.text for row in roster.nonrows[1:]] == ["2 | Đoàn Thanh Niên", "3 | Khoa"]


# The end


def test_a_total_that_differs_is_noticed(sheet: Callable[..., Roster]) -> None:
    roster = sheet([HEADER, AN, ["Tổng cộng: 12 người"]])
    assert roster.notices == ("sheet DS: the list says it has 12 people; 1 were read",)


def test_a_director_in_the_list_is_not_its_end(sheet: Callable[..., Roster]) -> None:
    rows = [["Chức vụ", "Họ và tên"], ["Giám đốc", "Nguyễn Văn An"], ["Kế toán", "Lê Thị Hà"]]
    assert names(sheet(rows)) == ["Nguyễn Văn An", "Lê Thị Hà"]


def test_a_numbered_person_below_the_signatures_is_read(sheet: Callable[..., Roster]) -> None:
    rows = [HEADER, AN, ["", "NGƯỜI LẬP BIỂU"], ["", "Đỗ Bá"], HA]
    assert names(sheet(rows)) == ["Nguyễn Văn An", "Lê Thị Thu Hà"]


def test_titles_like_the_words_of_a_total(sheet: Callable[..., Roster]) -> None:
    titles = ["Công chức văn phòng", "Tổng biên tập", "Cộng tác viên"]
    rows = [["Chức vụ", "Họ tên"], *([title, "Nguyễn Văn An"] for title in titles)]
    assert [person.title for person in sheet(rows).people] == titles


# Names


@pytest.mark.parametrize(
    ("written", "name", "remarks"),
    [
        ("Nguyễn Văn An", "Nguyễn Văn An", ()),
        ("NGUYỄN VĂN AN", "Nguyễn Văn An", ("written NGUYỄN VĂN AN",)),
        ("  Nguyễn\u00a0 Văn   An ", "Nguyễn Văn An", ()),
        ("nguyễn văn an", "Nguyễn Văn An", ("written nguyễn văn an",)),
        ("Nguyễn Văn AN", "Nguyễn Văn An", ("written Nguyễn Văn AN",)),
        ("Nguyễn Văn\nAn", "Nguyễn Văn An", ()),
        ("H'LAN NIÊ", "H'Lan Niê", ("written H'LAN NIÊ",)),
        ("H’Lan Niê", "H'Lan Niê", ()),
        ("Y-BHĂM", "Y-Bhăm", ("written Y-BHĂM",)),
        ("Y Bhăm", "Y Bhăm", ()),
        ("Nguyen Van An", "Nguyen Van An", ()),
        ("Ông Nguyễn Văn An", "Nguyễn Văn An", ("without Ông",)),
        ("Bà: LÊ THỊ HÀ", "Lê Thị Hà", ("without Bà", "written LÊ THỊ HÀ")),
        ("ThS. Nguyễn Văn An", "Nguyễn Văn An", ("without ThS",)),
        ("PGS.TS. Nguyễn Văn An", "Nguyễn Văn An", ("without PGS", "without TS")),
        ("Ths Lê Hà", "Lê Hà", ("without Ths",)),
        ("BSCKII. Đỗ Bá", "Đỗ Bá", ("without BSCKII",)),
        ("Đ/c Đỗ Bá", "Đỗ Bá", ("without Đ/c",)),
        ("Đồng chí Đỗ Bá", "Đỗ Bá", ("without Đồng chí",)),
        ("Nguyễn Thị Lan B", "Nguyễn Thị Lan B", ()),
    ],
)
def test_names(written: str, name: str, remarks: tuple[str, ...]) -> None:
    found = name_of(written)
    assert (found.text, found.remarks) == (name, remarks)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("An", "one word"),
        ("Ông Nguyễn", "one word"),
        ("Ông Ích Khiêm", "may be a form of address or a part of the name"),
        ("Nguyễn Văn An (Trưởng phòng)", "which names do not"),
        ("Nguyễn Văn An, ThS", "which names do not"),
        ("Nguyễn V. An", "which names do not"),
        ("Nguyễn Văn 4n", "which names do not"),
        ("Nguyễn Văn An\nLê Thị Hà", "several lines"),
        ("Nguyễn An và Lê Hà", "several people"),
        ("Nguyễn Văn An -", "hyphen"),
        ("a b c d e f g h i", "longer than a name"),
        ("Müller Hans", "which names do not"),
    ],
)
def test_no_names(written: str, why: str) -> None:
    with pytest.raises(NotAName, match=why):
        name_of(written)


# Wishes


@pytest.mark.parametrize(
    ("written", "wish"),
    [
        ("Cấp mới", "add"),
        ("CẤP", "add"),
        ("Tạo mới hộp thư", "add"),
        ("Đăng ký mới", "add"),
        ("Bổ sung", "add"),
        ("Cấp địa chỉ email", "add"),
        ("Thu hồi", "withdraw"),
        ("Thu hồi do nghỉ hưu", "withdraw"),
        ("Xóa", "withdraw"),
        ("Huỷ hộp thư", "withdraw"),
        ("Nghỉ việc", "withdraw"),
        ("Cấp lại mật khẩu", "reset"),
        ("Quên mật khẩu", "reset"),
        ("Tạo lại mật khẩu", "reset"),
        ("Thay đổi mật khẩu", "reset"),
        ("Reset password", "reset"),
        ("Thay đổi chức vụ", "change"),
        ("Điều chỉnh", "change"),
        ("Chuyển phòng", "change"),
        ("", "unknown"),
        ("Cấp lại", "unknown"),
        ("Hủy đăng ký", "unknown"),  # two wishes by their words
        ("Không thu hồi", "unknown"),
        ("Chưa cấp mới", "unknown"),
        ("Xem xét", "unknown"),
        ("Chuyển khoa Nội", "unknown"),
        ("Điều động Sở Giáo dục và Đào tạo", "unknown"),
        ("Điều động Sở Tài nguyên và Môi trường", "unknown"),
        ("Chỉ huy trưởng", "unknown"),
        ("Văn phòng Đăng ký đất đai", "unknown"),
        ("Sơ cấp", "unknown"),
        ("Tạo hộp thư", "add"),
        ("Cán bộ mới", "add"),
        ("Đề nghị cấp", "add"),
        ("Khóa hộp thư", "withdraw"),
        ("Hủy", "withdraw"),
        ("Thu hồi, cấp lại mật khẩu", "unknown"),
    ],
)
def test_wishes(written: str, wish: str) -> None:
    assert wish_of(written) == wish
    assert wish_of(oldtext.nfd(written.upper())) == wish


def test_wishes_by_ticks(sheet: Callable[..., Roster]) -> None:
    rows = [
        ["STT", "Họ và tên", "Nội dung đề nghị", None, None],
        [None, None, "Cấp mới", "Thu hồi", "Cấp lại mật khẩu"],
        [1, "Nguyễn Văn An", "x"],
        [2, "Lê Thị Hà", None, "X"],
        [3, "Đỗ Bá", None, None, "✓"],
        [4, "Võ Lan", "x", "x"],
        [5, "Võ Mai"],
    ]
    roster = sheet(rows, lambda sheet: sheet.merge_cells("C1:E1"))
    wishes = [person.wish for person in roster.people]
    assert wishes == ["add", "withdraw", "reset", "unknown", "unknown"]
    assert roster.people[3].wish_text == "Cấp mới; Thu hồi"


# Refusals, row by row


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ([2, "", "Kế toán"], "the row has no name"),
        ([2, "", "", "", "", "x"], "the row has no name"),
        ([2, "Hà", "Kế toán"], "one word"),
        ([2, "Lê Hà (nghỉ)", "Kế toán"], "which names do not"),
        ([2, "Nguyễn V¨n An"], "cannot be converted without guessing"),
        ([2, "Nguyễn Văn An", "Kế to¸n viên"], "cell C3: .*cannot be converted"),
        ([2, "Lê Lôc", "Kế toán"], "'Lê Lôc' in Unicode or 'Lờ Lục' in TCVN3"),
        ([2, "#N/A", "Kế toán"], "an error of Excel"),
        ([2, '=B2&" B"', "Kế toán"], "a formula without its result"),
        (["Kế toán trưởng"], "the row has no name"),
    ],
)
def test_a_bad_row_is_refused_and_the_others_read(
    sheet: Callable[..., Roster], row: list[object], why: str
) -> None:
    roster = sheet([HEADER, AN, row, [3, *HA[1:]]])
    assert names(roster) == ["Nguyễn Văn An", "Lê Thị Thu Hà"]
    (refusal,) = roster.refusals
    assert refusal.place == "sheet DS, row 3"
    assert re.search(why, refusal.reason)
    assert refusal.ask.startswith("ask ")


def test_two_rows_for_one_person_are_refused(sheet: Callable[..., Roster]) -> None:
    rows = [HEADER, AN, [None, None, "Phó phòng", None, None]]
    roster = sheet(rows, lambda sheet: sheet.merge_cells("B2:B3"))
    assert names(roster) == ["Nguyễn Văn An"]
    assert roster.refusals[0].reason == "its name is merged with the row above"


def test_hidden_rows_and_sheets_say_so(sheet: Callable[..., Roster]) -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["E"].hidden = True
        other = sheet.parent.create_sheet("Cũ")
        other.append(HEADER)
        other.append(AN)
        other.sheet_state = "hidden"

    roster = sheet([HEADER, AN, HA], hide)
    assert [(p.name, p.phone) for p in roster.people] == [("Nguyễn Văn An", "")]
    assert [r.reason for r in roster.refusals] == ["the row is hidden"]
    assert [r.reason for r in roster.nonrows] == ["header", *["the sheet is hidden"] * 2]
    assert roster.notices == ("sheet DS, column E: hidden, not read",)


def test_a_table_without_a_header_beside_one_with(document: Callable[..., Roster]) -> None:
    def more(made: Made, table: Table) -> None:
        letterhead = made.add_table(1, 2)
        letterhead.cell(0, 1).text = "GIÁM ĐỐC"
        rest = made.add_table(1, 3)
        for cell, value in zip(rest.rows[0].cells, ("3", "Đỗ Bá", "Văn thư"), strict=True):
            cell.text = value

    roster = document([HEADER, AN], more)
    assert names(roster) == ["Nguyễn Văn An"]
    assert roster.nonrows[-1].reason == "table 2 has no header"
    assert "table 3 has no header" in roster.refusals[0].reason


CELLS = st.one_of(
    st.sampled_from(["", "1", "I", "x", "nt", "Văn phòng", "Tổng cộng: 3", "KT. GIÁM ĐỐC", "An"]),
    st.sampled_from([*HEADER, *map(str, AN), "Thu hồi", "Ông Ích Khiêm", "NguyÔn V¨n An"]),
    st.text(max_size=12),
)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=6), max_size=12), st.booleans())
def test_every_row_is_a_person_a_refusal_or_no_person(rows: list[list[str]], old: bool) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([HEADER, AN, *rows])
    data = out.getvalue().encode("cp1258" if old else "utf-8", "replace")
    try:
        tables = tables_of(data)
        roster = whole(understand(tables, data, "list.csv"))
    except Unreadable:
        return
    assert rows_in(roster) == sum(len(table.rows) for table in tables.tables)
    places = {row.place for table in tables.tables for row in table.rows}
    found = [*roster.people, *roster.refusals, *roster.nonrows]
    assert {row.place for row in found} == places


# Kinds of files and encodings


ROWS: Rows = [HEADER, AN, HA, [3, "ĐẶNG THỊ NGỌC ÁNH", "Phó trưởng phòng", "Sở Tài chính", "", ""]]
NAMES = ["Nguyễn Văn An", "Lê Thị Thu Hà", "Đặng Thị Ngọc Ánh"]


@pytest.mark.parametrize("between", [",", ";", "\t"])
@pytest.mark.parametrize(
    "encode",
    [
        str.encode,
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        oldtext.cp1258,
        lambda text: oldtext.tcvn3(text).encode("cp1252"),
        lambda text: oldtext.vni(text).encode("cp1252"),
        lambda text: oldtext.nfd(text).encode(),
        lambda text: oldtext.twice_utf8(text).encode(),
        lambda text: b"sep=" + text[3:4].encode() + b"\r\n" + text.encode(),
    ],
    ids=[
        *("utf-8", "utf-8 with BOM", "utf-16", "utf-16-le", "utf-16-be"),
        *("cp1258", "tcvn3", "vni", "nfd", "utf-8 twice", "sep="),
    ],
)
def test_text_files(
    text: Callable[..., Roster], encode: Callable[[str], bytes], between: str
) -> None:
    roster = text(ROWS, encode, between)
    assert names(roster) == NAMES
    assert [p.title for p in roster.people] == ["Chuyên viên", "Kế toán", "Phó trưởng phòng"]
    assert [p.unit for p in roster.people] == ["Phòng Kế hoạch", "Văn phòng", "Sở Tài chính"]
    assert [p.wish for p in roster.people] == ["add", "withdraw", "unknown"]


def test_text_files_keep_zeros_and_lines_in_quotes(text: Callable[..., Roster]) -> None:
    (person,) = text([["Họ\nvà tên", "Mã CC"], ["Nguyễn Văn\nAn", "00123"]]).people
    assert (person.place, person.name, person.staff_id) == ("row 2", "Nguyễn Văn An", "00123")


@pytest.mark.parametrize(
    ("encode", "font", "said"),
    [
        (oldtext.tcvn3, ".VnTime", "typed in TCVN3 (ABC)"),
        (oldtext.tcvn3, ".VnTimeH", "typed in TCVN3 (ABC)"),
        (oldtext.tcvn3, "Arial", "typed in TCVN3 (ABC)"),
        (oldtext.vni, "VNI-Times", "typed in VNI-Windows"),
        (oldtext.as_cp1252, "Calibri", "typed in CP1258 (Vietnamese Windows)"),
        (oldtext.twice_utf8, "Calibri", "typed in UTF-8 that was taken for a Windows code page"),
        (oldtext.nfd, "Calibri", ""),
        (str, ".VnTime", ""),
    ],
)
@pytest.mark.parametrize("kind", ["sheet", "document"])
def test_old_fonts(
    kind: str,
    encode: Callable[[str], str],
    font: str,
    said: str,
    request: pytest.FixtureRequest,
) -> None:
    rows = [[encode(str(value)) for value in row] for row in ROWS]
    build = request.getfixturevalue(kind)
    roster = build(rows, in_font(font) if kind == "sheet" else in_style(font))
    assert names(roster) == NAMES
    assert [p.title.lower() for p in roster.people] == [
        "chuyên viên",
        "kế toán",
        "phó trưởng phòng",
    ]
    assert [bool(said) and said in p.remarks for p in roster.people] == [bool(said)] * 3
    assert roster.notices == ((f"3 names were {said}",) if said else ())


def test_what_vni_and_unicode_both_can_mean_is_refused(sheet: Callable[..., Roster]) -> None:
    roster = sheet([[oldtext.vni(str(value)) for value in row] for row in ROWS])
    assert names(roster) == [NAMES[0], NAMES[2]]
    (refusal,) = roster.refusals  # "Thu hồi" in VNI looks like "Thu hoài"
    assert "cell F3" in refusal.reason
    assert "'Thu hoài' in Unicode or 'Thu hồi' in VNI-Windows" in refusal.reason
    assert "Unicode" in refusal.ask


def in_font(font: str) -> Callable[[Worksheet], None]:
    def change(sheet: Worksheet) -> None:
        for row in sheet.iter_rows():
            for cell in row:
                cell.font = Font(name=font)

    return change


def in_style(font: str) -> Callable[..., None]:
    def change(made: Made, table: Table) -> None:
        made.styles["Normal"].font.name = font

    return change


def test_a_cell_in_another_font_than_the_list(sheet: Callable[..., Roster]) -> None:
    def change(sheet: Worksheet) -> None:
        sheet["B2"].font = Font(name=".VnTime")
        sheet["B3"].font = Font(name="VNI-Times")

    rows = [HEADER, [1, oldtext.tcvn3("Mai Thu Cúc")], [2, oldtext.vni("Hồng Hà")], [3, "Lê Cóc"]]
    assert names(sheet(rows, change)) == ["Mai Thu Cúc", "Hồng Hà", "Lê Cóc"]


def test_documents(document: Callable[..., Roster]) -> None:
    rows = [HEADER, ["I", *["Phòng Kế hoạch"] * 5], AN, HA]

    def merge(made: Made, table: Table) -> None:
        cells = table.rows[1].cells
        for cell in cells[1:]:
            cell.text = ""
        cells[1].merge(cells[5]).text = "Phòng Kế hoạch"
        units = table.columns[3].cells
        units[3].text = ""
        units[2].merge(units[3]).text = "Thanh tra"

    roster = document(rows, merge)
    assert [(p.place, p.name, p.unit) for p in roster.people] == [
        ("table 1, row 3", "Nguyễn Văn An", "Thanh tra"),
        ("table 1, row 4", "Lê Thị Thu Hà", "Thanh tra"),
    ]
    assert [row.reason for row in roster.nonrows] == ["header", "heading"]


def test_numbers_as_excel_shows_them(sheet: Callable[..., Roster]) -> None:
    rows = [["STT", "Họ tên", "Mã CC", "SĐT"], [1.0, "Đỗ Bá", 123, 913123456], [2, "Lê Hà", "007"]]

    def change(sheet: Worksheet) -> None:
        sheet["C2"].number_format = "00000"
        sheet["D2"].number_format = "0000 000 000"

    first, second = sheet(rows, change).people
    assert (first.number, first.staff_id, first.phone) == ("1", "00123", "0913123456")
    assert second.staff_id == "007"
