"""A month of use for a terminal, for a spreadsheet of officials (in Vietnamese), for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from io import StringIO
from itertools import groupby

from danhba.csv_cells import MARK, cell
from danhba.letters import escaped
from danhba.usage.collect import SLOTS
from danhba.usage.month import Use


@dataclass(frozen=True)
class Month:
    """rows by agency, in the order of the file. names: address of an agency to its name. begun:
    host to the day on which its records begin. first, last: days that were looked at. new: hosts
    that nobody used before their records begin."""

    rows: Sequence[Use]
    names: Mapping[str, str]
    begun: Mapping[str, date]
    first: date
    last: date
    domain: str
    new: Collection[str] = ()


def as_text(month: Month) -> str:
    lines = []
    wide = max((len(row.address) for row in month.rows), default=0)
    head = " ".join(f"{first:02d}-{end:02d}" for first, end in SLOTS)
    for agency, rows in groupby(month.rows, key=lambda row: row.agency):
        lines += ["", f"{escaped(month.names[agency])} ({agency})"]
        lines.append(f"  {'':{wide}}  {head}  all  of")
        for row in rows:
            counts = " ".join(f"{count:5}" for count in row.slots)
            who = f"{row.address:{wide}}  {counts} {row.all:4} {row.working:3}"
            lines.append(f"  {who}  {escaped(row.name)}")
    title = f"days with an access, {month.first} to {month.last}"
    late = [
        f"records of {host} begin on {day}: days up to then are left out"
        for host, day in sorted(month.begun.items())
        if day >= month.first and host not in month.new
    ]
    return "".join(f"{line}\n" for line in [title, *late, *lines])


def as_csv(month: Month) -> str:
    """With a byte order mark: without it, Excel takes the letters for others."""
    slots = [f"{first:02d}–{end:02d} giờ" for first, end in SLOTS]
    out = StringIO()
    out.write(MARK)
    writer = csv.writer(out)
    writer.writerow(
        ["Cơ quan", "Họ và tên", "Địa chỉ", "Số ngày làm việc", *slots, "Đủ 4 lần trong ngày"]
    )
    for row in month.rows:
        address = f"{row.address}@{month.domain}"
        names = [cell(month.names[row.agency]), cell(row.name)]
        writer.writerow([*names, address, row.working, *row.slots, row.all])
    return out.getvalue()


def as_json(month: Month) -> str:
    content = {
        "first": str(month.first),
        "last": str(month.last),
        "begun": {host: str(day) for host, day in month.begun.items()},
        "slots": SLOTS,
        "mailboxes": [asdict(row) for row in month.rows],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


FORMATS: dict[str, Callable[[Month], str]] = {"text": as_text, "csv": as_csv, "json": as_json}
