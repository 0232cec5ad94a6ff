"""The vault's side of backups: what it believes, finds, forgets, and says."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from danhba.backup.config import VaultConfig
from danhba.backup.restic import Failed
from danhba.backup.vault import Vault
from danhba.backup.vault_health import LATE, health

RESTIC = """\
#!/bin/sh
echo "$@" >>{place}/log
case "$*" in
*snapshots*) cat "$2/said" ;;
*check*) [ ! -e "$2/damaged" ] || {{ echo "Fatal: repository contains errors" >&2; exit 1; }} ;;
*" init "*) rm -f "$2/missing" ;;
*" copy "*) [ ! -e "$2/missing" ] || exit 10 ;;
esac
"""
DAY = 86400.0


class Cellar:
    """A vault with a restic that only writes down what it is asked."""

    def __init__(self, place: Path) -> None:
        self.place, self.now = place, time.time()
        for name in ("repositories", "state", "bin", "second"):
            (place / name).mkdir()
        program = place / "bin/restic"
        program.write_text(RESTIC.format(place=place))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.config = VaultConfig(
            hosts={"store1": True, "store2": True, "mx1": False},
            place=str(place / "repositories"), secret="", second=str(place / "second"), sftp="",
            keep={"days": 14, "weeks": 8, "months": 12}, mail="/srv/mail", user="",
            state=str(place / "state"), held=(),
        )  # fmt: skip
        self.vault = Vault(self.config, dict.fromkeys(self.config.hosts, "x"))
        for host in self.config.hosts:
            (self.repository(host) / "snapshots").mkdir(parents=True)
            (self.repository(host) / "said").write_text("[]")

    def repository(self, host: str) -> Path:
        return Path(self.config.place, host)

    def comes(
        self, host: str, id: str, tag: str, at: float, accounts: Sequence[str] = (),
        says: float | None = None, files: int = 100,
    ) -> None:  # fmt: skip
        """A snapshot that arrives, and says that it is of another time."""
        path = self.repository(host) / "snapshots" / id
        path.touch()
        os.utime(path, (at, at))
        when = datetime.fromtimestamp(at if says is None else says, UTC).isoformat()
        rows = json.loads((self.repository(host) / "said").read_text())
        rows.append({
            "id": id, "tags": [tag], "time": when,
            "paths": [f"{top}/{name}" for name in accounts for top in ("/srv/mail", "/var/x")],
            "summary": {"total_files_processed": files},
        })  # fmt: skip
        (self.repository(host) / "said").write_text(json.dumps(rows))

    def asked(self) -> list[str]:
        path = self.place / "log"
        rows = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return rows

    def says(self, now: float = 0.0) -> list[str]:
        return list(health(self.vault, now or self.now))


@pytest.fixture
def cellar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cellar:
    monkeypatch.setenv("PATH", f"{tmp_path}/bin", prepend=":")
    return Cellar(tmp_path)


def test_the_newest_until_then_is_found_on_whichever_store_it_was(cellar: Cellar) -> None:
    """A mailbox that has moved is in two repositories."""
    at = cellar.now
    cellar.comes("store1", "a", "mail-all", at - 5 * DAY, ["an", "binh"])
    cellar.comes("store1", "b", "mail", at - 4 * DAY, ["an"])
    cellar.comes("store2", "c", "mail", at - 3 * DAY, ["an"])
    found = cellar.vault.find(["an", "binh", "chi"], at)
    assert {account: each.id for account, each in found.items()} == {"an": "c", "binh": "a"}
    before = cellar.vault.find(["an"], at - 3.5 * DAY)["an"]
    assert (before.id, before.host, before.tag) == ("b", "store1", "mail")
    assert cellar.vault.find(["an"], at - 6 * DAY) == {}


def test_restic_is_asked_only_when_a_snapshot_has_come(cellar: Cellar) -> None:
    cellar.comes("store1", "a", "mail", cellar.now)
    for _ in range(3):
        cellar.vault.snapshots("store1")
    [asked] = cellar.asked()
    assert "--no-lock" in asked  # a prune that is at work is not waited for
    cellar.comes("store1", "b", "mail", cellar.now)
    assert [each.id for each in cellar.vault.snapshots("store1")] == ["a", "b"]
    (cellar.repository("store1") / "snapshots/a").unlink()
    assert [each.id for each in cellar.vault.snapshots("store1")] == ["b"]
    assert len(cellar.asked()) == 1


@pytest.mark.parametrize("says", [-40 * DAY, 400 * DAY])
def test_a_snapshot_of_another_day_stops_forgetting_for_its_host_alone(
    cellar: Cellar, says: float
) -> None:
    """By days that it names it would drive good ones out."""
    cellar.comes("store1", "a", "mail-all", cellar.now - DAY, ["an"])
    cellar.comes("store1", "bad", "mail-all", cellar.now, ["an"], says=cellar.now + says)
    failed = cellar.vault.prune()
    assert list(failed) == ["store1"] and "nothing is forgotten" in failed["store1"]
    asked = cellar.asked()
    assert not [row for row in asked if "store1" in row and ("forget" in row or "prune" in row)]
    assert [row for row in asked if "store2" in row and "prune" in row]
    [line] = [line for line in cellar.says() if "bad" in line]
    assert "until somebody has looked" in line and not line.startswith("ok: ")
    cellar.vault.accept("store1")
    assert cellar.vault.prune() == {}


def test_so_does_one_with_much_less_in_it(cellar: Cellar) -> None:
    cellar.comes("store1", "a", "mail-all", cellar.now - DAY, files=1000)
    cellar.comes("store1", "b", "mail-all", cellar.now, files=400)
    assert "400 files, one before had 1000" in cellar.vault.prune()["store1"]


def test_what_was_accepted_is_what_later_ones_are_compared_with(cellar: Cellar) -> None:
    """Not for one night only; and one that is much less again is looked at again."""
    cellar.comes("store1", "a", "mail-all", cellar.now - 3 * DAY, files=1000)
    cellar.comes("store1", "b", "mail-all", cellar.now - 2 * DAY, files=400)
    cellar.vault.accept("store1")
    cellar.comes("store1", "c", "mail-all", cellar.now - DAY, files=390)
    assert list(cellar.vault.doubts("store1")) == []
    cellar.comes("store1", "d", "mail-all", cellar.now, files=100)
    assert "100 files, one before had 400" in next(cellar.vault.doubts("store1"))


def test_what_is_kept_is_what_policy_says(cellar: Cellar) -> None:
    assert cellar.vault.prune() == {}
    asked = [row.partition("--cache-dir")[2].split(" ", 2)[2]
             for row in cellar.asked() if "store2" in row]  # fmt: skip
    daily = "--keep-daily 14 --keep-weekly 8 --keep-monthly 12"
    assert asked == [
        "forget --group-by host,tags --tag mail --keep-within 14d --dry-run --json",
        f"forget --group-by host,tags --tag mail-all {daily} --dry-run --json",
        f"forget --group-by host,tags --tag host {daily} --dry-run --json",
        "prune",
    ]


def test_a_host_without_mail_has_none_to_forget(cellar: Cellar) -> None:
    assert cellar.vault.prune() == {}
    assert [row.count("--tag host") for row in cellar.asked() if "mx1" in row] == [1, 0]


def test_to_forget_nothing_in_the_second_place_prunes_nothing_there(cellar: Cellar) -> None:
    """Each of its commands has a long way to go."""
    cellar.vault.copy()
    assert not [row for row in cellar.asked() if row.endswith("prune")]
    (cellar.place / "state/mx1.unpruned").touch()  # by one that was cut off
    for _ in range(2):
        cellar.vault.copy()
    assert [row.split()[1] for row in cellar.asked() if row.endswith("prune")] == [
        str(cellar.place / "second/mx1")
    ]


def test_a_copy_finds_no_repository_and_makes_one(cellar: Cellar) -> None:
    (cellar.place / "second/mx1").mkdir()
    (cellar.place / "second/mx1/missing").touch()
    assert cellar.vault.copy() == {}
    asked = [row for row in cellar.asked() if "second/mx1" in row]
    assert sum("init --from-repo" in row for row in asked) == 1
    assert sum(" copy --from-repo" in row for row in asked) == 2


def test_a_lock_that_a_dead_host_has_left_is_waited_for_and_taken_away(cellar: Cellar) -> None:
    program = cellar.place / "bin/restic"
    stale = """case "$*" in
*unlock*) [ ! -e "$2/waited" ] || rm -f "$2/locked" ;;
*prune*) [ ! -e "$2/locked" ] || { touch "$2/waited"; echo "Fatal: repository is already locked" >&2; exit 11; } ;;
esac
"""  # noqa: E501
    program.write_text(program.read_text() + stale)
    (cellar.repository("mx1") / "locked").touch()
    assert cellar.vault.prune() == {}
    assert sum("mx1" in row and row.endswith("prune") for row in cellar.asked()) == 2


def test_what_is_doubted_is_copied_and_forgotten_nowhere(cellar: Cellar) -> None:
    cellar.comes("store1", "a", "mail-all", cellar.now, says=cellar.now - 3 * DAY)
    assert cellar.vault.copy() == {}
    asked = cellar.asked()
    assert [row for row in asked if "second/store1" in row and " copy " in row]
    assert not [row for row in asked if "second/store1" in row and "forget" in row]
    assert [row for row in asked if "second/store2" in row and "forget" in row]


def test_ages_are_exact(cellar: Cellar) -> None:
    cellar.comes("store1", "a", "mail", cellar.now - 34 * DAY - 60, ["an"])
    cellar.comes("store1", "b", "host", cellar.now - 60)
    cellar.vault.note("verify", {})
    said = cellar.says()
    assert "backup of store1: the last of mail is 34 days old" in "\n".join(said)
    assert "ok: backup of store1: host 60 seconds ago" in said
    assert any("ok: backups checked" in line for line in said)
    later = "\n".join(cellar.says(cellar.now + 34 * DAY + 60))
    assert "checked last 34 days ago" in later and "copied to the second place never" in later


def test_a_clock_that_is_ahead_makes_no_backup_young(cellar: Cellar) -> None:
    cellar.comes("store1", "a", "mail", cellar.now - 5 * DAY, says=cellar.now - 4.5 * DAY)
    cellar.comes("store1", "b", "mail", cellar.now - 3 * DAY, says=cellar.now)
    assert "the last of mail is 5 days old" in "\n".join(cellar.says())


def test_a_store_that_has_no_mail_yet_is_not_one_that_was_never_backed_up(cellar: Cellar) -> None:
    cellar.comes("store1", "h", "host", cellar.now)
    cellar.comes("store1", "a", "mail-all", cellar.now - DAY, files=1)
    cellar.comes("store1", "b", "mail", cellar.now - 3600, files=1)
    said = [line for line in cellar.says() if "store1:" in line]
    assert "ok: backup of store1: no mail yet, 60 minutes ago, host 0 seconds ago" in said
    old = "\n".join(cellar.says(cellar.now + DAY))
    assert "backup of store1: the last of mail is 25 hours old" in old


def test_a_store_in_which_nothing_changes_is_not_late(cellar: Cellar) -> None:
    """Nor does what says so stand for a mailbox when one is looked for."""
    cellar.comes("store1", "a", "mail-all", cellar.now - DAY, ["an"])
    for hour in range(24):
        cellar.comes("store1", f"b{hour}", "mail", cellar.now - hour * 3600 - 60, files=1)
    cellar.comes("store1", "h", "host", cellar.now - 60)
    said = [line for line in cellar.says() if "store1:" in line]
    assert said[0] == "ok: backup of store1: mail 60 seconds ago, host 60 seconds ago"
    assert cellar.vault.find(["an"], cellar.now)["an"].id == "a"


def test_nothing_goes_by_hourly_ones_alone(cellar: Cellar) -> None:
    """What was in those that would go is in no nightly one."""
    for day in range(5):
        cellar.comes("store1", f"b{day}", "mail", cellar.now - day * DAY, files=1)
    cellar.comes("store1", "a", "mail-all", cellar.now - 2 * DAY, ["an"])
    assert list(cellar.vault.doubts("store1")) == []
    (cellar.repository("store1") / "snapshots/a").unlink()
    assert "last one of mail-all is missing" in cellar.vault.prune()["store1"]
    cellar.comes("store1", "c", "mail-all", cellar.now - 4 * DAY, ["an"])
    assert "hourly ones have come since" in cellar.vault.prune()["store1"]
    assert any("last one of mail-all is of" in line for line in cellar.says())


def test_neither_does_a_vault_that_has_come_back(cellar: Cellar) -> None:
    """All arrive on its first day, and are taken for good."""
    cellar.comes("store1", "a", "mail", cellar.now - 60, says=cellar.now - 5 * DAY - 60)
    cellar.vault.accept("store1")
    assert "the last of mail is 5 days old" in "\n".join(cellar.says())


def test_nobody_but_a_store_has_mailboxes_to_restore(cellar: Cellar) -> None:
    """Nor a snapshot that says that it is of another day, until somebody has looked."""
    cellar.comes("store1", "a", "mail-all", cellar.now - 2 * DAY, ["an"])
    cellar.comes("mx1", "b", "mail", cellar.now - DAY, ["an"])
    cellar.comes("store2", "c", "mail", cellar.now - 5 * DAY, ["an"], says=cellar.now - 60)
    assert cellar.vault.find(["an"], cellar.now)["an"].id == "a"
    cellar.vault.accept("store2")
    assert cellar.vault.find(["an"], cellar.now)["an"].id == "c"


def test_a_disk_that_is_not_mounted_gets_no_new_repositories(cellar: Cellar) -> None:
    for host in cellar.config.hosts:
        (cellar.repository(host) / "config").touch()
    cellar.vault.make()
    assert not cellar.asked()
    (cellar.repository("store2") / "config").unlink()
    with pytest.raises(Failed, match="of store2 were here"):
        cellar.vault.make()
    assert not cellar.asked()
    assert any("store2 were here" in line and not line.startswith("ok: ") for line in cellar.says())
    (cellar.place / "state/made.json").unlink()  # a blank machine
    cellar.vault.make()
    assert [row.split()[1] for row in cellar.asked() if row.endswith("init")] == [
        str(cellar.repository("store2"))
    ]


def test_one_that_never_came_is_missed(cellar: Cellar) -> None:
    now = cellar.now + LATE["host"] + 60
    assert "backup of mx1: the last of host is missing" in "\n".join(cellar.says(now))


def test_damage_is_told_until_it_is_mended(cellar: Cellar) -> None:
    (cellar.repository("store2") / "damaged").touch()
    failed = cellar.vault.verify()
    cellar.vault.note("verify", failed)
    assert failed == {"store2": "repository contains errors"}
    assert any("store2: checked never (repository contains errors)" in x for x in cellar.says())
    (cellar.repository("store2") / "damaged").unlink()
    cellar.vault.note("verify", cellar.vault.verify())
    assert not [line for line in cellar.says() if "errors" in line]
