"""What a snapshot has of a mailbox, against the list of messages that the store wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from cellar import Cellar

from danhba.backup.compare import part_of
from danhba.backup.freezing import MANIFEST
from danhba.backup.jobs import PARTS
from danhba.backup.restic import Failed, Repository

INBOX = "mail/mailboxes/INBOX/dbox-Mails"
HOUR = 3600.0
RESTIC = """
case "$*" in
*" restore "*)
    echo "$9 $(cat "${13}" | tr '\\n' ' ')" >>"$2/restored"
    cp -r "$2/lists/." "${11}" ;;
*" ls "*) cat "$2/listed"; [ ! -e "$2/broken" ] || { echo "Fatal: no such tree" >&2; exit 1; } ;;
esac
"""
"""restic --repo PLACE --retry-lock 30m --cache-dir CACHE --no-lock restore ID --target SCRATCH
--include-file FILE."""


class Compared(Cellar):
    """A vault with a store of which each mailbox has a list."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        program = place / "bin/restic"
        program.write_text(program.read_text() + RESTIC)
        self.vault.config = self.config = replace(self.config, copies="/var/x")

    def has(self, account: str, listed: Mapping[str, int], there: Mapping[str, int]) -> None:
        """Of messages path and bytes, on the list and in the snapshot."""
        place = self.repository("store1") / "lists/var/x" / account
        place.mkdir(parents=True)
        rows = [{"path": path, "size": size, "changed": 0, "sha256": "x"}
                for path, size in listed.items()]  # fmt: skip
        (place / MANIFEST).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        top = f"/srv/mail/{account}"
        nodes: list[dict[str, object]] = [{"type": "dir", "path": top}]
        nodes += [{"type": "file", "path": f"{top}/{path}", "size": size}
                  for path, size in there.items()]  # fmt: skip
        with (self.repository("store1") / "listed").open("a") as file:
            file.writelines(f"{json.dumps(node)}\n" for node in nodes)

    def restored(self) -> list[str]:
        path = self.repository("store1") / "restored"
        rows = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return rows


@pytest.fixture
def cellar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compared:
    monkeypatch.setenv("PATH", f"{tmp_path}/bin", prepend=":")
    return Compared(tmp_path)


def comes(
    cellar: Cellar, *accounts: str, id: str = "a", age: float = 2 * HOUR, tag: str = "mail-all"
) -> None:
    cellar.comes("store1", id, tag, cellar.now - age, accounts)


def test_what_is_as_it_is_listed_is_well(cellar: Compared) -> None:
    """A message that came after the list was made is in the snapshot as well."""
    comes(cellar, "an", "binh")
    cellar.has("an", {f"{INBOX}/u.1": 5}, {f"{INBOX}/u.1": 5, f"{INBOX}/u.2": 7, "sieve": 1})
    cellar.has("binh", {}, {})
    assert cellar.jobs.verify(whole=True) == {}
    assert not (Path(cellar.config.state) / "lists").exists()


@pytest.mark.parametrize("there", [{}, {f"{INBOX}/u.1": 5, f"{INBOX}/u.2": 6}, {"x/u.1": 5}])
def test_what_a_pattern_leaves_out_is_told_until_it_is_there(
    cellar: Compared, there: Mapping[str, int]
) -> None:
    comes(cellar, "an", "binh")
    cellar.has("an", {f"{INBOX}/u.1": 5}, {f"{INBOX}/u.1": 5})
    cellar.has("binh", {f"{INBOX}/u.1": 5, f"{INBOX}/u.2": 7}, there)
    lacking = 1 if f"{INBOX}/u.1" in there else 2
    failed = cellar.jobs.verify(whole=True)
    assert list(failed) == ["store1"]
    assert f"{lacking} of the listed messages of binh in snapshot a are missing" in failed["store1"]
    assert f"{INBOX}/u." in failed["store1"]
    cellar.jobs.note("verify", failed)
    assert [line for line in cellar.says() if "binh" in line and line.startswith("backup of")]
    # In the next week another part is due, and it is looked at again all the same.
    assert all("binh" in cellar.jobs.verify().get("store1", "") for _ in range(2))
    comes(cellar, "binh", id="b", age=0, tag="mail")
    messages = [("an", 1, 5), ("binh", 1, 5), ("binh", 2, 7)]
    rows = [{"type": "file", "path": f"/srv/mail/{name}/{INBOX}/u.{n}", "size": size}
            for name, n, size in messages]  # fmt: skip
    (cellar.repository("store1") / "listed").write_text("\n".join(map(json.dumps, rows)))
    assert cellar.jobs.verify() == {}


def test_a_mailbox_of_which_nothing_is_there(cellar: Compared) -> None:
    comes(cellar, "an", "chi")
    cellar.has("an", {f"{INBOX}/u.1": 5}, {})
    (cellar.repository("store1") / "listed").write_text("")
    failed = cellar.jobs.verify(whole=True)["store1"]
    assert "1 of the listed messages of an" in failed and "(2 mailboxes)" in failed  # chi: no list
    cellar.has("chi", {}, {})
    (cellar.repository("store1") / "lists/var/x/an" / MANIFEST).write_text('{"pa')
    assert (
        "the list of messages of an in snapshot a cannot be read"
        in (cellar.jobs.verify(whole=True)["store1"])
    )


def test_one_that_went_meanwhile_is_waited_for(cellar: Compared) -> None:
    """The mailbox is in another snapshot right after (mail.py); when it is not, it is told."""
    comes(cellar, "an", age=60)
    cellar.has("an", {f"{INBOX}/u.1": 5}, {})
    assert cellar.jobs.verify(whole=True) == {}
    assert "of an in snapshot a" in cellar.jobs.verify(whole=True)["store1"]


def test_a_tenth_each_week_of_each_mailbox_its_newest_snapshot(
    cellar: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"nv{n}" for n in range(30)]
    comes(cellar, *names)
    comes(cellar, "nv3", id="b", age=HOUR, tag="mail")
    comes(cellar, "gone", *names, id="before", age=9 * HOUR)
    for name in names:
        cellar.has(name, {}, {})
    seen: list[str] = []
    for week in range(PARTS):
        monkeypatch.setattr("time.time", lambda week=week: cellar.now + 60 + week * 7 * 86400)
        assert "store1" not in cellar.jobs.verify()
        rows = cellar.restored()
        assert sum(row.count(MANIFEST) for row in rows) < 15
        seen += [word.split("/")[3] for row in rows for word in row.split()[1:]]
        assert all(("/nv3/" in row) == (row.split()[0] == "b") for row in rows)
    assert sorted(seen) == sorted(names)  # of who has left the store nothing comes any more


def test_parts_are_of_about_one_size() -> None:
    counts = [sum(part_of(f"nv{n}", 10) == part for n in range(5000)) for part in range(1, 11)]
    assert sum(counts) == 5000 and min(counts) > 400


def test_what_restic_prints_before_it_fails_is_no_whole_list(cellar: Compared) -> None:
    (cellar.repository("store1") / "listed").write_text("one\ntwo\n")
    (cellar.repository("store1") / "broken").touch()
    words: Sequence[str] = ("ls", "x")
    lines = Repository(str(cellar.repository("store1")), {}).lines(*words)
    assert [next(lines), next(lines)] == ["one\n", "two\n"]
    with pytest.raises(Failed, match="no such tree"):
        next(lines)
