"""The certificate of a drill, read back from the docx; and what the vault keeps and answers."""

from __future__ import annotations

import base64
import io
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from docx.document import Document as Doc
from drills import CONFIG

from danhba.drill import agent, certificate
from danhba.drill.agent import certify, pack
from danhba.drill.machine import NotScratch
from danhba.drill.places import Places
from danhba.drill.troubles import KINDS, Trouble
from danhba.drilling import Drill, lines
from danhba.generations import remote

TAKEN = "2026-11-26T18:30:00.318030737Z"


def _mailbox(host: str, account: str, wanted: int, found: int) -> dict[str, Any]:
    return {"host": host, "account": account, "snapshot": "1a2b3c4d", "tag": "mail", "taken": TAKEN,
            "files": wanted, "right": found, "bytes": 1, "messages": [wanted, found]}  # fmt: skip


def figures(*troubles: Trouble) -> dict[str, Any]:
    of = {"snapshot": "5e6f", "tag": "host", "taken": TAKEN}
    return {
        "begun": "2026-11-30T19:59:00+00:00",
        "ended": "2026-11-30T20:00:05+00:00",
        "by": "",
        "seed": 664590413,
        "mailboxes": [
            _mailbox("store1", "nvan", 1000, 1000),
            _mailbox("store1", "tthoa", 234, 234),
            _mailbox("store2", "lvb", 7, 6),
        ],
        "people": {"host": "store1", **of, "wanted": 1345, "found": 1345},
        "edge": {"host": "mx1", **of, "wanted": 2, "keys": 2, "learned": 17, "dumped": True},
        "bytes": 1_234_567_890,
        "restore_seconds": 10.0,
        "look_seconds": 61.25,
        "troubles": [each.json() for each in troubles],
    }


def read(*troubles: Trouble, **more: str) -> Doc:
    made = {**figures(*troubles), **more}
    return Document(io.BytesIO(certificate.docx(CONFIG, made, "ab" * 32)))


def text(document: Doc) -> str:
    return "\n".join(paragraph.text for paragraph in document.paragraphs)


def rows(document: Doc) -> list[tuple[str, ...]]:
    return [tuple(cell.text for cell in row.cells) for row in document.tables[1].rows]


def test_a_good_drill() -> None:
    document = read()
    said = text(document)
    assert "BIÊN BẢN\nDiễn tập khôi phục dữ liệu\nNgày 01 tháng 12 năm 2026" in said
    assert "Quyết định số 50/2009/QĐ-UBND" in said
    assert "Bắt đầu: 02:59:00 ngày 01/12/2026" in said  # by the province's clock
    assert "Người khởi động diễn tập: hệ thống, tự động theo lịch hằng tháng" in said
    assert "Số chọn mẫu ngẫu nhiên: 664590413" in said
    assert "Khôi phục: 1.234,6 MB trong 10,0 giây, 123,5 MB/giây" in said
    assert "Đối chiếu: 61,2 giây" in said
    assert "KẾT QUẢ: ĐẠT" in said and "KHÔNG" not in said
    assert "ab" * 32 in said
    of, host = "1a2b3c4d, 01:30 27/11/2026", "5e6f, 01:30 27/11/2026"
    assert rows(document)[1:] == [
        ("store1", of, "2 hộp thư: thư", "1.234", "1.234", "đạt"),
        ("store1", of, "2 hộp thư: tệp, đúng mã băm", "1.234", "1.234", "đạt"),
        ("store2", of, "1 hộp thư: thư", "7", "6", "đạt"),
        ("store2", of, "1 hộp thư: tệp, đúng mã băm", "7", "6", "đạt"),
        ("store1", host, "danh bạ LDAP: mục", "1.345", "1.345", "đạt"),
        ("mx1", host, "khóa DKIM", "2", "2", "đạt"),
        ("mx1", host, "dữ liệu bộ lọc đã học: khóa", "–", "17", "đạt"),
    ]
    signed = [cell.text.split("\n")[0] for cell in document.tables[2].rows[0].cells]
    assert signed == ["Người thực hiện", "Người chứng kiến", "Thủ trưởng đơn vị vận hành"]
    # Names of people are in the figures, and not on paper that lies about.
    assert "nvan" not in said + str(rows(document))


def test_a_failed_drill_says_what_failed() -> None:
    document = read(
        Trouble("count", "store2 lvb", "INBOX: 6 of 7"), Trouble("no-backup", "mx2"), by="minh@may1"
    )
    said = text(document)
    assert "KẾT QUẢ: KHÔNG ĐẠT" in said
    assert "– store2 lvb: số thư đọc được khác bảng kê: INBOX: 6 of 7" in said
    assert "– mx2: không có bản sao lưu" in said
    assert "Người khởi động diễn tập: minh@may1" in said
    verdicts = [(row[0], row[-1]) for row in rows(document)[1:]]
    assert verdicts.count(("store2", "không đạt")) == 1 and ("mx2", "không đạt") in verdicts
    assert ("store1", "đạt") in verdicts and ("store1", "không đạt") not in verdicts


@pytest.mark.parametrize(
    ("kind", "where", "bad"),
    [
        ("learned", "mx1", ["dữ liệu bộ lọc đã học: khóa"]),
        ("key", "mx1", ["khóa DKIM"]),
        ("entries", "store1", ["danh bạ LDAP: mục"]),
        ("damaged", "store1 nvan", ["2 hộp thư: tệp, đúng mã băm"]),
        ("empty", "store2", ["1 hộp thư: thư"]),
        ("no-manifest", "store2 lvb", ["1 hộp thư: thư", "1 hộp thư: tệp, đúng mã băm"]),
        ("unreadable", "store1", ["–"]),
    ],
)
def test_a_row_is_judged_by_its_own_finding(kind: str, where: str, bad: list[str]) -> None:
    found = [row for row in rows(read(Trouble(kind, where)))[1:] if row[-1] == "không đạt"]
    assert [row[2] for row in found] == bad
    assert {row[0] for row in found} == {where.split(" ")[0]}


def test_every_trouble_is_of_a_row_or_has_one_of_its_own() -> None:
    for kind in KINDS:
        for host in ("store1", "store2", "mx1", "mx2"):
            found = rows(read(Trouble(kind, host)))[1:]
            assert [row[0] for row in found if row[-1] == "không đạt"], (kind, host)


def test_an_edge_that_has_learned_nothing_yet_is_said_to_be_one() -> None:
    edge = {**figures()["edge"], "learned": 0, "dumped": False}
    made = certificate.docx(CONFIG, {**figures(), "edge": edge}, "ab" * 32)
    assert rows(Document(io.BytesIO(made)))[-1][3:] == ("–", "chưa có", "đạt")
    drill = Drill("x", True, {**figures(), "edge": edge}, "", b"")
    assert "mx1: 2 of 2 signing keys, nothing learned yet" in lines(drill)


def test_of_many_troubles_the_first_are_told() -> None:
    said = text(read(*(Trouble("damaged", f"store1 a{n}") for n in range(23))))
    assert "store1 a19:" in said and "store1 a20:" not in said and "và 3 lỗi khác" in said


def test_every_trouble_has_words_in_both_languages() -> None:
    for kind in KINDS:
        trouble = Trouble(kind, "store1")
        assert trouble.english() != trouble.vietnamese()
        assert unicodedata.is_normalized("NFC", trouble.vietnamese())
        assert not trouble.vietnamese().isascii()


def test_what_a_host_said_breaks_no_document() -> None:
    broken = Trouble.of({"kind": "ldif", "where": "store1", "detail": "\x00\x1b[31m<&>"})
    assert "<&>" in text(read(broken))


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "home", tmp_path / "run")
    for folder in (made.records, made.sample, made.work):
        folder.mkdir(parents=True)
    made.since.touch()
    return made


def test_a_drill_that_was_cut_off_leaves_a_certificate(places: Places) -> None:
    certify(CONFIG, places)
    found = _answered(places)
    assert not found.good and [row["kind"] for row in found.figures["troubles"]] == [
        "unfinished",
        "unfinished",
    ]
    assert "KHÔNG ĐẠT" in text(Document(io.BytesIO(found.certificate)))
    assert lines(found)[-1] == "failed"
    assert agent.health(places)[0].startswith("the restore drill of ")


def test_outside_a_scratch_machine_nothing_is_restored_and_who_began_it_is_told(
    places: Places,
) -> None:
    places.run.mkdir()
    places.request.write_text(
        json.dumps({"do": "drill", "by": "an@may1", "mailboxes": 1, "seed": 2})
    )
    secrets = places.run / "secrets"
    secrets.write_text("{}")
    with pytest.raises(NotScratch):
        agent.fetch(CONFIG, places, secrets)
    certify(CONFIG, places)
    assert _answered(places).figures["by"] == "an@may1"


def test_what_was_restored_goes_and_what_was_found_stays(places: Places) -> None:
    for name in ("tree", "room"):
        (places.work / name / "store1").mkdir(parents=True)
    places.found.write_text("{}")
    agent.sweep(places)
    assert list(places.work.iterdir()) == [places.found]
    agent.sweep(places)


def _answered(places: Places) -> Drill:
    found = remote.answer(pack(agent.ask(places, {"do": "last"})).splitlines())
    return Drill(
        found["line"]["name"],
        found["line"]["good"],
        json.loads(found["figures"]),
        found["figures"],
        base64.b64decode(found["certificate"]),
    )


def test_there_is_nothing_before_the_first(places: Places) -> None:
    assert agent.ask(places, {"do": "last"}) == {}


def test_figures_for_an_engineer() -> None:
    trouble = Trouble("count", "store2 lvb", "INBOX: 6 of 7")
    drill = Drill("20261130T200005Z", False, figures(trouble), "", b"")
    assert lines(drill) == [
        "drill 20261130T200005Z, seed 664590413",
        "store1: 2 mailboxes, 1234 of 1234 messages, 1234 of 1234 files right",
        "store2: 1 mailbox, 6 of 7 messages, 6 of 7 files right",
        "store1: 1345 of 1345 entries",
        "mx1: 2 of 2 signing keys, 17 keys of what was learned",
        "1234.6 MB restored in 10.0 s (123.5 MB/s), compared in 61.2 s",
        "store2 lvb: Dovecot does not see what was backed up: INBOX: 6 of 7",
        "failed",
    ]
