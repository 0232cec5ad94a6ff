"""The vault's side of backups: what it believes, finds, and says."""

from __future__ import annotations

from pathlib import Path

import pytest
from cellar import DAY, Cellar

from danhba.backup.restic import Failed
from danhba.backup.vault_health import LATE


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


def test_what_was_accepted_is_what_later_ones_are_compared_with(cellar: Cellar) -> None:
    """Not for one night only; and one that is much less again is looked at again."""
    cellar.comes("store1", "a", "mail-all", cellar.now - 3 * DAY, files=1000)
    cellar.comes("store1", "b", "mail-all", cellar.now - 2 * DAY, files=400)
    cellar.vault.accept("store1")
    cellar.comes("store1", "c", "mail-all", cellar.now - DAY, files=390)
    assert list(cellar.vault.doubts("store1")) == []
    cellar.comes("store1", "d", "mail-all", cellar.now, files=100)
    assert "100 files, one before had 400" in next(cellar.vault.doubts("store1"))


def test_ages_are_exact(cellar: Cellar) -> None:
    cellar.comes("store1", "a", "mail", cellar.now - 34 * DAY - 60, ["an"])
    cellar.comes("store1", "b", "host", cellar.now - 60)
    cellar.jobs.note("verify", {})
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
