"""What an engineer types is recorded, and read by others later: a line of it stays one line."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click
import pytest
from click.testing import CliRunner

from danhba.audit import Event
from danhba.commands import audit, main
from danhba.commands.common import TEXT

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
FORGED = "Trần Thị Bình\n2026-11-27 09:00:00+07:00 export an@may [vault1] case 1"
RECORDED = {
    ("export",): {"case", "authority", "mailboxes", "approved"},
    ("hold", "add"): {"case", "authority", "number", "mailboxes", "note"},
    ("hold", "release"): {"case", "decision"},
    ("restore", "mailbox"): {"address", "folder", "message_id"},
    ("archive", "search"): {"address", "agency", "message_ids", "why"},
}


@pytest.mark.parametrize("words", RECORDED)
def test_what_is_recorded_in_words_is_of_the_one_type(words: tuple[str, ...]) -> None:
    command: click.Command = main
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found
        command = found
    assert {each.name for each in command.params if each.type is TEXT} == RECORDED[words]


@pytest.mark.parametrize("breaks", ["\n", "\r", "\x1b[2K", "\x85", "\u2028", "\udcff", "\0"])
def test_a_line_break_or_a_control_character_is_refused_at_the_option(breaks: str) -> None:
    words = ["archive", "search", "staging", "--address", "nvan", "--why", f"kiểm tra{breaks}x"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2 and "has a line break or a control character" in done.output
    assert len([line for line in done.output.splitlines() if "kiểm tra" in line]) == 1


def test_names_of_folders_are_let_through() -> None:
    for name in ("Công văn đến", "L&AbA-u/c d", "\u2764\ufe0f", "a\u200db", ""):
        assert TEXT.convert(name, None, None) == name


def test_a_record_with_a_line_break_is_told_on_one_line() -> None:
    event = Event(datetime(2026, 11, 26, tzinfo=UTC), "export", FORGED, f"approved {FORGED}",
                  ("vault1",), {})  # fmt: skip
    told = audit._text(event, ZONE)
    assert "\n" not in told and "\\x0a2026-11-27 09:00:00+07:00 export" in told
    assert "Trần Thị Bình" in told
