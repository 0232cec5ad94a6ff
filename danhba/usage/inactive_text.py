"""Idle mailboxes for a terminal, for the letters to agencies (in Vietnamese) and for programs."""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import groupby

from danhba.letters import escaped
from danhba.usage.inactive import Idle, Verdict


@dataclass(frozen=True)
class List:
    """rows by agency, in the order of the file. names: address of an agency to its name. begun:
    host to the day on which its records begin. today: the day of the list. decision: that the rule
    stands in, "" when the directory names none."""

    rows: Sequence[Idle]
    names: Mapping[str, str]
    begun: Mapping[str, date]
    months: int
    today: date
    domain: str
    decision: str


_WORDS: dict[Verdict, str] = {
    "withdraw": "to withdraw", "warn": "to warn", "escalate": "to escalate", "spared": "left out",
}  # fmt: skip
_VIETNAMESE: dict[Verdict, str] = {
    "withdraw": "Thu hồi",
    "warn": "Nhắc",
    "escalate": "Báo cáo lãnh đạo cơ quan",
    "spared": "Không thu hồi",
}


def as_text(found: List) -> str:
    lines = []
    for agency, rows in groupby(found.rows, key=lambda row: row.agency):
        lines += [
            f"{escaped(found.names[agency])} ({agency})",
            *(f"  {_line(row)}" for row in rows),
        ]
    counts = Counter(row.verdict for row in found.rows)
    total = ", ".join(f"{counts[verdict]} {word}" for verdict, word in _WORDS.items())
    lines.append(total if found.rows else f"nobody stayed away for {found.months - 1} months")
    lines.append(f"records begin: {_begun(found)}")
    return "".join(f"{line}\n" for line in lines)


def _line(row: Idle) -> str:
    last = f"last access {row.last}" if row.last else "no access known"
    if row.because != "last access":
        last += f", counted from {row.since}: {row.because}"
    end = "are" if row.verdict == "warn" else "were"
    spared = f" ({row.spared})" if row.spared else ""
    who = f"{escaped(row.name)} <{row.address}>"
    return f"{_WORDS[row.verdict]}: {who}: {last}; the months {end} over on {row.over}{spared}"


def _begun(found: List) -> str:
    """Why somebody who was never seen may be missing here."""
    return ", ".join(f"{host} {day}" for host, day in sorted(found.begun.items()))


def as_markdown(found: List) -> str:
    basis = f" Quy định ban hành kèm theo Quyết định số {found.decision}" if found.decision else ""
    rule = f"Điều 6.4{basis}"
    day = found.today.strftime("%d/%m/%Y")
    blocks = [
        f"# Hộp thư điện tử không truy xuất\n\nTheo {rule}, tính đến ngày {day}: hộp thư không "
        f"truy xuất trong {found.months} tháng thì bị thu hồi.\n"
    ]
    for agency, rows in groupby(found.rows, key=lambda row: row.agency):
        blocks.append(f"## {_marked(found.names[agency])}\n\n{_table([*rows], found.domain)}")
    if not found.rows:
        blocks.append("Không có hộp thư nào.\n")
    return "\n".join(blocks)


def _table(rows: Sequence[Idle], domain: str) -> str:
    head = ("Họ và tên", "Địa chỉ", "Truy xuất lần cuối", "Hết hạn ngày", "Xử lý")
    lines = [head, ("---",) * len(head)]
    for row in rows:
        last = row.last.strftime("%d/%m/%Y") if row.last else "chưa ghi nhận"
        over = row.over.strftime("%d/%m/%Y")
        address = f"{row.address}@{domain}"
        lines.append((_marked(row.name), address, last, over, _VIETNAMESE[row.verdict]))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _marked(text: str) -> str:
    """A name may hold what Markdown or HTML take for their own."""
    return html.escape(escaped(text), quote=False).replace("|", "\\|")


def as_json(found: List) -> str:
    content = {
        "today": str(found.today),
        "months": found.months,
        "begun": {host: str(day) for host, day in found.begun.items()},
        "mailboxes": [asdict(row) for row in found.rows],
    }
    return json.dumps(content, ensure_ascii=False, indent=2, default=str) + "\n"


FORMATS: dict[str, Callable[[List], str]] = {
    "text": as_text, "markdown": as_markdown, "json": as_json,
}  # fmt: skip
