"""Files to tables: what is no list, what is broken, and what was made to do harm."""

import io
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from docx import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from danhba.lists import Unreadable, grid, read
from danhba.lists.tables import tables_of
from danhba.lists.understand import understand

ROWS = [["STT", "Họ và tên", "Mã CC"], [1, "Nguyễn Văn An", "00123"]]


def workbook() -> bytes:
    book = Workbook()
    for row in ROWS:
        book.worksheets[0].append(row)
    return saved(book.save)


def document() -> bytes:
    made = Document()
    table = made.add_table(2, 3)
    for row, values in enumerate(ROWS):
        for column, value in enumerate(values):
            table.cell(row, column).text = str(value)
    return saved(made.save)


def saved(save: Callable[[io.BytesIO], object]) -> bytes:
    data = io.BytesIO()
    save(data)
    return data.getvalue()


WORKBOOK, DOCUMENT = workbook(), document()


def changed(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """A package with one part changed, or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for name in {*old.namelist(), part}:
            content = old.read(name) if name in old.namelist() else b""
            new.writestr(name, change(content) if name == part else content)
    return out.getvalue()


MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHARED = "xl/sharedStrings.xml"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"


def in_sheet(rows: str, after: str = "") -> bytes:
    """A workbook with this XML for its rows."""
    sheet = f"<worksheet {MAIN}><sheetData>{rows}</sheetData>{after}</worksheet>".encode()
    return changed(workbook(), "xl/worksheets/sheet1.xml", lambda _: sheet)


# What is no list

OLE = bytes.fromhex("d0cf11e0a1b11ae1")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty.*Ask for it again"),
        (b" \r\n\0", "empty"),
        (b"%PDF-1.7 ...", "PDF.*Ask for the list as xlsx or docx"),
        (b"{\\rtf1 ...", "RTF"),
        (b"\x89PNG\r\n", "picture"),
        (b"\xff\xd8\xff\xe0", "picture"),
        (b"Rar!\x1a\x07", "archive"),
        (OLE + "WordDocument".encode("utf-16-le"), "Word 97-2003.*docx"),
        (OLE + "Workbook".encode("utf-16-le"), "Excel 97-2003.*xlsx"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "password"),
        (OLE + b"?", "old kind"),
        (b"<html><table><tr><td>STT", "web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "web page or XML"),
        (b"PK\x03\x04 and no more", "broken"),
        (bytes(range(256)) * 8, "neither xlsx nor docx nor text"),
        (workbook()[:-200], "broken"),
        (workbook()[:2000], "broken"),
    ],
)
def test_what_is_refused_says_what_to_ask_for(data: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(data)
    with pytest.raises(Unreadable, match=rf"(?s){why}.*Ask|{why}"):
        read(path)


@pytest.mark.parametrize(
    ("part", "why"),
    [("content.xml", "OpenDocument"), ("xl/workbook.bin", "xlsb"), ("a.txt", "archive")],
)
def test_other_packages(part: str, why: str) -> None:
    data = saved(lambda file: zipfile.ZipFile(file, "w").writestr(part, "x"))
    with pytest.raises(Unreadable, match=f"{why}|broken"):
        tables_of(data)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr(part, "x")
    with pytest.raises(Unreadable, match=why):
        tables_of(out.getvalue())


def test_no_file_and_no_table(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="No such file"):
        read(tmp_path / "missing.xlsx")
    with pytest.raises(Unreadable, match="directory"):
        read(tmp_path)
    with pytest.raises(Unreadable, match="no table"):
        tables_of(saved(Document().save))


def test_a_password_of_the_archive() -> None:
    data = bytearray(workbook())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := data.find(magic, place + 1)) >= 0:
            data[place + offset] |= 1
    with pytest.raises(Unreadable, match="protected by a password"):
        tables_of(bytes(data))


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"])
@pytest.mark.parametrize("content", [b"", b"<a", b"<a/>", b"\x89PNG"])
def test_broken_parts_of_a_workbook(part: str, content: bytes) -> None:
    refused_or_read(changed(workbook(), part, lambda _: content))


@pytest.mark.parametrize("part", ["word/document.xml", "word/styles.xml", "[Content_Types].xml"])
@pytest.mark.parametrize("content", [b"", b"<a", b"<a/>", b"\x89PNG"])
def test_broken_parts_of_a_document(part: str, content: bytes) -> None:
    refused_or_read(changed(document(), part, lambda _: content))


def refused_or_read(data: bytes) -> None:
    try:
        assert tables_of(data).tables
    except Unreadable as error:
        assert "sk for" in str(error)


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", OLE, b"1,a\n2,b\n", b"\xff\xfe"])
)
def test_any_bytes_are_refused_or_read(data: bytes, start: bytes) -> None:
    with suppress(Unreadable):
        tables_of(start + data)


@given(st.data())
def test_a_damaged_workbook_is_refused_or_read(data: st.DataObject) -> None:
    whole = bytearray(WORKBOOK)
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Unreadable):
        tables_of(bytes(whole))


PARTS = {
    "xl/worksheets/sheet1.xml": WORKBOOK,
    "xl/styles.xml": WORKBOOK,
    "xl/workbook.xml": WORKBOOK,
    "word/document.xml": DOCUMENT,
    "word/styles.xml": DOCUMENT,
}


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(PARTS)), st.data())
def test_damaged_xml_is_refused_or_read(part: str, data: st.DataObject) -> None:
    def damage(content: bytes) -> bytes:
        whole = bytearray(content)
        for _ in range(data.draw(st.integers(1, 4))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(
                st.sampled_from(b"0199aA-.&")
            )
        return bytes(whole)

    with suppress(Unreadable):
        understand(tables_of(changed(PARTS[part], part, damage)), b"", "list")


def test_an_unknown_charset_of_xml() -> None:
    for charset in (b"UAF-8", b"utf-7", b"cp037"):
        text = b'<?xml version="1.0" encoding="' + charset + b'"?><a/>'
        with pytest.raises(Unreadable, match="broken"):
            tables_of(changed(WORKBOOK, "xl/workbook.xml", lambda _, text=text: text))


def test_a_web_page_inside_a_document_does_no_harm() -> None:
    assert tables_of(changed(DOCUMENT, "word/chunk.htm", lambda _: b"<p>a<br>b")).tables


# What was made to do harm


def harmless(data: bytes, why: str) -> None:
    """Refused within a second or two and without much memory."""
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(Unreadable, match=why):
            tables_of(data)
        assert time.process_time() - started < 5
        assert tracemalloc.get_traced_memory()[1] < 200 << 20
    finally:
        tracemalloc.stop()


def test_a_large_file(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(grid.MAX_FILE_BYTES * 100)
    with pytest.raises(Unreadable, match="more than 10 MB"):
        read(path)


def test_a_zip_bomb() -> None:
    bomb = changed(workbook(), "xl/media/a.png", lambda _: bytes(80 << 20))
    assert len(bomb) < 1 << 20
    harmless(bomb, "far more than a list")
    harmless(
        changed(document(), "word/a.xml", lambda _: b"<a>" + b" " * (40 << 20)), "32 MB of text"
    )


def test_very_many_parts() -> None:
    out = io.BytesIO(workbook())
    with zipfile.ZipFile(out, "a") as package:
        for number in range(grid.MAX_PARTS):
            package.writestr(f"{number}", "")
    harmless(out.getvalue(), "far more than a list")


@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "xl/a.png"])
def test_entities(part: str, charset: str) -> None:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    kind = f'<?xml version="1.0" encoding="{charset}"?>'
    text = f'{kind}<!DOCTYPE a [<!ENTITY l0 "ha">{lines}]><a>&l11;</a>'
    harmless(changed(workbook(), part, lambda _: text.encode(charset)), "defines entities")


def test_an_entity_that_reads_files() -> None:
    text = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    harmless(changed(document(), "word/document.xml", lambda _: text), "defines entities")


@pytest.mark.parametrize("tag", ["mergeCell", "hyperlink"])
def test_a_range_of_everything(tag: str) -> None:
    many = f'<{tag}s><{tag} ref="A1:XFD1048576"/></{tag}s>'
    harmless(in_sheet('<row r="1"><c r="A1"><v>1</v></c></row>', many), "200000 cells")
    harmless(in_sheet("", f'<{tag}s><{tag} ref="A1:ZZZZ9"/></{tag}s>'), "200000 cells")


def test_very_many_cells() -> None:
    harmless(in_sheet('<row r="1"><c r="A1"/></row>' * 200_001), "200000 cells")


def test_very_many_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "MAX_ELEMENTS", 100_000)
    many = b"<p>" + b"<a/>" * grid.MAX_ELEMENTS + b"</p>"
    harmless(changed(document(), "word/document.xml", lambda _: many), "cells")


def test_one_cell_at_the_far_end_is_no_large_sheet() -> None:
    rows = "".join(
        f'<row r="{row}"><c r="{column}{row}"><v>1</v></c></row>'
        for row, column in ((1, "A"), (1048576, "XFD"))
    )
    started = time.process_time()
    (table,) = tables_of(in_sheet(rows)).tables
    assert [row.place for row in table.rows] == ["sheet Sheet, row 1", "sheet Sheet, row 1048576"]
    assert time.process_time() - started < 2


def test_a_table_of_very_many_columns() -> None:
    made = Document()
    table = made.add_table(1, 1)
    span = parse_xml(f'<w:gridSpan {nsdecls("w")} w:val="999999"/>')
    table.cell(0, 0)._tc.get_or_add_tcPr().append(span)
    harmless(saved(made.save), "1024 columns")
    harmless(b"a" + b"," * 2000, "1024 columns")


def test_a_text_file_of_very_many_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "MAX_CELLS", 2_000)
    harmless(b"a,b\n" * 1_001, "2000 cells")


def test_a_cell_of_very_much_text() -> None:
    (header, row) = tables_of(b'STT,"' + b"(" * 100_000 + b'"\n1,a\n').tables[0].rows
    assert header.cells[1].flaw == "a text of 100000 letters"
    assert row.cells[1].flaw == ""


def test_a_column_merged_over_very_many_rows_of_a_document() -> None:
    made = Document()
    table = made.add_table(1500, 1)
    for number, row in enumerate(table._tbl.tr_lst):
        value = "continue" if number else "restart"
        merge = parse_xml(f'<w:vMerge {nsdecls("w")} w:val="{value}"/>')
        row.tc_lst[0].get_or_add_tcPr().append(merge)
    table._tbl.tr_lst[0].tc_lst[0].p_lst[0].add_r().text = "Văn phòng"
    (read_table,) = tables_of(saved(made.save)).tables
    assert len(read_table.rows) == 1500
    assert len({row.cells[0].place for row in read_table.rows}) == 1


# Small things of the formats


def test_rich_text_keeps_the_font_of_each_run() -> None:
    book = Workbook()
    run = TextBlock(InlineFont(rFont=".VnTime"), "V¨n")
    book.worksheets[0]["A1"] = CellRichText("Nguyễn ", run, " An")
    pieces = tables_of(saved(book.save)).tables[0].rows[0].cells[0].pieces
    assert [(piece.text, piece.font) for piece in pieces] == [
        ("Nguyễn ", "Calibri"),
        ("V¨n", ".VnTime"),
        (" An", "Calibri"),
    ]


@pytest.mark.parametrize(
    ("value", "text"), [("2", "2"), ("2.0", "2"), ("2.5", "2.5"), ("9.13123456E8", "913123456")]
)
def test_numbers(value: str, text: str) -> None:
    data = in_sheet(f'<row r="1"><c r="A1"><v>{value}</v></c></row>')
    assert tables_of(data).tables[0].rows[0].cells[0].raw == text


def test_days_are_written_as_in_vietnam() -> None:
    book = Workbook()
    book.worksheets[0]["A1"] = date(1980, 2, 1)
    assert tables_of(saved(book.save)).tables[0].rows[0].cells[0].raw == "01/02/1980"


def test_strings_as_excel_shares_them() -> None:
    sheet = '<row r="1"><c r="A1" t="s"><v>1</v></c><c r="B1" t="s"><v>0</v></c></row>'
    old = '<r><rPr><rFont val=".VnTime"/></rPr><t>V¨n</t></r>'
    strings = f"<sst {MAIN}><si><t>Họ</t></si><si><r><t>Lê </t></r>{old}</si></sst>"
    data = changed(in_sheet(sheet), "xl/sharedStrings.xml", lambda _: strings.encode())
    relation = f'Type="{OFFICE}/sharedStrings" Target="/xl/sharedStrings.xml" Id="rId99"'
    for part, end, entry in (
        ("xl/_rels/workbook.xml.rels", b"</Relationships>", f"<Relationship {relation}/>"),
        (
            "[Content_Types].xml",
            b"</Types>",
            f'<Override PartName="/{SHARED}" ContentType="{TYPE}"/>',
        ),
    ):
        data = changed(data, part, lambda old, e=end, x=entry: old.replace(e, x.encode() + e))
    cells = tables_of(data).tables[0].rows[0].cells
    assert [(piece.text, piece.font) for piece in cells[0].pieces] == [
        ("Lê ", "Calibri"),
        ("V¨n", ".VnTime"),
    ]
    assert cells[1].raw == "Họ"


def test_formulas_give_their_stored_result() -> None:
    data = in_sheet('<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1"><f>A1</f></c></row>')
    cells = tables_of(data).tables[0].rows[0].cells
    assert (cells[0].raw, cells[0].flaw) == ("2", "")
    assert cells[1].flaw == "a formula without its result"


def test_tracked_changes() -> None:
    made = Document()
    table = made.add_table(1, 1)
    paragraph = parse_xml(
        f'<w:p {nsdecls("w")}><w:r><w:t xml:space="preserve">Lê </w:t></w:r>'
        "<w:del><w:r><w:delText>Bé</w:delText></w:r></w:del>"
        "<w:moveFrom><w:r><w:t>Ba</w:t></w:r></w:moveFrom>"
        "<w:ins><w:r><w:t>Hà</w:t></w:r></w:ins></w:p>"
    )
    cell = table.cell(0, 0)._tc
    cell.replace(cell.p_lst[0], paragraph)
    assert tables_of(saved(made.save)).tables[0].rows[0].cells[0].raw == "Lê Hà"


def test_fonts_of_a_document_come_from_run_style_and_defaults() -> None:
    made = Document()
    table = made.add_table(1, 2)
    made.styles["Normal"].font.name = "VNI-Times"
    table.cell(0, 0).paragraphs[0].add_run("a")
    table.cell(0, 1).paragraphs[0].add_run("b").font.name = ".VnTime"
    cells = tables_of(saved(made.save)).tables[0].rows[0].cells
    assert [cells[place].pieces[0].font for place in (0, 1)] == ["VNI-Times", ".VnTime"]
