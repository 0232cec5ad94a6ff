"""What a drill chooses, and what restic brings of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from drills import CONFIG

from danhba.drill.fetch import COUNTS, INDEXES, LEARNED, MAIL, Fetch, clear
from danhba.drill.restic import Repository, ResticError, Snapshot, reason
from danhba.drill.sample import choose
from danhba.drill.troubles import Trouble


def kinds(troubles: Iterable[Trouble]) -> list[str]:
    return [each.kind for each in troubles]


def test_every_store_is_in_a_sample_and_a_seed_repeats_it() -> None:
    held = {"store1": [f"a{n}" for n in range(50)], "store2": ["b"], "store3": []}
    none = dict.fromkeys(held, ())
    chosen = choose(held, none, 10, seed=7)
    assert sum(map(len, chosen.values())) == 10
    assert chosen["store2"] == ("b",) and chosen["store3"] == ()
    again = {store: list(reversed(own)) for store, own in reversed(held.items())}
    assert choose(again, none, 10, seed=7) == chosen
    assert choose(held, none, 10, seed=8) != chosen


def test_mailboxes_with_mail_are_drawn_first() -> None:
    held = {"store1": [f"a{n}" for n in range(50)], "store2": [f"b{n}" for n in range(50)]}
    first = {"store1": {"a7", "a31"}, "store2": {"b3"}}
    for seed in range(20):
        chosen = choose(held, first, 4, seed)
        assert {"a7", "a31"} <= {*chosen["store1"]} and "b3" in chosen["store2"]
        assert sum(map(len, chosen.values())) == 4


def test_a_sample_smaller_than_the_stores_still_has_each_store() -> None:
    assert choose({"store1": ["a", "b"], "store2": ["c"]}, {"store1": (), "store2": ()}, 1, seed=1)[
        "store2"
    ] == ("c",)


def snapshot(tag: str, hour: int, *accounts: str) -> Snapshot:
    paths = [f"{top}/{account}" for account in accounts for top in (MAIL, INDEXES)]
    return Snapshot(f"{tag}@{hour}", tag, f"2026-11-26T{hour:02}:00:00Z", frozenset(paths))


@dataclass
class Fake(Repository):
    """A repository as restic would tell of it. broken: what of it cannot be read."""

    path: Path = Path()
    password: str = ""
    held: tuple[Snapshot, ...] = ()
    broken: str = ""
    counts: str = "{}"
    had: bool = True
    restored: list[str] = field(default_factory=list)

    @property
    def snapshots(self) -> list[Snapshot]:  # type: ignore[override]
        if self.broken == "snapshots":
            raise ResticError("wrong password or no key found")
        return list(self.held)

    def restore(self, snapshot: Snapshot, paths: Iterable[str], target: Path) -> dict[str, Any]:
        if self.broken == "restore":
            raise ResticError("ciphertext verification failed")
        self.restored += [f"{snapshot.number} {path}" for path in paths]
        return {"bytes_restored": 100}

    def dump(self, snapshot: Snapshot, path: str) -> str:
        assert (snapshot.tag, path) == ("mail-all", COUNTS)
        return self.counts

    def ever_had(self, path: str) -> bool:
        assert path == LEARNED
        return self.had


def fetched(tmp_path: Path, repositories: Mapping[str, Fake]) -> dict[str, Any]:
    return Fetch(CONFIG, repositories, tmp_path).run(10, seed=1)


def repositories(**more: Fake) -> dict[str, Fake]:
    """nvan's mailbox has changed after the last backup of all, lvb's was new then."""
    held = (
        snapshot("mail-all", 1, "nvan", "gone"),
        snapshot("mail", 2, "nvan", "tthoa"),
        snapshot("mail-all", 3, "nvan", "tthoa"),
        snapshot("host", 3),
        snapshot("mail", 4, "nvan", "lvb"),
        snapshot("mail", 5, "lvb"),
    )
    return {name: Fake(held=held) for name in ("store1", "store2", "mx1")} | more


def test_of_each_mailbox_the_newest_snapshot(tmp_path: Path) -> None:
    made = repositories()
    found = fetched(tmp_path, made)
    assert not found["troubles"] and found["seed"] == 1
    own = {"nvan": "mail@4", "tthoa": "mail-all@3", "lvb": "mail@5"}
    assert {(row["host"], row["account"], row["snapshot"]) for row in found["mailboxes"]} == {
        (store, *each) for store in ("store1", "store2") for each in own.items()
    }
    assert "mail@4 /srv/mail/nvan" in made["store1"].restored
    assert "mail-all@3 /srv/mail/nvan" not in made["store1"].restored
    assert found["people"]["host"] == "store1" and found["edge"]["host"] == "mx1"
    assert found["bytes"] == 800


@pytest.mark.parametrize(
    ("broken", "said"),
    [("snapshots", "wrong password"), ("restore", "ciphertext verification failed")],
)
def test_a_repository_that_cannot_be_read(tmp_path: Path, broken: str, said: str) -> None:
    made = repositories()
    made["store2"].broken = broken
    found = fetched(tmp_path, made)
    assert {(row["kind"], row["where"]) for row in found["troubles"]} == {("unreadable", "store2")}
    assert said in found["troubles"][0]["detail"]
    assert {row["host"] for row in found["mailboxes"]} == {"store1"}


def test_a_host_without_any_backup(tmp_path: Path) -> None:
    found = fetched(tmp_path, repositories(mx1=Fake(), store2=Fake()))
    assert [(row["kind"], row["where"]) for row in found["troubles"]] == [
        ("no-backup", "store2"),
        ("no-backup", "mx1"),
    ]


def test_a_store_without_a_mailbox_says_so_and_is_no_failed_drill(tmp_path: Path) -> None:
    new = Fake(held=(snapshot("mail-all", 1), snapshot("host", 3), snapshot("mail-all", 3)))
    assert fetched(tmp_path, repositories(store2=new))["troubles"] == []
    lost = Fake(held=(snapshot("mail-all", 1, "nvan"), snapshot("mail-all", 3)))
    found = fetched(tmp_path, repositories(store2=lost))
    assert [(row["kind"], row["where"]) for row in found["troubles"]] == [("no-backup", "store2")]


def test_the_sample_has_mail_and_says_how_much_was_noted(tmp_path: Path) -> None:
    accounts = [f"a{n}" for n in range(60)]
    own = Fake(held=(snapshot("mail-all", 1, *accounts), snapshot("mail", 2, "a9")))
    own.counts = json.dumps({"a9": 4, "a17": 3, "a40": 0})
    for seed in range(9):
        found = Fetch(CONFIG, repositories(store1=own), tmp_path).run(5, seed)
        rows = {
            row["account"]: row["noted"] for row in found["mailboxes"] if row["host"] == "store1"
        }
        assert rows.items() >= {"a9": 0, "a17": 3}.items()  # a9 has changed since it was noted


@pytest.mark.parametrize("noted", ["", "[]", "{", '{"nvan": "x"}', '{"nvan": null}'])
def test_a_note_of_messages_that_is_none_stops_nothing(tmp_path: Path, noted: str) -> None:
    found = fetched(
        tmp_path, repositories(store1=Fake(held=repositories()["mx1"].held, counts=noted))
    )
    assert not found["troubles"] and {row["noted"] for row in found["mailboxes"]} == {0}


@pytest.mark.parametrize(("had", "restored", "dumped"), [
    (False, False, False), (True, False, True), (False, True, True),
])  # fmt: skip
def test_what_was_learned_has_to_be_there_once_it_was(
    tmp_path: Path, had: bool, restored: bool, dumped: bool
) -> None:
    if restored:
        (tmp_path / "mx1/var/lib/valkey").mkdir(parents=True)
        (tmp_path / "mx1/var/lib/valkey/dump.rdb").touch()
    made = repositories(mx1=Fake(held=repositories()["mx1"].held, had=had))
    assert fetched(tmp_path, made)["edge"]["dumped"] is dumped


def test_the_first_thing_that_restic_says_is_told() -> None:
    rows = [
        {"message_type": "error", "error": {"message": "ciphertext verification failed"},
         "item": "/srv/mail/nvan"},
        {"message_type": "exit_error", "code": 1, "message": "Fatal: There were 2 errors"},
    ]  # fmt: skip
    said = "".join(json.dumps(row) + "\n" for row in rows)
    assert reason(said) == "/srv/mail/nvan: ciphertext verification failed"
    assert reason("Fatal: wrong password\n") == "Fatal: wrong password"
    assert reason("") == ""


def test_nothing_stays_of_a_sample_whatever_rights_it_came_with(tmp_path: Path) -> None:
    closed = tmp_path / "tree" / "closed"
    closed.mkdir(parents=True)
    (closed / "u.1").write_text("x")
    (tmp_path / "link").symlink_to("/etc")
    closed.chmod(0)
    clear(tmp_path)
    assert not list(tmp_path.iterdir()) and Path("/etc/passwd").exists()
