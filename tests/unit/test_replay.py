"""Replay, part by part: what a mailbox lacks, and how it comes back (docs/replay.md)."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import stat
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from test_deploys import DIRECTORY, ENV

from danhba import replaying
from danhba.errors import DanhbaError
from danhba.journal.ids import arrived
from danhba.journal.index import Index
from danhba.journal.segment import Segment
from danhba.placement import Failure, Remembered
from danhba.replay import delivering, missing, queues, wanted
from danhba.replay.programs import _COMMAND, _sources
from danhba.replaying import addresses, boxes_of

DOMAIN = DIRECTORY.domain
EDGES = {"mx1.x.vn": "mx1", "mx2.x.vn": "mx2"}


def program(place: Path, name: str, text: str) -> None:
    """A program in the place of Postfix's or Dovecot's."""
    path = place / name
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    program(tmp_path, "postqueue", "")
    return tmp_path


# Names


def test_a_long_queue_id_says_when_the_edge_had_the_message() -> None:
    """postconf(5): 3Pt2mN2VXxznjll is of 2011-10-25; any other kind has no time."""
    second = arrived("mx1/3Pt2mN2VXxznjll")
    assert second is not None
    assert datetime.fromtimestamp(second, UTC).year in range(2011, 2014)
    assert arrived("mx1/7B1A22C0F3") is None
    assert arrived("mx1/") is None


# Who gets what


def test_names_of_today_lead_to_accounts_and_nobody_else_is_meant() -> None:
    box = DIRECTORY.mailboxes[0]
    led = addresses(DIRECTORY, [box])
    assert f"{box.account}@{DOMAIN}" in led
    names = {name.address for name in DIRECTORY.names if name.account == box.account}
    assert led.keys() == {f"{each}@{DOMAIN}" for each in {box.account, *names}}
    for name in DIRECTORY.names:
        found = next(each for each in DIRECTORY.mailboxes if each.account == name.account)
        assert addresses(DIRECTORY, [found])[f"{name.address}@{DOMAIN}"] == name.account


def test_a_store_means_its_mailboxes_also_while_it_is_failed_over() -> None:
    store = ENV.having("store")[0].name
    before = boxes_of(DIRECTORY, ENV, [store])
    assert before
    failed = Failure(store, datetime.now(UTC).date(), "an")
    env = replace(ENV, remembered=Remembered(failed_over=(failed,)))
    assert boxes_of(DIRECTORY, env, [store]) == before


def test_who_is_withdrawn_gets_nothing_and_a_stranger_is_named() -> None:
    box = DIRECTORY.mailboxes[0]
    gone = replace(DIRECTORY, mailboxes=(replace(box, state="withdrawn"),))
    with pytest.raises(DanhbaError, match="receives mail any more"):
        boxes_of(gone, ENV, [box.address])
    with pytest.raises(DanhbaError, match="khongai is neither a store nor an address"):
        boxes_of(DIRECTORY, ENV, ["khongai"])


# The archive


@pytest.mark.parametrize("few", [0, 500])
def test_the_archive_names_messages_by_recipient_and_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(wanted, "_FEW", few)
    index = Index(tmp_path / "index.db")
    segment = Segment("2026/11/26", 1)

    def mail(n: int, hour: int, identity: str, sender: str, *to: str) -> tuple[Segment, int, dict]:
        return segment, n, {
            "n": n, "time": f"2026-11-26T{hour:02}:00:00.000Z", "kind": "mail", "id": identity,
            "message_id": "", "size": 1, "class": "", "from": sender, "to": to, "agencies": [],
        }  # fmt: skip

    index.add([
        mail(1, 1, "mx1/a", "lan@x.test", "an@x.vn"),
        mail(2, 5, "mx1/b", "lan@x.test", "An@x.vn", "bi.danh@x.vn"),
        mail(3, 6, "mx2/c", "an@x.vn", "nguoi.la@x.vn"),
    ])  # fmt: skip
    request = {
        "index": str(tmp_path / "index.db"), "first": "2026-11-26T05:00:00.000Z",
        "accounts": {"an@x.vn": "an", "bi.danh@x.vn": "binh"},
    }  # fmt: skip
    out = io.BytesIO()
    wanted.main(io.BytesIO(json.dumps(request).encode() + b"\n"), out)
    rows = out.getvalue().decode().splitlines()
    assert sorted(rows[:-1]) == ["2 mx1/b an", "2 mx1/b binh"]
    assert rows[-1] == "."


def test_without_an_index_nothing_is_made(tmp_path: Path) -> None:
    request = {"index": str(tmp_path / "index.db"), "first": "", "accounts": {}}
    with pytest.raises(sqlite3.OperationalError):
        wanted.main(io.BytesIO(json.dumps(request).encode() + b"\n"), io.BytesIO())
    assert not (tmp_path / "index.db").exists()


# The store


_RECEIVED = (
    "from mx1.x.vn (mx1.x.vn [10.0.0.1])\n\tby store1.x.vn (danhba-store) with ESMTPS id {own}"
    "\n\tfor <an@x.vn>; Thu, 26 Nov 2026 20:00:00 +0000 (UTC)\n"
    "from lan.test (lan.test [10.9.9.9])\n\tby {edge} (Postfix) with ESMTP id {id}"
    "\n\tfor <an@x.vn>; Thu, 26 Nov 2026 20:00:00 +0000 (UTC)\n"
    "from may.test (may.test)\n\tby mx2.x.vn (Postfix) with ESMTP id 4forged0000z1\n\t; x"
)


def received(edge: str, queue_id: str) -> str:
    return _RECEIVED.format(own="4own", edge=edge, id=queue_id)


DOVEADM = """
import pathlib, sys
place = pathlib.Path(__file__).parent
place.joinpath("asked").write_text(" ".join(sys.argv[1:]))
print(open(place / "held").read(), end="")
said = place.joinpath("said").read_text() if place.joinpath("said").exists() else ""
print(said, end="", file=sys.stderr)
sys.exit(75 if said else 0)
"""


def hold(place: Path, *rows: tuple[str, str, str]) -> None:
    """What doveadm shows: account, edge, queue id."""
    held = [
        {"user": f"{account}@x.vn", "hdr.received": received(edge, queue_id)}
        for account, edge, queue_id in rows
    ]
    (place / "held").write_text(json.dumps(held, separators=(",", ":")))
    program(place, "doveadm", DOVEADM)


def lacking(given: str, absent: tuple[str, ...] = ()) -> tuple[list[str], dict[str, Any]]:
    request = {"edges": EDGES, "domain": "x.vn", "absent": absent}
    out = io.BytesIO()
    missing.main(io.BytesIO(f"{json.dumps(request)}\n{given}".encode()), out)
    *rows, figures = out.getvalue().decode().splitlines()
    return rows, json.loads(figures)


IDS = [f"3Pt2mN2VXxz{letter}" for letter in "bcdfg"]


def test_what_is_in_no_folder_is_missing_by_the_id_of_its_edge(place: Path) -> None:
    """Each mailbox for itself; a Received below the edge's own is not believed."""
    hold(place, ("an", "mx1.x.vn", IDS[0]), ("binh", "mx2.x.vn", IDS[1]))
    rows, figures = lacking(
        f"1 mx1/{IDS[0]} an\n1 mx1/{IDS[0]} binh\n2 mx2/{IDS[1]} binh\n3 mx2/{IDS[1]} an\n"
        f"4 mx2/4forged0000z1 an\n4 mx1/{IDS[2]} an\n5 mx1/{IDS[2]} binh\n.\n.\n"
    )
    assert rows == [f"mx1/{IDS[0]} binh", f"mx1/{IDS[2]} an binh", f"mx2/{IDS[1]} an",
                    "mx2/4forged0000z1 an"]  # fmt: skip
    assert figures == {
        "wanted": 7,
        "absent": 0,
        "queued": 0,
        "there": 2,
        "missing": 5,
        "failed": [],
    }


def test_mailboxes_are_looked_at_from_before_the_oldest_message(place: Path) -> None:
    """The archive may have caught up days later: its own time is of no use here."""
    hold(place)
    lacking(f"1 mx1/{IDS[0]} an\n.\n.\n")
    second = arrived(IDS[0])
    assert second is not None
    asked = (place / "asked").read_text()
    assert asked.endswith(f"user hdr.received savedsince {second - 3600}")
    lacking(f"1 mx1/{IDS[0]} an\n2 mx1/7B1A22C0F3 an\n.\n.\n")
    assert (place / "asked").read_text().endswith("user hdr.received all")
    (place / "asked").unlink()
    assert lacking(".\n.\n")[0] == []
    assert not (place / "asked").exists()


def test_what_an_edge_will_still_deliver_is_left_to_it(place: Path) -> None:
    hold(place)
    rows, figures = lacking(f"1 mx1/{IDS[0]} an\n1 mx1/{IDS[0]} binh\n.\nmx1/{IDS[0]} binh\n.\n")
    assert rows == [f"mx1/{IDS[0]} an"]
    assert figures["queued"] == 1


def test_what_the_store_itself_has_accepted_is_left_to_it(place: Path) -> None:
    hold(place)
    waiting = {"queue_id": "4own", "recipients": [{"address": "An@x.vn"}, {"address": "la@y.vn"}]}
    program(place, "postqueue", f"print({json.dumps(json.dumps(waiting))})")
    lines = received("mx1.x.vn", IDS[0]).replace("\nfrom", "\nReceived: from")
    program(place, "postcat", f"print({'Received: ' + lines!r})")
    rows, figures = lacking(f"1 mx1/{IDS[0]} an\n1 mx1/{IDS[1]} an\n.\n.\n")
    assert rows == [f"mx1/{IDS[1]} an"]
    assert figures["queued"] == 1


def test_what_an_edge_took_that_is_away_is_left_out(place: Path) -> None:
    hold(place)
    rows, figures = lacking(f"1 mx1/{IDS[0]} an\n2 mx2/{IDS[1]} an\n.\n.\n", absent=("mx2",))
    assert rows == [f"mx1/{IDS[0]} an"]
    assert figures["absent"] == 1


def test_a_mailbox_that_cannot_be_read_gets_nothing(place: Path) -> None:
    hold(place)
    (place / "said").write_text("doveadm(an@x.vn): Error: Mailbox INBOX: Corrupted\n")
    rows, figures = lacking(f"1 mx1/{IDS[0]} an\n1 mx1/{IDS[0]} binh\n.\n.\n")
    assert rows == [f"mx1/{IDS[0]} binh"]
    assert figures["failed"] == ["an"]
    (place / "said").write_text("doveadm: Fatal: no such thing\n")
    with pytest.raises(RuntimeError, match="no such thing"):
        lacking(f"1 mx1/{IDS[0]} an\n.\n.\n")


def test_who_is_cut_off_in_between_delivers_nothing(place: Path) -> None:
    hold(place)
    with pytest.raises(EOFError):
        lacking(f"1 mx1/{IDS[0]} an\n.\nmx1/{IDS[0]} an\n")


# Into mailboxes

LMTP = """
import json, sys
say = lambda text: print(text, end="\\r\\n", flush=True)
say("220 hello")
rcpts, got = [], open(sys.argv[1], "a")
while line := sys.stdin.readline():
    word = line.rstrip().split(":")[0]
    if word == "LHLO localhost":
        say("250-hello"); say("250 SIZE")
    elif word == "RCPT TO":
        ok = "lost" not in line
        rcpts += [line.rstrip()] if ok else []
        say("250 ok" if ok else "550 5.1.1 unknown")
    elif word == "DATA":
        say("354 go")
        text = []
        while (row := sys.stdin.readline().replace("\\r", "")) != ".\\n":
            text.append(row)
        got.write(json.dumps([rcpts, "".join(text)]) + "\\n"); got.flush()
        for rcpt in rcpts:
            say("452 4.2.2 later" if "full" in rcpt else "250 saved")
        rcpts = []
    else:
        rcpts = [] if word == "MAIL FROM" else rcpts
        say("250 ok")
"""


@pytest.fixture(autouse=True)
def _dovecot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "_PLACE", "/")


def deliver(place: Path, monkeypatch: pytest.MonkeyPatch, *frames: tuple[list[str], bytes]) -> Any:
    program(place, "lmtp", LMTP)
    argv = [str(place / "lmtp"), str(place / "got")]
    monkeypatch.setattr(delivering, "command", lambda sink: argv)
    stream = json.dumps({"domain": "x.vn", "sink": 10027}).encode() + b"\n"
    for to, content in frames:
        head = {"id": "mx1/x", "from": "lan@x.test", "to": to, "bytes": len(content)}
        stream += json.dumps(head).encode() + b"\n" + content
    out = io.BytesIO()
    delivering.main(io.BytesIO(stream), out)
    return json.loads(out.getvalue())


def test_messages_go_in_as_they_are_and_each_recipient_counts(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = deliver(
        place, monkeypatch,
        (["an", "lost", "full"], b"A: b\r\n\r\n.dot\n..\nend"),
        (["lost"], b"x"), (["an"], b"y\r\n"),
    )  # fmt: skip
    assert (figures["delivered"], figures["refused"]) == (2, 3)
    assert "mx1/x for full@x.vn: 452 4.2.2 later" in figures["why"]
    rows = [json.loads(row) for row in (place / "got").read_text().splitlines()]
    assert rows[0] == [
        ["RCPT TO:<an@x.vn>", "RCPT TO:<full@x.vn>"], "A: b\n\n..dot\n...\nend\n",
    ]  # fmt: skip
    assert rows[1] == [["RCPT TO:<an@x.vn>"], "y\n"]


def test_a_message_that_is_cut_off_goes_nowhere(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(place, "lmtp", LMTP)
    monkeypatch.setattr(delivering, "command", lambda sink: [str(place / "lmtp"), "/dev/null"])
    stream = (
        b'{"domain": "x.vn", "sink": 1}\n{"id": "", "from": "", "to": ["an"], "bytes": 9}\nshort'
    )
    with pytest.raises(EOFError):
        delivering.main(io.BytesIO(stream), io.BytesIO())


def test_dovecot_writes_to_nobody_and_has_room() -> None:
    argv = delivering.command(10027)
    assert "submission_host=127.0.0.1:10027" in argv


# Edges


def test_an_edge_waits_for_its_journal_and_tells_its_queue(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "_PAUSE", 0)
    main = [
        {"queue_id": "4a", "arrival_time": 1, "recipients": [{"address": "An@x.vn"}]},
        {"queue_id": "4b", "arrival_time": 1,
         "recipients": [{"address": "an=x.vn@journal.invalid"}]},
        {"queue_id": "4c", "arrival_time": 2**40, "recipients": [{"address": "la@y.vn"}]},
    ]  # fmt: skip
    text = "".join(json.dumps(each) + "\n" for each in main)
    program(
        place,
        "postqueue",
        f"import sys\nif '/m' in sys.argv and '-j' in sys.argv: print({text!r}, end='')",
    )
    request = {"postfix": "/m", "journal": "/j", "edge": "mx1", "domain": "x.vn", "limit": 0}
    out = io.BytesIO()
    queues.main(io.BytesIO(json.dumps(request).encode() + b"\ngo\n"), out)
    assert out.getvalue().decode().splitlines() == ['{"waiting": 1}', "mx1/4a an@x.vn", "."]


# On its way


def test_a_program_runs_from_what_it_is_sent(place: Path) -> None:
    """As on a host: nothing but Debian's python3 and standard input."""
    import subprocess

    given = _sources("missing") + b"\n" + json.dumps(
        {"edges": EDGES, "domain": "x.vn", "absent": []}
    ).encode() + b"\n.\n.\n"  # fmt: skip
    command = f"cd / && env -i PATH=$PATH {_COMMAND}"
    done = subprocess.run(["sh", "-c", command], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["missing"] == 0


def test_figures_of_stores_add_up() -> None:
    outcome = replaying.Outcome()
    outcome.add({"missing": 2, "failed": ["an"]})
    outcome.add({"missing": 3})
    assert outcome["missing"] == 5
    assert outcome["there"] == 0
