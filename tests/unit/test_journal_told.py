"""What the chain says besides messages, for danhba audit."""

from __future__ import annotations

from pathlib import Path

from journal_parts import archive, mail

from danhba.journal import entry
from danhba.journal.chain import Item
from danhba.journal.told import told

DAY = 86400.0
BEGUN = 1795723200.0


def test_readers_are_told_from_a_time_on_and_messages_never(tmp_path: Path) -> None:
    now = [BEGUN]
    writer = archive(tmp_path, clock=lambda: now[0], steady=lambda: now[0])
    for day in range(5):
        now[0] = BEGUN + day * DAY
        read = {"kind": entry.READ, "who": f"an{day}", "why": '"kind":"read"', "case": ""}
        writer.append([mail(day), Item(read)])
    writer.close()
    assert [each["who"] for each in told(writer.root, "")] == [f"an{day}" for day in range(5)]
    since = entry.stamp(BEGUN + 3 * DAY)
    assert [each["who"] for each in told(writer.root, since)] == ["an3", "an4"]
