"""One booted lab for all tests that need hosts, and the province that is applied to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from province import Province

from danhba.project import ROOT
from staging import dkim_keys
from staging.lab import Lab

ORDER = ("unit", "hosts", "logs", "mail", "faults", "single")
"""Cheap tests first; then what breaks hosts, and last the province that takes their place."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        return ORDER.index(folder) if folder in ORDER else len(ORDER)

    items.sort(key=place)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Booted from scratch, whatever was there; taken down at the end (see script/test).

    DANHBA_REUSE_LAB=1 takes the lab as it is: for whoever works on one test again and again.
    """
    lab = Lab.open()
    lab.boot(fresh=not os.environ.get("DANHBA_REUSE_LAB"))
    yield lab
    if not os.environ.get("DANHBA_KEEP_LAB") and not os.environ.get("DANHBA_REUSE_LAB"):
        lab.down()


@pytest.fixture(scope="session")
def desk() -> Iterator[Path]:
    """A directory for passwords: those for temporary files are refused."""
    with TemporaryDirectory(prefix="danhba-tests-", dir=Path.home()) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def province(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Province:
    """The staging province, applied once; tests edit a copy of directory.yaml, never the file."""
    copy: Path = tmp_path_factory.mktemp("province") / "directory.yaml"
    copy.write_bytes((ROOT / "directory.yaml").read_bytes())
    province = Province(lab, copy)
    province.apply()
    dkim_keys.publish(lab, dkim_keys.records(lab))
    return province
