"""Fault tests leave the province as they found it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from province import Province

from danhba.project import ROOT

PARTS = ("danhba", "deploys", "templates", "inventory", "staging")


@pytest.fixture
def checkout(province: Province, tmp_path: Path) -> Iterator[Province]:
    """The same province from another checkout, whose templates a test may spoil.

    Afterwards the hosts get the unspoilt generation again.
    """
    for part in PARTS:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignore)
    yield Province(province.lab, province.directory, province.passwords, tmp_path)
    province.apply()
    assert province.plan_status() == 0


@pytest.fixture
def placement(province: Province) -> Iterator[Path]:
    """The placement file, which ends as it began: absent."""
    path = province.root / "inventory" / "staging.placement.yaml"
    assert not path.exists()
    yield path
    path.unlink(missing_ok=True)
