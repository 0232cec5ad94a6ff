"""What a blank machine takes of its repository, and where it puts it."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from danhba.backup import back
from danhba.backup.config import Config
from danhba.backup.restic import Failed


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "mail").mkdir()
    return Config(
        host="store1", vault="vault1.x", port=2541, ca="", secret="", homes="",
        mail=f"{tmp_path}/mail", state=f"{tmp_path}/state", paths=[], apart=[], ldap=[],
    )  # fmt: skip


def snapshot(name: str, hour: int, tag: str, *paths: str) -> dict[str, Any]:
    return {
        "id": name, "time": f"2026-11-26T{hour:02}:00:00+07:00", "tags": [tag], "paths": [*paths],
    }  # fmt: skip


class TestWhichSnapshot:
    NEWEST = 10**10

    def rows(self, config: Config) -> list[dict[str, Any]]:
        van, ha = f"{config.mail}/nvan", f"{config.mail}/lttha"
        return [
            snapshot("late", 11, "mail", van),
            snapshot("all", 2, "mail-all", van, ha),
            snapshot("early", 9, "mail", van),
            snapshot("host", 12, "host", van),
        ]

    def test_the_newest_that_has_the_mailbox(self, config: Config) -> None:
        found = back._newest(config, self.rows(config), {"nvan", "lttha", "moi"}, self.NEWEST)
        assert {name: row["id"] for name, row in found.items()} == {"nvan": "late", "lttha": "all"}
        assert back._by_snapshot(found) == {"all": ["lttha"], "late": ["nvan"]}

    def test_none_of_later(self, config: Config) -> None:
        at = back._moment({"at": "2026-11-26T10:30:00+07:00"})
        found = back._newest(config, self.rows(config), {"nvan"}, at)
        assert found["nvan"]["id"] == "early"

    def test_the_last_of_what_else_a_host_has(self, config: Config) -> None:
        assert back._moment({"at": ""}) > 1e9


class TestMailboxes:
    @pytest.fixture(autouse=True)
    def me(self, monkeypatch: pytest.MonkeyPatch) -> None:
        own = SimpleNamespace(pw_uid=os.getuid(), pw_gid=os.getgid())
        monkeypatch.setattr(pwd, "getpwnam", lambda name: own)

    FOLDER = "mail/mailboxes/INBOX/dbox-Mails"

    def restored(self, config: Config, place: Path) -> None:
        box = Path(f"{place}{config.mail}/nvan/{self.FOLDER}")
        box.mkdir(parents=True)
        (box / "u.1").write_text("thư")
        copies = Path(f"{place}{config.state}/mail/nvan")
        (copies / self.FOLDER).mkdir(parents=True)
        (copies / self.FOLDER / "dovecot.index").write_text("flags")
        (copies / back.MANIFEST).write_text("{}")

    def test_index_files_are_laid_over(self, config: Config, tmp_path: Path) -> None:
        self.restored(config, tmp_path / "place")
        empty = Path(config.mail, "nvan", self.FOLDER)
        empty.mkdir(parents=True)
        (empty / "dovecot.index").write_text("of a mailbox that was made meanwhile")
        assert back._settle(config, tmp_path / "place", "nvan") == 1
        assert (empty / "dovecot.index").read_text() == "flags"
        assert not Path(config.mail, "nvan", back.MANIFEST).exists()

    def test_what_is_there_is_left_alone(
        self, config: Config, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        there = Path(config.mail, "nvan", self.FOLDER)
        there.mkdir(parents=True)
        (there / "u.7").write_text("mới")
        rows = [snapshot("all", 2, "mail-all", f"{config.mail}/nvan")]
        monkeypatch.setattr(back, "of_host", lambda found: SimpleNamespace(snapshots=lambda: rows))
        monkeypatch.setattr(back, "_resync", lambda accounts, domain: None)
        done = back.mail(config, {"accounts": ["nvan", "moi"], "domain": "x"})
        assert done["mailboxes"] == 0
        assert done["missing"] == ["moi"]
        assert (there / "u.7").read_text() == "mới"

    def test_a_whole_store_comes_in_groups(
        self, config: Config, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """restic tries each pattern on each file. Cut off, what has come stays."""
        names = [f"nv{n}" for n in range(7)]
        rows = [
            snapshot("all", 2, "mail-all", *(f"{config.mail}/{name}" for name in names)),
            snapshot("late", 9, "mail", f"{config.mail}/nv6"),
        ]
        asked: list[tuple[str, list[str]]] = []
        broken = {"nv4"}

        def must(*words: str) -> str:
            paths = Path(words[words.index("--include-file") + 1]).read_text().split()
            boxes = [Path(each).name for each in paths if each.startswith(f"{config.mail}/")]
            assert len(paths) == 2 * len(boxes)
            if broken.intersection(boxes):
                raise Failed("the vault is away")
            asked.append((words[1], boxes))
            for name in boxes:
                box = Path(f"{words[words.index('--target') + 1]}{config.mail}/{name}", self.FOLDER)
                box.mkdir(parents=True)
                (box / "u.1").write_text(name)
            return ""

        found = SimpleNamespace(snapshots=lambda: rows, must=must)
        monkeypatch.setattr(back, "of_host", lambda config: found)
        monkeypatch.setattr(back, "_resync", lambda accounts, domain: None)
        monkeypatch.setattr(back, "AT_ONCE", 3)
        question = {"accounts": names, "domain": "x"}
        with pytest.raises(Failed, match="away"):
            back.mail(config, question)
        broken.clear()
        done = back.mail(config, question)
        assert (done["mailboxes"], done["messages"], done["missing"]) == (4, 4, [])
        assert asked == [("all", names[:3]), ("all", names[3:6]), ("late", ["nv6"])]
        for name in names:
            assert Path(config.mail, name, self.FOLDER, "u.1").read_text() == name
        assert not Path(config.mail, ".rebuild").exists()


def test_what_cannot_be_read_of_a_host_is_told_and_the_rest_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"id": "a", "paths": ["/var/lib/good", "/var/lib/bad"]}

    def unpack(repository: object, row: object, place: Path, path: str = "/") -> None:
        for name in ("good", "bad"):
            if path in ("/", f"/var/lib/{name}"):
                (place / "var/lib" / name).mkdir(parents=True, exist_ok=True)
                (place / "var/lib" / name / "half").touch()
        if path != "/var/lib/good":
            raise Failed("pack 12ab is damaged")

    monkeypatch.setattr(back, "_unpack", unpack)
    repository: Any = None
    with pytest.raises(Failed):
        back._unpacked(repository, row, tmp_path / "whole", False)
    place = tmp_path / "partly"
    told = ["/var/lib/bad: pack 12ab is damaged"]
    assert back._unpacked(repository, row, place, True) == told
    assert [path.name for path in back._folders(place)] == ["good"]
    with pytest.raises(Failed, match="/var/lib/bad: pack"):
        back._unpacked(repository, {**row, "paths": ["/var/lib/bad"]}, place, True)


def test_what_is_laid_of_a_host(tmp_path: Path) -> None:
    """Generations are new, and what a copy elsewhere was like holds no more."""
    for name in ("danhba", "danhba-signing", "danhba-standby", "danhba-backup", "valkey"):
        (tmp_path / "var" / "lib" / name).mkdir(parents=True)
    names = [path.name for path in back._folders(tmp_path)]
    assert names == ["danhba-signing", "valkey"]


def test_records_of_all_machines_before_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine is rebuilt twice, and what was cut off is done again."""
    kept = tmp_path / "kept"
    monkeypatch.setattr(back, "RECORD", kept)

    def bring(time: str, **files: str) -> dict[str, str]:
        place = tmp_path / "back"
        record = place / str(kept).lstrip("/")
        record.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (record / name.replace("_", ".until-")).write_text(text)
        back._keep_record(place, time)
        shutil.rmtree(place)
        return {path.name: path.read_text() for path in kept.iterdir()}

    assert bring("26T02", log="one") == {"log.until-26T02": "one"}
    shutil.rmtree(kept)
    for _ in range(2):
        both = bring("26T09", log="two", log_26T02="one")
        assert both == {"log.until-26T02": "one", "log.until-26T09": "two"}
    assert bring("26T09", log="three") == {**both, "log.until-26T09+": "three"}
    back._keep_record(tmp_path / "none", "27T02")


def test_a_directory_takes_the_place_of_what_the_new_machine_made(tmp_path: Path) -> None:
    place = tmp_path / "var" / "lib" / "danhba-backup" / "back"
    (place / "var" / "lib" / "valkey").mkdir(parents=True)
    (place / "var" / "lib" / "valkey" / "dump.rdb").write_text("learned")
    root = tmp_path / "root"
    (root / "var" / "lib" / "valkey").mkdir(parents=True)
    (root / "var" / "lib" / "valkey" / "new").write_text("")
    [source] = back._folders(place)
    target = root / "var" / "lib" / "valkey"
    assert back._lay(place, source, root) == str(target)
    assert [path.name for path in target.iterdir()] == ["dump.rdb"]
