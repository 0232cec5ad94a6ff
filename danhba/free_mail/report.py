"""A month of mail to and from free-mail services, by agency: asked of all edges, written down."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from io import StringIO
from zoneinfo import ZoneInfo

from danhba.csv_cells import MARK, cell
from danhba.engine import EngineError, session
from danhba.inventory import Environment
from danhba.letters import escaped
from danhba.model import Directory

PROGRAM = "/etc/danhba/free-mail-records"
WAYS = ("sent", "received")


@dataclass(frozen=True)
class Row:
    """Of one agency: messages that its officials, and itself, sent and received."""

    agency: str
    name: str
    sent: int
    received: int


@dataclass(frozen=True)
class Report:
    """rows in the order of the directory. begun: edge to the day on which its counts begin, None
    when it has none yet. first, last: the days."""

    rows: Sequence[Row]
    begun: Mapping[str, date | None]
    first: date
    last: date
    domains: Sequence[str]

    @property
    def total(self) -> Row:
        sent, received = (sum(getattr(row, way) for row in self.rows) for way in WAYS)
        return Row("", "", sent, received)


def ask(
    env: Environment, timezone: str, first: date, end: date
) -> tuple[Counter[tuple[str, str]], dict[str, date | None]]:
    """By account of the agency and way; and since when each edge counts. Every message is in the
    queue of one edge, so that figures add up. Raises EngineError naming who does not answer: his
    messages would be missing."""
    question = {"first": str(first), "end": str(end)}
    edges = env.having("edge")
    try:
        with session(replace(env, hosts=edges)) as hosts:
            answers = hosts.each(lambda host: hosts.ask(host, PROGRAM, question))
    except EngineError as error:
        raise EngineError(f"{error}\nits messages would be missing: mend it first") from None
    found: Counter[tuple[str, str]] = Counter()
    for answer in answers.values():
        for agency, way, messages in answer["counts"]:
            found[agency, way] += messages
    zone = ZoneInfo(timezone)
    begun = {
        name: datetime.fromtimestamp(answer["begun"], zone).date() if answer["begun"] else None
        for name, answer in answers.items()
    }
    return found, begun


def rows(directory: Directory, found: Mapping[tuple[str, str], int]) -> list[Row]:
    """All agencies, whether they have any or not."""
    return [
        Row(each.address, each.name, *(found.get((each.kept_as, way), 0) for way in WAYS))
        for each in directory.agencies
    ]


def as_text(report: Report) -> str:
    some = [row for row in report.rows if row.sent or row.received]
    wide = max((len(row.agency) for row in some), default=0)
    lines = [
        f"messages to and from free-mail services, {report.first} to {report.last}",
        *(
            f"counts of {edge} begin {f'on {day}' if day else 'with its first message'}"
            for edge, day in sorted(report.begun.items())
            if day is None or day > report.first
        ),
        "",
        f"  {'':{wide}}    sent received",
        *(
            f"  {row.agency:{wide}} {row.sent:7} {row.received:8}  {escaped(row.name)}"
            for row in some
        ),
        f"  {'':{wide}} {report.total.sent:7} {report.total.received:8}  in all;"
        f" none in {len(report.rows) - len(some)} agencies",
    ]
    return "".join(f"{line}\n" for line in lines)


def as_csv(report: Report) -> str:
    """For officials."""
    out = StringIO()
    out.write(MARK)
    writer = csv.writer(out)
    writer.writerow(
        ["Cơ quan", "Địa chỉ", "Số thư gửi đến hộp thư miễn phí", "Số thư nhận từ hộp thư miễn phí"]
    )
    for row in report.rows:
        writer.writerow([cell(row.name), row.agency, row.sent, row.received])
    writer.writerow(["Toàn tỉnh", "", report.total.sent, report.total.received])
    return out.getvalue()


def as_json(report: Report) -> str:
    content = {
        "first": str(report.first),
        "last": str(report.last),
        "begun": {edge: str(day) if day else None for edge, day in report.begun.items()},
        "domains": report.domains,
        "agencies": [asdict(row) for row in report.rows],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


FORMATS: dict[str, Callable[[Report], str]] = {"text": as_text, "csv": as_csv, "json": as_json}
