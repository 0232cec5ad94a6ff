"""What goes with an export: the letter, in Vietnamese, and the page that says how to verify it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from docx.document import Document
from docx.shared import Cm

from danhba.drill import paper
from danhba.inspection.package import KEY, LETTER, MANIFEST, MBOX, README, Form
from danhba.inspection.request import Granted

_CODE = "Consolas"
_EML = """\
    for file in messages/*.eml; do
        [ -e "$file" ] || continue
        line=proofs/$(basename "$file" .eml).line
        hash=$(sha256sum <"$file" | cut -c1-64)
        grep -q "\\"text\\":\\"$hash\\"" "$line" || { echo "$file: CHANGED"; exit 1; }
    done
"""
_MBOX = """\
    tail -n +2 messages.tsv | cut -f1,7,8,9 | while read -r n file offset length; do
        case $length in ""|*[!0-9]*) continue;; esac
        line=proofs/$(printf %010d "$n").line
        hash=$(tail -c +$((offset + 1)) "$file" | head -c "$length" |
            LC_ALL=C sed 's/^>\\(>*From \\)/\\1/' | sha256sum | cut -c1-64)
        grep -q "\\"text\\":\\"$hash\\"" "$line" || { echo "$n: CHANGED"; exit 1; }
    done
"""


def readme(form: Form) -> str:
    """Vietnamese first, then English; the commands stand in one place, four blanks in."""
    files = MBOX if form == "mbox" else "messages/NUMBER.eml"
    return _PAGE.format(
        files=files, MANIFEST=MANIFEST, KEY=KEY, LETTER=LETTER,
        messages=_MBOX if form == "mbox" else _EML,
    )  # fmt: skip


_PAGE = """\
CÁCH KIỂM TRA (English below)

Thư mục này là thư điện tử trích từ kho lưu trữ, kèm chứng cứ rằng mỗi thư đúng là thư đã lưu.
Chỉ cần sha256sum và openssl 3 (có sẵn trên Linux; trên Windows dùng WSL hoặc Git Bash).

Nội dung:
  {LETTER}        công văn; bản giấy có chữ ký ghi SHA-256 của {MANIFEST} và {KEY}
  {MANIFEST}      SHA-256 của mọi tệp; {MANIFEST}.sig là chữ ký số (Ed25519)
  messages.tsv         danh mục: số thứ tự, hai thời điểm, mã, người gửi và nhận, tệp, ghi chú
  {files}    thư, nguyên văn từng byte như khi lưu trữ
  proofs/NUMBER.line   dòng của chuỗi lưu trữ về thư đó; "text" là SHA-256 của thư
  proofs/NUMBER.path   các giá trị băm dẫn từ dòng đó đến gốc của ngày
  roots/               gốc của ngày và chữ ký số; các máy chủ khác của tỉnh cũng giữ bản sao
Hai thời điểm, theo giờ quốc tế (UTC): "passed" là lúc máy chủ thư của tỉnh nhận thư, việc chọn thư
theo ngày dựa vào đó; "archived" là lúc kho lưu trữ ghi thư.
Thư ghi "expired" đã hết thời hạn lưu trữ và không còn nội dung; thư ghi "damaged" bị hỏng khi lưu.

Mở cửa sổ lệnh trong thư mục này rồi chạy lần lượt năm bước dưới đây, hoặc chạy tất cả cùng lúc:
sed -n 's/^    //p' README.txt | sh -eu && echo OK
Bước 1: không tệp nào bị sửa, thiếu hay thừa. Bước 2: danh sách do khóa của kho lưu trữ ký; so
SHA-256 của {KEY} với công văn giấy. Bước 3: gốc của từng ngày do khóa đó ký. Bước 4: mỗi
dòng thuộc chuỗi lưu trữ của ngày. Bước 5: mỗi thư đúng là thư đã lưu. Lệnh nào báo lỗi thì dữ liệu
đã bị thay đổi: đừng dùng, hãy liên hệ đơn vị gửi.

HOW TO VERIFY

This folder is mail from the archive, with proof that each message is the one that was archived when
the chain says. That none was left out cannot be proven from here: the archive itself says how many
there are (danhba archive search). sha256sum and openssl 3 are enough. "expired" mail was removed by
the rule of retention, "damaged" mail is not what was archived any more. Times in messages.tsv are
UTC: "passed", when a mail server of the province had the message, by which messages were chosen;
"archived", when the archive wrote it, which its line in proofs/ has as "time".

Run the five steps in this folder one after the other, or all at once with the command above.

1. No file was changed, is missing or was added.

    sha256sum --quiet -c {MANIFEST}
    test "$(find . -type f ! -name '{MANIFEST}*' ! -name {LETTER} | wc -l)" -eq \\
        "$(wc -l <{MANIFEST})"

2. The list is signed with the key of the archive. Compare its SHA-256 with the letter on paper.

    openssl pkeyutl -verify -pubin -inkey {KEY} -rawin \\
        -in {MANIFEST} -sigfile {MANIFEST}.sig
    sha256sum {MANIFEST} {KEY}

3. So are the roots of the days.

    for root in roots/*.json; do
        [ -e "$root" ] || continue
        openssl pkeyutl -verify -pubin -inkey {KEY} -rawin \\
            -in "$root" -sigfile "${{root%.json}}.sig" >/dev/null ||
            {{ echo "$root: NOT SIGNED"; exit 1; }}
    done

4. Every line is in the chain of its day: hashed with the hashes of its path it gives the root.

    for line in proofs/*.line; do
        [ -e "$line" ] || continue
        hash=$(sha256sum <"$line" | cut -c1-64)
        while read -r side other; do
            case $side in
            root) root=roots/$other.json;;
            L) hash=$(printf %s%s "$other" "$hash" | sha256sum | cut -c1-64);;
            R) hash=$(printf %s%s "$hash" "$other" | sha256sum | cut -c1-64);;
            esac
        done <"${{line%.line}}.path"
        grep -q "\\"tree\\":\\"$hash\\"" "$root" || {{ echo "$line: NOT IN THE CHAIN"; exit 1; }}
    done

5. Every message is the one that its line speaks of.

{messages}"""


@dataclass(frozen=True)
class Facts:
    """What the letter says of an export. manifest, key: SHA-256 in hexadecimal. by: who made it."""

    province: str
    domain: str
    messages: int
    expired: int
    damaged: int
    form: Form
    manifest: str
    key: str
    by: str
    at: datetime


def letter(granted: Granted, facts: Facts, day: date) -> bytes:
    """The letter as a docx, without the files' contents: it is printed, signed and stamped."""
    wanted, hold = granted.wanted, granted.hold
    document = paper.blank("Công văn cung cấp dữ liệu thư điện tử")
    paper.line(document, f"TỈNH {facts.province.upper()} – HỆ THỐNG THƯ ĐIỆN TỬ", size=11)
    paper.line(document, "Số: ……………………", size=11)
    dated = f"{facts.province}, ngày {day.day:02} tháng {day.month:02} năm {day.year}"
    paper.line(document, dated, size=11)
    paper.line(document, "CUNG CẤP DỮ LIỆU THƯ ĐIỆN TỬ LƯU TRỮ", bold=True, centred=True, size=14)
    paper.line(document, f"Kính gửi: {wanted.authority}", bold=True, centred=True)
    paper.line(
        document,
        f"Thực hiện Văn bản số {hold.request} ngày {_day(hold.asked)} của {hold.authority} về việc "
        f"cung cấp dữ liệu phục vụ vụ việc {hold.case}, căn cứ Điều 8.4 và Điều 8.9 Quy định ban "
        "hành kèm theo Quyết định số 50/2009/QĐ-UBND, đơn vị vận hành hệ thống thư điện tử của "
        f"tỉnh {facts.province} gửi kèm dữ liệu sau:",
    )
    _table(document, _rows(granted, facts))
    paper.line(document, "Kiểm tra dữ liệu", bold=True)
    paper.line(
        document,
        "Mỗi thư có chứng cứ là thư đã được lưu trữ, không bị sửa đổi. Cách kiểm tra bằng hai công "
        f"cụ phổ biến sha256sum và openssl có trong tệp {README}; trước hết so hai giá trị SHA-256 "
        "dưới đây với giá trị tính được từ dữ liệu nhận.",
    )
    for name, value in ((MANIFEST, facts.manifest), (KEY, facts.key)):
        paper.line(document, f"SHA-256 của {name}:")
        run = paper.line(document, value, size=10).runs[0]
        paper.font(run._element.get_or_add_rPr(), _CODE)
    paper.line(
        document,
        "Dữ liệu có nội dung thư và dữ liệu cá nhân của người không liên quan: đề nghị chỉ dùng "
        "cho vụ việc nêu trên, bảo quản và tiêu hủy theo quy định của pháp luật.",
    )
    paper.signatures(document.add_table(1, 2), ("Người phê duyệt", "Người phê duyệt"))
    names = document.add_table(1, 2)
    for cell, name in zip(names.rows[0].cells, wanted.approved, strict=True):
        cell.text = name
    return paper.content(document)


def _rows(granted: Granted, facts: Facts) -> list[tuple[str, str]]:
    wanted = granted.wanted
    boxes = ", ".join(f"{name}@{facts.domain}" for name in wanted.mailboxes)
    form = "EML (mỗi thư một tệp)" if facts.form == "eml" else "mbox (một tệp)"
    gone = [
        f"{facts.expired} thư đã hết thời hạn lưu trữ" if facts.expired else "",
        f"{facts.damaged} thư bị hỏng" if facts.damaged else "",
    ]
    return [
        ("Hộp thư", boxes),
        ("Thời gian", f"từ ngày {_day(wanted.first)} đến hết ngày {_day(wanted.last)}"),
        ("Số thư", str(facts.messages)),
        ("Không còn nội dung", ", ".join(filter(None, gone)) or "không có"),
        ("Dạng tệp", form),
        ("Trích xuất", f"{facts.at:%H:%M} ngày {_day(facts.at)}, {facts.by}"),
    ]


def _day(day: date) -> str:
    return f"{day.day:02}/{day.month:02}/{day.year}"


def _table(document: Document, rows: list[tuple[str, str]]) -> None:
    table = document.add_table(0, 2)
    table.autofit = False
    for label, text in rows:
        cells = table.add_row().cells
        cells[0].width, cells[1].width = Cm(4.5), Cm(12)
        cells[0].text, cells[1].text = f"{label}:", text
        cells[1].paragraphs[0].runs[0].bold = True
