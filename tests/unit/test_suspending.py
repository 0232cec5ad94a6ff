"""What is done on a host for each incident (danhba/suspending)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danhba.suspending import letters, queue, sessions
from danhba.suspending.letters import Letters
from danhba.suspending.queue import Queue
from danhba.suspending.sessions import Sessions
from danhba.suspending.work import Work

NVAN, NAME, AT = "nvan@x.vn", "20261126-160508-nvan", 1_800_000_000.0
OPENED = {"what": "opened", "at": AT}
FACTS = {"messages": 5, "outside": 400, "bounced": 0, "unknown": 0, "spam": 0, "limit": 400,
         "sources": ["198.18.9.9"]}  # fmt: skip


def incident(*, host: str = "mx1", **events: Any) -> dict[str, Any]:
    return {"id": NAME, "account": NVAN, "at": AT, "host": host, "why": "recipients",
            "facts": FACTS, "open": "released" not in events,
            "events": {"opened": OPENED, **events}}  # fmt: skip


def item(queue_id: str, name: str = "deferred", sender: str = NVAN, at: float = AT) -> str:
    return json.dumps({"queue_id": queue_id, "queue_name": name, "sender": sender,
                       "arrival_time": at})  # fmt: skip


def queued(*queue_ids: str) -> list[dict[str, Any]]:
    return [{"queue_id": each, "account": NVAN, "sender": NVAN, "at": AT} for each in queue_ids]


class Host:
    """Remembers which programs were run. there: what postqueue says."""

    def __init__(self) -> None:
        self.there: list[str] = []
        self.ran: list[tuple[str, bytes]] = []
        self.broken = ""

    def run(self, argv: list[str], input: bytes = b"") -> bytes:
        if self.broken and self.broken in argv:
            raise subprocess.CalledProcessError(1, argv)
        if argv[-1] == "-j":
            return "\n".join(self.there).encode()
        self.ran.append((" ".join(argv), input))
        return b""


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    found = Host()
    for module in (letters, queue, sessions):
        monkeypatch.setattr(module, "run", found.run)
    return found


@pytest.fixture
def post(tmp_path: Path) -> Letters:
    (tmp_path / "text").write_text("Tài khoản $account\n$why $sources $id $time\n")
    (tmp_path / "officers").write_text(f"an@x.vn ai@x.vn\n{NVAN} ttkngan@x.vn\n")
    return Letters("/etc/postfix", str(tmp_path / "text"), str(tmp_path / "officers"),
                   "sotttt@x.vn", "postmaster@x.vn", "Hệ thống")  # fmt: skip


def test_what_is_his_is_held_and_nothing_else(host: Host, tmp_path: Path) -> None:
    host.there = [
        item("A1"), item("A2", "active"), item("A3", "hold"), item("A4", at=AT + 100),
        item("A5", sender="ai@x.vn"), item("B1"),
    ]  # fmt: skip
    Queue("/p", tmp_path / "held").hold([incident()], queued("A1", "A2", "A3", "A4", "A5"))
    assert host.ran == [("postsuper -c /p -h -", b"A1\nA2\n")]


@pytest.mark.parametrize(("way", "option"), [("go", "-H"), ("return", "-f")])
def test_what_was_held_is_let_go_after_a_restart_as_well(
    host: Host, tmp_path: Path, way: str, option: str
) -> None:
    host.there = [item("A1")]
    Queue("/p", tmp_path / "held").hold([incident()], queued("A1"))
    host.ran.clear()
    again = Queue("/p", tmp_path / "held")
    ended = [incident(released={"queue": way, "at": AT, "by": "an"})]
    host.broken = option
    with pytest.raises(subprocess.CalledProcessError):
        again.let_go(ended)
    host.broken = ""
    again.let_go(ended)
    again.let_go(ended)
    assert host.ran == [(f"postsuper -c /p {option} -", b"A1\n"), ("postqueue -c /p -f", b"")]


def work(
    found: list[dict[str, Any]], clock: Callable[[], float], told: list[str],
    queue: Queue | None = None, post: Letters | None = None, name: str = "mx1",
) -> Work:  # fmt: skip
    def ask(request: dict[str, Any]) -> dict[str, Any]:
        if request["do"] == "told":
            told.append(request["id"])
            found[0]["events"]["told"] = {}
        return {"incidents": found, "queued": queued("A1")}

    return Work(ask, Sessions(["/end"]), queue, post, name, clock)


def test_sessions_end_for_as_long_as_one_may_be_on_its_way(host: Host) -> None:
    now = AT
    at_store = work([incident()], lambda: now, [])
    at_store.look()
    now += 5
    at_store.look()
    now += 6
    at_store.look()
    assert host.ran == [(f"/end {NVAN}", b"")] * 2


def test_one_edge_writes_and_another_when_it_does_not(host: Host, post: Letters) -> None:
    for name, after in (("mx1", 4), ("mx2", 61)):
        now, told, found = AT, [], [incident()]
        edge = work(found, lambda: now, told, post=post, name=name)  # noqa: B023
        edge.look()
        assert not told
        now += after
        edge.look()
        edge.look()
        assert told == [NAME]
    letters = [argv for argv, _ in host.ran if argv.startswith("sendmail")]
    assert letters == ["sendmail -C /etc/postfix -i -f <> -- sotttt@x.vn ttkngan@x.vn"] * 2


def test_the_letter_says_why_in_vietnamese(post: Letters) -> None:
    letter = post.letter(incident(), ["sotttt@x.vn"])
    assert letter["Subject"] == f"Tài khoản {NVAN}"
    text = letter.get_content()
    assert "thư đến 400 địa chỉ bên ngoài tỉnh (ngưỡng: 400)" in text
    assert "198.18.9.9" in text and NAME in text


@pytest.mark.parametrize("why", ["recipients", "spam", "bounces", "unknown"])
def test_every_reason_has_words(post: Letters, why: str) -> None:
    assert "(ngưỡng: 400)" in post.letter({**incident(), "why": why}, ["a@x.vn"]).get_content()
