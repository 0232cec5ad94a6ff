"""When systemd is made to read its unit files again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from danhba.generations.host import units

UNIT, TABLE = "/etc/systemd/system/danhba-thu.service", "/etc/postfix/aliases"


def manifest(unit: str = "a", table: str = "b", links: dict[str, str] | None = None) -> Any:
    files = {UNIT: {"sha256": unit}, TABLE: {"sha256": table}}
    return {"files": files, "tables": [], "links": links or {}}


@pytest.fixture
def reloads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Sequence[str]]:
    done: list[Sequence[str]] = []
    monkeypatch.setattr(units, "READ", tmp_path / "read")
    monkeypatch.setattr(units, "must", done.append)
    return done


def test_what_it_has_read_it_does_not_read_again(reloads: list[Sequence[str]]) -> None:
    units.read(manifest())
    units.read(manifest(table="another"))
    assert reloads == [["systemctl", "daemon-reload"]]


@pytest.mark.parametrize(
    "other", [manifest("c"), manifest(links={"/etc/systemd/system/x.service": "/dev/null"})]
)
def test_another_unit_or_link_to_one_is_read(reloads: list[Sequence[str]], other: Any) -> None:
    units.read(manifest())
    units.read(other)
    assert len(reloads) == 2


def test_after_a_boot_it_is_made_to_read_once(reloads: list[Sequence[str]]) -> None:
    units.read(manifest())
    units.READ.unlink()
    units.read(manifest())
    assert len(reloads) == 2


def test_a_swap_that_was_cut_off_leaves_nothing_known(reloads: list[Sequence[str]]) -> None:
    """A package's installation may have made it read the new ones before the swap is undone."""
    units.read(manifest())
    units.changing(manifest(), manifest("c"))
    units.read(manifest())
    assert len(reloads) == 2
    units.changing(manifest(), manifest(table="another"))
    units.read(manifest())
    assert len(reloads) == 2


def test_a_unit_that_was_edited_is_read_again(reloads: list[Sequence[str]]) -> None:
    units.read(manifest())
    units.altered([TABLE])
    units.read(manifest())
    assert len(reloads) == 1
    units.altered([TABLE, UNIT])
    units.read(manifest())
    assert len(reloads) == 2


def test_a_reload_that_fails_is_tried_again(
    reloads: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(argv: Sequence[str]) -> None:
        raise OSError(argv)

    with monkeypatch.context() as broken:
        broken.setattr(units, "must", fail)
        with pytest.raises(OSError):
            units.read(manifest())
    units.read(manifest())
    assert len(reloads) == 1
