"""Restore drills: each comparison is broken once, and what is told of it comes out whole."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from danhba.drill import keys, mailboxes, people
from danhba.drill.config import Config
from danhba.drill.fetch import COUNTS, INDEXES, LEARNED, MAIL, Fetch, clear
from danhba.drill.figures import combine
from danhba.drill.records import Records
from danhba.drill.restic import Repository, ResticError, Snapshot, reason
from danhba.drill.sample import choose
from danhba.drill.troubles import Trouble, some

CONFIG = Config(
    host="vault1",
    province="An Giang",
    basis="50/2009/QĐ-UBND",
    timezone="Asia/Ho_Chi_Minh",
    suffix="dc=angiang,dc=gov,dc=vn",
    stores=("store1", "store2"),
    people=("store1",),
    edges=("mx1",),
    mailboxes=4,
    repositories="",
    turn="",
)
NOW = "2026-11-26T20:00:00+00:00"


def kinds(troubles: Iterable[Trouble]) -> list[str]:
    return [each.kind for each in troubles]


# The sample


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


# A mailbox


@dataclass
class Dovecot:
    """What doveadm answers in place of Dovecot."""

    counts: dict[str, int]
    fails: str = ""

    def __call__(
        self, config: Path, home: Path, command: tuple[str, ...], *argv: str, out: int = 0
    ) -> str:
        if command[0] == self.fails:
            raise subprocess.CalledProcessError(75, "doveadm", stderr="Corrupted dbox file")
        rows = [{"mailbox": name, "messages": str(n)} for name, n in self.counts.items()]
        return json.dumps(rows) if command[0] == "mailbox" else ""


@dataclass
class Box:
    """A restored mailbox with two messages in INBOX and one in a folder."""

    tree: Path
    work: Path
    dovecot: Dovecot

    @property
    def home(self) -> Path:
        return self.tree / MAIL[1:] / "nvan"

    @property
    def manifest(self) -> Path:
        return self.tree / INDEXES[1:] / "nvan" / mailboxes.MANIFEST

    def message(self, name: str = "INBOX/dbox-Mails/u.1") -> Path:
        return self.home / "mail/mailboxes" / name

    def look(self) -> mailboxes.Looked:
        return mailboxes.look(self.tree, self.work, "store1", "nvan")


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    made = Box(tmp_path / "tree", tmp_path / "work", Dovecot({"INBOX": 2, "L&AbA-u/c d": 1}))
    made.work.mkdir()
    monkeypatch.setattr(mailboxes, "_doveadm", made.dovecot)
    rows = []
    for name in ("INBOX/dbox-Mails/u.1", "INBOX/dbox-Mails/u.2", "L&AbA-u/c d/dbox-Mails/u.1"):
        path = made.message(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        row = {"path": f"mail/mailboxes/{name}", "size": len(name) + 1, "sha256": digest}
        rows.append(json.dumps(row) + "\n")
    made.manifest.parent.mkdir(parents=True)
    made.manifest.write_text("".join(rows))
    index = made.manifest.parent / "mail/mailboxes/INBOX/dbox-Mails/dovecot.index.log"
    index.parent.mkdir(parents=True)
    index.write_text("flags")
    return made


def test_a_mailbox_that_is_as_backed_up(box: Box) -> None:
    found = box.look()
    assert not found.troubles
    assert (found.files, found.right) == (3, 3)
    assert found.json()["messages"] == [3, 3]
    assert found.folders == {"INBOX": (2, 2), "L&AbA-u/c d": (1, 1)}
    # Dovecot looked with the indexes of the backup.
    assert box.message("INBOX/dbox-Mails/dovecot.index.log").read_text() == "flags"


def test_a_message_that_is_not_there(box: Box) -> None:
    box.message().unlink()
    found = box.look()
    assert kinds(found.troubles) == ["missing"] and found.right == 2
    assert "INBOX/dbox-Mails/u.1" in found.troubles[0].detail


def test_a_message_of_which_one_letter_is_another(box: Box) -> None:
    content = box.message().read_bytes()
    box.message().write_bytes(content.replace(b"INBOX", b"INB0X"))
    assert kinds(box.look().troubles) == ["damaged"]


def test_what_is_no_file_is_not_opened(box: Box) -> None:
    content = box.message().read_bytes()
    box.message().unlink()
    (box.tree / "elsewhere").write_bytes(content)
    box.message().symlink_to(box.tree / "elsewhere")  # the same content, and yet another's file
    os.mkfifo(box.message("INBOX/dbox-Mails/u.9"))
    box.manifest.write_text(box.manifest.read_text().replace("u.2", "u.9", 1))
    [trouble] = box.look().troubles
    assert trouble.kind == "missing" and "u.1" in trouble.detail and "u.9" in trouble.detail


def test_dovecot_sees_one_message_less(box: Box) -> None:
    box.dovecot.counts["INBOX"] = 1
    found = box.look()
    assert kinds(found.troubles) == ["count"]
    assert "INBOX: 1 of 2" in found.troubles[0].detail
    assert found.json()["messages"] == [3, 2]


def test_dovecot_does_not_see_a_folder(box: Box) -> None:
    del box.dovecot.counts["L&AbA-u/c d"]
    assert "0 of 1" in box.look().troubles[0].detail


@pytest.mark.parametrize("command", ["force-resync", "mailbox", "fetch"])
def test_dovecot_cannot_open_it(box: Box, command: str) -> None:
    box.dovecot.fails = command
    [trouble] = box.look().troubles
    assert trouble.kind == "dovecot" and "Corrupted dbox file" in trouble.detail


@pytest.mark.parametrize("text", [None, "", "{", '{"path": 1}\n', "[]\n"])
def test_a_manifest_that_is_none(box: Box, text: str | None) -> None:
    if text is None:
        box.manifest.unlink()
    else:
        box.manifest.write_text(text)
    found = box.look()
    # An empty manifest says that there is no mail; Dovecot sees three messages.
    assert kinds(found.troubles) == (["count"] if text == "" else ["no-manifest"])


# LDAP


LDIF = b"""dn: dc=x
objectClass: dcObject
dc: x

dn: uid=a,dc=x
uid: a
description: a long line that
  goes on

dn: uid=b,dc=x
uid: b

"""


def tree_of(found: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> people.Entries:
    def slap(name: str, *argv: str) -> bytes:
        if name == "slapadd" and not found:
            raise subprocess.CalledProcessError(1, name, stderr=b"line 5: no structuralObjectClass")
        return found

    monkeypatch.setattr(people, "_slap", slap)
    (tmp_path / "people.ldif").write_bytes(LDIF)
    return people.look(tmp_path / "people.ldif", tmp_path, "dc=x", "store1")


def test_the_tree_is_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = LDIF.replace(b"that\n  goes", b"that goes")
    other = other.replace(b"objectClass: dcObject\ndc: x", b"dc: x\nobjectClass: dcObject")
    found = tree_of(other, monkeypatch, tmp_path)
    assert (found.wanted, found.found, found.troubles) == (3, 3, [])


def test_an_entry_is_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = tree_of(LDIF.partition(b"dn: uid=b")[0], monkeypatch, tmp_path)
    assert (found.wanted, found.found, kinds(found.troubles)) == (3, 2, ["entries"])
    assert "uid=b" in found.troubles[0].detail


def test_an_entry_is_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = tree_of(LDIF.replace(b"uid: b", b"uid: c"), monkeypatch, tmp_path)
    assert (found.wanted, found.found, kinds(found.troubles)) == (3, 3, ["entries"])


def test_slapadd_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    [trouble] = tree_of(b"", monkeypatch, tmp_path).troubles
    assert trouble.kind == "ldif" and "structuralObjectClass" in trouble.detail


def test_no_ldif_at_all(tmp_path: Path) -> None:
    assert kinds(people.look(tmp_path / "no.ldif", tmp_path, "dc=x", "s").troubles) == [
        "no-entries"
    ]


# Keys


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two keys with their public halves; valkey's checker says yes."""
    folder = tmp_path / "keys" / "mx1-1"
    folder.mkdir(parents=True)
    rsa = folder / "rsa.key"
    subprocess.run(["openssl", "genrsa", "-out", rsa, "2048"], check=True, capture_output=True)
    argv = ["openssl", "pkey", "-in", str(rsa), "-pubout", "-outform", "DER"]
    half = subprocess.run(argv, check=True, capture_output=True).stdout
    own = SigningKey.generate()
    (folder / "ed25519.key").write_bytes(base64.b64encode(bytes(own) + bytes(own.verify_key)))
    public = {"rsa": half, "ed25519": bytes(own.verify_key)}
    texts = {kind: base64.b64encode(value).decode() for kind, value in public.items()}
    state = {"signing": "mx1-1", "pairs": [{"name": "mx1-1", "made": 1, "public": texts}]}
    (folder.parent / "state.json").write_text(json.dumps(state))
    (tmp_path / "dump.rdb").write_bytes(b"")
    checker = tmp_path / "valkey-check-rdb"
    checker.write_text("#!/bin/sh\necho '[info] 17 keys read'\n")
    checker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return folder


def edge(pair: Path) -> keys.Edge:
    return keys.look(pair.parent, pair.parent.parent / "dump.rdb", "mx1")


def test_keys_are_the_halves_of_what_is_published(pair: Path) -> None:
    found = edge(pair)
    assert (found.wanted, found.keys, found.learned, found.troubles) == (2, 2, 17, [])


@pytest.mark.parametrize("name", ["rsa.key", "ed25519.key"])
@pytest.mark.parametrize("content", [b"", b"no key\n"])
def test_a_key_that_does_not_load(pair: Path, name: str, content: bytes) -> None:
    (pair / name).write_bytes(content)
    found = edge(pair)
    assert (found.wanted, found.keys, kinds(found.troubles)) == (2, 1, ["key"])
    assert name in found.troubles[0].detail


def test_a_key_that_signs_what_nobody_can_check(pair: Path) -> None:
    (pair / "ed25519.key").write_bytes(base64.b64encode(bytes(SigningKey.generate())))
    assert "another public half" in edge(pair).troubles[0].detail


def test_no_keys(pair: Path) -> None:
    (pair.parent / "state.json").unlink()
    assert kinds(edge(pair).troubles) == ["no-key"]


def test_what_was_learned_does_not_load(pair: Path) -> None:
    (pair.parent.parent / "valkey-check-rdb").write_text("#!/bin/sh\nexit 1\n")
    assert kinds(edge(pair).troubles) == ["learned"]


def test_what_valkey_has_not_written_yet_is_no_trouble(pair: Path) -> None:
    (pair.parent.parent / "dump.rdb").unlink()
    found = keys.look(pair.parent, None, "mx1")
    assert (found.keys, found.learned, found.troubles) == (2, 0, [])
    assert kinds(edge(pair).troubles) == ["learned"]


# Fetching


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


# Figures


def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.json"
    row = {
        "account": "nvan",
        "host": "store1",
        "snapshot": "1a",
        "tag": "mail",
        "taken": NOW,
        "noted": 0,
    }
    path.write_text(json.dumps({
        "begun": NOW, "by": "", "seed": 5, "bytes": 10, "seconds": 1.5,
        "mailboxes": [row], "people": None, "edge": None, "troubles": [],
    }))  # fmt: skip
    return path


FOUND: dict[str, Any] = {
    "mailboxes": [{"files": 3, "right": 3, "bytes": 9, "messages": [3, 3]}],
    "people": None, "edge": None, "seconds": 0.5, "troubles": [],
    "machine": {"sees": ["/usr"], "network": ["lo"], "users": ["0 0 1"]},
}  # fmt: skip


def test_figures_of_both_steps(tmp_path: Path) -> None:
    (tmp_path / "found.json").write_text(json.dumps(FOUND))
    made = combine("vault1", sample(tmp_path), tmp_path / "found.json", NOW)
    assert not made["troubles"] and made["mailboxes"][0]["messages"] == [3, 3]
    assert made["mailboxes"][0]["snapshot"] == "1a"
    assert made["machine"] == FOUND["machine"]


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.clear(),
        lambda found: found.update(mailboxes=[]),  # fewer than were restored
        lambda found: found.update(mailboxes=["x"]),
        lambda found: found["mailboxes"][0].update(messages="x"),
        lambda found: found["mailboxes"][0].update(files=None),
        lambda found: found.update(troubles=[{"kind": "unheard of"}]),
        lambda found: found.update(troubles=None),
        lambda found: found.update(machine={"sees": None}),
    ],
)
def test_findings_that_are_none(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    found = json.loads(json.dumps(FOUND))
    change(found)
    (tmp_path / "found.json").write_text(json.dumps(found))
    made = combine("vault1", sample(tmp_path), tmp_path / "found.json", NOW)
    assert [each["kind"] for each in made["troubles"]] == ["unfinished"]


@pytest.mark.parametrize(("noted", "told"), [(3, ["empty"]), (0, [])])
def test_a_drill_that_has_brought_no_message_is_not_good_where_there_is_mail(
    tmp_path: Path, noted: int, told: list[str]
) -> None:
    path = sample(tmp_path)
    wanted = json.loads(path.read_text())
    wanted["mailboxes"][0]["noted"] = noted
    path.write_text(json.dumps(wanted))
    found = json.loads(json.dumps(FOUND))
    found["mailboxes"][0]["messages"] = [0, 0]
    (tmp_path / "found.json").write_text(json.dumps(found))
    made = combine("vault1", path, tmp_path / "found.json", NOW)
    assert [each["kind"] for each in made["troubles"]] == told


def test_a_step_that_did_not_end(tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    lost = combine("vault1", sample(tmp_path), found, NOW)
    assert [each["detail"] for each in lost["troubles"]] == ["look"]
    neither = combine("vault1", tmp_path / "none.json", found, NOW)
    assert [each["detail"] for each in neither["troubles"]] == ["fetch", "look"]


def test_what_a_host_said_stays_on_one_line() -> None:
    trouble = Trouble.of(
        {"kind": "ldif", "where": "store1", "detail": "a\n\x00b\u202e" + "c" * 999}
    )
    assert trouble.detail.startswith("a??b?c") and len(trouble.detail) == 500
    assert some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


# Records and alarms


def line(ended: str, good: bool = True) -> dict[str, Any]:
    return {"ended": ended, "day": ended[:10], "good": good,
            "told": [] if good else ["store1: restic cannot restore it"]}  # fmt: skip


def moment(iso: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(iso).timestamp()


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ("2026-01-01T11:00:00+00:00", "ok: the last restore drill was good, 0 days ago"),
        ("2026-02-04T09:00:00+00:00", "ok: the last restore drill was good, 33 days ago"),
        ("2026-02-04T11:00:00+00:00", "ok: the last restore drill was good, 34 days ago"),
        ("2026-02-05T09:59:00+00:00", "ok: the last restore drill was good, 34 days ago"),
        ("2026-02-05T10:01:00+00:00", "the last good restore drill was 35 days ago (2026-01-01)"),
        ("2026-04-15T11:00:00+00:00", "the last good restore drill was 104 days ago (2026-01-01)"),
        (
            "2025-12-01T11:00:00+00:00",
            "the last good restore drill is of 2026-01-01: see the clock",
        ),
    ],
)
def test_the_age_of_a_drill_is_exact(tmp_path: Path, now: str, told: str) -> None:
    records = Records(tmp_path)
    records.add("1", b"{}", b"docx", line("2026-01-01T10:00:00+00:00"))
    [said] = records.health(moment(now), 0)
    assert said.startswith(told)


def test_no_drill_is_an_alarm_after_the_first_days(tmp_path: Path) -> None:
    assert Records(tmp_path).health(1.9 * 86400, 0) == []
    [said] = Records(tmp_path).health(2.1 * 86400, 0)
    assert said.startswith("no restore drill has ever been good")


def test_a_failed_drill_is_told_until_a_good_one(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.add("1", b"{}", b"docx", line("2026-01-01T10:00:00+00:00"))
    records.add("2", b"{}", b"docx", line("2026-01-02T10:00:00+00:00", good=False))
    now = moment("2026-01-03T10:00:00+00:00")
    [said] = records.health(now, 0)
    assert "of 2026-01-02 failed: store1: restic cannot restore it" in said
    # Long after, it is told beside the age of the good one.
    assert len(records.health(now + 60 * 86400, 0)) == 2
    records.add("3", b"{}", b"docx", line("2026-01-03T09:00:00+00:00"))
    assert records.health(now, 0)[0].startswith("ok: ")


def test_a_line_that_was_cut_off_is_none(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.add("1", b"{}", b"docx", line("2026-01-01T10:00:00+00:00"))
    with records.log.open("ab") as log:
        log.write(b'{"ended": "2026-0')
    assert [each["name"] for each in records.all()] == ["1"]
    records.add("2", b"figures", b"docx", line("2026-01-02T10:00:00+00:00"))
    assert [each["name"] for each in records.all()] == ["1", "2"]
    assert (tmp_path / "2.json").read_bytes() == b"figures"
