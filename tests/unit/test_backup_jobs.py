"""What the vault does with backups: forgets, copies, checks; and when it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from cellar import DAY, Cellar


@pytest.fixture
def cellar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cellar:
    monkeypatch.setenv("PATH", f"{tmp_path}/bin", prepend=":")
    return Cellar(tmp_path)


@pytest.mark.parametrize("says", [-40 * DAY, 400 * DAY])
def test_a_snapshot_of_another_day_stops_forgetting_for_its_host_alone(
    cellar: Cellar, says: float
) -> None:
    """By days that it names it would drive good ones out."""
    cellar.comes("store1", "a", "mail-all", cellar.now - DAY, ["an"])
    cellar.comes("store1", "bad", "mail-all", cellar.now, ["an"], says=cellar.now + says)
    failed = cellar.jobs.prune()
    assert list(failed) == ["store1"] and "nothing is forgotten" in failed["store1"]
    asked = cellar.asked()
    assert not [row for row in asked if "store1" in row and ("forget" in row or "prune" in row)]
    assert [row for row in asked if "store2" in row and "prune" in row]
    [line] = [line for line in cellar.says() if "bad" in line]
    assert "until somebody has looked" in line and not line.startswith("ok: ")
    cellar.vault.accept("store1")
    assert cellar.jobs.prune() == {}


def test_so_does_one_with_much_less_in_it(cellar: Cellar) -> None:
    cellar.comes("store1", "a", "mail-all", cellar.now - DAY, files=1000)
    cellar.comes("store1", "b", "mail-all", cellar.now, files=400)
    assert "400 files, one before had 1000" in cellar.jobs.prune()["store1"]


def test_what_is_kept_is_what_policy_says(cellar: Cellar) -> None:
    assert cellar.jobs.prune() == {}
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
    assert cellar.jobs.prune() == {}
    assert [row.count("--tag host") for row in cellar.asked() if "mx1" in row] == [1, 0]


def test_to_forget_nothing_in_the_second_place_prunes_nothing_there(cellar: Cellar) -> None:
    """Each of its commands has a long way to go."""
    cellar.jobs.copy()
    assert not [row for row in cellar.asked() if row.endswith("prune")]
    (cellar.place / "state/mx1.unpruned").touch()  # by one that was cut off
    for _ in range(2):
        cellar.jobs.copy()
    assert [row.split()[1] for row in cellar.asked() if row.endswith("prune")] == [
        str(cellar.place / "second/mx1")
    ]


def test_a_copy_finds_no_repository_and_makes_one(cellar: Cellar) -> None:
    (cellar.place / "second/mx1").mkdir()
    (cellar.place / "second/mx1/missing").touch()
    assert cellar.jobs.copy() == {}
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
    assert cellar.jobs.prune() == {}
    assert sum("mx1" in row and row.endswith("prune") for row in cellar.asked()) == 2


def test_what_is_doubted_is_copied_and_forgotten_nowhere(cellar: Cellar) -> None:
    cellar.comes("store1", "a", "mail-all", cellar.now, says=cellar.now - 3 * DAY)
    assert cellar.jobs.copy() == {}
    asked = cellar.asked()
    assert [row for row in asked if "second/store1" in row and " copy " in row]
    assert not [row for row in asked if "second/store1" in row and "forget" in row]
    assert [row for row in asked if "second/store2" in row and "forget" in row]


def test_nothing_goes_by_hourly_ones_alone(cellar: Cellar) -> None:
    """What was in those that would go is in no nightly one."""
    for day in range(5):
        cellar.comes("store1", f"b{day}", "mail", cellar.now - day * DAY, files=1)
    cellar.comes("store1", "a", "mail-all", cellar.now - 2 * DAY, ["an"])
    assert list(cellar.vault.doubts("store1")) == []
    (cellar.repository("store1") / "snapshots/a").unlink()
    assert "last one of mail-all is missing" in cellar.jobs.prune()["store1"]
    cellar.comes("store1", "c", "mail-all", cellar.now - 4 * DAY, ["an"])
    assert "hourly ones have come since" in cellar.jobs.prune()["store1"]
    assert any("last one of mail-all is of" in line for line in cellar.says())


def test_damage_is_told_until_it_is_mended(cellar: Cellar) -> None:
    (cellar.repository("store2") / "damaged").touch()
    failed = cellar.jobs.verify()
    cellar.jobs.note("verify", failed)
    assert failed == {"store2": "repository contains errors"}
    assert any("store2: checked never (repository contains errors)" in x for x in cellar.says())
    (cellar.repository("store2") / "damaged").unlink()
    cellar.jobs.note("verify", cellar.jobs.verify())
    assert not [line for line in cellar.says() if "errors" in line]
